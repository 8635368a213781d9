//! Tags of parameters and documents: AddTagsToResource, RemoveTagsFromResource, ListTagsForResource.

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::lab::{Lab, text};

/// A tag list as a map.
pub fn read(list: Option<&Value>) -> Map<String, Value> {
    let tags = list.and_then(Value::as_array).into_iter().flatten();
    tags.map(|tag| (text(tag, "Key").unwrap_or_default().to_owned(), json!(text(tag, "Value").unwrap_or_default()))).collect()
}

/// A map as a tag list.
pub fn write(tags: &Map<String, Value>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

fn with_tags<T>(lab: &Lab, input: &Value, work: impl FnOnce(&mut Map<String, Value>) -> T) -> Result<T, ApiError> {
    let id = text(input, "ResourceId").unwrap_or_default();
    let missing = || {
        ApiError::bad("InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again.")
    };
    lab.world(|world| match text(input, "ResourceType") {
        Some("Parameter") => {
            let parameter = world.parameters.get_mut(id).ok_or_else(missing)?;
            let result = work(&mut parameter.tags);
            lab.save("parameters", id, parameter);
            Ok(result)
        }
        Some("Document") => {
            let document = world.documents.get_mut(id).ok_or_else(missing)?;
            let result = work(&mut document.tags);
            lab.save("documents", id, document);
            Ok(result)
        }
        _ => Err(ApiError::bad("InvalidResourceType", "The resource type is not valid.")),
    })
}

/// AddTagsToResource.
pub fn add(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    with_tags(lab, input, |tags| tags.extend(read(input.get("Tags"))))?;
    Ok(json!({}))
}

/// RemoveTagsFromResource.
pub fn remove(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    with_tags(lab, input, |tags| {
        for key in input.get("TagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            tags.remove(key);
        }
    })?;
    Ok(json!({}))
}

/// ListTagsForResource.
pub fn list(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    with_tags(lab, input, |tags| json!({"TagList": write(tags)}))
}
