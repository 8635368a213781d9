//! AWS::FIS::ExperimentTemplate.

use serde_json::{Map, Value, json};

use super::act::{Act, Tagging, and, attributes, mapped};
use super::{Doing, Facts, Kind, Tags, depends, kept, lacking};
use crate::cloud::services::members::text;

pub struct ExperimentTemplate;

static FACTS: Facts = Facts {
    name: "AWS::FIS::ExperimentTemplate",
    properties: &[
        kept("Actions"),
        kept("Description").required(),
        depends("ExperimentOptions"),
        kept("LogConfiguration"),
        kept("RoleArn").required(),
        kept("StopConditions").required(),
        kept("Tags"),
        kept("Targets").required(),
        lacking("ExperimentReportConfiguration"),
    ],
    attributes: &["Id"],
    named: None,
    identifier: "Id",
    tags: Tags::Map,
};

const TAGGING: Tagging =
    Tagging { service: "fis", operations: ["TagResource", "UntagResource"], members: ["tags", "tagKeys"], form: mapped };

impl Kind for ExperimentTemplate {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn repeatable(&self) -> bool {
        true
    }

    fn replaces(&self, old: &Value, new: &Value, _changed: &[String]) -> bool {
        let accounts =
            |properties: &Value| properties.get("ExperimentOptions").and_then(|options| options.get("AccountTargeting")).cloned();
        accounts(old) != accounts(new)
    }

    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            // The token makes a second try the same template.
            let input = and(act.properties.as_object().cloned().unwrap_or_default(), "clientToken", act.token.clone());
            let answer = act.call("fis", "CreateExperimentTemplate", Value::Object(input)).await?;
            let id = answer.get("experimentTemplate").and_then(|template| text(template, "id"));
            Ok(id.unwrap_or_default().to_owned())
        })
    }

    fn attributes<'a>(&'a self, _act: &'a Act, physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async move { Ok(attributes([("Id", physical.to_owned())])) })
    }

    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async move {
            let names = ["Actions", "Description", "LogConfiguration", "RoleArn", "StopConditions", "Targets"];
            let mut input = and(act.only(&names), "id", physical);
            if let Some(mode) = act.get("ExperimentOptions").and_then(|options| options.get("EmptyTargetResolutionMode")) {
                input = and(input, "ExperimentOptions", json!({"emptyTargetResolutionMode": mode}));
            }
            act.call("fis", "UpdateExperimentTemplate", Value::Object(input)).await?;
            act.retag(&TAGGING, json!({"resourceArn": act.arn("fis", &format!("experiment-template/{physical}"))}), old).await
        })
    }

    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(act.delete("fis", "DeleteExperimentTemplate", json!({"id": physical})))
    }
}
