//! The way of one execution through its steps: success, failure, cancellation, and going on after the lab was stopped.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::actions::{self, Outcome, Task};
use super::document::{Document, Jump, Step};
use super::execution::{Execution, StepRun, texts};
use super::{Host, parameters, selector, values};
use crate::cloud::clock;
use crate::cloud::lab::Place;

/// What a stop asks for: `None` nothing, `true` cancel, `false` complete.
pub type Stop = watch::Receiver<Option<bool>>;

/// How long to wait until what the disk did not take is tried again.
const PAUSE: Duration = Duration::from_millis(200);

struct Engine {
    host: Host,
    id: String,
    document: Arc<Document>,
    stop: Stop,
}

/// How waiting for a step ended.
enum Waited {
    Done(Outcome),
    TimedOut,
    Cancelled,
    LimitReached,
}

struct Scoped<'a> {
    execution: &'a Execution,
    document: &'a Document,
    place: &'a Place,
}

impl values::Scope for Scoped<'_> {
    fn value(&self, reference: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::String(text.to_owned()));
        match reference {
            "global:ACCOUNT_ID" => text(&self.place.account),
            "global:REGION" => text(&self.place.region),
            "global:AWS_PARTITION" => text("aws"),
            "global:DATE" => text(&clock::automation_dates(clock::now_ms()).0),
            "global:DATE_TIME" => text(&clock::automation_dates(clock::now_ms()).1),
            "automation:EXECUTION_ID" => text(&self.execution.id),
            _ if reference.contains('.') => self.execution.values.get(reference).cloned(),
            _ => {
                let list = self.execution.parameters.get(reference)?;
                Some(parameters::typed(self.document.parameters.get(reference)?, list))
            }
        }
    }
}

/// The value of a text with references, before the first step.
pub fn resolve(execution: &Execution, document: &Document, place: &Place, text: &str) -> Result<Value, String> {
    let scope = Scoped { execution, document, place };
    values::resolve(&Value::String(text.to_owned()), &scope)
}

/// Runs an execution to its end. `resumed`: the lab was stopped while its current step ran.
pub async fn run(host: Host, id: String, document: Arc<Document>, stop: Stop, resumed: bool) {
    let mut engine = Engine { host, id, document, stop };
    let mut next = engine.read(|execution| execution.current.clone());
    let mut resumed = resumed;
    while let Some(name) = next {
        let Some(step) = engine.document.step(&name).cloned() else { break };
        engine.write(|execution| execution.current = Some(name.clone())).await;
        // A stop that came between two steps is the next step's.
        if let Some(end) = engine.stop_before(&step).await {
            next = end;
            continue;
        }
        next = engine.step(&step, std::mem::take(&mut resumed)).await;
    }
    engine.finish().await;
}

impl Engine {
    /// Works on the execution, which goes no further until that is kept: on a full disk it waits.
    async fn write<T>(&self, mut work: impl FnMut(&mut Execution) -> T) -> Option<T> {
        loop {
            match self.host.ssm.execution(&self.id, &mut work) {
                Some(Err(_)) => tokio::time::sleep(PAUSE).await,
                Some(Ok(result)) => return Some(result),
                None => return None,
            }
        }
    }

    fn read<T>(&self, work: impl FnOnce(&Execution) -> Option<T>) -> Option<T> {
        self.host.ssm.tables(|tables| tables.executions.get(&self.id).and_then(work))
    }

    fn cancelling(&self) -> Option<i64> {
        self.read(|execution| execution.cancel_deadline)
    }

    /// Where a stop before a step leads; `None`: there is none.
    async fn stop_before(&self, step: &Step) -> Option<Option<String>> {
        let wanted = *self.stop.borrow();
        match wanted {
            Some(false) => Some(None),
            Some(true) if self.cancelling().is_none() => Some(self.cancel(step).await),
            Some(true) if self.cancelling().is_some_and(|deadline| deadline <= clock::now_ms()) => Some(None),
            _ => None,
        }
    }

