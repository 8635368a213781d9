//! The parameters of an execution: checked against the document's declarations, defaults filled in, and typed for the steps.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Document, Parameter};
use super::values::plain;
use crate::cloud::services::pattern::whole;

/// All parameters as lists of texts. `lookup` reads a Parameter Store parameter, which a default may name.
pub fn fill(
    document: &Document,
    given: &Value,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut filled = BTreeMap::new();
    for (name, value) in given.as_object().into_iter().flatten() {
        let Some(parameter) = document.parameters.get(name) else {
            return Err(format!("Parameter \"{name}\" is not defined in the document."));
        };
        let list: Vec<String> = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        check(name, parameter, &list)?;
        filled.insert(name.clone(), list);
    }
    let mut missing = Vec::new();
    for (name, parameter) in
        document.parameters.iter().filter(|(name, _)| !given.as_object().is_some_and(|given| given.contains_key(*name)))
    {
        let Some(default) = &parameter.default else {
            missing.push(name.as_str());
            continue;
        };
        let list = match default {
            Value::Array(items) if is_list(parameter) => items.iter().map(plain).collect(),
            Value::String(text) => {
                let list = vec![from_store(text, lookup)?];
                check(name, parameter, &list)?;
                list
            }
            other => vec![other.to_string()],
        };
        filled.insert(name.clone(), list);
    }
    if missing.is_empty() {
        return Ok(filled);
    }
    Err(format!("The following required parameters are missing: {}", missing.join(", ")))
}

fn from_store(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let inner = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}")).map(str::trim);
    match inner.and_then(|inner| inner.strip_prefix("ssm:")) {
        Some(name) => lookup(name).ok_or_else(|| format!("Parameter Store parameter {name} does not exist.")),
        None => Ok(text.to_owned()),
    }
}

fn is_list(parameter: &Parameter) -> bool {
    parameter.kind == "StringList" || parameter.kind == "MapList" || parameter.kind.starts_with("List<")
}

/// Refuses what a parameter's declaration does not allow.
pub fn check(name: &str, parameter: &Parameter, list: &[String]) -> Result<(), String> {
    let refuse = |text: String| Err(format!("Parameter \"{name}\": {text}"));
    if !is_list(parameter) && list.len() != 1 {
        return refuse(format!("expected one value, got {}", list.len()));
    }
    if parameter.min_items.is_some_and(|min| list.len() < min) || parameter.max_items.is_some_and(|max| list.len() > max) {
        return refuse(format!("{} items are not allowed", list.len()));
    }
    let allowed = parameter.allowed_pattern.as_ref().map(|pattern| (pattern, whole(pattern).ok()));
    for value in list {
        let length = value.chars().count();
        if parameter.min_chars.is_some_and(|min| length < min) || parameter.max_chars.is_some_and(|max| length > max) {
            return refuse(format!("{length} characters are not allowed"));
        }
        if !parameter.allowed_values.is_empty() && !parameter.allowed_values.iter().any(|allowed| plain(allowed) == *value) {
            return refuse(format!("{value} is not an allowed value"));
        }
        if let Some((pattern, regex)) = &allowed
            && !regex.as_ref().is_some_and(|regex| regex.is_match(value).unwrap_or(false))
        {
            return refuse(format!("{value} does not match the allowed pattern {pattern}"));
        }
        let fits = match parameter.kind.as_str() {
            "Boolean" => matches!(value.to_ascii_lowercase().as_str(), "true" | "false"),
            "Integer" => value.parse::<i64>().is_ok(),
            "StringMap" | "MapList" => {
                serde_json::from_str::<Value>(value).is_ok_and(|value| value.is_object() || value.is_array())
            }
            _ => true,
        };
        if !fits {
            return refuse(format!("{value} is not of type {}", parameter.kind));
        }
    }
    Ok(())
}

/// A parameter's value with its type.
pub fn typed(parameter: &Parameter, list: &[String]) -> Value {
    let first = list.first().map_or("", String::as_str);
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    match parameter.kind.as_str() {
        "Boolean" => Value::Bool(first.eq_ignore_ascii_case("true")),
        "Integer" | "StringMap" => json(first),
        "MapList" => match list {
            [one] if one.trim_start().starts_with('[') => json(one),
            many => many.iter().map(|text| json(text)).collect(),
        },
        _ if is_list(parameter) => list.iter().cloned().map(Value::String).collect(),
        _ => Value::String(first.to_owned()),
    }
}
