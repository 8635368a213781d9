//! What FIS refuses of a template beyond its model: <https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html>.
//! Actions that the lab cannot carry out are refused by name.

use serde_json::{Map, Value};

use super::records::Destination;
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{list, text, texts};

/// Starts a document.
pub const AUTOMATION: &str = "aws:ssm:start-automation-execution";
/// Waits.
pub const WAIT: &str = "aws:fis:wait";
/// Looks at alarms.
pub const ALARMS: &str = "aws:cloudwatch:assert-alarm-state";

const MOST_ACTIONS: usize = 20;
const MOST_STOPS: usize = 5;
const LONGEST_MINUTES: u64 = 12 * 60;

/// CreateExperimentTemplate's input, which fits the model already.
pub fn template(input: &Value) -> Result<(), ApiError> {
    let empty = Map::new();
    let actions = input.get("actions").and_then(Value::as_object).unwrap_or(&empty);
    if !(1..=MOST_ACTIONS).contains(&actions.len()) {
        return Err(ApiError::validation(format!("actions: expected 1 to {MOST_ACTIONS}, got {}", actions.len())));
    }
    for (name, action) in actions {
        self::action(name, action, actions).map_err(|error| ApiError::validation(format!("action {name}: {error}")))?;
    }
    if actions.keys().any(|name| waits_for(actions, name, name, actions.len())) {
        return Err(ApiError::validation("actions wait for each other in a circle"));
    }
    if input.get("targets").and_then(Value::as_object).is_some_and(|targets| !targets.is_empty()) {
        return Err(ApiError::validation("no action uses the targets"));
    }
    let stops: Vec<&Value> = list(input, "stopConditions").collect();
    if !(1..=MOST_STOPS).contains(&stops.len()) {
        return Err(ApiError::validation(format!("stopConditions: expected 1 to {MOST_STOPS}, got {}", stops.len())));
    }
    for stop in stops {
        match (text(stop, "source"), text(stop, "value")) {
            (Some("none"), None) => {}
            (Some("aws:cloudwatch:alarm"), Some(arn)) if arn.split(':').nth(2) == Some("cloudwatch") => {}
            _ => return Err(ApiError::validation(format!("stop condition: not an alarm's ARN: {stop}"))),
        }
    }
    Destination::of(input).map_err(|error| ApiError::validation(format!("logConfiguration: {error}")))?;
    let role = text(input, "roleArn").unwrap_or_default();
    if role.split(':').nth(2) != Some("iam") || !role.contains(":role/") {
        return Err(ApiError::validation(format!("roleArn: not a role's ARN: {role}")));
    }
    Ok(())
}

/// Whether `name` starts only after `wanted` has ended, over at most so many steps.
fn waits_for(actions: &Map<String, Value>, name: &str, wanted: &str, steps: usize) -> bool {
    let before = actions.get(name).into_iter().flat_map(|action| texts(action, "startAfter"));
    steps > 0 && before.into_iter().any(|one| one == wanted || waits_for(actions, one, wanted, steps - 1))
}

