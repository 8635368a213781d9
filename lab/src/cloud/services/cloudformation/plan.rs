//! What a stack is to be: the goal that a request gives it, and the resources that follow from it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::template::functions::{Scope, UNKNOWN, conditions};
use super::template::references::order;
use super::template::{Declared, Template, invalid, parameters};
use super::types::act::tags;
use super::types::{Tags, find};
use crate::cloud::call::ApiError;
use crate::cloud::lab::Place;
use crate::cloud::services::members::{tag_list, text};

/// What a request wants a stack to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// The template, as it came.
    pub template: String,
    /// The values of its parameters.
    pub parameters: BTreeMap<String, String>,
    /// The stack's tags, which its resources get too.
    pub tags: Map<String, Value>,
    /// The capabilities acknowledged.
    pub capabilities: Vec<String>,
    /// The role that CloudFormation acts with, in place of the caller.
    pub role: Option<String>,
    /// Where notifications would go.
    pub notifications: Vec<String>,
}

/// A stack's name and id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What is known of resources: their references (no attribute) and attributes.
pub type Known<'k> = &'k dyn Fn(&str, Option<&str>) -> Option<Value>;

/// A goal, worked out as far as it can be before anything is made.
#[derive(Debug)]
pub struct Plan {
    /// The template.
    pub template: Template,
    named: BTreeMap<String, Value>,
    conditions: BTreeMap<String, bool>,
    tags: Map<String, Value>,
}

impl Plan {
    /// Works a goal out.
    pub fn of(goal: &Goal, stack: &Identity, place: &Place) -> Result<Plan, ApiError> {
        let template = Template::read(&goal.template)?;
        let mut named: BTreeMap<String, Value> = [
            ("AWS::AccountId", json!(place.account)),
            ("AWS::Region", json!(place.region)),
            ("AWS::Partition", json!("aws")),
            ("AWS::URLSuffix", json!("amazonaws.com")),
            ("AWS::StackName", json!(stack.name)),
            ("AWS::StackId", json!(stack.id)),
            ("AWS::NotificationARNs", json!(goal.notifications)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (name, declared) in template.section("Parameters") {
            let value = goal.parameters.get(name).map(|value| parameters::worth(declared, value));
            named.extend(value.map(|value| (name.to_owned(), value)));
        }
        let conditions = conditions(&template, &named)?;
        Ok(Plan { template, named, conditions, tags: goal.tags.clone() })
    }

    fn holds(&self, fields: &Value) -> bool {
        text(fields, "Condition").is_none_or(|condition| self.conditions.get(condition) == Some(&true))
    }

    /// A resource of the plan, if its condition holds.
    pub fn resource(&self, logical: &str) -> Option<Declared<'_>> {
        self.template.resource(logical).filter(|declared| self.holds(declared.fields))
    }

    /// Asks for a value without functions; what is not known yet is [`UNKNOWN`], what is not part of the plan is refused.
    fn value(&self, value: &Value, block: &str, known: Known<'_>) -> Result<Option<Value>, ApiError> {
        let resources = |name: &str, attribute: Option<&str>| match self.resource(name) {
            Some(_) => Ok(known(name, attribute).unwrap_or_else(|| Value::from(UNKNOWN))),
            None => Err(invalid(format!(
                "Template format error: Unresolved resource dependencies [{name}] in the {block} block of the template"
            ))),
        };
        let scope = Scope { template: &self.template, named: &self.named, conditions: &self.conditions, resources: &resources };
        scope.value(value)
    }

    /// A resource's properties, with the stack's tags.
    pub fn properties(&self, declared: &Declared<'_>, known: Known<'_>) -> Result<Value, ApiError> {
        let value = self.value(declared.properties(), "Resources", known)?;
        let mut properties = value.and_then(|value| value.as_object().cloned()).unwrap_or_default();
        let form = find(declared.kind()).map_or(Tags::None, |kind| kind.facts().tags);
        if form != Tags::None && !self.tags.is_empty() {
            let mut all = self.tags.clone();
            all.extend(tags(&Value::Object(properties.clone())));
            properties.insert("Tags".into(), if form == Tags::List { tag_list(&all) } else { Value::Object(all) });
        }
        Ok(Value::Object(properties))
    }

    /// A resource's metadata.
    pub fn metadata(&self, declared: &Declared<'_>, known: Known<'_>) -> Result<Value, ApiError> {
        let given = declared.fields.get("Metadata").unwrap_or(&Value::Null);
        Ok(self.value(given, "Resources", known)?.unwrap_or_default())
    }

    /// The resources in the order in which they are made, each with those that it needs.
    pub fn order(&self) -> Result<Vec<(String, Vec<String>)>, ApiError> {
        let mut all = BTreeMap::new();
        for declared in self.template.resources().filter(|declared| self.holds(declared.fields)) {
            let asked: RefCell<BTreeSet<String>> = RefCell::default();
            let known = |name: &str, _: Option<&str>| {
                asked.borrow_mut().insert(name.to_owned());
                None
            };
            self.properties(&declared, &known)?;
            self.metadata(&declared, &known)?;
            let mut needs = asked.into_inner();
            needs.extend(declared.depends_on().into_iter().filter(|name| self.resource(name).is_some()).map(str::to_owned));
            all.insert(declared.logical.to_owned(), needs.into_iter().collect());
        }
        let ordered = order(&all)?;
        Ok(ordered.into_iter().map(|logical| all.remove_entry(&logical).unwrap_or_default()).collect())
    }

    /// The outputs whose conditions hold.
    pub fn outputs(&self, known: Known<'_>) -> Result<Vec<Value>, ApiError> {
        let mut found = Vec::new();
        for (name, output) in self.template.section("Outputs").filter(|(_, output)| self.holds(output)) {
            let one = |value: Option<&Value>, what: &str| {
                let value = self.value(value.unwrap_or(&Value::Null), "Outputs", known)?;
                let wrong =
                    || invalid(format!("Template format error: Output {name} is malformed. The {what} must be a string."));
                value.as_ref().and_then(super::template::functions::text).ok_or_else(wrong)
            };
            let mut row = json!({"OutputKey": name, "OutputValue": one(output.get("Value"), "Value")?});
            if let Some(fields) = row.as_object_mut() {
                fields.extend(text(output, "Description").map(|text| ("Description".to_owned(), json!(text))));
                if let Some(export) = output.get("Export") {
                    fields.insert("ExportName".into(), json!(one(export.get("Name"), "Export name")?));
                }
            }
            found.push(row);
        }
        Ok(found)
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
