//! The Automation engine: runs documents of schema 0.3 as Systems Manager does.
//!
//! - [`document`]: documents, read and checked.  [`parameters`]: what an execution is given.
//! - [`execution`]: what is kept of an execution and shown.  [`engine`]: its way through the steps.
//! - [`actions`], [`script`], [`branch`]: what steps do.  [`interpreter`], [`runner`]: the Python of scripts, and their start.
//! - [`values`], [`selector`]: references in inputs; paths of outputs.

pub mod actions;
pub mod branch;
pub mod document;
pub mod engine;
pub mod execution;
pub mod interpreter;
pub mod parameters;
pub mod runner;
pub mod script;
pub mod selector;
pub mod values;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::Ssm;
use crate::cloud::call::ApiError;
use crate::cloud::lab::Lab;
use document::Document;

/// What executions run in: the lab, whose door leads to every service, and the service that keeps them.
#[derive(Debug, Clone)]
pub struct Host {
    /// The lab.
    pub lab: Arc<Lab>,
    /// The service.
    pub ssm: Arc<Ssm>,
}

#[derive(Debug)]
struct Running {
    stop: watch::Sender<Option<bool>>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Script {
    execution: String,
    step: String,
    pid: u32,
    abandoned: bool,
}

/// The executions that run, and their scripts.
#[derive(Debug, Default)]
pub struct Engines {
    /// Starts their scripts.
    pub runner: runner::Runner,
    running: Mutex<HashMap<String, Running>>,
    scripts: Mutex<Vec<Script>>,
}

fn locked<T, R>(mutex: &Mutex<T>, work: impl FnOnce(&mut T) -> R) -> R {
    work(&mut mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Engines {
    /// A script's process is there.
    pub fn script_began(&self, execution: &str, step: &str, pid: u32) {
        let script = Script { execution: execution.to_owned(), step: step.to_owned(), pid, abandoned: false };
        locked(&self.scripts, |scripts| scripts.push(script));
    }

    /// A script's process is gone.
    pub fn script_ended(&self, pid: u32) {
        locked(&self.scripts, |scripts| scripts.retain(|script| script.pid != pid));
    }

    /// The execution goes on without the scripts of a step.
    pub fn abandon(&self, execution: &str, step: &str) {
        locked(&self.scripts, |scripts| {
            for script in scripts.iter_mut().filter(|script| script.execution == execution && script.step == step) {
                script.abandoned = true;
            }
        });
    }

    /// The processes of scripts.
    pub fn scripts(&self) -> Value {
        locked(&self.scripts, |scripts| {
            let row = |script: &Script| json!({"execution": script.execution, "step": script.step, "pid": script.pid, "abandoned": script.abandoned});
            json!({"scripts": scripts.iter().map(row).collect::<Vec<_>>()})
        })
    }

    /// Kills the scripts of a step.
    pub fn kill(&self, execution: &str, step: &str) {
        let pids: Vec<u32> = locked(&self.scripts, |scripts| {
            let chosen = scripts.iter().filter(|script| script.execution == execution && script.step == step);
            chosen.map(|script| script.pid).collect()
        });
        pids.into_iter().for_each(kill);
    }

    /// An execution has ended.
    pub fn ended(&self, execution: &str) {
        locked(&self.running, |running| running.remove(execution));
    }

    /// Ends all executions and scripts at once, without their workflows.
    pub fn end_all(&self) {
        locked(&self.running, |running| running.drain().for_each(|(_, running)| running.task.abort()));
        let pids: Vec<u32> = locked(&self.scripts, |scripts| scripts.drain(..).map(|script| script.pid).collect());
        pids.into_iter().for_each(kill);
    }
}

fn kill(pid: u32) {
    if let Ok(pid) = i32::try_from(pid) {
        // A script has a process group of its own. One that is gone already needs no kill.
        let _gone = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).is_err();
    }
}

/// Lets an execution run (on).
pub fn launch(host: &Host, id: &str, document: Document, resumed: bool) {
    let asked = host.ssm.tables(|tables| tables.executions.get(id).and_then(|execution| execution.stop));
    let (stop, receiver) = watch::channel(asked);
    let engine = engine::run(host.clone(), id.to_owned(), Arc::new(document), receiver, resumed);
    // The entry must be there before the engine can remove it.
    locked(&host.ssm.engines.running, |running| {
        let task = tokio::spawn(engine).abort_handle();
        running.insert(id.to_owned(), Running { stop, task });
    });
}

/// Stops an execution: `cancel`, or completes it after its current step.
pub fn stop(ssm: &Ssm, id: &str, cancel: bool) -> Result<(), ApiError> {
    let missing =
        || ApiError::bad("AutomationExecutionNotFoundException", format!("There is no automation execution with id {id}."));
    let status = ssm.tables(|tables| tables.executions.get(id).map(|execution| execution.status.clone())).ok_or_else(missing)?;
    if execution::ended(&status) {
        return Err(ApiError::bad(
            "InvalidAutomationStatusUpdateException",
            format!("The automation execution {id} has the status {status} and cannot be stopped."),
        ));
    }
    let asked = ssm.execution(id, |execution| execution.stop = Some(cancel || execution.stop == Some(true)));
    asked.ok_or_else(missing)??;
    locked(&ssm.engines.running, |running| {
        if let Some(running) = running.get(id) {
            running.stop.send_modify(|stop| *stop = Some(cancel || *stop == Some(true)));
        }
    });
    Ok(())
}

/// Goes on with the executions that ran when the lab was stopped.
pub fn resume(host: &Host) {
    let open = host.ssm.tables(|tables| {
        let open = tables.executions.values().filter(|execution| !execution::ended(&execution.status));
        open.cloned().collect::<Vec<_>>()
    });
    for execution in open {
        // Scripts that survived the lab are still who they were.
        for (key, step) in &execution.keys {
            let role = execution.role.as_deref();
            let who = actions::principal(&host.ssm.site.place.account, role, &execution.id, &execution.document, step);
            host.lab.keys.know(key.clone(), who);
        }
        let Ok(document) = Document::read(&execution.content) else { continue };
        let began =
            execution.steps.iter().any(|step| Some(&step.name) == execution.current.as_ref() && step.status == "InProgress");
        launch(host, &execution.id, document, began);
    }
}
