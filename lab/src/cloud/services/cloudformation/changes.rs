//! Change sets: CreateChangeSet, DescribeChangeSet, ListChangeSets, ExecuteChangeSet, DeleteChangeSet.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::plan::{Goal, Identity};
use super::stacks::{self, Stack};
use super::template::{Template, invalid, parameters};
use super::{CloudFormation, Tables, preview, requests, start, types};
use crate::cloud::call::{ApiError, Call};
use crate::cloud::clock;
use crate::cloud::services::members::{on, page, tag_list, text, with};
use crate::cloud::state::Row;

/// As the command line recognises that nothing would change.
const NO_CHANGES: &str = "The submitted information didn't contain changes. Submit different information to create a change set.";

/// A change set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeSet {
    id: String,
    name: String,
    stack: Identity,
    /// What the stack is to be.
    pub goal: Goal,
    status: String,
    reason: Option<String>,
    execution: String,
    on_failure: String,
    description: Option<String>,
    changes: Vec<Value>,
    created: i64,
}

impl Row for ChangeSet {
    const TABLE: &'static str = "changes";

    fn key(&self) -> &str {
        &self.id
    }
}

impl ChangeSet {
    fn summary(&self) -> Value {
        json!({
            "StackId": self.stack.id, "StackName": self.stack.name, "ChangeSetId": self.id, "ChangeSetName": self.name,
            "ExecutionStatus": self.execution, "Status": self.status, "StatusReason": self.reason,
            "CreationTime": clock::seconds(self.created), "Description": self.description, "IncludeNestedStacks": false,
        })
    }
}

/// The change set that a request names, with its stack or by its id.
pub fn find<'t>(tables: &'t Tables, input: &Value) -> Result<&'t ChangeSet, ApiError> {
    let wanted = text(input, "ChangeSetName").unwrap_or_default();
    let missing = || ApiError::new("ChangeSetNotFound", 404, format!("ChangeSet [{wanted}] does not exist"));
    if let Some(set) = tables.changes.get(wanted) {
        return Ok(set);
    }
    if wanted.starts_with("arn:") {
        return Err(missing());
    }
    let named = text(input, "StackName")
        .ok_or_else(|| invalid("StackName must be specified if ChangeSetName is not specified as an ARN."))?;
    let stack = stacks::find(tables, named).ok_or_else(|| stacks::missing(named))?;
    let set = tables.changes.values().find(|set| set.name == wanted && set.stack.id == stack.identity.id);
    set.ok_or_else(missing)
}

/// Forgets the change sets of a stack.
pub fn forget(tables: &mut Tables, stack: &str) -> Result<(), ApiError> {
    let ids: Vec<String> = tables.changes.values().filter(|set| set.stack.id == stack).map(|set| set.id.clone()).collect();
    ids.iter().try_for_each(|id| tables.changes.remove(id).map(|_| ()))
}

/// CreateChangeSet.
pub async fn create(service: &Arc<CloudFormation>, call: &Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    let kind = text(input, "ChangeSetType").unwrap_or("UPDATE");
    let name = text(input, "ChangeSetName").unwrap_or_default().to_owned();
    let wanted = text(input, "StackName").unwrap_or_default();
    let had = service.tables(|tables| stacks::find(tables, wanted).cloned());
    let (stack, before) = match (kind, had) {
        ("CREATE", None) => (Stack { identity: start::identity(service, start::name(input)?), ..Stack::default() }, None),
        ("CREATE", Some(stack)) if stack.status == "REVIEW_IN_PROGRESS" => (stack, None),
        ("CREATE", Some(stack)) => {
            let id = &stack.identity.id;
            return Err(invalid(format!("Stack [{id}] already exists and cannot be created again with the changeSet [{name}].")));
        }
        ("UPDATE", Some(stack)) => {
            start::changeable(&stack)?;
            let before = stack.goal.clone();
            (stack, Some(before))
        }
        ("UPDATE", None) => return Err(invalid(format!("Stack [{wanted}] does not exist"))),
        (other, _) => return Err(invalid(format!("the lab does not serve change sets of type `{other}`"))),
    };
    let goal = requests::goal(call, before.as_ref()).await?;
    let plan = start::possible(service, &goal, &stack.identity)?;
    let id = service.site.place.arn("cloudformation", &format!("changeSet/{name}/{}", clock::id()));
    let mut set = ChangeSet {
        id: id.clone(),
        name: name.clone(),
        stack: stack.identity.clone(),
        goal,
        status: "CREATE_COMPLETE".to_owned(),
        reason: None,
        execution: "AVAILABLE".to_owned(),
        on_failure: text(input, "OnStackFailure").unwrap_or("ROLLBACK").to_owned(),
        description: text(input, "Description").map(str::to_owned),
        changes: Vec::new(),
        created: clock::now_ms(),
    };
    let problems: Vec<String> = plan
        .template
        .resources()
        .filter(|declared| plan.resource(declared.logical).is_some())
        .filter_map(|declared| types::problem(types::find(declared.kind())?, declared.logical, declared.properties()))
        .collect();
    let failed = match preview::changes(service, &stack, &plan)? {
        _ if !problems.is_empty() && !on(input, "DisableValidation") => Some(problems.join("\n")),
        None => Some(NO_CHANGES.to_owned()),
        Some(changes) => {
            set.changes = changes;
            None
        }
    };
    if failed.is_some() {
        "FAILED".clone_into(&mut set.status);
        "UNAVAILABLE".clone_into(&mut set.execution);
        set.reason = failed;
    }
    let who = start::acting(call, set.goal.role.as_deref()).await?;
    service.tables(|tables| {
        if tables.changes.values().any(|other| other.name == name && other.stack.id == stack.identity.id) {
            return Err(ApiError::bad(
                "AlreadyExistsException",
                format!("ChangeSet {name} cannot be created due to a mismatch with existing attribute Template"),
            ));
        }
        if stack.status.is_empty() {
            let mut fresh = Stack { who, created: clock::now_ms(), ..stack.clone() };
            fresh.turn(service, "REVIEW_IN_PROGRESS", Some("User Initiated".to_owned()));
            tables.stacks.put(fresh)?;
        }
        tables.changes.put(set)
    })?;
    Ok(json!({"Id": id, "StackId": stack.identity.id}))
}

