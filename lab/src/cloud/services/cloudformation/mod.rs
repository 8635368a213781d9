//! CloudFormation: stacks whose resources are made, changed and deleted by calls of the other services, in the caller's name.
//!
//! - [`template`]: reading and checking templates, the values of their functions.  [`types`]: the resource types.
//! - [`plan`]: what a request wants a stack to be.  [`requests`]: from a request to that.  [`summary`]: of templates alone.
//! - [`stacks`], [`resources`], [`changes`]: what is kept, and the operations on it.  [`preview`]: what a change set shows.
//! - [`start`]: creating, updating and deleting.  [`run`]: the work itself, a task that goes on after a kill.

mod changes;
mod plan;
mod preview;
mod requests;
mod resources;
mod run;
mod stacks;
mod start;
mod summary;
mod template;
mod types;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::task::JoinHandle;

use super::{Answer, Done, Service, Tagged};
use crate::cloud::call::access::Need;
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::call::{ApiError, Call, Reply, Request};
use crate::cloud::clock;
use crate::cloud::lab::{Home, Lab, Site};
use crate::cloud::services::members::text;
use crate::cloud::state::{Folder, Table};
use changes::ChangeSet;
use resources::Resource;
use stacks::Stack;

/// The service.
#[derive(Debug)]
struct CloudFormation {
    site: Arc<Site>,
    folder: Folder,
    tables: Mutex<Tables>,
    /// The tasks of stacks that are, or were, worked on.
    running: Mutex<HashMap<String, JoinHandle<()>>>,
    /// The number of the next event; later ones have larger numbers, also after a restart.
    events: AtomicU64,
}

/// What is kept.
#[derive(Debug)]
struct Tables {
    stacks: Table<Stack>,
    resources: Table<Resource>,
    changes: Table<ChangeSet>,
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let Home { site, folder } = home;
    let tables = Tables { stacks: Table::open(&folder)?, resources: Table::open(&folder)?, changes: Table::open(&folder)? };
    let first = u64::try_from(clock::now_ms()).unwrap_or_default() * 1000;
    Ok(Arc::new(CloudFormation {
        site,
        folder,
        tables: Mutex::new(tables),
        running: Mutex::default(),
        events: AtomicU64::new(first),
    }))
}

impl CloudFormation {
    /// Works on what is kept. Never hold it over an `await`.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tasks<T>(&self, work: impl FnOnce(&mut HashMap<String, JoinHandle<()>>) -> T) -> T {
        work(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes to work on a stack, as its status says; whoever still works on it stops where it is.
    fn launch(self: &Arc<Self>, lab: &Arc<Lab>, id: &str) {
        let (service, lab, name) = (Arc::clone(self), Arc::clone(lab), id.to_owned());
        self.tasks(|tasks| {
            let before = tasks.remove(id);
            let task = tokio::spawn(async move {
                if let Some(before) = before {
                    before.abort();
                    let _ended = before.await.is_ok();
                }
                run::run(service, lab, name).await;
            });
            tasks.insert(id.to_owned(), task);
        });
    }

    fn end_all(&self) {
        self.tasks(|tasks| tasks.drain().for_each(|(_, task)| task.abort()));
    }
}

/// One operation.
async fn operate(service: Arc<CloudFormation>, call: Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    match call.request.operation.as_str() {
        "CreateStack" => start::create(&service, &call).await,
        "UpdateStack" => start::update(&service, &call).await,
        "DeleteStack" => start::delete(&service, &call).await,
        "CreateChangeSet" => changes::create(&service, &call).await,
        "ExecuteChangeSet" => changes::execute(&service, &call).await,
        "DescribeChangeSet" => changes::describe(&service, input),
        "DeleteChangeSet" => changes::delete(&service, input),
        "ListChangeSets" => changes::list(&service, input),
        "DescribeStacks" => stacks::describe(&service, input),
        "ListStacks" => stacks::list(&service, input),
        "DescribeStackEvents" => stacks::events(&service, input),
        "GetTemplate" => stacks::template(&service, input),
        "DescribeStackResource" => resources::describe(&service, input),
        "DescribeStackResources" => resources::describe_all(&service, input),
        "ListStackResources" => resources::list(&service, input),
        "GetTemplateSummary" => summary::summary(&service, &call).await,
        "ValidateTemplate" => summary::validate(&call).await,
        _ => Err(call.unknown()),
    }
}

impl Service for CloudFormation {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        Box::pin(async move { operate(self, call).await.map(Reply::from) })
    }

    fn resources(&self, request: &Request) -> Vec<String> {
        match text(&request.input, "StackName") {
            Some(arn) if arn.starts_with("arn:") => vec![arn.to_owned()],
            Some(name) => {
                let known = self.tables(|tables| stacks::find(tables, name).map(|stack| stack.identity.id.clone()));
                vec![known.unwrap_or_else(|| self.site.place.arn("cloudformation", &format!("stack/{name}/*")))]
            }
            None => vec!["*".to_owned()],
        }
    }

    /// Beside the operation the right to hand over the role that CloudFormation is to act with.
    fn needs(&self, request: &Request) -> Vec<Need> {
        let own = Need::new(&self.action(request), self.resources(request));
        let role = text(&request.input, "RoleARN").map(|role| Need::pass_role(role, "cloudformation.amazonaws.com"));
        std::iter::once(own).chain(role).collect()
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        match operation {
            "DescribeStacks" | "DescribeStackEvents" => rate("descriptions", 20.0),
            _ => rate("others", 10.0),
        }
    }

    fn largest(&self, _operation: &str) -> usize {
        // A template in the request, each letter of it written with three, and what lies beside it.
        1 << 20
    }

    fn throttled(&self) -> ApiError {
        ApiError::bad("Throttling", "Rate exceeded")
    }

    fn trouble(&self) -> ApiError {
        ApiError::new("InternalFailure", 500, "An error occurred on the server side.")
    }

    fn denied(&self, message: String) -> ApiError {
        ApiError::new("AccessDenied", 403, message)
    }

    fn tagged(&self) -> Vec<Tagged> {
        let tagged = |stack: &Stack| Tagged {
            arn: stack.identity.id.clone(),
            kind: "cloudformation:stack",
            tags: stack.goal.tags.clone(),
        };
        self.tables(|tables| tables.stacks.values().filter(|stack| !stack.gone()).map(tagged).collect())
    }

    fn start(self: Arc<Self>, lab: &Arc<Lab>) {
        let open: Vec<String> = self.tables(|tables| {
            tables.stacks.values().filter(|stack| stack.under_way()).map(|stack| stack.identity.id.clone()).collect()
        });
        open.iter().for_each(|id| self.launch(lab, id));
    }

    fn reset(self: Arc<Self>) -> Done {
        self.end_all();
        let forgotten = self.tables(|tables| {
            tables.stacks.clear()?;
            tables.resources.clear()?;
            tables.changes.clear()?;
            self.folder.remove()
        });
        Box::pin(std::future::ready(forgotten))
    }

    fn stop(self: Arc<Self>) -> Done {
        self.end_all();
        Box::pin(std::future::ready(Ok(())))
    }
}
