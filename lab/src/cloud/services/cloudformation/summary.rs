//! Of templates alone: ValidateTemplate, GetTemplateSummary.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::template::{Template, check, invalid, parameters};
use super::{CloudFormation, requests, stacks, types};
use crate::cloud::call::{ApiError, Call};
use crate::cloud::services::members::text;

async fn given(call: &Call) -> Result<Template, ApiError> {
    let text = requests::template(call).await?;
    let text = text.ok_or_else(|| invalid("Either Template URL or Template Body must be specified."))?;
    Template::read(&text)
}

fn brief(template: &Template, brief: bool) -> Value {
    let capability = check::capability(template);
    let (capabilities, reason) = match &capability {
        Some((wanted, types)) => {
            (json!([wanted]), json!(format!("The following resource(s) require capabilities: [{}]", types.join(", "))))
        }
        None => (json!([]), Value::Null),
    };
    json!({
        "Parameters": parameters::declarations(template, brief), "Description": template.field("Description"),
        "Capabilities": capabilities, "CapabilitiesReason": reason, "DeclaredTransforms": check::transforms(template),
    })
}

/// ValidateTemplate.
pub async fn validate(call: &Call) -> Result<Value, ApiError> {
    let template = given(call).await?;
    check::check(&template)?;
    Ok(brief(&template, true))
}

/// GetTemplateSummary, of a template or of a stack.
pub async fn summary(service: &Arc<CloudFormation>, call: &Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    requests::served(input)?;
    let template = match text(input, "StackName") {
        Some(wanted) => {
            let text = service.tables(|tables| stacks::find(tables, wanted).map(|stack| stack.goal.template.clone()));
            Template::read(&text.ok_or_else(|| stacks::missing(wanted))?)?
        }
        None => given(call).await?,
    };
    check::check(&template)?;
    let mut by_type: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for resource in template.resources() {
        by_type.entry(resource.kind()).or_default().push(resource.logical);
    }
    let identifiers: Vec<Value> = by_type
        .iter()
        .map(|(kind, logical)| {
            let identifier = types::find(kind).map(|kind| kind.facts().identifier);
            json!({"ResourceType": kind, "LogicalResourceIds": logical, "ResourceIdentifiers": [identifier]})
        })
        .collect();
    let mut answer = brief(&template, false);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("ResourceTypes".into(), json!(by_type.keys().collect::<Vec<_>>()));
        fields.insert("ResourceIdentifierSummaries".into(), json!(identifiers));
        fields.insert("Version".into(), template.field("AWSTemplateFormatVersion").cloned().unwrap_or_default());
        fields.insert("Metadata".into(), json!(check::metadata(&template)));
    }
    Ok(answer)
}
