//! CreateStack, UpdateStack, DeleteStack: what they refuse, and how work on a stack begins.

use std::sync::Arc;

use serde_json::{Value, json};

use super::plan::{Goal, Identity, Plan};
use super::stacks::{self, Stack};
use super::template::invalid;
use super::{CloudFormation, preview, requests};
use crate::cloud::call::{ApiError, Call, Principal};
use crate::cloud::clock;
use crate::cloud::services::members::{on, text, texts};

/// What a stack's operations say first.
const BY_USER: &str = "User Initiated";

/// The name of a new stack.
pub fn name(input: &Value) -> Result<String, ApiError> {
    let name = text(input, "StackName").unwrap_or_default();
    let fits = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !fits {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )));
    }
    if name.len() > 128 {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must have length less than \
             or equal to 128"
        )));
    }
    Ok(name.to_owned())
}

/// In whose name a stack is worked on: the caller's, or the role's that the request names.
pub async fn acting(call: &Call, role: Option<&str>) -> Result<Principal, ApiError> {
    let Some(role) = role else { return Ok(call.who.clone()) };
    let session = "AWSCloudFormation";
    let source = call.lab.site.place.arn("cloudformation", "stack/*");
    let assumed = call.lab.assume("cloudformation.amazonaws.com", source, role, session).await;
    assumed.map_err(|_| invalid(format!("Role {role} is invalid or cannot be assumed")))?;
    Ok(Principal::session(&call.lab.site.place.account, role, session))
}

/// A new stack's name and id.
pub fn identity(service: &CloudFormation, name: String) -> Identity {
    Identity { id: service.site.place.arn("cloudformation", &format!("stack/{name}/{}", clock::id())), name }
}

/// Work on a goal that can be worked out at all: order, conditions, what values say of each other.
pub fn possible(service: &CloudFormation, goal: &Goal, identity: &Identity) -> Result<Plan, ApiError> {
    let plan = Plan::of(goal, identity, &service.site.place)?;
    plan.order()?;
    plan.outputs(&|_, _| None)?;
    Ok(plan)
}

/// CreateStack.
pub async fn create(service: &Arc<CloudFormation>, call: &Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    let name = name(input)?;
    if service.tables(|tables| stacks::find(tables, &name).is_some()) {
        return Err(exists(&name));
    }
    let goal = requests::goal(call, None).await?;
    let identity = identity(service, name);
    possible(service, &goal, &identity)?;
    let on_failure = match (text(input, "OnFailure"), input.get("DisableRollback")) {
        (Some(_), Some(Value::Bool(_))) => return Err(invalid("You cannot specify both OnFailure and DisableRollback.")),
        (Some(on_failure), _) => on_failure.to_owned(),
        (None, _) if on(input, "DisableRollback") => "DO_NOTHING".to_owned(),
        _ => "ROLLBACK".to_owned(),
    };
    let mut stack = Stack {
        who: acting(call, goal.role.as_deref()).await?,
        identity: identity.clone(),
        goal,
        on_failure,
        protected: on(input, "EnableTerminationProtection"),
        created: clock::now_ms(),
        ..Stack::default()
    };
    stack.turn(service, "CREATE_IN_PROGRESS", Some(BY_USER.to_owned()));
    service.tables(|tables| {
        // Somebody may have been faster while the template was fetched.
        if stacks::find(tables, &identity.name).is_some() {
            return Err(exists(&identity.name));
        }
        tables.stacks.put(stack)
    })?;
    service.launch(&call.lab, &identity.id);
    Ok(json!({"StackId": identity.id}))
}

fn exists(name: &str) -> ApiError {
    ApiError::bad("AlreadyExistsException", format!("Stack [{name}] already exists"))
}

/// Refuses to change a stack whose state does not allow it.
pub fn changeable(stack: &Stack) -> Result<(), ApiError> {
    let fits =
        ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"].contains(&stack.status.as_str());
    if fits {
        return Ok(());
    }
    Err(invalid(format!("Stack:{} is in {} state and can not be updated.", stack.identity.id, stack.status)))
}

/// UpdateStack.
pub async fn update(service: &Arc<CloudFormation>, call: &Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    let wanted = text(input, "StackName").unwrap_or_default();
    let stack = service.tables(|tables| stacks::find(tables, wanted).cloned());
    let stack = stack.ok_or_else(|| invalid(format!("Stack [{wanted}] does not exist")))?;
    changeable(&stack)?;
    let goal = requests::goal(call, Some(&stack.goal)).await?;
    let plan = possible(service, &goal, &stack.identity)?;
    if preview::changes(service, &stack, &plan)?.is_none() {
        return Err(invalid("No updates are to be performed."));
    }
    let who = acting(call, goal.role.as_deref()).await?;
    let on_failure = if on(input, "DisableRollback") { "DO_NOTHING" } else { "ROLLBACK" };
    begin_update(service, call, &stack.identity.id, goal, who, on_failure, None)?;
    Ok(json!({"StackId": stack.identity.id}))
}

/// Lets a stack become something else.
pub fn begin_update(
    service: &Arc<CloudFormation>,
    call: &Call,
    id: &str,
    goal: Goal,
    who: Principal,
    on_failure: &str,
    change_set: Option<String>,
) -> Result<(), ApiError> {
    let begun = service.tables(|tables| {
        tables.stacks.change(id, |stack| {
            changeable(stack)?;
            stack.before = Some(std::mem::replace(&mut stack.goal, goal));
            stack.who = who;
            on_failure.clone_into(&mut stack.on_failure);
            stack.updated = Some(clock::now_ms());
            stack.change_set = change_set.or(stack.change_set.take());
            stack.turn(service, "UPDATE_IN_PROGRESS", Some(BY_USER.to_owned()));
            Ok(())
        })
    });
    begun.unwrap_or_else(|| Err(stacks::missing(id)))?;
    service.launch(&call.lab, id);
    Ok(())
}

/// DeleteStack; one that is not there is deleted.
pub async fn delete(service: &Arc<CloudFormation>, call: &Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    requests::served(input)?;
    let wanted = text(input, "StackName").unwrap_or_default();
    let Some(stack) = service.tables(|tables| stacks::find(tables, wanted).cloned()) else {
        return Ok(json!({}));
    };
    if stack.gone() || stack.status == "DELETE_IN_PROGRESS" {
        return Ok(json!({}));
    }
    if stack.protected {
        let name = &stack.identity.name;
        return Err(invalid(format!("Stack [{name}] cannot be deleted while TerminationProtection is enabled")));
    }
    if stack.under_way() && !stack.status.starts_with("CREATE") {
        return Err(invalid(format!("Stack:{} is in {} state and can not be deleted.", stack.identity.id, stack.status)));
    }
    let retain: Vec<String> = texts(input, "RetainResources").map(str::to_owned).collect();
    if !retain.is_empty() && stack.status != "DELETE_FAILED" {
        return Err(invalid(
            "Invalid operation on stack. RetainResources can only be specified when the stack is in DELETE_FAILED state.",
        ));
    }
    let id = stack.identity.id.clone();
    let who = acting(call, text(input, "RoleARN").or(stack.goal.role.as_deref())).await?;
    let begun = service.tables(|tables| {
        super::changes::forget(tables, &id)?;
        tables
            .stacks
            .change(&id, |stack| {
                stack.who = who;
                stack.retain = retain;
                stack.turn(service, "DELETE_IN_PROGRESS", Some(BY_USER.to_owned()));
                Ok(())
            })
            .unwrap_or(Ok(()))
    });
    begun?;
    service.launch(&call.lab, &id);
    Ok(json!({}))
}
