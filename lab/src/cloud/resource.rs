//! The ARN of what a request is about, for the call log and the fault hooks.

use serde_json::Value;

use super::lab::{Place, text};
use super::wire::Request;

/// The request's resource; `*` where it names none.
pub fn of(place: &Place, request: &Request) -> String {
    let input = &request.input;
    match request.service {
        "lambda" => lambda(place, input),
        "ssm" => ssm(place, request.operation, input),
        _ => "*".to_owned(),
    }
}

fn lambda(place: &Place, input: &Value) -> String {
    let Place { account, region } = place;
    if let Some(name) = text(input, "FunctionName") {
        let name = name.rsplit_once(":function:").map_or(name, |(_, name)| name);
        let name = name.split(':').next().unwrap_or(name);
        return format!("arn:aws:lambda:{region}:{account}:function:{name}");
    }
    if let Some(arn) = text(input, "Resource").or_else(|| text(input, "Arn")) {
        return arn.to_owned();
    }
    match (text(input, "LayerName"), input.get("VersionNumber").and_then(Value::as_i64)) {
        (Some(name), _) if name.starts_with("arn:") => name.to_owned(),
        (Some(name), Some(version)) => format!("arn:aws:lambda:{region}:{account}:layer:{name}:{version}"),
        (Some(name), None) => format!("arn:aws:lambda:{region}:{account}:layer:{name}"),
        (None, _) => "*".to_owned(),
    }
}

fn ssm(place: &Place, operation: &str, input: &Value) -> String {
    let Place { account, region } = place;
    if let Some(id) = text(input, "AutomationExecutionId") {
        return format!("arn:aws:ssm:{region}:{account}:automation-execution/{id}");
    }
    if let Some(name) = text(input, "DocumentName") {
        return match operation {
            "StartAutomationExecution" => format!("arn:aws:ssm:{region}:{account}:automation-definition/{name}"),
            _ => format!("arn:aws:ssm:{region}:{account}:document/{name}"),
        };
    }
    let Some(name) = text(input, "Name").or_else(|| text(input, "Path")) else {
        return "*".to_owned();
    };
    if operation.contains("Document") {
        return format!("arn:aws:ssm:{region}:{account}:document/{name}");
    }
    format!("arn:aws:ssm:{region}:{account}:parameter/{}", name.trim_start_matches('/'))
}
