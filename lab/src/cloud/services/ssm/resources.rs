//! What requests are about, as ARNs; what must be allowed for them; how often they may come.

use crate::cloud::call::Request;
use crate::cloud::call::access::Need;
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::lab::Place;
use crate::cloud::services::members::{text, texts};

use super::{documents, parameters};

/// The parameters, the document or the execution that a request names.
pub fn arns(place: &Place, request: &Request) -> Vec<String> {
    let input = &request.input;
    let arn = |rest: String| vec![place.arn("ssm", &rest)];
    if let Some(id) = text(input, "AutomationExecutionId") {
        return arn(format!("automation-execution/{id}"));
    }
    if let Some(name) = text(input, "DocumentName") {
        let kind = if request.operation == "StartAutomationExecution" { "automation-definition" } else { "document" };
        return arn(format!("{kind}/{name}"));
    }
    let named: Vec<String> = texts(input, "Names").map(|name| parameters::arn(place, name)).collect();
    match text(input, "Name").or_else(|| text(input, "Path")) {
        Some(name) if request.operation.contains("Document") => arn(format!("document/{name}")),
        Some(name) => vec![parameters::arn(place, name)],
        None if named.is_empty() => vec!["*".to_owned()],
        None => named,
    }
}

/// Everything that must be allowed. `role`: what an execution that is to be started would assume.
pub fn needs(place: &Place, request: &Request, action: &str, role: Option<&str>) -> Vec<Need> {
    let input = &request.input;
    let arn = |rest: String| place.arn("ssm", &rest);
    let mut resources = arns(place, request);
    if request.operation == "StartAutomationExecution" {
        let name = documents::bare(text(input, "DocumentName").unwrap_or_default());
        let version = text(input, "DocumentVersion").unwrap_or("$DEFAULT");
        resources = vec![
            arn(format!("document/{name}")),
            arn(format!("automation-definition/{name}:{version}")),
            arn("automation-execution/*".to_owned()),
        ];
    }
    if let (Some(kind), Some(id)) = (text(input, "ResourceType"), text(input, "ResourceId")) {
        resources =
            vec![if kind == "Parameter" { parameters::arn(place, id) } else { arn(format!("{}/{id}", kind.to_lowercase())) }];
    }
    let mut needs = vec![Need::new(action, resources.clone())];
    if input.get("Tags").is_some() && request.operation != "AddTagsToResource" {
        needs.push(Need::new("ssm:AddTagsToResource", resources.split_off(resources.len().saturating_sub(1))));
    }
    needs.extend(role.map(|role| Need::pass_role(role, "ssm.amazonaws.com")));
    needs
}

/// As the quotas of Systems Manager have it.
pub fn rate_of(operation: &str) -> Option<Rate> {
    match operation {
        "PutParameter" => rate("PutParameter", 3.0),
        "DeleteParameter" | "DeleteParameters" => rate("DeleteParameter", 3.0),
        "GetParameter" | "GetParameters" | "GetParametersByPath" => rate("GetParameter", 40.0),
        "StartAutomationExecution" => rate("StartAutomationExecution", 1.0),
        "StopAutomationExecution" => rate("StopAutomationExecution", 1.0),
        "GetAutomationExecution" => rate("GetAutomationExecution", 3.0),
        "DescribeAutomationExecutions" => rate("DescribeAutomationExecutions", 3.0),
        "DescribeAutomationStepExecutions" => rate("DescribeAutomationStepExecutions", 3.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_request_needs_all_that_it_touches() {
        let place = Place { account: "123456789012".to_owned(), region: "r".to_owned() };
        let needs = |operation: &str, input: Value| -> Vec<String> {
            let request = Request::new("ssm", operation, input);
            let found = needs(&place, &request, &format!("ssm:{operation}"), Some("arn:aws:iam::123456789012:role/r"));
            let short = |arn: &String| arn.replace("arn:aws:ssm:r:123456789012:", "");
            found
                .iter()
                .map(|need| format!("{} {}", need.action, need.resources.iter().map(short).collect::<Vec<_>>().join(" ")))
                .collect()
        };
        let passed = "iam:PassRole arn:aws:iam::123456789012:role/r";
        let start = "ssm:StartAutomationExecution document/d automation-definition/d:$DEFAULT automation-execution/*";
        assert_eq!(needs("StartAutomationExecution", json!({"DocumentName": "d"})), [start, passed]);
        let given = json!({"DocumentName": "arn:aws:ssm:r:123456789012:document/d", "DocumentVersion": "3", "Tags": []});
        let version = "ssm:StartAutomationExecution document/d automation-definition/d:3 automation-execution/*";
        assert_eq!(needs("StartAutomationExecution", given), [version, "ssm:AddTagsToResource automation-execution/*", passed]);
        assert_eq!(needs("GetParameters", json!({"Names": ["/a/b", "c"]}))[0], "ssm:GetParameters parameter/a/b parameter/c");
        assert_eq!(needs("GetParametersByPath", json!({"Path": "/a/b/"}))[0], "ssm:GetParametersByPath parameter/a/b/");
        let tags = json!({"ResourceType": "Document", "ResourceId": "d", "Tags": []});
        assert_eq!(needs("AddTagsToResource", tags)[0], "ssm:AddTagsToResource document/d");
        assert_eq!(needs("DescribeParameters", json!({}))[0], "ssm:DescribeParameters *");
    }

    #[test]
    fn rates_are_the_quotas() {
        let quotas = [
            ("PutParameter", Some(3.0)),
            ("DeleteParameters", Some(3.0)),
            ("GetParametersByPath", Some(40.0)),
            ("StartAutomationExecution", Some(1.0)),
            ("StopAutomationExecution", Some(1.0)),
            ("GetAutomationExecution", Some(3.0)),
            ("DescribeAutomationStepExecutions", Some(3.0)),
            ("CreateDocument", None),
        ];
        for (operation, wanted) in quotas {
            assert_eq!(rate_of(operation).map(|rate| rate.per_second), wanted, "{operation}");
        }
        assert_eq!(rate_of("GetParameters"), rate_of("GetParametersByPath"), "they count together");
    }
}
