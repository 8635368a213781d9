//! Work on a stack: a task that does what the stack's status says, and writes down each step before it goes on.
//!
//! - [`phases`]: creating, updating, rolling back, cleaning up, deleting.  [`make`]: one resource made.  [`change`]: one changed,
//!   changed back, deleted.
//!
//! A lab that was killed finds its stacks under way and goes through the same phase again: what is done already is left alone, and a
//! creation that was begun is looked for before it is tried again.

mod change;
mod make;
mod phases;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::CloudFormation;
use super::plan::Plan;
use super::resources::{self, Resource};
use super::stacks::Stack;
use super::types::act::Act;
use crate::cloud::call::ApiError;
use crate::cloud::lab::Lab;

/// Work that cannot go on, since what it did could not be kept, or somebody else works on the stack.
#[derive(Debug)]
pub struct Halted;

/// Something done to a stack.
type Step<T> = Result<T, Halted>;

/// Works on a stack until nothing is left to do.
pub async fn run(service: Arc<CloudFormation>, lab: Arc<Lab>, id: String) {
    let run = Run { service, lab, id };
    while let Some(stack) = run.stack().filter(Stack::under_way) {
        if run.phase(&stack).await.is_err() {
            tokio::time::sleep(Duration::from_millis(run.lab.site.settings().poll_ms)).await;
        }
    }
}

/// One stack that is worked on.
struct Run {
    service: Arc<CloudFormation>,
    lab: Arc<Lab>,
    id: String,
}

impl Run {
    fn stack(&self) -> Option<Stack> {
        self.service.tables(|tables| tables.stacks.get(&self.id).cloned())
    }

    /// The stack's next status, unless it has another one by now.
    fn turn(&self, from: &str, to: &str, reason: Option<String>, work: impl FnOnce(&mut Stack)) -> Step<()> {
        let turned = self.service.tables(|tables| {
            tables.stacks.change(&self.id, |stack| {
                if stack.status != from {
                    return Err(ApiError::conflict("somebody else works on it"));
                }
                work(stack);
                stack.turn(&self.service, to, reason);
                Ok(())
            })
        });
        turned.and_then(Result::ok).ok_or(Halted)
    }

    fn row(&self, logical: &str) -> Option<Resource> {
        self.service.tables(|tables| tables.resources.get(&resources::key(&self.id, logical)).cloned())
    }

    fn rows(&self) -> BTreeMap<String, Resource> {
        self.service.tables(|tables| resources::of(tables, &self.id).map(|row| (row.logical.clone(), row.clone())).collect())
    }

    /// Changes a resource's row, and keeps it.
    fn change(&self, row: &mut Resource, work: impl FnOnce(&mut Resource, &CloudFormation)) -> Step<()> {
        let mut changed = row.clone();
        work(&mut changed, &self.service);
        self.service.tables(|tables| tables.resources.put(changed.clone())).map_err(|_| Halted)?;
        *row = changed;
        Ok(())
    }

    /// A resource's next status.
    fn mark(&self, row: &mut Resource, status: &str, reason: Option<String>) -> Step<()> {
        self.change(row, |row, service| row.turn(service, status, reason))
    }

    /// What is known of the stack's resources now.
    fn known(&self, logical: &str, attribute: Option<&str>) -> Option<Value> {
        let live = self.row(logical)?.live?;
        match attribute {
            Some(attribute) => live.attributes.get(attribute).cloned(),
            None => Some(json!(live.physical)),
        }
    }

    /// A resource's properties as the plan has them now; `Err` inside: what CloudFormation says against them.
    fn properties(&self, plan: &Plan, logical: &str) -> Result<(Value, Value), String> {
        let declared = plan.resource(logical).ok_or_else(|| format!("{logical} is not part of the stack"))?;
        let known = |name: &str, attribute: Option<&str>| self.known(name, attribute);
        let properties = plan.properties(&declared, &known).map_err(|error| error.message)?;
        let metadata = plan.metadata(&declared, &known).map_err(|error| error.message)?;
        match super::types::find(declared.kind()).and_then(|kind| super::types::problem(kind, logical, &properties)) {
            Some(problem) => Err(problem),
            None => Ok((properties, metadata)),
        }
    }

    fn act(&self, stack: &Stack, name: &str, token: &str, properties: Value) -> Act {
        Act { lab: Arc::clone(&self.lab), who: stack.who.clone(), name: name.to_owned(), token: token.to_owned(), properties }
    }

    /// A pause between two tries of a call that nobody can say the effect of.
    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(self.lab.site.settings().poll_ms)).await;
    }
}

/// Whether the service behind a call had trouble, so that nobody knows what became of it.
fn unclear(error: &ApiError) -> bool {
    error.status >= 500
}
