//! What FIS, Automation or the documents would refuse of a template, all at once and before any call.
//!
//! The limits are FIS's and Automation's: <https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html>,
//! <https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html> and the two services' API models.

use serde_json::{Map, Value};

use crate::template::AROUND_THE_HOLD_MINUTES;

const PARAMETERS_LIMIT: usize = 1024;
const VALUE_LIMIT: usize = 512;
const LIST_LIMIT: usize = 50;
const ACTIONS_LIMIT: usize = 20;
const STOPS_LIMIT: usize = 5;
const ALARMS_LIMIT: usize = 5;
const LONGEST_MINUTES: u32 = 12 * 60;

/// All problems of a template, each as `PATH: what was expected, what was found`. Empty for one that can be created.
#[must_use]
pub fn problems(template: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for field in ["description", "roleArn"] {
        if template[field].as_str().is_none_or(str::is_empty) {
            found.push(format!("{field}: expected a text"));
        }
    }
    if let Some(arn) = template["roleArn"].as_str().filter(|arn| !arn.is_empty() && !is_arn(arn, "iam")) {
        found.push(format!("roleArn: expected a role's ARN, got `{arn}`"));
    }
    if template["description"].as_str().is_some_and(|text| text.chars().count() > VALUE_LIMIT) {
        found.push(format!("description: expected at most {VALUE_LIMIT} characters"));
    }
    stop_conditions(&template["stopConditions"], &mut found);
    match template["actions"].as_object() {
        Some(actions) if (1..=ACTIONS_LIMIT).contains(&actions.len()) => {
            for (name, action) in actions {
                self::action(actions, name, action, &mut found);
            }
            if circular(actions) {
                found.push("actions: wait for each other in a circle".into());
            }
        }
        _ => found.push(format!("actions: expected 1 to {ACTIONS_LIMIT} actions")),
    }
    found
}

fn is_arn(text: &str, service: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn") && parts.next().is_some() && parts.next() == Some(service) && parts.nth(2).is_some()
}

fn stop_conditions(value: &Value, found: &mut Vec<String>) {
    let conditions = value.as_array().map_or(&[][..], Vec::as_slice);
    if !(1..=STOPS_LIMIT).contains(&conditions.len()) {
        found.push(format!("stopConditions: expected 1 to {STOPS_LIMIT}, got {}", conditions.len()));
    }
    for (at, condition) in conditions.iter().enumerate() {
        let alarm = condition["value"].as_str().unwrap_or_default();
        match condition["source"].as_str() {
            Some("none") if condition.get("value").is_none() => {}
            Some("aws:cloudwatch:alarm") if is_arn(alarm, "cloudwatch") => {}
            Some("aws:cloudwatch:alarm") => {
                found.push(format!("stopConditions[{at}].value: expected an alarm's ARN, got `{alarm}`"));
            }
            other => found.push(format!(
                "stopConditions[{at}].source: expected `aws:cloudwatch:alarm` or `none`, got `{}`",
                other.unwrap_or_default()
            )),
        }
    }
}

