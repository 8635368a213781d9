//! AWS::SSM::Document.

use serde_json::{Map, Value, json};

use super::act::{Act, SSM_TAGGING, and, listed, tags};
use super::{Doing, Facts, Kind, Tags, depends, fixed, kept};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{list, text};

pub struct Document;

static FACTS: Facts = Facts {
    name: "AWS::SSM::Document",
    properties: &[
        fixed("Name"),
        fixed("DocumentType"),
        depends("Content").required(),
        depends("Attachments"),
        depends("VersionName"),
        depends("DocumentFormat"),
        depends("TargetType"),
        depends("Requires"),
        kept("UpdateMethod"),
        kept("Tags"),
    ],
    attributes: &[],
    named: Some(("Name", 128)),
    identifier: "Name",
    tags: Tags::List,
};

/// What belongs to a version of a document.
const VERSION: [&str; 5] = ["Attachments", "VersionName", "DocumentFormat", "TargetType", "Requires"];

impl Kind for Document {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    /// With the update method `NewVersion` a document's content changes in place.
    fn replaces(&self, _old: &Value, new: &Value, changed: &[String]) -> bool {
        let versions = text(new, "UpdateMethod") == Some("NewVersion");
        changed.iter().any(|name| {
            matches!(name.as_str(), "Name" | "DocumentType") || (!versions && name != "Tags" && name != "UpdateMethod")
        })
    }

    fn standing<'a>(&'a self, act: &'a Act) -> Doing<'a, Value> {
        Box::pin(async move {
            let found = act.find("ssm", "DescribeDocument", json!({"Name": act.name})).await?;
            Ok(found.map_or(Value::Null, |_| json!(act.name)))
        })
    }

    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            let mut input = and(act.only(&VERSION), "Name", act.name.clone());
            input = and(input, "DocumentType", act.get("DocumentType").cloned().unwrap_or_else(|| json!("Command")));
            input = and(input, "Content", content(act));
            let tags = tags(&act.properties);
            if !tags.is_empty() {
                input = and(input, "Tags", listed(&tags));
            }
            act.call("ssm", "CreateDocument", Value::Object(input)).await?;
            Ok(act.name.clone())
        })
    }

    fn attributes<'a>(&'a self, _act: &'a Act, _physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async { Ok(Map::new()) })
    }

    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async move {
            let same = |name: &&str| old.get(*name) == act.get(name);
            if !["Content"].iter().chain(&VERSION).all(same) {
                let input = and(act.only(&VERSION), "Name", physical);
                let input = and(and(input, "Content", content(act)), "DocumentVersion", "$LATEST");
                let version = match act.call("ssm", "UpdateDocument", Value::Object(input)).await {
                    Ok(answer) => {
                        answer.get("DocumentDescription").and_then(|row| text(row, "DocumentVersion")).map(str::to_owned)
                    }
                    // A roll-back, or an update that was cut off after this call: the version is there.
                    Err(error) if error.code == "DuplicateDocumentContent" => version_with(act, physical).await?,
                    Err(error) => return Err(error),
                };
                let version = version.ok_or_else(|| ApiError::internal(format!("no version of {physical} has the content")))?;
                act.call("ssm", "UpdateDocumentDefaultVersion", json!({"Name": physical, "DocumentVersion": version})).await?;
            }
            act.retag(&SSM_TAGGING, json!({"ResourceType": "Document", "ResourceId": physical}), old).await
        })
    }

    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(act.delete("ssm", "DeleteDocument", json!({"Name": physical})))
    }
}

/// The newest version whose content is the wanted one.
async fn version_with(act: &Act, physical: &str) -> Result<Option<String>, ApiError> {
    let mut next = Value::Null;
    let mut found = None;
    loop {
        let answer = act.call("ssm", "ListDocumentVersions", json!({"Name": physical, "NextToken": next})).await?;
        for row in list(&answer, "DocumentVersions") {
            let version = text(row, "DocumentVersion").unwrap_or_default();
            let document = act.call("ssm", "GetDocument", json!({"Name": physical, "DocumentVersion": version})).await?;
            if text(&document, "Content") == Some(content(act).as_str()) {
                found = Some(version.to_owned());
            }
        }
        next = answer.get("NextToken").cloned().unwrap_or_default();
        if next.is_null() {
            return Ok(found);
        }
    }
}

/// The content as Systems Manager gets it: a text stays itself, an object is written out with indentation.
fn content(act: &Act) -> String {
    match act.get("Content") {
        Some(Value::String(text)) => text.clone(),
        Some(value) => written(value),
        None => String::new(),
    }
}

/// JSON as CloudFormation writes it: a line for each member, lists along the line, space on both sides of a colon.
pub fn written(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push_str("[ ");
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(item, depth, out);
            }
            out.push_str(if items.is_empty() { "]" } else { " ]" });
        }
        Value::Object(fields) if fields.is_empty() => out.push_str("{ }"),
        Value::Object(fields) => {
            for (index, (key, field)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "{\n" } else { ",\n" });
                out.push_str(&"  ".repeat(depth + 1));
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(" : ");
                write(field, depth + 1, out);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_with_indentation() {
        let value = json!({"schemaVersion": "0.3", "mainSteps": [{"name": "a", "inputs": {}}, "b"], "n": 1});
        let expected = "{\n  \"schemaVersion\" : \"0.3\",\n  \"mainSteps\" : [ {\n    \"name\" : \"a\",\n    \"inputs\" : { }\n  }, \"b\" ],\n  \"n\" : 1\n}";
        assert_eq!(written(&value), expected);
    }
}
