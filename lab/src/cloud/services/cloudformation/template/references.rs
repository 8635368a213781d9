//! What a value of a template names, each function held to its form, and the order that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::functions::{call, pieces};
use super::invalid;
use crate::cloud::call::ApiError;

/// Every function that CloudFormation knows, as its refusal lists them.
const KNOWN: [&str; 23] = [
    "Fn::Base64",
    "Fn::GetAtt",
    "Fn::GetAZs",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Split",
    "Fn::FindInMap",
    "Fn::Select",
    "Ref",
    "Fn::Equals",
    "Fn::If",
    "Fn::Not",
    "Condition",
    "Fn::And",
    "Fn::Or",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::EachMemberIn",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
    "Fn::RefAll",
    "Fn::Sub",
    "Fn::Cidr",
];

/// What a value names.
#[derive(Debug, Default)]
pub struct Names {
    /// Parameters, pseudo parameters and resources.
    pub refs: BTreeSet<String>,
    /// Resources and their attributes.
    pub attributes: BTreeSet<(String, String)>,
    /// Conditions.
    pub conditions: BTreeSet<String>,
    /// Mappings.
    pub maps: BTreeSet<String>,
}

impl Names {
    /// The resources among them, by logical id.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.refs.iter().map(String::as_str).chain(self.attributes.iter().map(|(resource, _)| resource.as_str()))
    }
}

