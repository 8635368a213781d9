//! What requests are about, as ARNs; what must be allowed for them; how often they may come; how large they may be.

use serde_json::Value;

use super::naming;
use crate::cloud::call::Request;
use crate::cloud::call::access::Need;
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::lab::Place;
use crate::cloud::services::members::{text, texts};

/// The most bytes that a request with code in itself may have.
const LARGEST: usize = 70_167_211;

/// The function with its qualifier left out, what is tagged, or the layer.
pub fn arn(place: &Place, request: &Request) -> String {
    let input = &request.input;
    if let Some(name) = text(input, "FunctionName") {
        let name = name.rsplit_once(":function:").map_or(name, |(_, name)| name);
        return place.arn("lambda", &format!("function:{}", name.split(':').next().unwrap_or(name)));
    }
    if let Some(arn) = text(input, "Resource").or_else(|| text(input, "Arn")).or_else(|| text(input, "CodeSigningConfigArn")) {
        return arn.to_owned();
    }
    match (text(input, "LayerName"), input.get("VersionNumber").and_then(Value::as_i64)) {
        (Some(name), _) if name.starts_with("arn:") => name.to_owned(),
        (Some(name), Some(version)) => place.arn("lambda", &format!("layer:{name}:{version}")),
        (Some(name), None) => place.arn("lambda", &format!("layer:{name}")),
        (None, _) => "*".to_owned(),
    }
}

/// Everything that must be allowed: the function with its qualifier, its layers, the role that it is given.
pub fn needs(place: &Place, request: &Request, action: &str) -> Vec<Need> {
    let input = &request.input;
    let resource = match (request.operation.as_str(), text(input, "LayerName"), input.get("VersionNumber")) {
        // These have no resource in policies.
        ("ListLayers" | "ListLayerVersions", ..) => "*".to_owned(),
        (_, Some(name), Some(version)) if name.starts_with("arn:") => format!("{name}:{version}"),
        _ => qualified(place, input).unwrap_or_else(|| arn(place, request)),
    };
    let mut own = Need::new(action, vec![resource.clone()]);
    let mut more = Vec::new();
    if let "CreateFunction" | "UpdateFunctionConfiguration" = request.operation.as_str() {
        let layers: Vec<String> = texts(input, "Layers").map(str::to_owned).collect();
        if !layers.is_empty() {
            own.conditions.insert("lambda:Layer".to_owned(), layers.clone());
            more.push(Need::new("lambda:GetLayerVersion", layers));
        }
        more.extend(text(input, "Role").map(|role| Need::pass_role(role, "lambda.amazonaws.com")));
        if input.get("Tags").is_some() {
            more.push(Need::new("lambda:TagResource", vec![resource]));
        }
    }
    own.resources
        .extend(text(input, "CodeSigningConfigArn").filter(|_| text(input, "FunctionName").is_some()).map(str::to_owned));
    more.insert(0, own);
    more
}

/// A function, or the version or alias of it that a request is about.
fn qualified(place: &Place, input: &Value) -> Option<String> {
    text(input, "FunctionName")?;
    let named = naming::of(place, input).ok()?;
    let qualifier = named.qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
    Some(place.arn("lambda", &format!("function:{}{qualifier}", named.name)))
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_needs_all_that_it_touches() {
        let place = Place { account: "123456789012".to_owned(), region: "r".to_owned() };
        let needs = |operation: &str, input: Value| -> Vec<(String, Vec<String>)> {
            let found = needs(&place, &Request::new("lambda", operation, input), &format!("lambda:{operation}"));
            found.into_iter().map(|need| (need.action, need.resources)).collect()
        };
        let one = |action: &str, resource: &str| (action.to_owned(), vec![format!("arn:aws:lambda:r:123456789012:{resource}")]);
        assert_eq!(needs("GetFunction", json!({"FunctionName": "f"})), [one("lambda:GetFunction", "function:f")]);
        let version = json!({"FunctionName": "arn:aws:lambda:r:123456789012:function:f", "Qualifier": "7"});
        assert_eq!(needs("DeleteFunction", version), [one("lambda:DeleteFunction", "function:f:7")]);
        assert_eq!(needs("GetFunction", json!({"FunctionName": "f:live"})), [one("lambda:GetFunction", "function:f:live")]);
        let layer = "arn:aws:lambda:r:123456789012:layer:l";
        let both = one("lambda:GetLayerVersion", "layer:l:3");
        for name in [layer, "l"] {
            let found = needs("GetLayerVersion", json!({"LayerName": name, "VersionNumber": 3}));
            assert_eq!(found.first(), Some(&both), "{name}");
        }
        assert_eq!(needs("GetLayerVersionByArn", json!({"Arn": format!("{layer}:3")})).len(), 1);
        assert_eq!(needs("ListFunctions", json!({})), [("lambda:ListFunctions".to_owned(), vec!["*".to_owned()])]);
        let update = json!({"FunctionName": "f", "Layers": [format!("{layer}:3")], "Role": "arn:aws:iam::123456789012:role/r"});
        let wanted = [
            one("lambda:UpdateFunctionConfiguration", "function:f"),
            both,
            ("iam:PassRole".to_owned(), vec!["arn:aws:iam::123456789012:role/r".to_owned()]),
        ];
        assert_eq!(needs("UpdateFunctionConfiguration", update), wanted);
        assert_eq!(needs("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Layers": []})).len(), 1);
    }

    #[test]
    fn the_control_plane_counts_together_and_get_function_apart() {
        let rates = ["Invoke", "GetFunction", "ListTags", "UpdateAlias", "PublishVersion", "UpdateFunctionConfiguration"];
        let groups = rates.map(|operation| rate_of(operation).map(|rate| (rate.group, rate.per_second)));
        let plane = Some(("control-plane", 15.0));
        assert_eq!(groups, [None, Some(("GetFunction", 100.0)), plane, plane, plane, plane]);
    }
}
