//! What requests are about, as ARNs, and how often they may come.

use crate::cloud::call::Request;
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::lab::Place;
use crate::cloud::services::members::{text, texts};

use super::parameters;

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
    use super::*;

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
