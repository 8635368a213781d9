//! An execution as the lab keeps it, and how it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::document::{Document, Jump};
use crate::cloud::clock;
use crate::cloud::state::Row;

/// An execution.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Execution {
    /// Its id, a UUID.
    pub id: String,
    /// Its document's name.
    pub document: String,
    /// Its document's version.
    pub version: String,
    /// The document as it was when the execution began.
    pub content: String,
    /// The parameters as given, and the defaults.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The parameters as given, for idempotence.
    pub given: Value,
    /// The client's token.
    pub token: Option<String>,
    /// The role of its steps.
    pub role: Option<String>,
    /// Who started it.
    pub started_by: String,
    /// `InProgress`, `Cancelling`, `Success`, `Failed`, `TimedOut`, `Cancelled`.
    pub status: String,
    /// Milliseconds since 1970.
    pub started: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// Why it failed.
    pub failure: Option<String>,
    /// A failure that is the execution's, and whether it was a timeout.
    pub failed: Option<bool>,
    /// Its steps in the document's order.
    pub steps: Vec<StepRun>,
    /// The outputs so far, by `step.output`.
    pub values: BTreeMap<String, Value>,
    /// The step that runs, or is next.
    pub current: Option<String>,
    /// A stop was asked for: `true` cancels, `false` completes.
    pub stop: Option<bool>,
    /// Until when the cancellation workflow may run.
    pub cancel_deadline: Option<i64>,
    /// Its tags.
    pub tags: Map<String, Value>,
    /// The access keys of its scripts and the step of each.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
}

/// One step of an execution.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StepRun {
    /// Its name.
    pub name: String,
    /// `Pending`, `InProgress`, `Success`, `Failed`, `TimedOut`, `Cancelled`.
    pub status: String,
    /// Its id.
    pub id: String,
    /// When it began.
    pub started: Option<i64>,
    /// When it ended.
    pub ended: Option<i64>,
    /// Its resolved inputs.
    pub inputs: BTreeMap<String, String>,
    /// Its outputs as texts.
    pub outputs: BTreeMap<String, Vec<String>>,
    /// What went wrong.
    pub failure: Option<String>,
    /// `0`, or an error's status.
    pub code: Option<String>,
    /// Until when a sleeping step sleeps.
    pub wake: Option<i64>,
}

impl Row for Execution {
    const TABLE: &'static str = "executions";

    fn key(&self) -> &str {
        &self.id
    }
}

/// Whether a status is an end.
pub fn ended(status: &str) -> bool {
    !matches!(status, "Pending" | "InProgress" | "Cancelling" | "Waiting")
}

impl Execution {
    /// A step's record.
    pub fn step(&mut self, name: &str) -> Option<&mut StepRun> {
        self.steps.iter_mut().find(|step| step.name == name)
    }

    /// The document's outputs.
    fn outputs(&self, document: Option<&Document>) -> Map<String, Value> {
        let names = document.into_iter().flat_map(|document| document.outputs.iter());
        names
            .map(|name| {
                let value = match self.values.get(name) {
                    Some(value) => json!(texts(value)),
                    None => json!(["No output available yet because the step is not successfully executed"]),
                };
                (name.clone(), value)
            })
            .collect()
    }

    /// AutomationExecutionMetadata.
    pub fn summary(&self, document: Option<&Document>) -> Value {
        let mut view = json!({
            "AutomationExecutionId": self.id, "DocumentName": self.document, "DocumentVersion": self.version,
            "AutomationExecutionStatus": self.status, "ExecutionStartTime": clock::seconds(self.started),
            "ExecutedBy": self.started_by, "LogFile": "", "Mode": "Auto", "Targets": [], "TargetMaps": [],
            "ResolvedTargets": {"ParameterValues": [], "Truncated": false}, "AutomationType": "Local",
        });
        let Some(fields) = view.as_object_mut() else {
            return view;
        };
        fields.insert("Outputs".into(), Value::Object(self.outputs(document)));
        if let Some(end) = self.ended {
            fields.insert("ExecutionEndTime".into(), clock::seconds(end));
        }
        if let Some(failure) = &self.failure {
            fields.insert("FailureMessage".into(), json!(failure));
        }
        if let Some(step) = self.current.as_ref().filter(|_| !ended(&self.status)) {
            fields.insert("CurrentStepName".into(), json!(step));
            let action = document.and_then(|document| document.step(step)).map(|step| step.action.clone());
            fields.insert("CurrentAction".into(), json!(action.unwrap_or_default()));
        }
        view
    }

    /// AutomationExecution.
    pub fn view(&self, document: Option<&Document>) -> Value {
        let mut view = self.summary(document);
        if let Some(fields) = view.as_object_mut() {
            fields.remove("LogFile");
            fields.remove("AutomationType");
            fields.insert("Parameters".into(), json!(self.parameters));
            fields.insert("StepExecutions".into(), self.step_views(document).into());
            fields.insert("StepExecutionsTruncated".into(), json!(false));
        }
        view
    }

    /// StepExecution of each step, those that never ran included.
    pub fn step_views(&self, document: Option<&Document>) -> Vec<Value> {
        let view = |run: &StepRun| {
            let step = document.and_then(|document| document.step(&run.name));
            let mut view = json!({
                "StepName": run.name, "Action": step.map(|step| step.action.clone()).unwrap_or_default(), "StepStatus": run.status,
                "StepExecutionId": run.id, "Inputs": run.inputs, "Outputs": run.outputs, "OverriddenParameters": {},
                "MaxAttempts": step.and_then(|step| step.max_attempts).unwrap_or(1),
                "OnFailure": match step.map(super::document::Step::failure) {
                    Some(Jump::Continue) => "Continue".to_owned(),
                    Some(Jump::Step(name)) => format!("step:{name}"),
                    _ => "Abort".to_owned(),
                },
                "IsEnd": step.and_then(|step| step.is_end).unwrap_or(false),
                "IsCritical": step.is_some_and(super::document::Step::critical),
            });
            let Some(fields) = view.as_object_mut() else {
                return view;
            };
            let mut put = |name: &str, value: Option<Value>| value.map(|value| fields.insert(name.to_owned(), value));
            put("ExecutionStartTime", run.started.map(clock::seconds));
            put("ExecutionEndTime", run.ended.map(clock::seconds));
            put("FailureMessage", run.failure.as_ref().map(|text| json!(text)));
            put("ResponseCode", run.code.as_ref().map(|text| json!(text)));
            put("NextStep", step.and_then(|step| step.next_step.clone()).map(Value::String));
            put("TimeoutSeconds", step.and_then(|step| step.timeout_seconds.as_ref()).and_then(Value::as_u64).map(Value::from));
            put(
                "FailureDetails",
                run.failure.as_ref().map(|text| {
                    let kind = if run.status == "TimedOut" { "Timeout" } else { "Execution" };
                    json!({"FailureStage": "InvokeAction", "FailureType": kind, "Details": {"VerificationErrorMessage": [text]}})
                }),
            );
            view
        };
        self.steps.iter().map(view).collect()
    }
}

/// An output's value as the API shows it: a list of texts.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        other => vec![super::values::plain(other)],
    }
}
