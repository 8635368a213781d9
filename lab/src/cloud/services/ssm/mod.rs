//! Systems Manager: parameters, documents and Automation.
//!
//! - [`parameters`], [`documents`], [`tags`]: what is kept.  [`resources`]: ARNs and rates of requests.
//! - [`executions`]: starting, stopping and describing executions; [`automation`] runs them.

pub mod automation;
pub mod documents;
pub mod executions;
pub mod parameters;
pub mod resources;
pub mod tags;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, Done, Interrupt, Service, Tagged, now};
use crate::cloud::call::access::Need;
use crate::cloud::call::rates::Rate;
use crate::cloud::call::{ApiError, Call, Principal, Reply, Request};
use crate::cloud::gateway::control::{Ask, Own};
use crate::cloud::lab::{Home, Lab, Site};
use crate::cloud::state::{Folder, Table};
use automation::execution::Execution;
use automation::{Engines, Host};
use documents::Document;
use parameters::Parameter;

/// The service.
#[derive(Debug)]
pub struct Ssm {
    site: Arc<Site>,
    folder: Folder,
    engines: Engines,
    tables: Mutex<Tables>,
}

/// What is kept.
#[derive(Debug)]
pub struct Tables {
    parameters: Table<Parameter>,
    documents: Table<Document>,
    executions: Table<Execution>,
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let Home { site, folder } = home;
    let tables =
        Tables { parameters: Table::open(&folder)?, documents: Table::open(&folder)?, executions: Table::open(&folder)? };
    Ok(Arc::new(Ssm { site, folder, engines: Engines::default(), tables: Mutex::new(tables) }))
}

impl Ssm {
    /// Works on what is kept. Never hold it over an `await`.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on one execution and keeps it; `None`: there is none of this id.
    fn execution<T>(&self, id: &str, work: impl FnOnce(&mut Execution) -> T) -> Option<Result<T, ApiError>> {
        self.tables(|tables| tables.executions.change(id, |execution| Ok(work(execution))))
    }
}

impl Service for Ssm {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        let host = Host { lab: Arc::clone(&call.lab), ssm: self };
        if call.request.operation == "StartAutomationExecution" {
            return Box::pin(async move { executions::start(&host, &call).await.map(Reply::from) });
        }
        now(operate(&host.ssm, &call))
    }

    fn resources(&self, request: &Request) -> Vec<String> {
        resources::arns(&self.site.place, request)
    }

    fn needs(&self, request: &Request) -> Vec<Need> {
        let starts = request.operation == "StartAutomationExecution";
        let role = if starts { executions::role(self, &request.input) } else { None };
        resources::needs(&self.site.place, request, &self.action(request), role.as_deref())
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        resources::rate_of(operation)
    }

    fn tagged(&self) -> Vec<Tagged> {
        let place = &self.site.place;
        let tagged = |parameter: &Parameter| Tagged {
            arn: parameters::arn(place, &parameter.name),
            kind: "ssm:parameter",
            tags: parameter.tags.clone(),
        };
        self.tables(|tables| tables.parameters.values().map(tagged).collect())
    }

    fn interrupt(&self, who: &Principal, how: Interrupt) {
        match (how, &who.execution, &who.step) {
            (Interrupt::Cancel, Some(execution), _) => {
                // An execution that has ended already has nothing left to cancel.
                let _ended = automation::stop(self, execution, true).is_err();
            }
            (Interrupt::Kill, Some(execution), Some(step)) => self.engines.kill(execution, step),
            _ => {}
        }
    }

    fn control(&self, ask: &Ask<'_>) -> Option<Result<Own, String>> {
        (ask.path == "scripts" && !ask.post).then(|| Ok(Own::Json(self.engines.scripts())))
    }

    fn start(self: Arc<Self>, lab: &Arc<Lab>) {
        automation::resume(&Host { lab: Arc::clone(lab), ssm: self });
    }

    fn reset(self: Arc<Self>) -> Done {
        self.engines.end_all();
        // Under the lock, so that nobody keeps again what was just forgotten.
        let forgotten = self.tables(|tables| {
            tables.parameters.clear()?;
            tables.documents.clear()?;
            tables.executions.clear()?;
            self.folder.remove()
        });
        Box::pin(std::future::ready(forgotten))
    }

    fn stop(self: Arc<Self>) -> Done {
        self.engines.end_all();
        Box::pin(std::future::ready(Ok(())))
    }
}

/// One operation; StartAutomationExecution takes longer.
fn operate(ssm: &Ssm, call: &Call) -> Result<Reply, ApiError> {
    let input = &call.request.input;
    let answer = match call.request.operation.as_str() {
        "PutParameter" => parameters::put(ssm, input),
        "GetParameter" => parameters::get(ssm, input),
        "GetParameters" => parameters::get_many(ssm, input),
        "GetParametersByPath" => parameters::by_path(ssm, input),
        "DescribeParameters" => parameters::describe(ssm, input),
        "DeleteParameter" => parameters::delete(ssm, input),
        "DeleteParameters" => parameters::delete_many(ssm, input),
        "AddTagsToResource" => tags::add(ssm, input),
        "RemoveTagsFromResource" => tags::remove(ssm, input),
        "ListTagsForResource" => tags::list(ssm, input),
        "CreateDocument" => documents::create(ssm, input),
        "UpdateDocument" => documents::update(ssm, input),
        "UpdateDocumentDefaultVersion" => documents::set_default(ssm, input),
        "GetDocument" => documents::get(ssm, input),
        "DescribeDocument" => documents::describe(ssm, input),
        "ListDocuments" => documents::list(ssm, input),
        "ListDocumentVersions" => documents::versions(ssm, input),
        "DeleteDocument" => documents::delete(ssm, input),
        "StopAutomationExecution" => executions::stop(ssm, input),
        "GetAutomationExecution" => executions::get(ssm, input),
        "DescribeAutomationExecutions" => executions::list(ssm, input),
        "DescribeAutomationStepExecutions" => executions::steps(ssm, input),
        _ => Err(call.unknown()),
    }?;
    Ok(Reply::from(answer))
}
