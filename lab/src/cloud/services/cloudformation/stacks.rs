//! Stacks: what is kept of them, DescribeStacks, ListStacks, DescribeStackEvents, GetTemplate.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::plan::{Goal, Identity};
use super::template::{Template, invalid, parameters};
use super::{CloudFormation, Tables};
use crate::cloud::call::{ApiError, Principal};
use crate::cloud::clock;
use crate::cloud::services::members::{page, tag_list, text, texts, with};
use crate::cloud::state::Row;

/// Something that became of a stack or a resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Which one it is of all events.
    pub order: u64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The status.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// The physical id at that moment.
    pub physical: String,
}

/// A stack.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stack {
    /// Its name and id.
    pub identity: Identity,
    /// Its status, by which an operation is taken up again.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// What it is, or becomes.
    pub goal: Goal,
    /// What it was, as long as it may have to be that again.
    pub before: Option<Goal>,
    /// In whose name it is worked on.
    pub who: Principal,
    /// Its outputs.
    pub outputs: Vec<Value>,
    /// What becomes of it if it fails: it is rolled back, left as it is (`DO_NOTHING`), or deleted (`DELETE`).
    pub on_failure: String,
    /// Whether it must not be deleted.
    pub protected: bool,
    /// Resources that a deletion leaves.
    pub retain: Vec<String>,
    /// The change set that it was last made or changed by.
    pub change_set: Option<String>,
    /// What became of it.
    pub events: Vec<Event>,
    /// When it was made, in milliseconds since 1970.
    pub created: i64,
    /// When it was last updated.
    pub updated: Option<i64>,
    /// When it was deleted.
    pub deleted: Option<i64>,
}

impl Row for Stack {
    const TABLE: &'static str = "stacks";

    fn key(&self) -> &str {
        &self.identity.id
    }
}

impl Stack {
    /// A new status.
    pub fn turn(&mut self, service: &CloudFormation, status: &str, reason: Option<String>) {
        status.clone_into(&mut self.status);
        self.reason.clone_from(&reason);
        self.events.push(service.event(status, reason, &self.identity.id));
    }

    /// Whether somebody works on it.
    pub fn under_way(&self) -> bool {
        self.status.ends_with("_IN_PROGRESS") && self.status != "REVIEW_IN_PROGRESS"
    }

    /// Whether it is gone.
    pub fn gone(&self) -> bool {
        self.status == "DELETE_COMPLETE"
    }

    fn described(&self) -> Value {
        let template = Template::read(&self.goal.template).ok();
        let description = template.as_ref().and_then(|template| template.field("Description")).and_then(Value::as_str);
        json!({
            "StackId": self.identity.id, "StackName": self.identity.name, "ChangeSetId": self.change_set, "Description": description,
            "Parameters": parameters::shown(template.as_ref(), &self.goal.parameters), "CreationTime": clock::seconds(self.created),
            "LastUpdatedTime": self.updated.map(clock::seconds), "DeletionTime": self.deleted.map(clock::seconds),
            "RollbackConfiguration": {}, "StackStatus": self.status, "StackStatusReason": self.reason,
            "DisableRollback": self.on_failure == "DO_NOTHING", "NotificationARNs": self.goal.notifications,
            "Capabilities": self.goal.capabilities, "Outputs": self.outputs, "RoleARN": self.goal.role,
            "Tags": tag_list(&self.goal.tags), "EnableTerminationProtection": self.protected,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        })
    }

    fn summary(&self) -> Value {
        let template = Template::read(&self.goal.template).ok();
        let description = template.as_ref().and_then(|template| template.field("Description")).and_then(Value::as_str);
        json!({
            "StackId": self.identity.id, "StackName": self.identity.name, "TemplateDescription": description,
            "CreationTime": clock::seconds(self.created), "LastUpdatedTime": self.updated.map(clock::seconds),
            "DeletionTime": self.deleted.map(clock::seconds), "StackStatus": self.status, "StackStatusReason": self.reason,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        })
    }
}

impl CloudFormation {
    /// An event that happens now.
    pub fn event(&self, status: &str, reason: Option<String>, physical: &str) -> Event {
        let order = self.events.fetch_add(1, Ordering::SeqCst);
        Event { order, at: clock::now_ms(), status: status.to_owned(), reason, physical: physical.to_owned() }
    }
}

