//! Experiments: what is kept of them, and their operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::records::{self, Destination};
use super::{Fis, lever, map, missing, templates};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::lab::Lab;
use crate::cloud::services::members::{page, text, with};
use crate::cloud::state::Row;

/// As many experiments as run at once in an account and region.
const MOST_ACTIVE: usize = 5;

/// A state and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// As FIS names it.
    pub status: String,
    /// Why.
    pub reason: String,
}

impl State {
    /// A state.
    pub fn new(status: &str, reason: impl Into<String>) -> State {
        State { status: status.to_owned(), reason: reason.into() }
    }
}

/// One action of an experiment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ActionRun {
    /// Its state.
    pub state: State,
    /// When it began, in milliseconds since 1970.
    pub started: Option<i64>,
    /// When it ended.
    pub ended: Option<i64>,
    /// The execution that it started.
    pub execution: Option<String>,
}

/// An experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Experiment {
    /// Its id, `EXP…`.
    pub id: String,
    /// Its template's id.
    pub template: String,
    /// The template's content when it was started.
    pub given: Value,
    /// Its tags.
    pub tags: Map<String, Value>,
    /// Its state.
    pub state: State,
    /// Its actions by name.
    pub actions: BTreeMap<String, ActionRun>,
    /// Why it is to be stopped, once it is.
    pub stop: Option<String>,
    /// Whether its actions are left out.
    pub preview: bool,
    /// Which of its log records are written.
    #[serde(default)]
    pub logged: BTreeSet<String>,
    token: String,
    created: i64,
    /// When it began, in milliseconds since 1970.
    pub started: Option<i64>,
    /// When it ended.
    pub ended: Option<i64>,
}

impl Row for Experiment {
    const TABLE: &'static str = "experiments";

    fn key(&self) -> &str {
        &self.id
    }
}

impl Experiment {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether log records of it are not written yet.
    pub fn owes_records(&self) -> bool {
        let somewhere = Destination::of(&self.given).is_ok_and(|to| !to.is_none());
        somewhere && records::of(self).iter().any(|record| !self.logged.contains(&record.key))
    }

    /// An action as the template has it.
    pub fn action(&self, name: &str) -> &Value {
        self.given.get("actions").and_then(|actions| actions.get(name)).unwrap_or(&Value::Null)
    }

    fn described(&self, fis: &Fis) -> Value {
        let time = |at: Option<i64>| at.map(clock::seconds);
        let state = |state: &State| json!({"status": state.status, "reason": state.reason});
        let actions: Map<String, Value> = self
            .actions
            .iter()
            .map(|(name, run)| {
                let mut action = self.action(name).clone();
                if let Some(fields) = action.as_object_mut() {
                    fields.insert("state".into(), state(&run.state));
                    fields.extend(time(run.started).map(|at| ("startTime".to_owned(), at)));
                    fields.extend(time(run.ended).map(|at| ("endTime".to_owned(), at)));
                }
                (name.clone(), action)
            })
            .collect();
        let mut options = map(&self.given, "experimentOptions");
        options.insert("actionsMode".into(), json!(if self.preview { "skip-all" } else { "run-all" }));
        let mut answer = json!({
            "id": self.id, "arn": fis.arn("experiment", &self.id), "experimentTemplateId": self.template, "roleArn": self.given.get("roleArn"),
            "state": state(&self.state), "targets": {}, "actions": actions, "stopConditions": self.given.get("stopConditions"),
            "creationTime": clock::seconds(self.created), "tags": self.tags, "experimentOptions": options,
            "targetAccountConfigurationsCount": 0,
        });
        if let Some(fields) = answer.as_object_mut() {
            fields.extend(time(self.started).map(|at| ("startTime".to_owned(), at)));
            fields.extend(time(self.ended).map(|at| ("endTime".to_owned(), at)));
            fields.extend(self.given.get("logConfiguration").map(|logs| ("logConfiguration".to_owned(), logs.clone())));
        }
        answer
    }
}

