//! What the functions of a template are worth, once its parameters are known.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::references::attribute;
use super::{Template, invalid};
use crate::cloud::call::ApiError;

/// What stands for a value that only a resource yet to be made will tell.
pub const UNKNOWN: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// What a resource's reference (no attribute) or attribute is.
pub type Lookup<'l> = &'l dyn Fn(&str, Option<&str>) -> Result<Value, ApiError>;

/// What values may name.
pub struct Scope<'s> {
    /// The template.
    pub template: &'s Template,
    /// Parameters and pseudo parameters: texts, or lists of texts.
    pub named: &'s BTreeMap<String, Value>,
    /// Which conditions hold.
    pub conditions: &'s BTreeMap<String, bool>,
    /// Resources.
    pub resources: Lookup<'s>,
}

/// The function that a value calls, and its argument.
pub fn call(value: &Value, conditions: bool) -> Option<(&str, &Value)> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let (name, argument) = fields.iter().next()?;
    let is_one = name.starts_with("Fn::") || name == "Ref" || (conditions && name == "Condition");
    is_one.then_some((name.as_str(), argument))
}

/// A text of Fn::Sub in pieces: what stands before a `${name}`, and the name. `${!x}` is `${x}`.
pub fn pieces(text: &str) -> Result<Vec<(String, Option<&str>)>, ApiError> {
    let mut found = Vec::new();
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        let Some((name, further)) = after.split_once('}') else {
            plain.push_str("${");
            rest = after;
            continue;
        };
        rest = further;
        if let Some(literal) = name.strip_prefix('!') {
            plain.push_str(&format!("${{{literal}}}"));
            continue;
        }
        let name = name.trim();
        let fits =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'_'));
        if !fits {
            return Err(invalid(format!(
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and \
                 colons, got `{name}`"
            )));
        }
        found.push((std::mem::take(&mut plain), Some(name)));
    }
    plain.push_str(rest);
    found.push((plain, None));
    Ok(found)
}

/// A scalar as a text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        _ => None,
    }
}

/// Which conditions hold.
pub fn conditions(template: &Template, named: &BTreeMap<String, Value>) -> Result<BTreeMap<String, bool>, ApiError> {
    let mut known = BTreeMap::new();
    for (name, _) in template.section("Conditions") {
        condition(template, named, name, &mut known, 0)?;
    }
    Ok(known)
}

fn condition(
    template: &Template,
    named: &BTreeMap<String, Value>,
    name: &str,
    known: &mut BTreeMap<String, bool>,
    depth: usize,
) -> Result<bool, ApiError> {
    if let Some(holds) = known.get(name) {
        return Ok(*holds);
    }
    let Some(value) = template.member("Conditions", name).filter(|_| depth < 100) else {
        return Err(unresolved(name));
    };
    let holds = holds(template, named, value, known, depth + 1)?;
    known.insert(name.to_owned(), holds);
    Ok(holds)
}

/// A condition that is not there, or goes round in a circle.
pub fn unresolved(name: &str) -> ApiError {
    invalid(format!("Template format error: Unresolved condition dependency {name} in the Conditions block of the template"))
}

fn holds(
    template: &Template,
    named: &BTreeMap<String, Value>,
    value: &Value,
    known: &mut BTreeMap<String, bool>,
    depth: usize,
) -> Result<bool, ApiError> {
    let wrong = || invalid("Template format error: Conditions can only be boolean operations on parameters and other conditions");
    let (function, argument) = call(value, true).ok_or_else(wrong)?;
    let items = argument.as_array().map_or(&[][..], Vec::as_slice);
    match (function, items) {
        ("Condition", _) => condition(template, named, argument.as_str().ok_or_else(wrong)?, known, depth),
        ("Fn::Equals", [one, other]) => {
            let none = |name: &str, _: Option<&str>| {
                let message = format!(
                    "Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of the template"
                );
                Err(invalid(format!("Template format error: {message}")))
            };
            // A Fn::If in here may name only what is known by now.
            let done = known.clone();
            let scope = Scope { template, named, conditions: &done, resources: &none };
            let (one, other) = (scope.value(one)?, scope.value(other)?);
            let plain = |value: Option<Value>| value.map(|value| text(&value).map_or(value, Value::from));
            Ok(plain(one) == plain(other))
        }
        ("Fn::Not", [one]) => Ok(!holds(template, named, one, known, depth)?),
        ("Fn::And" | "Fn::Or", items) => {
            let mut results = Vec::new();
            for item in items {
                results.push(holds(template, named, item, known, depth)?);
            }
            Ok(if function == "Fn::And" { results.iter().all(|one| *one) } else { results.iter().any(|one| *one) })
        }
        _ => Err(wrong()),
    }
}