fn action(name: &str, action: &Value, actions: &Map<String, Value>) -> Result<(), String> {
    if let Some(other) = texts(action, "startAfter").find(|other| *other == name || !actions.contains_key(*other)) {
        return Err(format!("starts after `{other}`, which is no other action"));
    }
    if action.get("targets").and_then(Value::as_object).is_some_and(|targets| !targets.is_empty()) {
        return Err("takes no targets".to_owned());
    }
    let empty = Map::new();
    let parameters = action.get("parameters").and_then(Value::as_object).unwrap_or(&empty);
    let id = text(action, "actionId").unwrap_or_default();
    let (required, optional): (&[&str], &[&str]) = match id {
        AUTOMATION => (&["documentArn", "documentParameters", "maxDuration"], &["documentVersion"]),
        WAIT => (&["duration"], &[]),
        ALARMS => (&["alarmArns", "alarmStates"], &[]),
        _ => return Err(format!("the lab does not serve the action `{id}`")),
    };
    // Only documents without required parameters do without.
    let needed = required.iter().filter(|key| **key != "documentParameters");
    if let Some(key) = needed.into_iter().find(|key| !parameters.contains_key(**key)) {
        return Err(format!("parameter `{key}` is required"));
    }
    if let Some(key) = parameters.keys().find(|key| !required.contains(&key.as_str()) && !optional.contains(&key.as_str())) {
        return Err(format!("unknown parameter `{key}`"));
    }
    let given = |key: &str| parameters.get(key).and_then(Value::as_str).unwrap_or_default();
    for key in ["maxDuration", "duration"].into_iter().filter(|key| parameters.contains_key(*key)) {
        if !minutes(given(key)).is_some_and(|minutes| (1..=LONGEST_MINUTES).contains(&minutes)) {
            return Err(format!("{key}: expected PT1M to PT12H, got `{}`", given(key)));
        }
    }
    if id == AUTOMATION {
        document_parameters(given("documentParameters"))?;
        if given("documentArn").split(':').nth(2) != Some("ssm") || !given("documentArn").contains(":document/") {
            return Err(format!("documentArn: not a document's ARN: {}", given("documentArn")));
        }
    }
    if id == ALARMS {
        let arns: Vec<&str> = given("alarmArns").split(',').collect();
        if arns.len() > MOST_STOPS || arns.iter().any(|arn| arn.trim().split(':').nth(2) != Some("cloudwatch")) {
            return Err(format!("alarmArns: expected 1 to {MOST_STOPS} ARNs of alarms, got `{}`", given("alarmArns")));
        }
        let states = ["OK", "ALARM", "INSUFFICIENT_DATA"];
        if given("alarmStates").split(',').any(|state| !states.contains(&state.trim())) {
            return Err(format!("alarmStates: expected {}, got `{}`", states.join(", "), given("alarmStates")));
        }
    }
    Ok(())
}

/// A JSON object of texts and lists of texts.
fn document_parameters(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let Ok(Value::Object(values)) = serde_json::from_str(text) else {
        return Err("documentParameters: expected a JSON object".to_owned());
    };
    let is_text = |value: &Value| value.is_string() || value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    match values.iter().find(|(_, value)| !is_text(value)) {
        Some((name, value)) => Err(format!("documentParameters: {name}: expected a text or a list of texts, got `{value}`")),
        None => Ok(()),
    }
}

/// The minutes of a duration as FIS takes it.
pub fn minutes(text: &str) -> Option<u64> {
    let rest = text.strip_prefix("PT")?;
    let (hours, rest) = rest.split_once('H').unwrap_or(("0", rest));
    let minutes = if rest.is_empty() { "0" } else { rest.strip_suffix('M')? };
    hours.parse::<u64>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "description": "d", "roleArn": "arn:aws:iam::123456789012:role/fis", "stopConditions": [{"source": "none"}],
            "actions": {"a": {"actionId": AUTOMATION, "parameters": {
                "documentArn": "arn:aws:ssm:us-east-1:123456789012:document/x", "documentParameters": "{\"A\":[\"b\"]}", "maxDuration": "PT1H"}}},
        })
    }

    #[test]
    fn a_template_is_taken_and_each_fault_of_it_refused() {
        assert_eq!(template(&good()), Ok(()));
        let cases: [(&str, Value, &str); 8] = [
            ("/actions/a/actionId", json!("aws:ec2:stop-instances"), "does not serve the action"),
            ("/actions/a/parameters/maxDuration", json!("1 hour"), "expected PT1M to PT12H"),
            ("/actions/a/parameters/maxDuration", json!("PT12H1M"), "expected PT1M to PT12H"),
            ("/actions/a/parameters/documentParameters", json!("{\"A\":true}"), "expected a text or a list of texts"),
            ("/actions/a/parameters/documentParameters", json!("[]"), "expected a JSON object"),
            ("/actions/a/parameters/documentArn", json!("x"), "not a document's ARN"),
            ("/stopConditions/0/source", json!("alarm"), "not an alarm's ARN"),
            ("/roleArn", json!("arn:aws:s3:::bucket"), "not a role's ARN"),
        ];
        for (pointer, value, expected) in cases {
            let mut input = good();
            *input.pointer_mut(pointer).unwrap() = value;
            let error = template(&input).unwrap_err();
            assert!(error.code == "ValidationException" && error.message.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_circle_is_refused() {
        let wait = |after: &str| json!({"actionId": WAIT, "parameters": {"duration": "PT1M"}, "startAfter": [after]});
        let mut input = good();
        input["actions"] = json!({"a": wait("b"), "b": wait("c"), "c": wait("a")});
        assert!(template(&input).unwrap_err().message.contains("circle"));
        input["actions"] = json!({"a": wait("a")});
        assert!(template(&input).unwrap_err().message.contains("no other action"));
    }
}
