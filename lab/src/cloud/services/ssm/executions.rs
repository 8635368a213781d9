//! Automation's API: StartAutomationExecution, StopAutomationExecution, GetAutomationExecution,
//! DescribeAutomationExecutions, DescribeAutomationStepExecutions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::automation::document::Document;
use super::automation::execution::{Execution, StepRun};
use super::automation::{self, Host, engine, parameters, values};
use super::parameters::bad_token;
use super::{Ssm, Tables, documents};
use crate::cloud::call::{ApiError, Call};
use crate::cloud::clock;
use crate::cloud::services::members::{list as items, on, page, tags, text, texts, with};

fn refuse(message: String) -> ApiError {
    ApiError::bad("InvalidAutomationExecutionParametersException", message)
}

/// The execution that a request's token has started before.
fn twin(tables: &Tables, input: &Value) -> Result<Option<String>, ApiError> {
    let token = text(input, "ClientToken");
    let found = tables.executions.values().find(|execution| token.is_some() && execution.token.as_deref() == token);
    match found {
        Some(twin) if twin.document != document_name(input) || twin.given != given(input) => Err(ApiError::bad(
            "IdempotentParameterMismatch",
            "The specified idempotency token is already in use with different parameters.",
        )),
        twin => Ok(twin.map(|twin| twin.id.clone())),
    }
}

fn document_name(input: &Value) -> &str {
    documents::bare(text(input, "DocumentName").unwrap_or_default())
}

fn given(input: &Value) -> Value {
    input.get("Parameters").cloned().unwrap_or_else(|| json!({}))
}

/// StartAutomationExecution. The role of the document is assumed before anything runs.
pub async fn start(host: &Host, call: &Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    for member in ["Targets", "TargetMaps", "TargetLocations", "TargetParameterName", "AlarmConfiguration", "TargetLocationsURL"]
    {
        if input.get(member).is_some() {
            return Err(refuse(format!("the lab does not serve `{member}`")));
        }
    }
    if text(input, "Mode") == Some("Interactive") {
        return Err(refuse("the lab runs executions in mode Auto only".to_owned()));
    }
    let ssm = &host.ssm;
    let prepared = ssm.tables(|tables| match twin(tables, input)? {
        Some(id) => Ok(Err(id)),
        None => prepare(ssm, tables, input, &call.who.arn).map(Ok),
    })?;
    let (execution, document) = match prepared {
        Ok(prepared) => prepared,
        Err(id) => return Ok(json!({"AutomationExecutionId": id})),
    };
    let id = execution.id.clone();
    if let Some(role) = &execution.role {
        let source = ssm.site.place.arn("ssm", &format!("automation-execution/{id}"));
        let assumed = host.lab.assume("ssm.amazonaws.com", source, role, &format!("Automation-{id}")).await;
        assumed.map_err(|_| refuse("The defined assume role is unable to be assumed.".to_owned()))?;
    }
    let kept = ssm.tables(|tables| match twin(tables, input)? {
        Some(id) => Ok(Some(id)),
        None => tables.executions.put(execution).map(|()| None),
    })?;
    if kept.is_none() {
        automation::launch(host, &id, document, false);
    }
    Ok(json!({"AutomationExecutionId": kept.unwrap_or(id)}))
}

/// The role that an execution would assume, if it can be told.
pub fn role(ssm: &Ssm, input: &Value) -> Option<String> {
    ssm.tables(|tables| prepare(ssm, tables, input, "")).ok()?.0.role
}

/// An execution that is about to begin.
fn prepare(ssm: &Ssm, tables: &Tables, input: &Value, who: &str) -> Result<(Execution, Document), ApiError> {
    let name = document_name(input);
    let missing = |_| ApiError::bad("AutomationDefinitionNotFoundException", format!("Automation Definition {name} not found."));
    let found = documents::find(tables, name).map_err(missing)?;
    let (number, content) = found
        .version(text(input, "DocumentVersion"))
        .map_err(|error| ApiError::bad("AutomationDefinitionVersionNotFoundException", error.message))?;
    let document = Document::read(content).map_err(refuse)?;
    let lookup = |name: &str| tables.parameters.get(name).map(|parameter| parameter.value.clone());
    let step = |name: &str| StepRun { name: name.to_owned(), status: "Pending".into(), id: clock::id(), ..StepRun::default() };
    let mut execution = Execution {
        id: clock::id(),
        document: name.to_owned(),
        version: number.to_string(),
        content: content.to_owned(),
        parameters: parameters::fill(&document, &given(input), &lookup).map_err(refuse)?,
        given: given(input),
        token: text(input, "ClientToken").map(str::to_owned),
        role: None,
        started_by: who.to_owned(),
        status: "InProgress".into(),
        started: clock::now_ms(),
        ended: None,
        failure: None,
        failed: None,
        steps: document.main_steps.iter().map(|one| step(&one.name)).collect(),
        values: BTreeMap::new(),
        current: document.main_steps.first().map(|step| step.name.clone()),
        stop: None,
        cancel_deadline: None,
        tags: tags(input, "Tags"),
        keys: BTreeMap::new(),
    };
    if let Some(role) = &document.assume_role {
        let role = engine::resolve(&execution, &document, &ssm.site.place, role).map_err(refuse)?;
        let role = values::plain(&role);
        if !role.is_empty() && !role.starts_with("arn:") {
            return Err(refuse(format!("The assume role {role} is not a role's ARN.")));
        }
        execution.role = Some(role).filter(|role| !role.is_empty());
    }
    Ok((execution, document))
}