impl Scope<'_> {
    /// A value without functions; `None` where it is `AWS::NoValue`.
    pub fn value(&self, value: &Value) -> Result<Option<Value>, ApiError> {
        if let Some((function, argument)) = call(value, false) {
            return self.function(function, argument);
        }
        Ok(Some(match value {
            Value::Array(items) => {
                let mut list = Vec::new();
                for item in items {
                    list.extend(self.value(item)?);
                }
                Value::Array(list)
            }
            Value::Object(fields) => {
                let mut map = Map::new();
                for (key, field) in fields {
                    map.extend(self.value(field)?.map(|field| (key.clone(), field)));
                }
                Value::Object(map)
            }
            plain => plain.clone(),
        }))
    }

    fn function(&self, function: &str, argument: &Value) -> Result<Option<Value>, ApiError> {
        let items = argument.as_array().map_or(&[][..], Vec::as_slice);
        Ok(Some(match (function, items) {
            ("Ref", _) => return self.named(argument.as_str().unwrap_or_default()),
            ("Fn::GetAtt", _) => {
                let (resource, wanted) = attribute(argument)?;
                let wanted = self.text(wanted, "Template error: the attribute of a Fn::GetAtt must be a string")?;
                (self.resources)(resource, Some(&wanted))?
            }
            ("Fn::If", [condition, then, other]) => {
                let name = condition.as_str().unwrap_or_default();
                let holds = self.conditions.get(name).ok_or_else(|| unresolved(name))?;
                return self.value(if *holds { then } else { other });
            }
            ("Fn::Sub", _) => Value::from(self.sub(argument)?),
            ("Fn::Join", [between, list]) => {
                let wrong = "Template error: every Fn::Join object requires a list of strings to be joined";
                Value::from(self.list(list, wrong)?.join(between.as_str().unwrap_or_default()))
            }
            ("Fn::Split", [between, whole]) => {
                let whole = self.text(whole, "Template error: every Fn::Split object requires a string to be split")?;
                let between = between.as_str().unwrap_or_default();
                if between.is_empty() {
                    return Err(invalid("Template error: every Fn::Split object requires a string delimiter"));
                }
                if whole.contains(UNKNOWN) { json!([UNKNOWN]) } else { whole.split(between).map(Value::from).collect() }
            }
            ("Fn::Select", [index, list]) => {
                let wrong = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list";
                let index = self.text(index, wrong)?;
                let number: usize = index.parse().map_err(|_| invalid(wrong))?;
                let Some(Value::Array(list)) = self.value(list)? else { return Err(invalid(wrong)) };
                // What is not known yet may have any number of parts.
                if list.iter().any(|item| item.as_str().is_some_and(|item| item.contains(UNKNOWN))) && list.len() <= number {
                    return Ok(Some(Value::from(UNKNOWN)));
                }
                let missing = || invalid(format!("Template error: Fn::Select cannot select nonexistent value at index {index}"));
                list.get(number).cloned().ok_or_else(missing)?
            }
            ("Fn::FindInMap", [map, first, second]) => {
                let wrong = "Template error: every Fn::FindInMap object requires three strings";
                let (map, first, second) = (self.text(map, wrong)?, self.text(first, wrong)?, self.text(second, wrong)?);
                let missing = || invalid(format!("Template error: Unable to get mapping for {map}::{first}::{second}"));
                let found =
                    self.template.member("Mappings", &map).and_then(|map| map.get(&first)).and_then(|map| map.get(&second));
                found.cloned().ok_or_else(missing)?
            }
            ("Fn::Base64", _) => {
                let whole = self.text(argument, "Template error: every Fn::Base64 object must have a String-typed value.")?;
                Value::from(STANDARD.encode(whole))
            }
            _ => return Err(invalid(format!("Template error: `{function}` cannot stand here"))),
        }))
    }

    fn named(&self, name: &str) -> Result<Option<Value>, ApiError> {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        match self.named.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None => (self.resources)(name, None).map(Some),
        }
    }

    fn text(&self, value: &Value, wrong: &str) -> Result<String, ApiError> {
        self.value(value)?.as_ref().and_then(text).ok_or_else(|| invalid(wrong))
    }

    fn list(&self, value: &Value, wrong: &str) -> Result<Vec<String>, ApiError> {
        let Some(Value::Array(items)) = self.value(value)? else { return Err(invalid(wrong)) };
        items.iter().map(|item| text(item).ok_or_else(|| invalid(wrong))).collect()
    }

    fn sub(&self, argument: &Value) -> Result<String, ApiError> {
        let (whole, own) = match argument {
            Value::Array(items) => (items.first(), items.get(1)),
            other => (Some(other), None),
        };
        let mut filled = String::new();
        for (plain, name) in pieces(whole.and_then(Value::as_str).unwrap_or_default())? {
            filled.push_str(&plain);
            let Some(name) = name else { continue };
            let value = match (own.and_then(|own| own.get(name)), name.split_once('.')) {
                (Some(value), _) => self.value(value)?,
                (None, Some((resource, attribute))) => Some((self.resources)(resource, Some(attribute))?),
                (None, None) => self.named(name)?,
            };
            let value = value.as_ref().and_then(text);
            filled.push_str(&value.ok_or_else(|| {
                invalid(format!("Template error: variable {name} in Fn::Sub expression does not resolve to a string"))
            })?);
        }
        Ok(filled)
    }
}