    /// Begins the cancellation workflow; its first step.
    async fn cancel(&self, step: &Step) -> Option<String> {
        let limit = self.host.ssm.site.settings().cancel_limit_s;
        let limit = Duration::try_from_secs_f64(limit).unwrap_or(Duration::from_secs(120));
        let deadline = clock::now_ms().saturating_add(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
        self.write(|execution| {
            execution.status = "Cancelling".into();
            execution.cancel_deadline = Some(deadline);
            if let Some(run) = execution.step(&step.name) {
                end(run, "Cancelled", None);
            }
        })
        .await;
        match step.cancel() {
            Jump::Step(name) => Some(name),
            _ => None,
        }
    }

    /// Runs a step with its tries; the step after it.
    async fn step(&mut self, step: &Step, resumed: bool) -> Option<String> {
        let tries = step.max_attempts.unwrap_or(1).max(1);
        let mut last = String::new();
        let mut timed_out = false;
        let mut interrupted = resumed;
        for _ in 0..tries {
            // What a process of before did is not known: this try counts as failed, but for what can simply be done again.
            if std::mem::take(&mut interrupted) && actions::runs_on(&step.action) {
                last = "the lab was stopped while this step ran".to_owned();
                continue;
            }
            let inputs = match self.begin(step, resumed).await {
                Ok(inputs) => inputs,
                Err(message) => {
                    // Inputs that cannot be resolved do not get better.
                    last = message;
                    break;
                }
            };
            match self.attempt(step, inputs).await {
                Waited::Done(outcome) => match self.succeed(step, outcome).await {
                    Ok(next) => return next,
                    Err(message) => {
                        last = message;
                        timed_out = false;
                    }
                },
                Waited::TimedOut => {
                    last = "the step took longer than its timeoutSeconds".to_owned();
                    timed_out = true;
                }
                Waited::Cancelled => return self.cancel(step).await,
                Waited::LimitReached => {
                    self.write(|execution| {
                        if let Some(run) = execution.step(&step.name) {
                            end(run, "TimedOut", Some("the cancellation workflow reached its limit".to_owned()));
                        }
                    })
                    .await;
                    return None;
                }
            }
        }
        self.fail(step, last, timed_out).await
    }

    /// Marks a step as running, with its inputs resolved.
    async fn begin(&self, step: &Step, resumed: bool) -> Result<Value, String> {
        let speed = self.host.ssm.site.settings().speed;
        let place = &self.host.ssm.site.place;
        let begun = self.write(|execution| {
            let scope = Scoped { execution, document: &self.document, place };
            let inputs = values::resolve(&step.inputs, &scope);
            let now = clock::now_ms();
            let Some(run) = execution.step(&step.name) else {
                return Err("the step is gone".to_owned());
            };
            run.status = "InProgress".into();
            run.started = Some(run.started.filter(|_| resumed).unwrap_or(now));
            run.ended = None;
            let inputs =
                inputs.map_err(|error| format!("Step fails when it is validating and resolving the step inputs. {error}"))?;
            run.inputs = inputs.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.to_string())).collect();
            if step.action == "aws:sleep" && !(resumed && run.wake.is_some()) {
                run.wake = Some(actions::wake(&inputs, now, speed)?);
            }
            Ok(inputs)
        });
        begun.await.unwrap_or_else(|| Err("the execution is gone".to_owned()))
    }

    async fn attempt(&mut self, step: &Step, inputs: Value) -> Waited {
        let Some(task) = self.read(|execution| {
            Some(Task {
                execution: execution.id.clone(),
                document: execution.document.clone(),
                role: execution.role.clone(),
                step: step.name.clone(),
                wake: execution.steps.iter().find(|run| run.name == step.name).and_then(|run| run.wake),
            })
        }) else {
            return Waited::Done(Outcome::failure("the execution is gone"));
        };
        let timeout = self.timeout(step);
        let deadline = self.cancelling();
        let left = deadline.map_or(Duration::MAX, |deadline| {
            Duration::from_millis(u64::try_from(deadline.saturating_sub(clock::now_ms())).unwrap_or(0))
        });
        let mut work = tokio::spawn(actions::run(self.host.clone(), step.clone(), task, inputs));
        let waited = tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop == Some(true)), if deadline.is_none() => Waited::Cancelled,
            () = tokio::time::sleep(left), if deadline.is_some() => Waited::LimitReached,
            done = &mut work => Waited::Done(done.unwrap_or_else(|error| Outcome::failure(error.to_string()))),
            () = tokio::time::sleep(timeout) => Waited::TimedOut,
        };
        if !matches!(waited, Waited::Done(_)) {
            self.abandon(step, work);
        }
        waited
    }

    /// Goes on without a step: a script or a call on the wire is not stopped by that.
    fn abandon(&self, step: &Step, work: JoinHandle<Outcome>) {
        if actions::runs_on(&step.action) {
            self.host.ssm.engines.abandon(&self.id, &step.name);
        } else {
            work.abort();
        }
    }

    fn timeout(&self, step: &Step) -> Duration {
        let usual = match step.action.as_str() {
            "aws:waitForAwsResourceProperty" | "aws:assertAwsResourceProperty" => Some(3600),
            _ => None,
        };
        let said = self.read(|execution| {
            let scope = Scoped { execution, document: &self.document, place: &self.host.ssm.site.place };
            let value = values::resolve(step.timeout_seconds.as_ref()?, &scope).ok()?;
            value.as_u64().or_else(|| value.as_str()?.parse().ok())
        });
        said.or(usual).map_or(Duration::from_secs(31_536_000), Duration::from_secs)
    }

    /// Keeps a step's outputs; the step after it, or why it failed after all.
    async fn succeed(&self, step: &Step, outcome: Outcome) -> Result<Option<String>, String> {
        if let Some(failure) = outcome.failure {
            return Err(failure);
        }
        let mut found = Vec::new();
        for output in &step.outputs {
            // What is not there is left out; whoever refers to it fails.
            let Some(value) = selector::select(&outcome.output, &output.selector) else { continue };
            if !selector::typed(&value, &output.kind) {
                return Err(format!(
                    "Step fails when it is Verifying output. output {} is expected to be {}, got {value}",
                    output.name, output.kind
                ));
            }
            found.push((output.name.clone(), value));
        }
        if step.action == "aws:executeScript" {
            found.push(("OutputPayload".to_owned(), outcome.output.clone()));
        }
        self.write(|execution| {
            for (name, value) in &found {
                execution.values.insert(format!("{}.{name}", step.name), value.clone());
            }
            if let Some(run) = execution.step(&step.name) {
                end(run, "Success", None);
                run.code = Some("0".into());
                run.outputs = found.iter().map(|(name, value)| (name.clone(), texts(value))).collect();
            }
        })
        .await;
        if step.is_end == Some(true) && outcome.branch.as_ref().is_none_or(Option::is_none) {
            return Ok(None);
        }
        match outcome.branch {
            Some(Some(next)) => Ok(Some(next)),
            // No choice and no default: a branch that is the end ends, another one goes on.
            _ => Ok(self.following(step)),
        }
    }

    fn following(&self, step: &Step) -> Option<String> {
        step.next_step.clone().or_else(|| self.document.after(&step.name).map(|next| next.name.clone()))
    }

    /// Where a failed step leads.
    async fn fail(&self, step: &Step, message: String, timed_out: bool) -> Option<String> {
        self.write(|execution| {
            if let Some(run) = execution.step(&step.name) {
                end(run, if timed_out { "TimedOut" } else { "Failed" }, Some(message.clone()));
                run.code = Some("1".into());
            }
            if step.critical() && execution.failed.is_none() {
                execution.failed = Some(timed_out);
                execution.failure = Some(format!("Step {} failed: {message}", step.name));
            }
        })
        .await;
        if step.is_end == Some(true) {
            return None;
        }
        match step.failure() {
            Jump::Abort => None,
            // `nextStep` is followed on success only.
            Jump::Continue => self.document.after(&step.name).map(|next| next.name.clone()),
            Jump::Step(name) => Some(name),
        }
    }

    async fn finish(&self) {
        self.write(|execution| {
            execution.status = match (execution.cancel_deadline, execution.failed) {
                (Some(_), _) => "Cancelled",
                (None, Some(true)) => "TimedOut",
                (None, Some(false)) => "Failed",
                (None, None) => "Success",
            }
            .into();
            execution.ended = Some(clock::now_ms());
        })
        .await;
        self.host.ssm.engines.ended(&self.id);
    }
}

fn end(run: &mut StepRun, status: &str, failure: Option<String>) {
    status.clone_into(&mut run.status);
    run.ended = Some(clock::now_ms());
    run.failure = failure;
    run.wake = None;
    run.code.get_or_insert_with(|| json!(0).to_string());
}
