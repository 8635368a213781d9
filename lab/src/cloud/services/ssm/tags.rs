//! Tags of parameters and documents: AddTagsToResource, RemoveTagsFromResource, ListTagsForResource.

use serde_json::{Map, Value, json};

use super::Ssm;
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{tag_list, tags, text, texts};

/// The tags that a request is about.
fn read(ssm: &Ssm, input: &Value) -> Result<Map<String, Value>, ApiError> {
    let id = text(input, "ResourceId").unwrap_or_default();
    ssm.tables(|tables| match text(input, "ResourceType") {
        Some("Parameter") => tables.parameters.get(id).map(|parameter| parameter.tags.clone()).ok_or_else(missing),
        Some("Document") => tables.documents.get(id).map(|document| document.tags.clone()).ok_or_else(missing),
        _ => Err(ApiError::bad("InvalidResourceType", "The resource type is not valid.")),
    })
}

fn missing() -> ApiError {
    ApiError::bad("InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again.")
}

fn change(ssm: &Ssm, input: &Value, work: impl FnOnce(&mut Map<String, Value>)) -> Result<Value, ApiError> {
    let mut tags = read(ssm, input)?;
    work(&mut tags);
    let id = text(input, "ResourceId").unwrap_or_default();
    let changed = ssm.tables(|tables| match text(input, "ResourceType") {
        Some("Parameter") => tables.parameters.change(id, |parameter| {
            parameter.tags = tags;
            Ok(json!({}))
        }),
        _ => tables.documents.change(id, |document| {
            document.tags = tags;
            Ok(json!({}))
        }),
    });
    changed.unwrap_or_else(|| Err(missing()))
}

/// AddTagsToResource.
pub fn add(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    change(ssm, input, |had| had.extend(tags(input, "Tags")))
}

/// RemoveTagsFromResource.
pub fn remove(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    change(ssm, input, |had| {
        for key in texts(input, "TagKeys") {
            had.remove(key);
        }
    })
}

/// ListTagsForResource.
pub fn list(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"TagList": tag_list(&read(ssm, input)?)}))
}
