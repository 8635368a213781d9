//! AWS::SSM::Parameter.

use serde_json::{Map, Value, json};

use super::act::{Act, SSM_TAGGING, and, listed, tags};
use super::{Doing, Facts, Kind, Tags, fixed, kept};
use crate::cloud::services::members::text;

pub struct Parameter;

static FACTS: Facts = Facts {
    name: "AWS::SSM::Parameter",
    properties: &[
        fixed("Name"),
        kept("Type").required(),
        kept("Value").required(),
        kept("Description"),
        kept("AllowedPattern"),
        kept("DataType"),
        kept("Policies"),
        kept("Tier"),
        kept("Tags"),
    ],
    attributes: &["Type", "Value"],
    named: Some(("Name", 128)),
    identifier: "Name",
    tags: Tags::Map,
};

const PUT: [&str; 7] = ["Type", "Value", "Description", "AllowedPattern", "DataType", "Policies", "Tier"];

impl Kind for Parameter {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn standing<'a>(&'a self, act: &'a Act) -> Doing<'a, Value> {
        Box::pin(async move {
            let found = act.find("ssm", "GetParameter", json!({"Name": act.name})).await?;
            Ok(found.map_or(Value::Null, |_| json!(act.name)))
        })
    }

    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            let mut input = and(act.only(&PUT), "Name", act.name.clone());
            let tags = tags(&act.properties);
            if !tags.is_empty() {
                input = and(input, "Tags", listed(&tags));
            }
            act.call("ssm", "PutParameter", Value::Object(input)).await?;
            Ok(act.name.clone())
        })
    }

    fn attributes<'a>(&'a self, act: &'a Act, _physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async move { Ok(act.only(&["Type", "Value"])) })
    }

    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async move {
            let mut input = and(and(act.only(&PUT), "Name", physical), "Overwrite", true);
            // What is no longer in the template is taken off; a put without it would leave it.
            if text(old, "Description").is_some() {
                input.entry("Description").or_insert_with(|| json!(""));
            }
            act.call("ssm", "PutParameter", Value::Object(input)).await?;
            act.retag(&SSM_TAGGING, json!({"ResourceType": "Parameter", "ResourceId": physical}), old).await
        })
    }

    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(act.delete("ssm", "DeleteParameter", json!({"Name": physical})))
    }
}
