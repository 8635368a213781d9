//! One experiment: a task that looks at it again and again, does what is next, and ends with it.
//!
//! Everything that it has done stands in the experiment's row before it goes on, so that a lab that was killed takes it up where it
//! was. What stops it (a request, an alarm, the lever, `maxDuration`) calls StopAutomationExecution and waits for the execution's end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::check::{ALARMS, AUTOMATION, minutes};
use super::experiments::{ActionRun, Experiment, State};
use super::records::{self, Destination, Record};
use super::{Fis, lever};
use crate::cloud::call::{ApiError, Principal, Request};
use crate::cloud::clock;
use crate::cloud::lab::Lab;
use crate::cloud::services::members::{list, text, texts};

fn role(experiment: &Experiment) -> &str {
    text(&experiment.given, "roleArn").unwrap_or_default()
}

/// Runs an experiment to its end.
pub async fn run(fis: Arc<Fis>, lab: Arc<Lab>, id: String) {
    let run = Run { fis, lab, id, looks: Mutex::default() };
    // A destination that is gone for good holds nobody up for ever.
    let mut tries = 0;
    while let Some(experiment) = run.experiment() {
        let over = experiment.has_ended() || run.round(experiment).await.is_none();
        let written = run.log().await;
        tries = if over && !written { tries + 1 } else { 0 };
        if over && (written || tries >= MOST_TRIES) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(run.lab.site.settings().poll_ms)).await;
    }
    run.fis.tasks(|tasks| tasks.remove(&run.id));
}

/// So often the last log records are tried to be written.
const MOST_TRIES: u32 = 10;

struct Run {
    fis: Arc<Fis>,
    lab: Arc<Lab>,
    id: String,
    /// When each action's execution was looked at last.
    looks: Mutex<HashMap<String, Instant>>,
}

impl Run {
    fn experiment(&self) -> Option<Experiment> {
        self.fis.tables(|tables| tables.experiments.get(&self.id).cloned())
    }

    /// Changes the experiment's row; `None` where it is gone or cannot be kept.
    fn change(&self, work: impl FnOnce(&mut Experiment)) -> Option<()> {
        let changed = self.fis.tables(|tables| {
            tables.experiments.change(&self.id, |experiment| {
                work(experiment);
                Ok(())
            })
        });
        changed?.ok()
    }

    fn set(&self, action: &str, work: impl FnOnce(&mut ActionRun)) -> Option<()> {
        self.change(|experiment| {
            if let Some(run) = experiment.actions.get_mut(action) {
                work(run);
            }
        })
    }

    fn end_action(&self, action: &str, status: &str, reason: impl Into<String>) -> Option<()> {
        self.set(action, |run| {
            run.state = State::new(status, reason);
            run.ended = Some(clock::now_ms());
        })
    }

    /// The session of the experiment's role.
    fn session(&self, experiment: &Experiment) -> Principal {
        Principal::session(&self.lab.site.place.account, role(experiment), &self.id)
    }

    /// Begins that session, and has the records delivered to where the template wants them.
    async fn prepare(&self, experiment: &Experiment) -> Result<(), ApiError> {
        let source = self.fis.arn("experiment", &self.id);
        self.lab.assume("fis.amazonaws.com", source, role(experiment), &self.id).await.map_err(|error| {
            let message = format!("Unable to assume the experiment role {}. {}", role(experiment), error.message);
            ApiError { message, ..error }
        })?;
        let group = Destination::of(&experiment.given).ok().and_then(|to| to.group);
        match group {
            Some(group) => records::prepare(&self.lab, &self.session(experiment), &group).await.map_err(|error| {
                let message = format!("Unable to deliver the experiment's log records. {}", error.message);
                ApiError { message, ..error }
            }),
            None => Ok(()),
        }
    }

    /// Nothing has begun and nothing will.
    fn refused(&self, reason: &str) -> Option<()> {
        self.change(|experiment| {
            experiment.state = State::new("failed", reason);
            experiment.ended = Some(clock::now_ms());
            experiment.actions.values_mut().for_each(|run| run.state = State::new("cancelled", "Action was cancelled."));
            // Nobody can be told.
            experiment.logged = records::of(experiment).into_iter().map(|record| record.key).collect();
        })?;
        None
    }

