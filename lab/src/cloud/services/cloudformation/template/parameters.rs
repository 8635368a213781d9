//! Parameters: as a template declares them, and the values that a request gives them.

use std::collections::BTreeMap;
use std::sync::Arc;

use fancy_regex::Regex;
use serde_json::{Map, Value, json};

use super::functions::text as plain;
use super::{Template, invalid};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{on, text};
use crate::cloud::services::pattern::whole;

/// What a declaration may hold.
const FIELDS: [&str; 11] = [
    "Type",
    "Default",
    "AllowedValues",
    "AllowedPattern",
    "ConstraintDescription",
    "Description",
    "MinLength",
    "MaxLength",
    "MinValue",
    "MaxValue",
    "NoEcho",
];
/// The types that the lab serves.
const KINDS: [&str; 4] = ["String", "Number", "CommaDelimitedList", "List<Number>"];
/// What a secret is shown as.
pub const SECRET: &str = "****";

/// Refuses declarations that CloudFormation does not take.
pub fn check(template: &Template) -> Result<(), ApiError> {
    for (name, declared) in template.section("Parameters") {
        let Some(fields) = declared.as_object() else {
            return Err(invalid("Template format error: Every Parameters object must contain a Type member."));
        };
        if let Some(field) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
            return Err(invalid(format!("Invalid template parameter property '{field}'")));
        }
        let kind = declared.get("Type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| invalid("Template format error: Every Parameters object must contain a Type member."))?;
        if kind.starts_with("AWS::SSM::Parameter::") || kind.starts_with("AWS::EC2::") || kind.starts_with("List<AWS::") {
            return Err(invalid(format!("Template format error: the lab does not serve parameters of type `{kind}`")));
        }
        if !KINDS.contains(&kind) {
            return Err(invalid(format!("Template format error: Unrecognized parameter type: {kind}")));
        }
        if let Some(default) = default(declared) {
            fits(name, declared, &default)?;
        }
    }
    Ok(())
}

/// A parameter's default.
pub fn default(declared: &Value) -> Option<String> {
    declared.get("Default").and_then(plain)
}

/// Whether a parameter is a secret.
pub fn secret(declared: &Value) -> bool {
    declared.get("NoEcho").is_some_and(|secret| plain(secret).is_some_and(|secret| secret.eq_ignore_ascii_case("true")))
}

