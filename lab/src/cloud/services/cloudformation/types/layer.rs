//! AWS::Lambda::LayerVersion: every change is another version.

use serde_json::{Map, Value, json};

use super::act::{Act, and, attributes};
use super::{Doing, Facts, Kind, Tags, fixed};
use crate::cloud::services::members::{list, text};

pub struct LayerVersion;

static FACTS: Facts = Facts {
    name: "AWS::Lambda::LayerVersion",
    properties: &[
        fixed("Content").required(),
        fixed("LayerName"),
        fixed("Description"),
        fixed("CompatibleRuntimes"),
        fixed("CompatibleArchitectures"),
        fixed("LicenseInfo"),
    ],
    attributes: &["LayerVersionArn"],
    // Versions of one name stand side by side, so that none is in the way of another.
    named: None,
    identifier: "LayerVersionArn",
    tags: Tags::None,
};

/// The layer's own name, or one like a resource's.
fn name(act: &Act) -> &str {
    text(&act.properties, "LayerName").unwrap_or(&act.name)
}

impl Kind for LayerVersion {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    /// The newest version.
    fn standing<'a>(&'a self, act: &'a Act) -> Doing<'a, Value> {
        Box::pin(async move {
            let answer = act.find("lambda", "ListLayerVersions", json!({"LayerName": name(act), "MaxItems": 1})).await?;
            let newest = answer.as_ref().and_then(|answer| text(list(answer, "LayerVersions").next()?, "LayerVersionArn"));
            Ok(newest.map_or(Value::Null, |arn| json!(arn)))
        })
    }

    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            let names = ["Content", "Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"];
            let input = and(act.only(&names), "LayerName", name(act));
            let answer = act.call("lambda", "PublishLayerVersion", Value::Object(input)).await?;
            Ok(text(&answer, "LayerVersionArn").unwrap_or_default().to_owned())
        })
    }

    fn attributes<'a>(&'a self, _act: &'a Act, physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async move { Ok(attributes([("LayerVersionArn", physical.to_owned())])) })
    }

    fn update<'a>(&'a self, _act: &'a Act, _physical: &'a str, _old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            let mut parts = physical.rsplit(':');
            let version = parts.next().and_then(|version| version.parse::<u64>().ok());
            let name = parts.next().unwrap_or_default();
            act.delete("lambda", "DeleteLayerVersion", json!({"LayerName": name, "VersionNumber": version})).await
        })
    }
}