    /// Writes the log records that are due; whether none is left. Cut off by a kill, one may be written twice.
    async fn log(&self) -> bool {
        let Some(experiment) = self.experiment() else { return true };
        let Ok(to) = Destination::of(&experiment.given) else { return true };
        let all = records::of(&experiment);
        let due: Vec<&Record> = all.iter().filter(|record| !experiment.logged.contains(&record.key)).collect();
        if to.is_none() || due.is_empty() || experiment.state.status == "initiating" {
            return true;
        }
        if let Some(group) = &to.group
            && records::to_group(&self.lab, &experiment, group, &due).await.is_err()
        {
            return false;
        }
        if let (Some((bucket, prefix)), true) = (&to.bucket, experiment.has_ended())
            && records::to_bucket(&self.lab, &experiment, bucket, prefix).await.is_err()
        {
            return false;
        }
        let keys: Vec<String> = due.into_iter().map(|record| record.key.clone()).collect();
        self.change(|experiment| experiment.logged.extend(keys)).is_some()
    }

    /// A call with the experiment's role.
    async fn call(&self, experiment: &Experiment, service: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
        let request = Request::new(service, operation, input);
        self.lab.call(&self.session(experiment), &request).await.answer().map(|reply| reply.body)
    }

    /// One look, and what is next. `None`: it has ended.
    async fn round(&self, experiment: Experiment) -> Option<()> {
        if experiment.state.status == "initiating" {
            match self.prepare(&experiment).await {
                Ok(()) => {}
                Err(error) if error.status < 500 && !error.is_throttling() => return self.refused(&error.message),
                // The next look may see more.
                Err(_) => return Some(()),
            }
        }
        let reason = match experiment.stop.clone() {
            Some(reason) => Some(reason),
            None => self.halted(&experiment).await,
        };
        if let (Some(reason), None) = (&reason, &experiment.stop) {
            self.change(|experiment| {
                experiment.stop = Some(reason.clone());
                experiment.state = State::new("stopping", "Experiment is stopping.");
            })?;
        }
        for name in experiment.actions.keys() {
            self.action(&experiment, name, reason.is_some()).await?;
        }
        let now = self.experiment()?;
        let states: Vec<&str> = now.actions.values().map(|run| run.state.status.as_str()).collect();
        if states.iter().any(|state| ["pending", "initiating", "running", "stopping"].contains(state)) {
            let status = if reason.is_some() || states.contains(&"failed") { "stopping" } else { "running" };
            let text = if status == "running" { "Experiment is running." } else { "Experiment is stopping." };
            return self.change(|experiment| experiment.state = State::new(status, text));
        }
        let end = if let Some(reason) = reason {
            State::new("stopped", reason)
        } else if let Some((name, run)) = now.actions.iter().find(|(_, run)| run.state.status == "failed") {
            State::new("failed", format!("Action {name} failed. {}", run.state.reason))
        } else {
            State::new("completed", "Experiment completed.")
        };
        self.change(|experiment| {
            experiment.state = end;
            experiment.ended = Some(clock::now_ms());
        })?;
        None
    }

    /// Why the experiment must be stopped, if it must.
    async fn halted(&self, experiment: &Experiment) -> Option<String> {
        if self.fis.tables(|tables| lever::engaged(tables)) {
            return Some("Experiment stopped: the safety lever is engaged.".to_owned());
        }
        let arns: Vec<&str> = list(&experiment.given, "stopConditions").filter_map(|stop| text(stop, "value")).collect();
        match self.alarms(experiment, &arns).await {
            Ok(states) if states.iter().any(|state| state == "ALARM") => Some("Experiment halted by stop condition.".to_owned()),
            Ok(_) => None,
            // As FIS does where it cannot look at the alarm any more.
            Err(error) if error.code.contains("AccessDenied") => Some(format!("Stop condition could not be evaluated: {error}")),
            Err(_) => None,
        }
    }