fn find<'a>(tables: &'a Tables, input: &Value) -> Result<&'a Execution, ApiError> {
    let id = text(input, "AutomationExecutionId").unwrap_or_default();
    tables.executions.get(id).ok_or_else(|| {
        ApiError::bad(
            "AutomationExecutionNotFoundException",
            format!("There is no automation execution information for the requested automation execution ID: {id}."),
        )
    })
}

/// StopAutomationExecution.
pub fn stop(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let id = text(input, "AutomationExecutionId").unwrap_or_default();
    automation::stop(ssm, id, text(input, "Type").unwrap_or("Cancel") == "Cancel")?;
    Ok(json!({}))
}

fn document_of(execution: &Execution) -> Option<Document> {
    Document::read(&execution.content).ok()
}

/// GetAutomationExecution.
pub fn get(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let execution = ssm.tables(|tables| find(tables, input).cloned())?;
    let document = document_of(&execution);
    Ok(json!({"AutomationExecution": execution.view(document.as_ref())}))
}

fn filters(input: &Value) -> Vec<(String, Vec<String>)> {
    let named = |filter: &Value| {
        let values = texts(filter, "Values").map(str::to_owned).collect();
        (text(filter, "Key").unwrap_or_default().to_owned(), values)
    };
    items(input, "Filters").map(named).collect()
}

/// DescribeAutomationExecutions, newest first.
pub fn list(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let filters = filters(input);
    let fits = |execution: &Execution| {
        filters.iter().all(|(key, values)| match key.as_str() {
            "DocumentNamePrefix" => values.iter().any(|value| execution.document.starts_with(value)),
            "ExecutionStatus" => values.contains(&execution.status),
            "ExecutionId" => values.contains(&execution.id),
            "TagKey" => values.iter().any(|value| execution.tags.contains_key(value)),
            "CurrentAction" | "ParentExecutionId" => false,
            "StartTimeBefore" => {
                values.iter().filter_map(|value| clock::parse_rfc3339(value)).any(|time| execution.started < time)
            }
            "StartTimeAfter" => {
                values.iter().filter_map(|value| clock::parse_rfc3339(value)).any(|time| execution.started > time)
            }
            _ => true,
        })
    };
    let mut found =
        ssm.tables(|tables| tables.executions.values().filter(|execution| fits(execution)).cloned().collect::<Vec<_>>());
    found.sort_by_key(|execution| std::cmp::Reverse(execution.started));
    let most = input.get("MaxResults").and_then(Value::as_u64);
    let (found, next) = page(found, text(input, "NextToken"), most, 50).map_err(bad_token)?;
    let rows: Vec<Value> = found.iter().map(|execution| execution.summary(document_of(execution).as_ref())).collect();
    Ok(with(json!({"AutomationExecutionMetadataList": rows}), "NextToken", next))
}

/// DescribeAutomationStepExecutions.
pub fn steps(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let execution = ssm.tables(|tables| find(tables, input).cloned())?;
    let document = document_of(&execution);
    let filters = filters(input);
    let fits = |row: &Value| {
        filters.iter().all(|(key, values)| {
            let member = match key.as_str() {
                "StepExecutionStatus" => "StepStatus",
                "StepExecutionId" => "StepExecutionId",
                "StepName" => "StepName",
                "Action" => "Action",
                _ => return true,
            };
            text(row, member).is_some_and(|had| values.iter().any(|value| value == had))
        })
    };
    let mut rows: Vec<Value> = execution.step_views(document.as_ref()).into_iter().filter(fits).collect();
    if on(input, "ReverseOrder") {
        rows.reverse();
    }
    let most = input.get("MaxResults").and_then(Value::as_u64);
    let (rows, next) = page(rows, text(input, "NextToken"), most, 50).map_err(bad_token)?;
    Ok(with(json!({"StepExecutions": rows}), "NextToken", next))
}
