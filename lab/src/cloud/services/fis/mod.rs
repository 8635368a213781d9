//! Fault Injection Service: templates, experiments that act through Systems Manager, the safety lever.
//!
//! - [`check`]: what FIS refuses of a template.  [`templates`], [`lever`]: what is kept of them, and their operations.
//! - [`records`]: what is logged of an experiment.
//! - [`experiments`]: what is kept of an experiment, and its operations.  [`run`]: the experiment itself, a task that lives until it has ended.

mod check;
mod experiments;
mod lever;
mod records;
mod run;
mod templates;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::task::AbortHandle;

use super::{Answer, Done, Service, Tagged, now};
use crate::cloud::call::access::Need;
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::call::{ApiError, Call, Request};
use crate::cloud::lab::{Home, Lab, Site};
use crate::cloud::services::members::text;
use crate::cloud::state::{Folder, Table};
use experiments::Experiment;
use lever::Lever;
use templates::Template;

/// The service.
#[derive(Debug)]
struct Fis {
    site: Arc<Site>,
    folder: Folder,
    tables: Mutex<Tables>,
    /// The tasks of running experiments.
    running: Mutex<HashMap<String, AbortHandle>>,
}

/// What is kept.
#[derive(Debug)]
struct Tables {
    templates: Table<Template>,
    experiments: Table<Experiment>,
    levers: Table<Lever>,
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let Home { site, folder } = home;
    let tables = Tables { templates: Table::open(&folder)?, experiments: Table::open(&folder)?, levers: Table::open(&folder)? };
    Ok(Arc::new(Fis { site, folder, tables: Mutex::new(tables), running: Mutex::default() }))
}

impl Fis {
    /// Works on what is kept. Never hold it over an `await`.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn arn(&self, kind: &str, id: &str) -> String {
        self.site.place.arn("fis", &format!("{kind}/{id}"))
    }

    fn tasks<T>(&self, work: impl FnOnce(&mut HashMap<String, AbortHandle>) -> T) -> T {
        work(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets an experiment run.
    fn launch(self: &Arc<Self>, lab: &Arc<Lab>, id: &str) {
        let task = tokio::spawn(run::run(Arc::clone(self), Arc::clone(lab), id.to_owned()));
        self.tasks(|tasks| tasks.insert(id.to_owned(), task.abort_handle()));
    }

    fn end_all(&self) {
        self.tasks(|tasks| tasks.drain().for_each(|(_, task)| task.abort()));
    }
}

/// As FIS says that something is not there.
fn missing(what: &str, id: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", 404, format!("{what} {id} does not exist."))
}

impl Service for Fis {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        let input = &call.request.input;
        now(match call.request.operation.as_str() {
            "CreateExperimentTemplate" => templates::create(&self, input),
            "GetExperimentTemplate" => templates::get(&self, input),
            "ListExperimentTemplates" => templates::list(&self, input),
            "UpdateExperimentTemplate" => templates::update(&self, input),
            "DeleteExperimentTemplate" => templates::delete(&self, input),
            "StartExperiment" => experiments::start(&self, &call.lab, input),
            "GetExperiment" => experiments::get(&self, input),
            "ListExperiments" => experiments::list(&self, input),
            "StopExperiment" => experiments::stop(&self, input),
            "GetSafetyLever" => lever::get(&self, input),
            "UpdateSafetyLeverState" => lever::update(&self, input),
            "TagResource" => templates::tag(&self, input),
            "UntagResource" => templates::untag(&self, input),
            "ListTagsForResource" => templates::tags_for(&self, input),
            _ => Err(call.unknown()),
        })
    }

    fn resources(&self, request: &Request) -> Vec<String> {
        let input = &request.input;
        let id = text(input, "id").unwrap_or_default();
        match request.operation.as_str() {
            "GetExperimentTemplate" | "UpdateExperimentTemplate" | "DeleteExperimentTemplate" => {
                vec![self.arn("experiment-template", id)]
            }
            "CreateExperimentTemplate" => vec![self.arn("experiment-template", "*")],
            "StartExperiment" => {
                let template = text(input, "experimentTemplateId").unwrap_or_default();
                vec![self.arn("experiment-template", template), self.arn("experiment", "*")]
            }
            "GetExperiment" | "StopExperiment" => vec![self.arn("experiment", id)],
            "GetSafetyLever" | "UpdateSafetyLeverState" => vec![self.arn("safety-lever", id)],
            _ => vec![text(input, "resourceArn").unwrap_or("*").to_owned()],
        }
    }

    fn needs(&self, request: &Request) -> Vec<Need> {
        let (input, mut resources) = (&request.input, self.resources(request));
        let mut role = None;
        if request.operation == "CreateExperimentTemplate" {
            let ids: BTreeSet<String> =
                map(input, "actions").values().filter_map(|one| text(one, "actionId").map(str::to_owned)).collect();
            resources.extend(ids.iter().map(|id| self.arn("action", id)));
            role = text(input, "roleArn");
        }
        let own = Need::new(&self.action(request), resources);
        std::iter::once(own).chain(role.map(|role| Need::pass_role(role, "fis.amazonaws.com"))).collect()
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        match operation {
            "StartExperiment" => rate("StartExperiment", 5.0),
            "StopExperiment" => rate("StopExperiment", 5.0),
            _ => rate("others", 20.0),
        }
    }

    fn tagged(&self) -> Vec<Tagged> {
        self.tables(|tables| {
            let templates = tables.templates.values().map(|template| Tagged {
                arn: self.arn("experiment-template", &template.id),
                kind: "fis:experiment-template",
                tags: template.tags.clone(),
            });
            let experiments = tables.experiments.values().map(|experiment| Tagged {
                arn: self.arn("experiment", &experiment.id),
                kind: "fis:experiment",
                tags: experiment.tags.clone(),
            });
            templates.chain(experiments).collect()
        })
    }

    fn start(self: Arc<Self>, lab: &Arc<Lab>) {
        let open: Vec<String> = self.tables(|tables| {
            tables
                .experiments
                .values()
                .filter(|experiment| !experiment.has_ended() || experiment.owes_records())
                .map(|experiment| experiment.id.clone())
                .collect()
        });
        open.iter().for_each(|id| self.launch(lab, id));
    }

    fn reset(self: Arc<Self>) -> Done {
        self.end_all();
        let forgotten = self.tables(|tables| {
            tables.templates.clear()?;
            tables.experiments.clear()?;
            tables.levers.clear()?;
            self.folder.remove()
        });
        Box::pin(std::future::ready(forgotten))
    }

    fn stop(self: Arc<Self>) -> Done {
        self.end_all();
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A member that is a map, or an empty one.
fn map(input: &Value, member: &str) -> serde_json::Map<String, Value> {
    input.get(member).and_then(Value::as_object).cloned().unwrap_or_default()
}