/// The resource and the attribute of a Fn::GetAtt; an attribute may be a function.
pub fn attribute(argument: &Value) -> Result<(&str, &Value), ApiError> {
    let wrong = || {
        invalid(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
        )
    };
    match argument {
        Value::Array(items) => match items.as_slice() {
            [Value::String(resource), attribute] if !resource.is_empty() && *attribute != "" => Ok((resource, attribute)),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// Gathers what a value names, and refuses functions that are unknown or wrong in their form. `conditions`: whether it stands where
/// `{"Condition": …}` is a function.
pub fn gather(value: &Value, conditions: bool, names: &mut Names) -> Result<(), ApiError> {
    if let Some((function, argument)) = call(value, conditions) {
        return of_function(function, argument, conditions, names);
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| gather(item, conditions, names)),
        Value::Object(fields) => {
            if let Some(name) = fields.keys().find(|key| key.starts_with("Fn::")) {
                return Err(invalid(format!("Template format error: `{name}` stands beside other keys")));
            }
            fields.values().try_for_each(|field| gather(field, conditions, names))
        }
        _ => Ok(()),
    }
}

fn of_function(function: &str, argument: &Value, conditions: bool, names: &mut Names) -> Result<(), ApiError> {
    let items = argument.as_array().map(Vec::as_slice);
    match function {
        "Ref" => {
            let name =
                argument.as_str().ok_or_else(|| invalid("Template error: every Ref object must have a single String value."))?;
            names.refs.insert(name.to_owned());
            return Ok(());
        }
        "Condition" => {
            let name =
                argument.as_str().ok_or_else(|| invalid("Template format error: Every Condition member must be a string."))?;
            names.conditions.insert(name.to_owned());
            return Ok(());
        }
        "Fn::GetAtt" => {
            let (resource, wanted) = attribute(argument)?;
            names.attributes.insert((resource.to_owned(), wanted.as_str().unwrap_or_default().to_owned()));
            return gather(wanted, conditions, names);
        }
        "Fn::Sub" => return of_text(argument, conditions, names),
        "Fn::If" => match items {
            Some([Value::String(condition), then, other]) => {
                names.conditions.insert(condition.clone());
                gather(then, conditions, names)?;
                return gather(other, conditions, names);
            }
            _ => {
                return Err(invalid(
                    "Template error: Fn::If requires a list argument with three elements, the first a condition's name",
                ));
            }
        },
        "Fn::FindInMap" => match items {
            Some([map, _, _]) => names.maps.extend(map.as_str().map(str::to_owned)),
            _ => {
                return Err(invalid(
                    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value",
                ));
            }
        },
        "Fn::Join" => match items {
            Some([Value::String(_), Value::Array(_) | Value::Object(_)]) => {}
            _ => {
                return Err(invalid(
                    "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be \
                     joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
                ));
            }
        },
        "Fn::Split" => match items {
            Some([Value::String(_), Value::String(_) | Value::Object(_)]) => {}
            _ => {
                return Err(invalid(
                    "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or \
                     a function that returns a string to be split.",
                ));
            }
        },
        "Fn::Select" if items.is_none_or(|items| items.len() != 2) => {
            return Err(invalid(
                "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
            ));
        }
        "Fn::Base64" if !argument.is_string() && !argument.is_object() => {
            return Err(invalid("Template error: every Fn::Base64 object must have a String-typed value."));
        }
        "Fn::Equals" if items.is_none_or(|items| items.len() != 2) => {
            return Err(invalid("Template error: every Fn::Equals object requires a list of 2 string parameters."));
        }
        "Fn::Not" if items.is_none_or(|items| items.len() != 1) => {
            return Err(invalid("Template error: every Fn::Not object requires one boolean parameter."));
        }
        "Fn::And" | "Fn::Or" if items.is_none_or(|items| !(2..=10).contains(&items.len())) => {
            let message = "object requires a list of at least 2 and at most 10 boolean parameters.";
            return Err(invalid(format!("Template error: every {function} {message}")));
        }
        "Fn::Select" | "Fn::Base64" | "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => {}
        "Fn::GetAZs" | "Fn::ImportValue" | "Fn::Cidr" | "Fn::Length" | "Fn::ToJsonString" | "Fn::Transform" => {
            return Err(invalid(format!("Template error: the lab does not serve `{function}`")));
        }
        _ => {
            let known = KNOWN.join(", ");
            return Err(invalid(format!(
                "Template error: Encountered unsupported function: {function} Supported functions are: [{known}]"
            )));
        }
    }
    // The conditions of a condition stand below these.
    let inner = conditions && matches!(function, "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or");
    match argument {
        Value::Array(items) => items.iter().try_for_each(|item| gather(item, inner, names)),
        other => gather(other, inner, names),
    }
}

fn of_text(argument: &Value, conditions: bool, names: &mut Names) -> Result<(), ApiError> {
    let own = match argument {
        Value::String(_) => None,
        Value::Array(items) => match items.as_slice() {
            [Value::String(_), Value::Object(own)] => Some(own),
            _ => return Err(wrong_text()),
        },
        _ => return Err(wrong_text()),
    };
    let text = argument.as_str().or_else(|| argument.get(0)?.as_str()).unwrap_or_default();
    for name in pieces(text)?.into_iter().filter_map(|(_, name)| name) {
        if own.is_some_and(|own| own.contains_key(name)) {
            continue;
        }
        match name.split_once('.') {
            Some((resource, attribute)) => names.attributes.insert((resource.to_owned(), attribute.to_owned())),
            None => names.refs.insert(name.to_owned()),
        };
    }
    own.into_iter().flatten().try_for_each(|(_, value)| gather(value, conditions, names))
}

fn wrong_text() -> ApiError {
    invalid(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and \
         an optional second argument to specify a mapping of values to replace in the string",
    )
}

/// An order in which everything comes after what it depends on, otherwise as given.
pub fn order(all: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>, ApiError> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut ordered = Vec::new();
    while ordered.len() < all.len() {
        let ready: Vec<&String> = all
            .iter()
            .filter(|(name, needs)| {
                !done.contains(name.as_str()) && needs.iter().all(|need| done.contains(need.as_str()) || !all.contains_key(need))
            })
            .map(|(name, _)| name)
            .collect();
        if ready.is_empty() {
            let circle: Vec<&str> = all.keys().map(String::as_str).filter(|name| !done.contains(name)).collect();
            return Err(invalid(format!("Circular dependency between resources: [{}]", circle.join(", "))));
        }
        done.extend(ready.iter().map(|name| name.as_str()));
        ordered.extend(ready.into_iter().cloned());
    }
    Ok(ordered)
}
