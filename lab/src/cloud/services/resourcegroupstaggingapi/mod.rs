//! The Resource Groups Tagging API: GetResources over the lab's functions and parameters.

use std::io;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::members::{list, page, tag_list, text, texts};
use super::{Answer, Service, now};
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::call::{ApiError, Call, Request};
use crate::cloud::lab::{Home, Lab};

#[derive(Debug)]
struct Tagging;

/// Opens the service, which keeps nothing.
pub fn open(_home: Home) -> io::Result<Arc<dyn Service>> {
    Ok(Arc::new(Tagging))
}

impl Service for Tagging {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        now(match call.request.operation.as_str() {
            "GetResources" => resources(&call.lab, &call.request.input),
            _ => Err(call.unknown()),
        })
    }

    fn action(&self, request: &Request) -> String {
        format!("tag:{}", request.operation)
    }

    fn rate(&self, _operation: &str) -> Option<Rate> {
        rate("GetResources", 15.0)
    }
}

/// GetResources.
fn resources(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let arns: Vec<&str> = texts(input, "ResourceARNList").collect();
    let types: Vec<&str> = texts(input, "ResourceTypeFilters").collect();
    let filters: Vec<&Value> = list(input, "TagFilters").collect();
    if !arns.is_empty() && (!filters.is_empty() || !types.is_empty()) {
        return Err(ApiError::bad("InvalidParameterException", "ResourceARNList can not be used with filters"));
    }
    let asked = |kind: &str| types.iter().any(|wanted| *wanted == kind || kind.split(':').next() == Some(wanted));
    // A resource that never had a tag is unknown to this API.
    let found: Vec<Value> = lab
        .tagged()
        .into_iter()
        .filter(|one| !one.tags.is_empty())
        .filter(|one| arns.is_empty() || arns.contains(&one.arn.as_str()))
        .filter(|one| types.is_empty() || asked(one.kind))
        .filter(|one| filters.iter().all(|filter| matches(filter, &one.tags)))
        .map(|one| json!({"ResourceARN": one.arn, "Tags": tag_list(&one.tags)}))
        .collect();
    let most = input.get("ResourcesPerPage").and_then(Value::as_u64);
    let (list, next) = page(found, text(input, "PaginationToken"), most, 50)
        .map_err(|_| ApiError::bad("PaginationTokenExpiredException", "The pagination token is not valid"))?;
    Ok(json!({"PaginationToken": next.unwrap_or_default(), "ResourceTagMappingList": list}))
}

/// All filters must hold; of one filter any value; no value means any.
fn matches(filter: &Value, tags: &Map<String, Value>) -> bool {
    let values: Vec<&str> = texts(filter, "Values").collect();
    tags.get(text(filter, "Key").unwrap_or_default())
        .is_some_and(|tag| values.is_empty() || tag.as_str().is_some_and(|tag| values.contains(&tag)))
}
