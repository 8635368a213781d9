//! One resource made.

use serde_json::Value;

use super::{Halted, Run, Step, unclear};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::cloudformation::plan::Plan;
use crate::cloud::services::cloudformation::resources::{Live, Making, Resource};
use crate::cloud::services::cloudformation::stacks::Stack;
use crate::cloud::services::cloudformation::types::act::{Act, reason};
use crate::cloud::services::cloudformation::types::{self, Facts, Kind};
use crate::cloud::services::members::text;

/// How often a call is made whose effect is not clear.
const TRIES: usize = 4;

/// Whether a resource is made for the first time, or in place of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// The logical id is new.
    Creation,
    /// The resource before it stays until the clean-up.
    Replacement,
}

impl For {
    fn word(self) -> &'static str {
        if self == For::Creation { "CREATE" } else { "UPDATE" }
    }
}

/// `lambda` of `AWS::Lambda::Function`, as errors name it.
pub fn service_of(kind: &str) -> &str {
    kind.split("::").nth(1).unwrap_or(kind)
}

/// A name that nobody chose: stack, logical id and twelve letters.
fn generated(stack: &str, logical: &str, most: usize) -> String {
    let suffix: String = clock::id().replace('-', "").to_uppercase().chars().take(12).collect();
    let room = most.saturating_sub(suffix.len() + 2);
    let logical: String = logical.chars().take(room / 2).collect();
    let stack: String = stack.chars().take(room.saturating_sub(logical.len())).collect();
    format!("{stack}-{logical}-{suffix}")
}

impl Run {
    /// Makes a resource, or goes on with making it; `false`: that failed, and its row says why.
    pub(super) async fn make(&self, stack: &Stack, plan: &Plan, logical: &str, needs: &[String], why: For) -> Step<bool> {
        let declared = plan.resource(logical).ok_or(Halted)?;
        let mut row = self.row(logical).unwrap_or_else(|| Resource::new(&self.id, logical, declared.kind()));
        let Some(kind) = types::find(declared.kind()) else { return Err(Halted) };
        let word = why.word();
        let failed = format!("{word}_FAILED");
        let (properties, metadata) = match self.properties(plan, logical) {
            Ok(found) => found,
            Err(problem) => {
                // It says that it began, and why it went no further.
                if row.making.is_none() {
                    self.mark(&mut row, &format!("{word}_IN_PROGRESS"), None)?;
                }
                self.mark(&mut row, &failed, Some(problem))?;
                return Ok(false);
            }
        };
        if row.making.is_none() {
            let making = begun(kind.facts(), stack, logical, &properties);
            let said = (why == For::Replacement)
                .then(|| "Requested update requires the creation of a new physical resource; hence creating one.".to_owned());
            self.change(&mut row, |row, service| {
                declared.kind().clone_into(&mut row.kind);
                row.turn(service, &format!("{word}_IN_PROGRESS"), said);
                // A roll-back finds there what it was.
                row.before = row.live.take();
                row.making = Some(making);
            })?;
        }
        let making = row.making.clone().ok_or(Halted)?;
        let act = self.act(stack, &making.name, &making.token, properties.clone());
        if row.live.is_none() {
            match self.first(&mut row, kind, &act).await? {
                Ok(physical) => {
                    let live = Live {
                        physical,
                        properties,
                        metadata,
                        needs: needs.to_vec(),
                        deletion: declared.word("DeletionPolicy").unwrap_or_default().to_owned(),
                        replacement: declared.word("UpdateReplacePolicy").unwrap_or_default().to_owned(),
                        ..Live::default()
                    };
                    self.change(&mut row, |row, service| {
                        row.live = Some(live);
                        row.turn(service, &format!("{word}_IN_PROGRESS"), Some("Resource creation Initiated".to_owned()));
                    })?;
                }
                Err(problem) => {
                    self.change(&mut row, |row, service| {
                        row.making = None;
                        row.turn(service, &failed, Some(problem));
                    })?;
                    return Ok(false);
                }
            }
        }
        let physical = row.physical().to_owned();
        match self.rest(kind, &act, &physical).await {
            Ok(attributes) => {
                self.change(&mut row, |row, service| {
                    row.making = None;
                    if let Some(live) = &mut row.live {
                        live.attributes = attributes;
                    }
                    row.turn(service, &format!("{word}_COMPLETE"), None);
                })?;
                Ok(true)
            }
            Err(error) => {
                let problem = reason(service_of(&row.kind), &error, &making.token);
                self.change(&mut row, |row, service| {
                    row.making = None;
                    row.turn(service, &failed, Some(problem));
                })?;
                Ok(false)
            }
        }
    }