/// The value of each parameter: given, that of before where the request says so, or the default.
pub fn resolve(
    template: &Template,
    given: &[Value],
    before: Option<&BTreeMap<String, String>>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut values = BTreeMap::new();
    let mut unknown = Vec::new();
    for entry in given {
        let name = text(entry, "ParameterKey").unwrap_or_default();
        if template.member("Parameters", name).is_none() {
            unknown.push(name);
            continue;
        }
        if on(entry, "UsePreviousValue") {
            if text(entry, "ParameterValue").is_some() {
                return Err(invalid(format!(
                    "Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )));
            }
            let Some(before) = before else {
                return Err(invalid(format!(
                    "Invalid input for parameter key {name}. Cannot use previous value for a new stack"
                )));
            };
            // A parameter that is new has no value of before, and its default counts.
            values.extend(before.get(name).map(|value| (name.to_owned(), value.clone())));
        } else {
            values.insert(name.to_owned(), text(entry, "ParameterValue").unwrap_or_default().to_owned());
        }
    }
    if !unknown.is_empty() {
        return Err(invalid(format!("Parameters: [{}] do not exist in the template", unknown.join(", "))));
    }
    let mut lacking = Vec::new();
    for (name, declared) in template.section("Parameters") {
        match values.get(name).cloned().or_else(|| default(declared)) {
            Some(value) => {
                fits(name, declared, &value)?;
                values.insert(name.to_owned(), value);
            }
            None => lacking.push(name),
        }
    }
    if lacking.is_empty() { Ok(values) } else { Err(invalid(format!("Parameters: [{}] must have values", lacking.join(", ")))) }
}

/// What a reference to a parameter is worth.
pub fn worth(declared: &Value, value: &str) -> Value {
    if is_list(declared) { members(value).map(Value::from).collect() } else { Value::from(value) }
}

fn is_list(declared: &Value) -> bool {
    text(declared, "Type").is_some_and(|kind| kind != "String" && kind != "Number")
}

fn members(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(move |_| !value.is_empty())
}

fn fits(name: &str, declared: &Value, value: &str) -> Result<(), ApiError> {
    let refuse = |rule: String| {
        Err(invalid(match text(declared, "ConstraintDescription") {
            Some(why) => format!("Parameter '{name}' failed to satisfy constraint: {why}"),
            None => format!("Parameter '{name}' {rule}"),
        }))
    };
    let bound = |field: &str| declared.get(field).and_then(plain).and_then(|bound| bound.parse::<f64>().ok());
    let number = matches!(text(declared, "Type"), Some("Number" | "List<Number>"));
    let values: Vec<&str> = if is_list(declared) { members(value).collect() } else { vec![value] };
    let allowed: Option<Vec<String>> =
        declared.get("AllowedValues").and_then(Value::as_array).map(|allowed| allowed.iter().filter_map(plain).collect());
    let pattern = match text(declared, "AllowedPattern") {
        Some(pattern) => Some((pattern, compiled(name, pattern)?)),
        None => None,
    };
    for value in values {
        if number {
            let Ok(number) = value.parse::<f64>() else {
                return Err(invalid(format!("Parameter '{name}' must be a number")));
            };
            if let Some(least) = bound("MinValue").filter(|least| number < *least) {
                return refuse(format!("must be a number not less than {least}"));
            }
            if let Some(most) = bound("MaxValue").filter(|most| number > *most) {
                return refuse(format!("must be a number not greater than {most}"));
            }
        }
        let length = u32::try_from(value.chars().count()).map_or(f64::MAX, f64::from);
        if let Some(least) = bound("MinLength").filter(|least| length < *least) {
            return refuse(format!("must contain at least {least} characters"));
        }
        if let Some(most) = bound("MaxLength").filter(|most| length > *most) {
            return refuse(format!("must contain at most {most} characters"));
        }
        if allowed.as_ref().is_some_and(|allowed| !allowed.iter().any(|one| one == value)) {
            return refuse("must be one of AllowedValues".to_owned());
        }
        if let Some((pattern, _)) = pattern.as_ref().filter(|(_, regex)| !regex.is_match(value).unwrap_or(false)) {
            return refuse(format!("must match pattern {pattern}"));
        }
    }
    Ok(())
}

/// A pattern as CloudFormation reads it, which matches the whole value.
fn compiled(name: &str, pattern: &str) -> Result<Arc<Regex>, ApiError> {
    let wrong = format!("Template format error: AllowedPattern of parameter '{name}' is no regular expression: {pattern}");
    whole(&in_ascii(pattern)).map_err(|_| invalid(wrong))
}

/// Java's `\w` and `\d` are ASCII's.
fn in_ascii(pattern: &str) -> String {
    let mut text = String::new();
    let mut class = false;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match (letter, class) {
            ('\\', _) => match (letters.next(), class) {
                (Some('w'), true) => text.push_str("a-zA-Z0-9_"),
                (Some('w'), false) => text.push_str("[a-zA-Z0-9_]"),
                (Some('d'), true) => text.push_str("0-9"),
                (Some('d'), false) => text.push_str("[0-9]"),
                (other, _) => text.extend(std::iter::once('\\').chain(other)),
            },
            _ => {
                class = (class || letter == '[') && letter != ']';
                text.push(letter);
            }
        }
    }
    text
}

/// The parameters of a stack as its descriptions show them.
pub fn shown(template: Option<&Template>, values: &BTreeMap<String, String>) -> Value {
    let hidden = |name: &str| template.and_then(|template| template.member("Parameters", name)).is_some_and(secret);
    let row = |(name, value): (&String, &String)| json!({"ParameterKey": name, "ParameterValue": if hidden(name) { SECRET } else { value.as_str() }});
    values.iter().map(row).collect()
}

/// The declarations, as ValidateTemplate (`brief`) and GetTemplateSummary show them.
pub fn declarations(template: &Template, brief: bool) -> Value {
    let row = |(name, declared): (&str, &Value)| {
        let mut row = Map::new();
        row.insert("ParameterKey".into(), json!(name));
        row.extend(default(declared).map(|default| ("DefaultValue".to_owned(), json!(default))));
        row.insert("NoEcho".into(), json!(secret(declared)));
        row.extend(text(declared, "Description").map(|text| ("Description".to_owned(), json!(text))));
        if !brief {
            row.insert("ParameterType".into(), json!(text(declared, "Type")));
            let allowed = declared.get("AllowedValues").and_then(Value::as_array);
            let allowed = allowed.map(|allowed| allowed.iter().filter_map(plain).collect::<Vec<_>>());
            row.insert(
                "ParameterConstraints".into(),
                allowed.map_or_else(|| json!({}), |allowed| json!({"AllowedValues": allowed})),
            );
        }
        Value::Object(row)
    };
    template.section("Parameters").map(row).collect()
}