    /// The states of alarms.
    async fn alarms(&self, experiment: &Experiment, arns: &[&str]) -> Result<Vec<String>, ApiError> {
        let names: Vec<&str> = arns.iter().filter_map(|arn| Some(arn.trim().split_once(":alarm:")?.1)).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self.call(experiment, "cloudwatch", "DescribeAlarms", json!({"AlarmNames": names})).await?;
        let found: Vec<String> =
            list(&answer, "MetricAlarms").filter_map(|alarm| text(alarm, "StateValue").map(str::to_owned)).collect();
        if found.len() < names.len() {
            return Err(ApiError::validation(format!("not all of these alarms are there: {}", names.join(", "))));
        }
        Ok(found)
    }

    /// One action: begins it, looks after it, or ends it.
    async fn action(&self, experiment: &Experiment, name: &str, stopping: bool) -> Option<()> {
        let now = self.experiment()?;
        let run = now.actions.get(name)?;
        let action = experiment.action(name);
        match run.state.status.as_str() {
            "pending" => self.pending(experiment, &now, name, action, stopping).await,
            "initiating" | "running" | "stopping" => match text(action, "actionId") {
                Some(AUTOMATION) => self.automation(experiment, name, run, action, stopping).await,
                _ if stopping => self.end_action(name, "stopped", "Action was stopped."),
                // What looks at alarms ends as it begins; what is left is a wait.
                _ if self.elapsed(run) >= duration(action, "duration") => {
                    self.end_action(name, "completed", "Action was completed.")
                }
                _ => Some(()),
            },
            _ => Some(()),
        }
    }

    async fn pending(&self, experiment: &Experiment, now: &Experiment, name: &str, action: &Value, stopping: bool) -> Option<()> {
        if experiment.preview {
            return self.end_action(name, "skipped", "Action was skipped.");
        }
        let state = |other: &str| now.actions.get(other).map_or("", |run| run.state.status.as_str());
        let failed = now.actions.values().any(|run| run.state.status == "failed");
        if stopping || failed {
            return self.end_action(name, "cancelled", "Action was cancelled.");
        }
        if !texts(action, "startAfter").all(|before| state(before) == "completed") {
            return Some(());
        }
        self.set(name, |run| {
            run.state = State::new("running", "Action is running.");
            run.started = Some(clock::now_ms());
        })?;
        if text(action, "actionId") != Some(ALARMS) {
            return Some(());
        }
        let parameter = |key: &str| action.get("parameters").and_then(|all| text(all, key)).unwrap_or_default().to_owned();
        let wanted: Vec<String> = parameter("alarmStates").split(',').map(|state| state.trim().to_owned()).collect();
        let arns = parameter("alarmArns");
        match self.alarms(experiment, &arns.split(',').collect::<Vec<_>>()).await {
            Ok(states) if states.iter().all(|state| wanted.contains(state)) => {
                self.end_action(name, "completed", "Action was completed.")
            }
            Ok(states) => {
                self.end_action(name, "failed", format!("Alarms are {}, not {}.", states.join(", "), wanted.join(", ")))
            }
            Err(error) => self.end_action(name, "failed", error.to_string()),
        }
    }

    /// How long an action has run; `speed` times as long as by the clock.
    fn elapsed(&self, run: &ActionRun) -> Duration {
        let since = clock::now_ms() - run.started.unwrap_or_else(clock::now_ms);
        Duration::from_millis(u64::try_from(since).unwrap_or(0)).mul_f64(self.lab.site.settings().speed.max(0.0))
    }

    /// Whether it is time to look at an action's execution. All experiments together ask once a second, whatever `poll_ms` is: the
    /// account has three such requests, and the documents, which ask for one another's executions, must not go short for our looking.
    fn may_look(&self, action: &str) -> bool {
        let rates = self.lab.site.settings().rates;
        if rates <= 0.0 {
            return true;
        }
        let running = self.fis.tasks(|tasks| u32::try_from(tasks.len()).unwrap_or(u32::MAX).max(1));
        let apart = Duration::from_secs(1).saturating_mul(running).div_f64(rates.max(0.01));
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = looks.get(action).is_none_or(|last| last.elapsed() >= apart);
        if is_due {
            looks.insert(action.to_owned(), Instant::now());
        }
        is_due
    }

