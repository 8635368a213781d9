//! The resource types, one file each: properties to API calls through the door, in the name of whoever runs the stack.
//!
//! - [`act`]: one call for one resource.  [`fit`]: properties in the form that the API wants.

pub mod act;
mod alarm;
mod document;
mod experiment_template;
mod fit;
mod function;
mod layer;
mod log_group;
mod parameter;
mod policy;
mod role;

use std::collections::BTreeSet;
use std::future::{Future, ready};
use std::pin::Pin;

use serde_json::{Map, Value};

use crate::cloud::call::ApiError;
use act::Act;

/// Something done to a resource.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send + 'a>>;

/// What changing a property takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// The resource is changed.
    InPlace,
    /// Another one takes its place.
    Replace,
    /// The type says, see [`Kind::replaces`].
    Depends,
}

/// A property of a type.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What changing it takes.
    pub update: Update,
    /// Whether it must be there.
    pub required: bool,
    /// Whether the lab does something with it.
    pub served: bool,
}

impl Property {
    const fn new(name: &'static str, update: Update) -> Property {
        Property { name, update, required: false, served: true }
    }

    const fn required(self) -> Property {
        Property { required: true, ..self }
    }
}

const fn kept(name: &'static str) -> Property {
    Property::new(name, Update::InPlace)
}

const fn fixed(name: &'static str) -> Property {
    Property::new(name, Update::Replace)
}

const fn depends(name: &'static str) -> Property {
    Property::new(name, Update::Depends)
}

const fn lacking(name: &'static str) -> Property {
    Property { served: false, ..Property::new(name, Update::InPlace) }
}

/// How a type writes its tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// It has none.
    None,
    /// As a list of keys and values.
    List,
    /// As a map.
    Map,
}

/// What is known of a type.
#[derive(Debug)]
pub struct Facts {
    /// `AWS::SSM::Parameter` or such.
    pub name: &'static str,
    /// Its properties.
    pub properties: &'static [Property],
    /// What Fn::GetAtt knows of it.
    pub attributes: &'static [&'static str],
    /// The property with the physical name, if a user can choose it, and the most letters of a generated one.
    pub named: Option<(&'static str, usize)>,
    /// The property that the API tells one resource from the next by.
    pub identifier: &'static str,
    /// How it writes its tags.
    pub tags: Tags,
}

/// A type of resources.
pub trait Kind: Send + Sync {
    /// What is known of it.
    fn facts(&self) -> &'static Facts;

    /// What stands where a resource is to be made: `Null`, or what tells it from what stands there after. Of a type with names it is
    /// the physical id of whatever has the name.
    fn standing<'a>(&'a self, _act: &'a Act) -> Doing<'a, Value> {
        Box::pin(ready(Ok(Value::Null)))
    }

    /// Whether a second creation with the same token is the same one, so that `standing` need not tell.
    fn repeatable(&self) -> bool {
        false
    }

    /// Makes it, with one call; its physical id.
    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String>;

    /// What is left to do once it is there, any number of times; ends when it can be used.
    fn complete<'a>(&'a self, _act: &'a Act, _physical: &'a str) -> Doing<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    /// Its attributes.
    fn attributes<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, Map<String, Value>>;

    /// Makes it what `act` says, from what it was; any number of times, and also where an update before was cut off.
    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()>;

    /// Deletes it; what is not there is deleted.
    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()>;

    /// Whether these changed properties take another resource.
    fn replaces(&self, _old: &Value, _new: &Value, changed: &[String]) -> bool {
        let facts = self.facts();
        changed
            .iter()
            .any(|name| facts.properties.iter().any(|property| property.name == name && property.update == Update::Replace))
    }
}

/// Every type of the lab.
const ALL: [&dyn Kind; 9] = [
    &alarm::Alarm,
    &document::Document,
    &experiment_template::ExperimentTemplate,
    &function::Function,
    &layer::LayerVersion,
    &log_group::LogGroup,
    &parameter::Parameter,
    &policy::Policy,
    &role::Role,
];

/// A type by its name.
pub fn find(name: &str) -> Option<&'static dyn Kind> {
    ALL.into_iter().find(|kind| kind.facts().name == name)
}

/// What is wrong with the names of a resource's properties, in CloudFormation's words.
pub fn problem(kind: &dyn Kind, logical: &str, properties: &Value) -> Option<String> {
    let facts = kind.facts();
    let given = properties.as_object();
    let has = |name: &str| given.is_some_and(|given| given.contains_key(name));
    let mut found = Vec::new();
    for name in given.into_iter().flat_map(Map::keys) {
        match facts.properties.iter().find(|property| property.name == name) {
            Some(property) if property.served => {}
            Some(_) => found.push(format!("#: the lab does not serve [{name}]")),
            None => found.push(format!("#: extraneous key [{name}] is not permitted")),
        }
    }
    let missing = facts.properties.iter().filter(|property| property.required && !has(property.name));
    found.extend(missing.map(|property| format!("#: required key [{}] not found", property.name)));
    (!found.is_empty())
        .then(|| format!("Properties validation failed for resource {logical} with message:\n{}", found.join("\n")))
}

/// The properties that differ.
pub fn changed(old: &Value, new: &Value) -> Vec<String> {
    let names =
        |value: &Value| value.as_object().map(|fields| fields.keys().cloned().collect::<BTreeSet<_>>()).unwrap_or_default();
    names(old).union(&names(new)).filter(|name| old.get(name.as_str()) != new.get(name.as_str())).cloned().collect()
}
