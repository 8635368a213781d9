//! Holds a request against its model, and refuses what that does not allow in the words of AWS's own validation.

use serde_json::Value;

use super::models::{Model, Shape};
use crate::cloud::call::ApiError;

/// Refuses what the model of an operation's input does not allow. A payload that lies beside the input is there.
pub fn check(model: &Model, operation: &str, input: &Value) -> Result<(), ApiError> {
    let Some(shape) = model.operations.get(operation).and_then(|found| found.input.as_deref()) else {
        return Ok(());
    };
    let mut problems = Vec::new();
    walk(model, shape, input, "", &mut problems)?;
    if problems.is_empty() {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "{} validation error{} detected: {}",
        problems.len(),
        if problems.len() == 1 { "" } else { "s" },
        problems.join("; ")
    )))
}

fn walk(model: &Model, name: &str, value: &Value, path: &str, problems: &mut Vec<String>) -> Result<(), ApiError> {
    let Some(shape) = model.shape(name) else {
        return Err(ApiError::internal(format!("the model of {} has no shape `{name}`", model.name)));
    };
    match (shape.kind.as_str(), value) {
        ("structure", Value::Object(fields)) => {
            let raw = shape.payload().filter(|(_, member)| path.is_empty() && model.raw(member)).map(|(name, _)| name);
            for wanted in shape.required.iter().filter(|wanted| raw != Some(wanted.as_str())) {
                if fields.get(wanted).is_none_or(Value::is_null) {
                    fail(problems, None, &join(path, wanted), "Member must not be null");
                }
            }
            for (field, inner) in fields {
                let Some(member) = shape.members.get(field) else {
                    return Err(ApiError::bad("SerializationException", format!("unknown member `{}`", join(path, field))));
                };
                if !inner.is_null() {
                    walk(model, &member.shape, inner, &join(path, field), problems)?;
                }
            }
        }
        ("list", Value::Array(items)) => {
            sized(shape, items.len(), value, path, problems);
            for (index, item) in items.iter().enumerate() {
                if let Some(member) = &shape.member {
                    walk(model, &member.shape, item, &format!("{path}.{}.member", index + 1), problems)?;
                }
            }
        }
        ("map", Value::Object(fields)) => {
            sized(shape, fields.len(), value, path, problems);
            for (key, inner) in fields {
                if let Some(member) = &shape.key {
                    walk(model, &member.shape, &Value::String(key.clone()), path, problems)?;
                }
                if let Some(member) = &shape.value {
                    walk(model, &member.shape, inner, &format!("{path}.{key}.member"), problems)?;
                }
            }
        }
        ("string", Value::String(text)) => check_text(shape, text, path, problems),
        ("blob", Value::String(_)) | ("boolean", Value::Bool(_)) | ("timestamp", Value::Number(_) | Value::String(_)) => {}
        ("integer" | "long", Value::Number(number)) if number.is_i64() || number.is_u64() => {
            check_number(shape, number.as_f64().unwrap_or_default(), value, path, problems);
        }
        ("float" | "double", Value::Number(number)) => {
            check_number(shape, number.as_f64().unwrap_or_default(), value, path, problems);
        }
        (kind, _) => {
            return Err(ApiError::bad("SerializationException", format!("`{path}`: expected a {kind}, got `{value}`")));
        }
    }
    Ok(())
}

fn check_text(shape: &Shape, text: &str, path: &str, problems: &mut Vec<String>) {
    if !shape.choices.is_empty() && !shape.choices.iter().any(|choice| choice == text) {
        let rule = format!("Member must satisfy enum value set: [{}]", shape.choices.join(", "));
        fail(problems, Some(text), path, &rule);
    }
    sized(shape, text.chars().count(), &Value::String(text.to_owned()), path, problems);
    if !shape.matches(text) {
        let pattern = shape.pattern.as_deref().unwrap_or_default();
        let rule = format!("Member must satisfy regular expression pattern: {pattern}");
        fail(problems, Some(text), path, &rule);
    }
}

fn check_number(shape: &Shape, number: f64, value: &Value, path: &str, problems: &mut Vec<String>) {
    if let Some(min) = shape.min.filter(|min| number < *min) {
        let rule = format!("Member must have value greater than or equal to {min}");
        fail(problems, Some(&value.to_string()), path, &rule);
    }
    if let Some(max) = shape.max.filter(|max| number > *max) {
        let rule = format!("Member must have value less than or equal to {max}");
        fail(problems, Some(&value.to_string()), path, &rule);
    }
}

fn sized(shape: &Shape, length: usize, value: &Value, path: &str, problems: &mut Vec<String>) {
    let length = u32::try_from(length).map_or(f64::MAX, f64::from);
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(min) = shape.min.filter(|min| length < *min) {
        let rule = format!("Member must have length greater than or equal to {min}");
        fail(problems, Some(&shown), path, &rule);
    }
    if let Some(max) = shape.max.filter(|max| length > *max) {
        let rule = format!("Member must have length less than or equal to {max}");
        fail(problems, Some(&shown), path, &rule);
    }
}

fn fail(problems: &mut Vec<String>, value: Option<&str>, path: &str, rule: &str) {
    let shown = value.map_or_else(|| "null".to_owned(), |value| format!("'{value}'"));
    problems.push(format!("Value {shown} at '{path}' failed to satisfy constraint: {rule}"));
}

/// AWS names members in lower camel case.
fn join(path: &str, field: &str) -> String {
    let mut name = String::new();
    let mut letters = field.chars();
    name.extend(letters.next().map(|letter| letter.to_ascii_lowercase()));
    name.push_str(letters.as_str());
    if path.is_empty() { name } else { format!("{path}.{name}") }
}