/// StartExperiment.
pub fn start(fis: &Arc<Fis>, lab: &Arc<Lab>, input: &Value) -> Result<Value, ApiError> {
    let wanted = text(input, "experimentTemplateId").unwrap_or_default();
    let token = text(input, "clientToken").unwrap_or_default().to_owned();
    let (experiment, is_new) = fis.tables(|tables| {
        if let Some(twin) = tables.experiments.values().find(|experiment| experiment.token == token) {
            return Ok((twin.clone(), false));
        }
        let template = tables.templates.get(wanted).cloned().ok_or_else(|| missing("Experiment template", wanted))?;
        let active = tables.experiments.values().filter(|experiment| !experiment.has_ended()).count();
        if active >= MOST_ACTIVE {
            return Err(ApiError::new(
                "ServiceQuotaExceededException",
                402,
                format!("You have reached the maximum number of active experiments, {MOST_ACTIVE}."),
            ));
        }
        let engaged = lever::engaged(tables);
        let now = clock::now_ms();
        let mut tags = template.tags.clone();
        tags.extend(map(input, "tags"));
        let state = if engaged {
            State::new("cancelled", "Experiment cancelled: the safety lever is engaged.")
        } else {
            State::new("initiating", "Experiment is initiating.")
        };
        let pending = |name: &String| {
            let (status, reason) =
                if engaged { ("cancelled", "Experiment was cancelled.") } else { ("pending", "Initial state") };
            (name.clone(), ActionRun { state: State::new(status, reason), ..ActionRun::default() })
        };
        let experiment = Experiment {
            id: templates::id("EXP"),
            template: template.id,
            actions: map(&template.given, "actions").keys().map(pending).collect(),
            given: template.given,
            tags,
            state,
            stop: None,
            preview: input.get("experimentOptions").and_then(|options| text(options, "actionsMode")) == Some("skip-all"),
            logged: BTreeSet::new(),
            token,
            created: now,
            started: (!engaged).then_some(now),
            ended: engaged.then_some(now),
        };
        tables.experiments.put(experiment.clone())?;
        Ok((experiment, true))
    })?;
    if is_new && !experiment.has_ended() {
        fis.launch(lab, &experiment.id);
    }
    Ok(json!({"experiment": experiment.described(fis)}))
}

fn found(fis: &Fis, input: &Value) -> Result<Experiment, ApiError> {
    let id = text(input, "id").unwrap_or_default();
    fis.tables(|tables| tables.experiments.get(id).cloned()).ok_or_else(|| missing("Experiment", id))
}

/// GetExperiment.
pub fn get(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"experiment": found(fis, input)?.described(fis)}))
}

/// ListExperiments.
pub fn list(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    let rows = fis.tables(|tables| tables.experiments.values().cloned().collect::<Vec<_>>());
    let of = text(input, "experimentTemplateId");
    let rows = rows.iter().filter(|experiment| of.is_none_or(|template| template == experiment.template)).map(|experiment| {
        json!({
            "id": experiment.id, "arn": fis.arn("experiment", &experiment.id), "experimentTemplateId": experiment.template,
            "state": {"status": experiment.state.status, "reason": experiment.state.reason},
            "creationTime": clock::seconds(experiment.created), "tags": experiment.tags,
        })
    });
    let most = input.get("maxResults").and_then(Value::as_u64);
    let (rows, next) = page(rows.collect(), text(input, "nextToken"), most, 50)?;
    Ok(with(json!({"experiments": rows}), "nextToken", next))
}

/// StopExperiment.
pub fn stop(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    let experiment = found(fis, input)?;
    if experiment.has_ended() {
        let message = format!("Experiment {} is {} and cannot be stopped.", experiment.id, experiment.state.status);
        return Err(ApiError::validation(message));
    }
    fis.tables(|tables| {
        tables.experiments.change(&experiment.id, |experiment| {
            experiment.stop.get_or_insert_with(|| "Experiment stopped by request.".to_owned());
            experiment.state = State::new("stopping", "Experiment is stopping.");
            Ok(())
        })
    })
    .unwrap_or_else(|| Err(missing("Experiment", &experiment.id)))?;
    Ok(json!({"experiment": found(fis, input)?.described(fis)}))
}