fn action(actions: &Map<String, Value>, name: &str, action: &Value, found: &mut Vec<String>) {
    let path = format!("actions.{name}");
    for before in action["startAfter"].as_array().into_iter().flatten() {
        let before = before.as_str().unwrap_or_default();
        if before == name || !actions.contains_key(before) {
            found.push(format!("{path}.startAfter: expected another action's name, got `{before}`"));
        }
    }
    let parameters = &action["parameters"];
    let text = |key: &str| parameters[key].as_str().unwrap_or_default();
    match action["actionId"].as_str().unwrap_or_default() {
        "aws:ssm:start-automation-execution" => automation(&format!("{path}.parameters"), parameters, found),
        "aws:fis:wait" if minutes(text("duration")).is_none_or(|minutes| !(1..=LONGEST_MINUTES).contains(&minutes)) => {
            found.push(format!("{path}.parameters.duration: expected PT1M to PT12H, got `{}`", text("duration")));
        }
        "aws:cloudwatch:assert-alarm-state" => {
            let arns: Vec<&str> = text("alarmArns").split(',').collect();
            if arns.len() > ALARMS_LIMIT || !arns.iter().all(|arn| is_arn(arn, "cloudwatch")) {
                found.push(format!(
                    "{path}.parameters.alarmArns: expected 1 to {ALARMS_LIMIT} ARNs of alarms, got `{}`",
                    text("alarmArns")
                ));
            }
            if !text("alarmStates").split(',').all(|state| ["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&state)) {
                found.push(format!(
                    "{path}.parameters.alarmStates: expected OK, ALARM, INSUFFICIENT_DATA, got `{}`",
                    text("alarmStates")
                ));
            }
        }
        "" => found.push(format!("{path}.actionId: expected an action's id")),
        // FIS has many more, and knows them better.
        _ => {}
    }
}

fn automation(path: &str, parameters: &Value, found: &mut Vec<String>) {
    let text = |key: &str| parameters[key].as_str().unwrap_or_default();
    if !is_arn(text("documentArn"), "ssm") {
        found.push(format!("{path}.documentArn: expected a document's ARN, got `{}`", text("documentArn")));
    }
    let longest = minutes(text("maxDuration")).filter(|minutes| (1..=LONGEST_MINUTES).contains(minutes));
    if longest.is_none() {
        found.push(format!("{path}.maxDuration: expected PT1M to PT12H, got `{}`", text("maxDuration")));
    }
    let Some(line) = parameters["documentParameters"].as_str() else {
        found.push(format!("{path}.documentParameters: expected JSON as a text"));
        return;
    };
    let path_in = format!("{path}.documentParameters");
    if line.contains(char::is_whitespace) {
        found.push(format!("{path_in}: expected no white space; a space inside a text is `\\u0020`"));
    }
    let length = line.chars().count();
    if length > PARAMETERS_LIMIT {
        found.push(format!(
            "{path_in}: expected at most {PARAMETERS_LIMIT} characters, got {length}: put the plan into a parameter and name it \
             (`parameter:NAME`), or the functions under a tag"
        ));
    }
    let Ok(Value::Object(values)) = serde_json::from_str(line) else {
        found.push(format!("{path_in}: expected a JSON object"));
        return;
    };
    for (name, value) in &values {
        let texts: Vec<Option<&str>> = match value {
            Value::Array(items) => items.iter().map(Value::as_str).collect(),
            other => vec![other.as_str()],
        };
        if texts.contains(&None) {
            found.push(format!("{path_in}.{name}: expected a text or a list of texts, got `{value}`"));
        }
        if texts.len() > LIST_LIMIT {
            found.push(format!("{path_in}.{name}: expected at most {LIST_LIMIT} items, got {}", texts.len()));
        }
        if texts.iter().flatten().any(|text| text.chars().count() > VALUE_LIMIT) {
            found.push(format!("{path_in}.{name}: expected at most {VALUE_LIMIT} characters; name a parameter instead"));
        }
    }
    let hold = values.get("DurationMinutes").and_then(Value::as_str).and_then(|text| text.parse::<u32>().ok());
    if let (true, Some(hold), Some(longest)) = (text("documentArn").ends_with("-Experiment"), hold, longest)
        && longest < hold.saturating_add(AROUND_THE_HOLD_MINUTES - 5)
    {
        found.push(format!(
            "{path}.maxDuration: expected {hold} minutes of hold and {} for check, attach and restore, got `{}`",
            AROUND_THE_HOLD_MINUTES - 5,
            text("maxDuration")
        ));
    }
}

/// The minutes of an ISO 8601 duration as FIS takes them.
fn minutes(text: &str) -> Option<u32> {
    let rest = text.strip_prefix("PT")?;
    let (hours, rest) = rest.split_once('H').unwrap_or(("0", rest));
    let minutes = match rest {
        "" => "0",
        rest => rest.strip_suffix('M')?,
    };
    hours.parse::<u32>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)
}

/// Whether actions wait for each other: what starts next is taken away until nothing is left, or nothing can start.
fn circular(actions: &Map<String, Value>) -> bool {
    let mut left: Vec<(&String, Vec<&str>)> = actions
        .iter()
        .map(|(name, action)| {
            let before = action["startAfter"].as_array().into_iter().flatten().filter_map(Value::as_str);
            (name, before.filter(|before| actions.contains_key(*before)).collect())
        })
        .collect();
    loop {
        let waiting: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        let blocked: Vec<_> =
            left.iter().filter(|(_, before)| before.iter().any(|before| waiting.contains(before))).cloned().collect();
        if blocked.len() == left.len() {
            return !left.is_empty();
        }
        left = blocked;
    }
}

