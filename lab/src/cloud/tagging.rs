//! The Resource Groups Tagging API: GetResources over the lab's functions and parameters.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::lab::{Lab, page, text};
use super::wire::Request;

/// GetResources.
pub fn operate(lab: &Lab, request: &Request) -> Result<Value, ApiError> {
    let input = &request.input;
    let arns: Vec<&str> = strings(input.get("ResourceARNList"));
    let types = strings(input.get("ResourceTypeFilters"));
    let filters: Vec<&Value> = input.get("TagFilters").and_then(Value::as_array).into_iter().flatten().collect();
    if !arns.is_empty() && (!filters.is_empty() || !types.is_empty()) {
        return Err(ApiError::bad("InvalidParameterException", "ResourceARNList can not be used with filters"));
    }
    let mut rows = Vec::new();
    let place = &lab.place;
    lab.world(|world| {
        for function in world.functions.values() {
            let arn = format!("arn:aws:lambda:{}:{}:function:{}", place.region, place.account, function.name);
            rows.push(("lambda", "lambda:function", arn, function.tags.clone()));
        }
        for parameter in world.parameters.values() {
            rows.push(("ssm", "ssm:parameter", super::ssm::parameters::arn(place, &parameter.name), parameter.tags.clone()));
        }
    });
    // A resource that never had a tag is unknown to this API.
    let found: Vec<Value> = rows
        .into_iter()
        .filter(|(_, _, _, tags)| !tags.is_empty())
        .filter(|(_, _, arn, _)| arns.is_empty() || arns.contains(&arn.as_str()))
        .filter(|(service, kind, _, _)| types.is_empty() || types.iter().any(|wanted| wanted == service || wanted == kind))
        .filter(|(_, _, _, tags)| filters.iter().all(|filter| matches(filter, tags)))
        .map(|(_, _, arn, tags)| {
            let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            json!({"ResourceARN": arn, "Tags": tags})
        })
        .collect();
    let most = input.get("ResourcesPerPage").and_then(Value::as_u64);
    let (list, next) = page(found, text(input, "PaginationToken"), most, 50)
        .map_err(|_| ApiError::bad("PaginationTokenExpiredException", "The pagination token is not valid"))?;
    Ok(json!({"PaginationToken": next.unwrap_or_default(), "ResourceTagMappingList": list}))
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// All filters must hold; of one filter any value; no value means any.
fn matches(filter: &Value, tags: &Map<String, Value>) -> bool {
    let values = strings(filter.get("Values"));
    tags.get(text(filter, "Key").unwrap_or_default())
        .is_some_and(|tag| values.is_empty() || tag.as_str().is_some_and(|tag| values.contains(&tag)))
}
