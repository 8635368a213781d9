//! The resources of stacks: what is kept of them, DescribeStackResource, DescribeStackResources, ListStackResources.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::stacks::{self, Event};
use super::template::invalid;
use super::{CloudFormation, Tables};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{page, text, with};
use crate::cloud::state::Row;

/// A resource that is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// Its physical id.
    pub physical: String,
    /// What it was last made.
    pub properties: Value,
    /// Its attributes.
    pub attributes: Map<String, Value>,
    /// Its metadata.
    pub metadata: Value,
    /// The logical ids that it needs.
    pub needs: Vec<String>,
    /// Its deletion policy.
    pub deletion: String,
    /// Its policy when another one takes its place.
    pub replacement: String,
}

/// A creation that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Making {
    /// The physical name that it gets.
    pub name: String,
    /// The same for every try.
    pub token: String,
    /// What it is to be.
    pub properties: Value,
    /// Whether a try was made.
    pub tried: bool,
    /// What stood there before the first one.
    pub stood: Value,
}

/// What is kept under a logical id of a stack.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Resource {
    key: String,
    /// The stack's id.
    pub stack: String,
    /// The logical id.
    pub logical: String,
    /// The type.
    pub kind: String,
    /// The status.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// When that came, in milliseconds since 1970.
    pub updated: i64,
    /// What is there.
    pub live: Option<Live>,
    /// What was there when the update under way came to it. After a roll-back, what took its place.
    pub before: Option<Live>,
    /// What an update under way makes of it.
    pub wanted: Option<Value>,
    /// Its creation, while that is under way.
    pub making: Option<Making>,
    /// What became of it.
    pub events: Vec<Event>,
}

impl Row for Resource {
    const TABLE: &'static str = "resources";

    fn key(&self) -> &str {
        &self.key
    }
}

/// The name of a resource's row.
pub fn key(stack: &str, logical: &str) -> String {
    format!("{stack}/{logical}")
}

impl Resource {
    /// One that nothing is known of yet.
    pub fn new(stack: &str, logical: &str, kind: &str) -> Resource {
        let key = key(stack, logical);
        Resource { key, stack: stack.to_owned(), logical: logical.to_owned(), kind: kind.to_owned(), ..Resource::default() }
    }

    /// A new status.
    pub fn turn(&mut self, service: &CloudFormation, status: &str, reason: Option<String>) {
        let physical = self.physical().to_owned();
        self.turn_as(service, status, reason, &physical);
    }

    /// A new status of one that has another physical id by now.
    pub fn turn_as(&mut self, service: &CloudFormation, status: &str, reason: Option<String>, physical: &str) {
        let event = service.event(status, reason.clone(), physical);
        self.updated = event.at;
        status.clone_into(&mut self.status);
        self.reason = reason;
        self.events.push(event);
    }

    /// The physical id, if there is one.
    pub fn physical(&self) -> &str {
        self.live.as_ref().map_or("", |live| &live.physical)
    }

    fn shown(&self, stack: &stacks::Stack, time: &str) -> Value {
        let physical = Some(self.physical()).filter(|physical| !physical.is_empty());
        let metadata = self.live.as_ref().map(|live| &live.metadata).filter(|metadata| metadata.is_object());
        json!({
            "StackName": stack.identity.name, "StackId": stack.identity.id, "LogicalResourceId": self.logical,
            "PhysicalResourceId": physical.or_else(|| self.events.last().map(|event| event.physical.as_str())),
            "ResourceType": self.kind, time: clock::seconds(self.updated), "ResourceStatus": self.status,
            "ResourceStatusReason": self.reason, "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
            "Metadata": metadata.map(Value::to_string),
        })
    }
}

/// The resources of a stack, those that are gone too.
pub fn of<'t>(tables: &'t Tables, stack: &str) -> impl Iterator<Item = &'t Resource> {
    let start = key(stack, "");
    let end = start.clone();
    tables.resources.range(start..).take_while(move |(key, _)| key.starts_with(&end)).map(|(_, resource)| resource)
}

/// The resources that a stack has; of one that was deleted, those that it had.
fn shown(service: &CloudFormation, stack: &stacks::Stack) -> Vec<Resource> {
    let there = |resource: &&Resource| {
        stack.status.starts_with("DELETE") || stack.status.starts_with("ROLLBACK") || resource.status != "DELETE_COMPLETE"
    };
    service.tables(|tables| of(tables, &stack.identity.id).filter(there).cloned().collect())
}

fn stack(service: &CloudFormation, wanted: &str) -> Result<stacks::Stack, ApiError> {
    service.tables(|tables| stacks::find(tables, wanted).cloned()).ok_or_else(|| stacks::missing(wanted))
}

/// ListStackResources.
pub fn list(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    let stack = stack(service, text(input, "StackName").unwrap_or_default())?;
    let (rows, next) = page(shown(service, &stack), text(input, "NextToken"), None, 100)?;
    let row = |resource: &Resource| {
        let mut row = resource.shown(&stack, "LastUpdatedTimestamp");
        if let Some(fields) = row.as_object_mut() {
            fields.retain(|name, _| !["StackName", "StackId", "Metadata"].contains(&name.as_str()));
        }
        row
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    Ok(with(json!({"StackResourceSummaries": rows}), "NextToken", next))
}

/// DescribeStackResources: of a stack, or of the stack that has a physical id.
pub fn describe_all(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    let physical = text(input, "PhysicalResourceId");
    let stack = match (text(input, "StackName"), physical) {
        (Some(wanted), _) => stack(service, wanted)?,
        (None, Some(physical)) => {
            let id = service.tables(|tables| {
                let owner = tables.resources.values().find(|resource| resource.physical() == physical);
                owner.map(|resource| resource.stack.clone())
            });
            stack(service, &id.ok_or_else(|| invalid(format!("Stack for {physical} does not exist")))?)?
        }
        _ => return Err(invalid("Either stackName or physicalResourceId must be specified.")),
    };
    let logical = text(input, "LogicalResourceId");
    let rows: Vec<Value> = shown(service, &stack)
        .iter()
        .filter(|resource| logical.is_none_or(|logical| logical == resource.logical))
        .map(|resource| {
            let mut row = resource.shown(&stack, "Timestamp");
            if let Some(fields) = row.as_object_mut() {
                fields.remove("Metadata");
            }
            row
        })
        .collect();
    match logical.filter(|_| rows.is_empty()) {
        Some(logical) => Err(invalid(format!("Resource {logical} does not exist for stack {}", stack.identity.name))),
        None => Ok(json!({"StackResources": rows})),
    }
}

/// DescribeStackResource.
pub fn describe(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    let stack = stack(service, text(input, "StackName").unwrap_or_default())?;
    let logical = text(input, "LogicalResourceId").unwrap_or_default();
    let found = shown(service, &stack).into_iter().find(|resource| resource.logical == logical);
    let found = found.ok_or_else(|| invalid(format!("Resource {logical} does not exist for stack {}", stack.identity.name)))?;
    Ok(json!({"StackResourceDetail": found.shown(&stack, "LastUpdatedTimestamp")}))
}