#[cfg(test)]
mod tests {
    use faultlayer_ssm_documents::Source;
    use serde_json::json;

    use super::*;
    use crate::template::tests::spec;
    use crate::template::{Spec, Targets, template};

    /// The shipped templates as a user fills them in.
    fn shipped() -> Vec<(String, Value)> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let values = [
            ("<PARTITION>", "aws"),
            ("<REGION>", "us-east-1"),
            ("<ACCOUNT>", "123456789012"),
            ("<FIS_ROLE_ARN>", "arn:aws:iam::123456789012:role/fis"),
            ("<STOP_ALARM_ARN>", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:stop"),
            ("<ASSERTED_ALARM_ARN>", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:checkout"),
        ];
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                let text = values.iter().fold(text, |text, (placeholder, value)| text.replace(placeholder, value));
                (path.display().to_string(), serde_json::from_str(&text).unwrap())
            })
            .collect()
    }

    #[test]
    fn the_shipped_templates_have_none() {
        let shipped = shipped();
        assert!(shipped.len() >= 7);
        for (name, template) in shipped {
            assert_eq!(problems(&template), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn what_is_built_has_none() {
        assert_eq!(problems(&template(&spec())), Vec::<String>::new());
    }

    /// A change to a good template, and the beginning of what is said to it.
    type Case = (fn(&mut Value), &'static str);

    #[test]
    fn each_rule_names_field_value_and_what_is_allowed() {
        fn set(template: &mut Value, key: &str, value: &str) {
            template["actions"]["faults"]["parameters"][key] = json!(value);
        }
        let cases: [Case; 12] = [
            (|t| t["roleArn"] = json!("role"), "roleArn: expected a role's ARN, got `role`"),
            (|t| t["stopConditions"] = json!([]), "stopConditions: expected 1 to 5, got 0"),
            (|t| t["stopConditions"][0]["source"] = json!("alarm"), "stopConditions[0].source: expected `aws:cloudwatch:alarm`"),
            (|t| t["stopConditions"][0]["value"] = json!("mine"), "stopConditions[0].value: expected an alarm's ARN, got `mine`"),
            (|t| t["actions"] = json!({}), "actions: expected 1 to 20"),
            (
                |t| t["actions"]["faults"]["startAfter"] = json!(["x"]),
                "actions.faults.startAfter: expected another action's name, got `x`",
            ),
            (|t| set(t, "maxDuration", "PT13H"), "actions.faults.parameters.maxDuration: expected PT1M to PT12H, got `PT13H`"),
            (|t| set(t, "maxDuration", "PT20M"), "actions.faults.parameters.maxDuration: expected 10 minutes of hold and 30"),
            (|t| set(t, "documentArn", "Experiment"), "actions.faults.parameters.documentArn: expected a document's ARN"),
            (|t| set(t, "documentParameters", "{ }"), "actions.faults.parameters.documentParameters: expected no white space"),
            (
                |t| set(t, "documentParameters", r#"{"DryRun":true}"#),
                "actions.faults.parameters.documentParameters.DryRun: expected a text or a list of texts, got `true`",
            ),
            (|t| set(t, "documentParameters", "[]"), "actions.faults.parameters.documentParameters: expected a JSON object"),
        ];
        for (change, expected) in cases {
            let mut value = template(&spec());
            change(&mut value);
            let found = problems(&value);
            assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected}: {found:?}");
        }
    }

    #[test]
    fn too_much_for_a_parameter_says_where_to_put_it() {
        let many = Spec { targets: Targets::Functions(vec!["f".repeat(64); 51]), ..spec() };
        let found = problems(&template(&many));
        assert!(found.iter().any(|problem| problem.contains("at most 50 items, got 51")), "{found:?}");
        assert!(found.iter().any(|problem| problem.contains("at most 1024 characters")), "{found:?}");
        let long = Spec { plan: Source::Plan("x".repeat(513)), ..spec() };
        assert!(problems(&template(&long)).iter().any(|problem| problem.contains("Plan: expected at most 512 characters")));
    }

    #[test]
    fn a_circle_of_actions_is_found() {
        let wait = |after: &str| json!({"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}, "startAfter": [after]});
        let mut value = template(&spec());
        value["actions"] = json!({"a": wait("b"), "b": wait("a")});
        assert_eq!(problems(&value), ["actions: wait for each other in a circle"]);
    }
}
