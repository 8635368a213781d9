//! The table of botocore's models (`models.json`): which operations are served, how they lie on the wire, and what their
//! requests must look like. Written by `tests/lab/models.py`; reads only, knows nothing of what operations do.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use fancy_regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::error::ApiError;

/// All services of the table.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Models {
    services: BTreeMap<String, Service>,
}

/// One service.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// What stands before the dot of `X-Amz-Target`.
    pub target: Option<String>,
    /// The operations served.
    pub operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

/// One operation.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// Method, path and status.
    pub http: Http,
    /// The input's shape.
    pub input: Option<String>,
}

/// Where an operation lies.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Http {
    /// `GET`, `POST`, …
    pub method: String,
    /// A path with `{Labels}`, and fixed query terms.
    pub request_uri: String,
    /// The status of success.
    #[serde(default = "ok")]
    pub response_code: u16,
}

fn ok() -> u16 {
    200
}

/// A shape of a request.
#[derive(Debug, Deserialize)]
pub struct Shape {
    /// `structure`, `list`, `map`, `string`, `integer`, …
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    required: Vec<String>,
    #[serde(rename = "enum", default)]
    choices: Vec<String>,
    pattern: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    /// The member that is the whole body.
    pub payload: Option<String>,
    #[serde(default)]
    /// Members of a structure.
    pub members: BTreeMap<String, Member>,
    /// What a list holds.
    pub member: Option<String>,
    key: Option<String>,
    value: Option<String>,
    #[serde(skip)]
    regex: OnceLock<Option<Regex>>,
}

/// A member of a structure.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its shape's name.
    pub shape: String,
    /// `uri`, `querystring`, `header`, or in the body.
    pub location: Option<String>,
    /// Its name there.
    pub location_name: Option<String>,
}

/// The table, read once.
pub fn models() -> Result<&'static Models, ApiError> {
    static TABLE: OnceLock<Result<Models, String>> = OnceLock::new();
    TABLE
        .get_or_init(|| serde_json::from_str(include_str!("models.json")).map_err(|error| error.to_string()))
        .as_ref()
        .map_err(|error| ApiError::internal(format!("models.json: {error}")))
}

impl Models {
    /// One service by botocore's name for it.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }

    /// One service with its name as the table has it.
    pub fn entry(&self, name: &str) -> Option<(&str, &Service)> {
        self.services.get_key_value(name).map(|(name, service)| (name.as_str(), service))
    }

    /// The service and operation of an `X-Amz-Target` header.
    pub fn target(&self, header: &str) -> Option<(&str, &str)> {
        let (prefix, operation) = header.split_once('.')?;
        let (name, service) = self.services.iter().find(|(_, service)| service.target.as_deref() == Some(prefix))?;
        let (operation, _) = service.operations.get_key_value(operation)?;
        Some((name, operation))
    }
}

impl Service {
    /// A shape by name.
    pub fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// Refuses what the model does not allow, in the words of AWS's own validation.
    pub fn check(&self, operation: &str, input: &Value) -> Result<(), ApiError> {
        let Some(shape) = self.operations.get(operation).and_then(|found| found.input.as_deref()) else {
            return Ok(());
        };
        let mut problems = Vec::new();
        self.walk(shape, input, "", &mut problems)?;
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

    fn walk(&self, name: &str, value: &Value, path: &str, problems: &mut Vec<String>) -> Result<(), ApiError> {
        let Some(shape) = self.shapes.get(name) else {
            return Err(ApiError::internal(format!("models.json: no shape `{name}`")));
        };
        match (shape.kind.as_str(), value) {
            ("structure", Value::Object(fields)) => {
                for wanted in &shape.required {
                    if fields.get(wanted).is_none_or(Value::is_null) {
                        fail(problems, None, &join(path, wanted), "Member must not be null");
                    }
                }
                for (field, inner) in fields {
                    let Some(member) = shape.members.get(field) else {
                        return Err(ApiError::bad("SerializationException", format!("unknown member `{}`", join(path, field))));
                    };
                    if !inner.is_null() {
                        self.walk(&member.shape, inner, &join(path, field), problems)?;
                    }
                }
            }
            ("list", Value::Array(items)) => {
                sized(shape, items.len(), value, path, problems);
                for (index, item) in items.iter().enumerate() {
                    if let Some(member) = &shape.member {
                        self.walk(member, item, &format!("{path}.{}.member", index + 1), problems)?;
                    }
                }
            }
            ("map", Value::Object(fields)) => {
                sized(shape, fields.len(), value, path, problems);
                for (key, inner) in fields {
                    if let Some(shape) = &shape.key {
                        self.walk(shape, &Value::String(key.clone()), path, problems)?;
                    }
                    if let Some(shape) = &shape.value {
                        self.walk(shape, inner, &format!("{path}.{key}.member"), problems)?;
                    }
                }
            }
            ("string", Value::String(text)) => shape.check_text(text, path, problems),
            ("blob", Value::String(_)) | ("boolean", Value::Bool(_)) | ("timestamp", Value::Number(_) | Value::String(_)) => {}
            ("integer" | "long", Value::Number(number)) if number.is_i64() || number.is_u64() => {
                shape.check_number(number.as_f64().unwrap_or_default(), value, path, problems);
            }
            ("float" | "double", Value::Number(number)) => {
                shape.check_number(number.as_f64().unwrap_or_default(), value, path, problems);
            }
            (kind, _) => {
                return Err(ApiError::bad("SerializationException", format!("`{path}`: expected a {kind}, got `{value}`")));
            }
        }
        Ok(())
    }
}

impl Shape {
    fn check_text(&self, text: &str, path: &str, problems: &mut Vec<String>) {
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == text) {
            let rule = format!("Member must satisfy enum value set: [{}]", self.choices.join(", "));
            fail(problems, Some(text), path, &rule);
        }
        sized(self, text.chars().count(), &Value::String(text.to_owned()), path, problems);
        if let Some(pattern) = &self.pattern {
            // AWS matches the whole value.
            let regex = self.regex.get_or_init(|| Regex::new(&format!("^(?:{pattern})$")).ok());
            let matches = regex.as_ref().is_none_or(|regex| regex.is_match(text).unwrap_or(false));
            if !matches {
                let rule = format!("Member must satisfy regular expression pattern: {pattern}");
                fail(problems, Some(text), path, &rule);
            }
        }
    }

    fn check_number(&self, number: f64, value: &Value, path: &str, problems: &mut Vec<String>) {
        if let Some(min) = self.min.filter(|min| number < *min) {
            let rule = format!("Member must have value greater than or equal to {min}");
            fail(problems, Some(&value.to_string()), path, &rule);
        }
        if let Some(max) = self.max.filter(|max| number > *max) {
            let rule = format!("Member must have value less than or equal to {max}");
            fail(problems, Some(&value.to_string()), path, &rule);
        }
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
