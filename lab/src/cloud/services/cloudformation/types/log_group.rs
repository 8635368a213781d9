//! AWS::Logs::LogGroup.

use serde_json::{Map, Value, json};

use super::act::{Act, Tagging, and, attributes, mapped, tags};
use super::{Doing, Facts, Kind, Tags, fixed, kept, lacking};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{list, text};

pub struct LogGroup;

static FACTS: Facts = Facts {
    name: "AWS::Logs::LogGroup",
    properties: &[
        fixed("LogGroupName"),
        kept("RetentionInDays"),
        kept("Tags"),
        kept("LogGroupClass"),
        kept("KmsKeyId"),
        lacking("BearerTokenAuthenticationEnabled"),
        lacking("DataProtectionPolicy"),
        lacking("DeletionProtectionEnabled"),
        lacking("FieldIndexPolicies"),
        lacking("ResourcePolicyDocument"),
    ],
    attributes: &["Arn"],
    named: Some(("LogGroupName", 512)),
    identifier: "LogGroupName",
    tags: Tags::List,
};

async fn retention(act: &Act, group: &str, old: &Value) -> Result<(), ApiError> {
    match act.get("RetentionInDays") {
        Some(days) => {
            act.call("logs", "PutRetentionPolicy", json!({"logGroupName": group, "retentionInDays": days})).await?;
        }
        None if old.get("RetentionInDays").is_some() => {
            act.call("logs", "DeleteRetentionPolicy", json!({"logGroupName": group})).await?;
        }
        None => {}
    }
    Ok(())
}

const TAGGING: Tagging =
    Tagging { service: "logs", operations: ["TagResource", "UntagResource"], members: ["tags", "tagKeys"], form: mapped };

impl Kind for LogGroup {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn standing<'a>(&'a self, act: &'a Act) -> Doing<'a, Value> {
        Box::pin(async move {
            let answer = act.call("logs", "DescribeLogGroups", json!({"logGroupNamePrefix": act.name})).await?;
            let there = list(&answer, "logGroups").any(|group| text(group, "logGroupName") == Some(&act.name));
            Ok(if there { json!(act.name) } else { Value::Null })
        })
    }

    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            let mut input = and(Map::new(), "logGroupName", act.name.clone());
            for (property, member) in [("KmsKeyId", "kmsKeyId"), ("LogGroupClass", "logGroupClass")] {
                input.extend(act.get(property).map(|value| (member.to_owned(), value.clone())));
            }
            let tags = tags(&act.properties);
            if !tags.is_empty() {
                input = and(input, "tags", tags);
            }
            act.call("logs", "CreateLogGroup", Value::Object(input)).await?;
            Ok(act.name.clone())
        })
    }

    fn complete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(async move { retention(act, physical, &Value::Null).await })
    }

    fn attributes<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async move { Ok(attributes([("Arn", act.arn("logs", &format!("log-group:{physical}:*")))])) })
    }

    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async move {
            retention(act, physical, old).await?;
            act.retag(&TAGGING, json!({"resourceArn": act.arn("logs", &format!("log-group:{physical}"))}), old).await
        })
    }

    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(act.delete("logs", "DeleteLogGroup", json!({"logGroupName": physical})))
    }
}
