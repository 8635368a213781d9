//! AWS::CloudWatch::Alarm.

use serde_json::{Map, Value, json};

use super::act::{Act, Tagging, and, attributes, listed};
use super::{Doing, Facts, Kind, Tags, fixed, kept, lacking};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::list;

pub struct Alarm;

static FACTS: Facts = Facts {
    name: "AWS::CloudWatch::Alarm",
    properties: &[
        fixed("AlarmName"),
        kept("ActionsEnabled"),
        kept("AlarmActions"),
        kept("AlarmDescription"),
        kept("ComparisonOperator"),
        kept("DatapointsToAlarm"),
        kept("Dimensions"),
        kept("EvaluateLowSampleCountPercentile"),
        kept("EvaluationCriteria"),
        kept("EvaluationInterval"),
        kept("EvaluationPeriods"),
        kept("ExtendedStatistic"),
        kept("InsufficientDataActions"),
        kept("MetricName"),
        kept("Metrics"),
        kept("Namespace"),
        kept("OKActions"),
        kept("Period"),
        kept("Statistic"),
        kept("Threshold"),
        kept("ThresholdMetricId"),
        kept("TreatMissingData"),
        kept("Unit"),
        lacking("ActionConfiguration"),
        lacking("EvaluationWindow"),
        lacking("WarmUpConfiguration"),
        kept("Tags"),
    ],
    attributes: &["Arn"],
    named: Some(("AlarmName", 255)),
    identifier: "AlarmName",
    tags: Tags::List,
};

async fn put(act: &Act, tags: bool) -> Result<(), ApiError> {
    let mut input = act.properties.as_object().cloned().unwrap_or_default();
    if !tags {
        input.remove("Tags");
    }
    act.call("cloudwatch", "PutMetricAlarm", Value::Object(and(input, "AlarmName", act.name.clone()))).await?;
    Ok(())
}

async fn there(act: &Act, name: &str) -> Result<bool, ApiError> {
    let answer = act.call("cloudwatch", "DescribeAlarms", json!({"AlarmNames": [name]})).await?;
    Ok(list(&answer, "MetricAlarms").next().is_some())
}

const TAGGING: Tagging =
    Tagging { service: "cloudwatch", operations: ["TagResource", "UntagResource"], members: ["Tags", "TagKeys"], form: listed };

impl Kind for Alarm {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn standing<'a>(&'a self, act: &'a Act) -> Doing<'a, Value> {
        Box::pin(async move { Ok(if there(act, &act.name).await? { json!(act.name) } else { Value::Null }) })
    }

    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            put(act, true).await?;
            Ok(act.name.clone())
        })
    }

    fn attributes<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async move { Ok(attributes([("Arn", act.arn("cloudwatch", &format!("alarm:{physical}")))])) })
    }

    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async move {
            put(act, false).await?;
            act.retag(&TAGGING, json!({"ResourceARN": act.arn("cloudwatch", &format!("alarm:{physical}"))}), old).await
        })
    }

    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            // Deleting one that is not there is an error that does not say which of several it was.
            if there(act, physical).await? {
                act.delete("cloudwatch", "DeleteAlarms", json!({"AlarmNames": [physical]})).await?;
            }
            Ok(())
        })
    }
}