    /// The first call, which makes it: the physical id, or the problem. Nothing is there in the second case.
    async fn first(&self, row: &mut Resource, kind: &dyn Kind, act: &Act) -> Step<Result<String, String>> {
        let said = |error: &ApiError| reason(service_of(kind.facts().name), error, &act.token);
        let mut last = None;
        for _ in 0..TRIES {
            let standing = match kind.standing(act).await {
                Ok(standing) => standing,
                Err(error) if unclear(&error) => {
                    last = Some(said(&error));
                    self.pause().await;
                    continue;
                }
                Err(error) => return Ok(Err(said(&error))),
            };
            match row.making.as_ref().filter(|making| making.tried).map(|making| making.stood.clone()) {
                // The try before had an effect, whatever its answer was.
                Some(stood) if stood != standing => return Ok(Ok(text_of(&standing))),
                Some(_) => {}
                None if kind.facts().named.is_some() && !standing.is_null() => {
                    return Ok(Err(format!("{} already exists in stack or outside of it", act.name)));
                }
                None => self.change(row, |row, _| {
                    if let Some(making) = &mut row.making {
                        making.tried = true;
                        making.stood = standing;
                    }
                })?,
            }
            match kind.create(act).await {
                Ok(physical) => return Ok(Ok(physical)),
                Err(error) if unclear(&error) => {
                    last = Some(said(&error));
                    self.pause().await;
                }
                Err(error) => return Ok(Err(said(&error))),
            }
        }
        // The last try may have had an effect all the same.
        match (kind.standing(act).await, row.making.as_ref().filter(|making| making.tried).map(|making| &making.stood)) {
            (Ok(standing), Some(stood)) if standing != *stood => Ok(Ok(text_of(&standing))),
            _ => Ok(Err(last.unwrap_or_default())),
        }
    }

    /// What is left once it is there, and its attributes.
    async fn rest(&self, kind: &dyn Kind, act: &Act, physical: &str) -> Result<serde_json::Map<String, Value>, ApiError> {
        let mut tries = 0;
        loop {
            let done = match kind.complete(act, physical).await {
                Ok(()) => kind.attributes(act, physical).await,
                Err(error) => Err(error),
            };
            tries += 1;
            match done {
                Err(error) if unclear(&error) && tries < TRIES => self.pause().await,
                done => return done,
            }
        }
    }

    /// What became of a creation that was cut off: what it made is there for the deletion.
    pub(super) async fn settle(&self, stack: &Stack, row: &mut Resource) -> Step<()> {
        let (Some(making), None) = (row.making.clone(), &row.live) else {
            return if row.making.is_some() { self.change(row, |row, _| row.making = None) } else { Ok(()) };
        };
        let mut found = None;
        if let Some(kind) = types::find(&row.kind).filter(|_| making.tried) {
            let act = self.act(stack, &making.name, &making.token, making.properties.clone());
            let made = if kind.repeatable() {
                kind.create(&act).await.map(Some)
            } else {
                kind.standing(&act).await.map(|standing| (standing != making.stood).then(|| text_of(&standing)))
            };
            match made {
                Ok(physical) => {
                    found = physical.map(|physical| Live { physical, properties: making.properties, ..Live::default() });
                }
                Err(error) if unclear(&error) => return Err(Halted),
                Err(_) => {}
            }
        }
        self.change(row, |row, _| {
            row.making = None;
            row.live = found;
        })
    }
}

fn text_of(standing: &Value) -> String {
    standing.as_str().unwrap_or_default().to_owned()
}

/// The name and the token of something that is to be made.
fn begun(facts: &Facts, stack: &Stack, logical: &str, properties: &Value) -> Making {
    let chosen = facts.named.and_then(|(property, _)| text(properties, property));
    let most = facts.named.map_or(64, |(_, most)| most);
    let name = chosen.map_or_else(|| generated(&stack.identity.name, logical, most), str::to_owned);
    Making { name, token: clock::id(), properties: properties.clone(), tried: false, stood: Value::Null }
}
