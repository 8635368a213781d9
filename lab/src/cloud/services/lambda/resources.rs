//! What requests are about, as ARNs; how often they may come; how large they may be.

use serde_json::Value;

use crate::cloud::call::Request;
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::lab::Place;
use crate::cloud::services::members::text;

/// The most bytes that a request with code in itself may have.
const LARGEST: usize = 70_167_211;

/// The function with its qualifier left out, what is tagged, or the layer.
pub fn arn(place: &Place, request: &Request) -> String {
    let input = &request.input;
    if let Some(name) = text(input, "FunctionName") {
        let name = name.rsplit_once(":function:").map_or(name, |(_, name)| name);
        return place.arn("lambda", &format!("function:{}", name.split(':').next().unwrap_or(name)));
    }
    if let Some(arn) = text(input, "Resource").or_else(|| text(input, "Arn")) {
        return arn.to_owned();
    }
    match (text(input, "LayerName"), input.get("VersionNumber").and_then(Value::as_i64)) {
        (Some(name), _) if name.starts_with("arn:") => name.to_owned(),
        (Some(name), Some(version)) => place.arn("lambda", &format!("layer:{name}:{version}")),
        (Some(name), None) => place.arn("lambda", &format!("layer:{name}")),
        (None, _) => "*".to_owned(),
    }
}

/// Invoke is limited by concurrency alone; the rest counts together, GetFunction apart.
pub fn rate_of(operation: &str) -> Option<Rate> {
    match operation {
        "Invoke" => None,
        "GetFunction" => rate("GetFunction", 100.0),
        _ => rate("control-plane", 15.0),
    }
}

/// What carries code or an event in the request itself is bounded by what it carries.
pub fn largest(operation: &str) -> usize {
    match operation {
        "CreateFunction" | "UpdateFunctionCode" | "PublishLayerVersion" | "Invoke" => LARGEST,
        _ => 1 << 20,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_plane_counts_together_and_get_function_apart() {
        let rates = ["Invoke", "GetFunction", "ListTags", "UpdateAlias", "PublishVersion", "UpdateFunctionConfiguration"];
        let groups = rates.map(|operation| rate_of(operation).map(|rate| (rate.group, rate.per_second)));
        let plane = Some(("control-plane", 15.0));
        assert_eq!(groups, [None, Some(("GetFunction", 100.0)), plane, plane, plane, plane]);
    }
}
