//! Templates: how they are read, what may stand in them, and what their functions are worth.
//!
//! - [`yaml`]: YAML with its short forms.  [`check`]: what CloudFormation refuses before it does anything.
//! - [`references`]: what names what.  [`parameters`]: declared and given.  [`functions`]: values.

pub mod check;
pub mod functions;
pub mod parameters;
pub mod references;
pub mod yaml;

use serde_json::{Map, Value};

use crate::cloud::call::ApiError;

/// CloudFormation's word for most of what it refuses.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad("ValidationError", message)
}

/// A template with its short forms written out.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    root: Map<String, Value>,
}

/// One resource as the template has it.
#[derive(Debug, Clone, Copy)]
pub struct Declared<'t> {
    /// Its logical id.
    pub logical: &'t str,
    /// What stands below it.
    pub fields: &'t Value,
}

impl<'t> Declared<'t> {
    /// Its type.
    pub fn kind(&self) -> &'t str {
        self.word("Type").unwrap_or_default()
    }

    /// An attribute that is a text.
    pub fn word(&self, attribute: &str) -> Option<&'t str> {
        self.fields.get(attribute).and_then(Value::as_str)
    }

    /// Its properties, with functions.
    pub fn properties(&self) -> &'t Value {
        self.fields.get("Properties").unwrap_or(&Value::Null)
    }

    /// The logical ids that it depends on by its own word.
    pub fn depends_on(&self) -> Vec<&'t str> {
        match self.fields.get("DependsOn") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

impl Template {
    /// Reads a template: JSON if it begins like that, else YAML.
    pub fn read(text: &str) -> Result<Template, ApiError> {
        let value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| {
                let place = format!("(line {}, column {})", error.line(), error.column());
                invalid(format!("Template format error: JSON not well-formed. {place}"))
            })?
        } else {
            yaml::read(text)?
        };
        match value {
            Value::Object(root) => Ok(Template { root }),
            _ => Err(invalid("Template format error: unsupported structure.")),
        }
    }

    /// A section's members, in the template's order.
    pub fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Value)> {
        let members = self.root.get(name).and_then(Value::as_object).into_iter().flatten();
        members.map(|(key, value)| (key.as_str(), value))
    }

    /// One member of a section.
    pub fn member(&self, section: &str, name: &str) -> Option<&Value> {
        self.root.get(section)?.get(name)
    }

    /// A section that is no map: the description, the version.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.root.get(name)
    }

    /// The resources, in the template's order.
    pub fn resources(&self) -> impl Iterator<Item = Declared<'_>> {
        self.section("Resources").map(|(logical, fields)| Declared { logical, fields })
    }

    /// One resource.
    pub fn resource<'t>(&'t self, logical: &str) -> Option<Declared<'t>> {
        let (logical, fields) = self.root.get("Resources")?.as_object()?.get_key_value(logical)?;
        Some(Declared { logical, fields })
    }
}