/// DescribeChangeSet.
pub fn describe(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    let set = service.tables(|tables| find(tables, input).cloned())?;
    let template = Template::read(&set.goal.template).ok();
    let (changes, next) = page(set.changes.clone(), text(input, "NextToken"), None, 100)?;
    let mut answer = set.summary();
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("Parameters".into(), parameters::shown(template.as_ref(), &set.goal.parameters));
        fields.insert("Capabilities".into(), json!(set.goal.capabilities));
        fields.insert("NotificationARNs".into(), json!(set.goal.notifications));
        fields.insert("RollbackConfiguration".into(), json!({}));
        fields.insert("Tags".into(), tag_list(&set.goal.tags));
        fields.insert("Changes".into(), json!(changes));
    }
    Ok(with(answer, "NextToken", next))
}

/// ListChangeSets.
pub fn list(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    let wanted = text(input, "StackName").unwrap_or_default();
    let rows: Vec<ChangeSet> = service.tables(|tables| {
        let stack = stacks::find(tables, wanted).ok_or_else(|| stacks::missing(wanted))?;
        Ok::<_, ApiError>(tables.changes.values().filter(|set| set.stack.id == stack.identity.id).cloned().collect())
    })?;
    let (rows, next) = page(rows, text(input, "NextToken"), None, 100)?;
    let rows: Vec<Value> = rows.iter().map(ChangeSet::summary).collect();
    Ok(with(json!({"Summaries": rows}), "NextToken", next))
}

/// ExecuteChangeSet: the stack's other change sets are forgotten.
pub async fn execute(service: &Arc<CloudFormation>, call: &Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    let set = service.tables(|tables| find(tables, input).cloned())?;
    if set.execution != "AVAILABLE" {
        let message = format!("ChangeSet [{}] cannot be executed in its current execution status of [{}]", set.id, set.execution);
        return Err(ApiError::bad("InvalidChangeSetStatus", message));
    }
    let who = start::acting(call, set.goal.role.as_deref()).await?;
    let on_failure = if on(input, "DisableRollback") { "DO_NOTHING".to_owned() } else { set.on_failure.clone() };
    let review =
        service.tables(|tables| stacks::find(tables, &set.stack.id).is_some_and(|stack| stack.status == "REVIEW_IN_PROGRESS"));
    if review {
        let begun = service.tables(|tables| {
            tables.stacks.change(&set.stack.id, |stack| {
                stack.goal = set.goal.clone();
                stack.who = who;
                stack.on_failure = on_failure;
                stack.change_set = Some(set.id.clone());
                stack.turn(service, "CREATE_IN_PROGRESS", Some("User Initiated".to_owned()));
                Ok(())
            })
        });
        begun.unwrap_or_else(|| Err(stacks::missing(&set.stack.id)))?;
        service.launch(&call.lab, &set.stack.id);
    } else {
        start::begin_update(service, call, &set.stack.id, set.goal.clone(), who, &on_failure, Some(set.id.clone()))?;
    }
    service.tables(|tables| {
        forget(tables, &set.stack.id)?;
        tables.changes.put(ChangeSet { execution: "EXECUTE_COMPLETE".to_owned(), ..set })
    })?;
    Ok(json!({}))
}

/// DeleteChangeSet; one that is not there is deleted.
pub fn delete(service: &CloudFormation, input: &Value) -> Result<Value, ApiError> {
    service.tables(|tables| {
        let id = match find(tables, input) {
            Ok(set) => set.id.clone(),
            Err(error) if error.code == "ChangeSetNotFound" => return Ok(json!({})),
            Err(error) => return Err(error),
        };
        tables.changes.remove(&id)?;
        Ok(json!({}))
    })
}