/// A stack by its id, or by its name if it is not gone.
pub fn find<'a>(tables: &'a Tables, wanted: &str) -> Option<&'a Stack> {
    tables.stacks.get(wanted).or_else(|| tables.stacks.values().find(|stack| stack.identity.name == wanted && !stack.gone()))
}

/// As CloudFormation says that there is no stack.
pub fn missing(wanted: &str) -> ApiError {
    invalid(format!("Stack with id {wanted} does not exist"))
}

/// DescribeStacks.
pub fn describe(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    let rows: Vec<Stack> = service.tables(|tables| match text(input, "StackName") {
        Some(wanted) => find(tables, wanted).cloned().map(|stack| vec![stack]).ok_or_else(|| missing(wanted)),
        None => Ok(tables.stacks.values().filter(|stack| !stack.gone()).cloned().collect()),
    })?;
    let (rows, next) = page(newest(rows), text(input, "NextToken"), None, 100)?;
    let rows: Vec<Value> = rows.iter().map(Stack::described).collect();
    Ok(with(json!({"Stacks": rows}), "NextToken", next))
}

fn newest(mut rows: Vec<Stack>) -> Vec<Stack> {
    rows.sort_by_key(|stack| std::cmp::Reverse(stack.created));
    rows
}

/// ListStacks, the deleted ones too.
pub fn list(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    let wanted: Vec<&str> = texts(input, "StackStatusFilter").collect();
    let fits = |stack: &&Stack| wanted.is_empty() || wanted.contains(&stack.status.as_str());
    let rows: Vec<Stack> = service.tables(|tables| tables.stacks.values().filter(fits).cloned().collect());
    let (rows, next) = page(newest(rows), text(input, "NextToken"), None, 100)?;
    let rows: Vec<Value> = rows.iter().map(Stack::summary).collect();
    Ok(with(json!({"StackSummaries": rows}), "NextToken", next))
}

/// DescribeStackEvents, the newest first. A token is the number of the last event shown.
pub fn events(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    const PAGE: usize = 100;
    let wanted = text(input, "StackName").unwrap_or_default();
    let before = match text(input, "NextToken") {
        Some(token) => token.parse().map_err(|_| invalid("Invalid token"))?,
        None => u64::MAX,
    };
    let mut rows: Vec<(u64, Value)> = service.tables(|tables| {
        let stack = find(tables, wanted).ok_or_else(|| invalid(format!("Stack [{wanted}] does not exist")))?;
        let name = &stack.identity;
        let row = |event: &Event, id: String, logical: &str, kind: &str| {
            let row = json!({
                "StackId": name.id, "EventId": id, "StackName": name.name, "LogicalResourceId": logical,
                "PhysicalResourceId": event.physical, "ResourceType": kind, "Timestamp": clock::seconds(event.at),
                "ResourceStatus": event.status, "ResourceStatusReason": event.reason,
            });
            (event.order, row)
        };
        let own = stack.events.iter().map(|event| {
            let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{}{}", name.id, event.order).as_bytes()).to_string();
            row(event, id, &name.name, "AWS::CloudFormation::Stack")
        });
        let resources = super::resources::of(tables, &name.id).flat_map(|resource| {
            let id = move |event: &Event| format!("{}-{}-{}", resource.logical, event.status, clock::rfc3339(event.at));
            resource.events.iter().map(move |event| row(event, id(event), &resource.logical, &resource.kind))
        });
        Ok::<_, ApiError>(own.chain(resources).collect())
    })?;
    rows.retain(|(order, _)| *order < before);
    rows.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
    let next = (rows.len() > PAGE).then(|| rows.get(PAGE - 1).map(|(order, _)| order.to_string())).flatten();
    let rows: Vec<Value> = rows.into_iter().take(PAGE).map(|(_, row)| row).collect();
    Ok(with(json!({"StackEvents": rows}), "NextToken", next))
}

/// GetTemplate, as it came.
pub fn template(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    let text = service.tables(|tables| {
        if text(input, "ChangeSetName").is_some() {
            return super::changes::find(tables, input).map(|set| set.goal.template.clone());
        }
        let wanted = text(input, "StackName").ok_or_else(|| invalid("Either StackName or ChangeSetName must be specified."))?;
        find(tables, wanted).map(|stack| stack.goal.template.clone()).ok_or_else(|| missing(wanted))
    })?;
    Ok(json!({"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}))
}