    async fn automation(
        &self,
        experiment: &Experiment,
        name: &str,
        run: &ActionRun,
        action: &Value,
        stopping: bool,
    ) -> Option<()> {
        let Some(execution) = &run.execution else {
            return if stopping {
                self.end_action(name, "stopped", "Action was stopped.")
            } else {
                self.begin(experiment, name, action).await
            };
        };
        if !self.may_look(name) {
            return Some(());
        }
        let asked = json!({"AutomationExecutionId": execution});
        let answer = match self.call(experiment, "ssm", "GetAutomationExecution", asked.clone()).await {
            Ok(answer) => answer,
            // The next look may see more.
            Err(error) if error.code.contains("AccessDenied") => return self.end_action(name, "failed", error.to_string()),
            Err(_) => return Some(()),
        };
        let found = answer.get("AutomationExecution").unwrap_or(&Value::Null);
        let status = text(found, "AutomationExecutionStatus").unwrap_or_default();
        let overdue = self.elapsed(run) >= duration(action, "maxDuration");
        let is_asked = run.state.status == "stopping";
        match status {
            "Success" | "CompletedWithSuccess" if !is_asked => self.end_action(name, "completed", "Action was completed."),
            "Pending" | "InProgress" | "Waiting" | "Cancelling" => {
                if (stopping || overdue) && !is_asked {
                    let stop = json!({"AutomationExecutionId": execution, "Type": "Cancel"});
                    // Asked again until it is heard; one that has just ended needs no stop.
                    match self.call(experiment, "ssm", "StopAutomationExecution", stop).await {
                        Ok(_) => {
                            let reason = if stopping { "Action is stopping." } else { "Action exceeded its maxDuration." };
                            self.set(name, |run| run.state = State::new("stopping", reason))?;
                        }
                        Err(error) if error.code.contains("AccessDenied") => {
                            return self.end_action(name, "failed", error.to_string());
                        }
                        Err(_) => {}
                    }
                }
                Some(())
            }
            _ if is_asked && stopping => self.end_action(name, "stopped", "Action was stopped."),
            _ if is_asked => self.end_action(name, "failed", run.state.reason.clone()),
            _ => {
                let failure = text(found, "FailureMessage").unwrap_or_default();
                self.end_action(name, "failed", format!("Automation {execution} is {status}. {failure}").trim_end())
            }
        }
    }

    /// Starts the document, once: the token is the experiment's and the action's.
    async fn begin(&self, experiment: &Experiment, name: &str, action: &Value) -> Option<()> {
        let parameter = |key: &str| action.get("parameters").and_then(|all| text(all, key)).unwrap_or_default();
        let given: Value = serde_json::from_str(parameter("documentParameters")).unwrap_or_else(|_| json!({}));
        let lists: serde_json::Map<String, Value> = given
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), if value.is_array() { value.clone() } else { json!([value]) }))
            .collect();
        let mut input = serde_json::Map::new();
        let document = parameter("documentArn").split_once(":document/").map_or("", |(_, name)| name);
        input.insert("DocumentName".into(), json!(document));
        input.insert("ClientToken".into(), json!(token(&self.id, name)));
        if !lists.is_empty() {
            input.insert("Parameters".into(), Value::Object(lists));
        }
        if !parameter("documentVersion").is_empty() {
            input.insert("DocumentVersion".into(), json!(parameter("documentVersion")));
        }
        match self.call(experiment, "ssm", "StartAutomationExecution", Value::Object(input)).await {
            Ok(answer) => {
                let execution = text(&answer, "AutomationExecutionId").map(str::to_owned);
                self.set(name, |run| run.execution = execution)
            }
            Err(error) if error.is_throttling() || error.status >= 500 => Some(()),
            Err(error) => self.end_action(name, "failed", error.to_string()),
        }
    }
}

fn duration(action: &Value, key: &str) -> Duration {
    let given = action.get("parameters").and_then(|all| text(all, key)).and_then(minutes);
    Duration::from_secs(given.unwrap_or(0) * 60)
}

/// A UUID of an experiment's action, the same each time.
fn token(experiment: &str, action: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{experiment}/{action}").as_bytes()).to_string()
}
