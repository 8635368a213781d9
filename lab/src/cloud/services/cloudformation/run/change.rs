//! One resource changed, changed back, or deleted.

use serde_json::Value;

use super::make::{For, service_of};
use super::{Halted, Run, Step, unclear};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::cloudformation::plan::Plan;
use crate::cloud::services::cloudformation::resources::{Live, Resource};
use crate::cloud::services::cloudformation::stacks::Stack;
use crate::cloud::services::cloudformation::types::act::reason;
use crate::cloud::services::cloudformation::types::{self, Kind};
use crate::cloud::services::members::text;

/// How often a call is made whose effect is not clear.
const TRIES: usize = 4;

impl Run {
    /// Makes a resource what the plan says; `false`: that failed.
    pub(super) async fn bring(&self, stack: &Stack, plan: &Plan, logical: &str, needs: &[String]) -> Step<bool> {
        let Some(mut row) = self.row(logical) else {
            return self.make(stack, plan, logical, needs, For::Creation).await;
        };
        if row.making.is_some() {
            let why = if row.before.is_some() { For::Replacement } else { For::Creation };
            return self.make(stack, plan, logical, needs, why).await;
        }
        let Some(live) = row.live.clone() else {
            return self.make(stack, plan, logical, needs, For::Creation).await;
        };
        let (Some(declared), Some(kind)) = (plan.resource(logical), types::find(&row.kind)) else { return Err(Halted) };
        let (properties, metadata) = match self.properties(plan, logical) {
            Ok(found) => found,
            Err(problem) => {
                self.change(&mut row, |row, service| {
                    row.turn(service, "UPDATE_IN_PROGRESS", None);
                    row.turn(service, "UPDATE_FAILED", Some(problem));
                })?;
                return Ok(false);
            }
        };
        let kept = Live {
            metadata,
            needs: needs.to_vec(),
            deletion: declared.word("DeletionPolicy").unwrap_or_default().to_owned(),
            replacement: declared.word("UpdateReplacePolicy").unwrap_or_default().to_owned(),
            ..live.clone()
        };
        let changed = types::changed(&live.properties, &properties);
        if changed.is_empty() {
            let shown = kept.metadata != live.metadata;
            return self
                .change(&mut row, |row, service| {
                    row.before.get_or_insert(live);
                    row.live = Some(kept);
                    if shown {
                        row.turn(service, "UPDATE_IN_PROGRESS", None);
                        row.turn(service, "UPDATE_COMPLETE", None);
                    }
                })
                .map(|()| true);
        }
        if kind.replaces(&live.properties, &properties, &changed) {
            let name = |properties: &Value| kind.facts().named.and_then(|(name, _)| text(properties, name).map(str::to_owned));
            if let Some(chosen) = name(&properties).filter(|chosen| name(&live.properties).as_ref() == Some(chosen)) {
                let problem = format!(
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {chosen} and update the \
                     stack again."
                );
                self.change(&mut row, |row, service| {
                    row.turn(service, "UPDATE_IN_PROGRESS", None);
                    row.turn(service, "UPDATE_FAILED", Some(problem));
                })?;
                return Ok(false);
            }
            return self.make(stack, plan, logical, needs, For::Replacement).await;
        }
        self.change(&mut row, |row, service| {
            row.before.get_or_insert(live.clone());
            row.live = Some(Live { properties: live.properties.clone(), ..kept });
            // One that was cut off has said so already.
            if row.wanted.replace(properties.clone()).is_none() {
                row.turn(service, "UPDATE_IN_PROGRESS", None);
            }
        })?;
        self.update(stack, &mut row, kind, &live.properties, properties).await
    }

    /// Updates a resource in place.
    async fn update(&self, stack: &Stack, row: &mut Resource, kind: &dyn Kind, old: &Value, new: Value) -> Step<bool> {
        let physical = row.physical().to_owned();
        let act = self.act(stack, &physical, &clock::id(), new.clone());
        let mut tries = 0;
        let done = loop {
            let done = match kind.update(&act, &physical, old).await {
                Ok(()) => kind.attributes(&act, &physical).await,
                Err(error) => Err(error),
            };
            tries += 1;
            match done {
                Err(error) if unclear(&error) && tries < TRIES => self.pause().await,
                done => break done,
            }
        };
        match done {
            Ok(attributes) => {
                self.change(row, |row, service| {
                    row.wanted = None;
                    if let Some(live) = &mut row.live {
                        live.properties = new;
                        live.attributes = attributes;
                    }
                    row.turn(service, "UPDATE_COMPLETE", None);
                })?;
                Ok(true)
            }
            Err(error) => {
                let problem = reason(service_of(&row.kind), &error, &act.token);
                self.mark(row, "UPDATE_FAILED", Some(problem))?;
                Ok(false)
            }
        }
    }

    /// Makes a resource what it was before the update; `false`: that failed.
    pub(super) async fn bring_back(&self, stack: &Stack, row: &mut Resource) -> Step<bool> {
        self.settle(stack, row).await?;
        let Some(before) = row.before.clone() else { return Ok(true) };
        let Some(kind) = types::find(&row.kind) else { return Err(Halted) };
        let Some(live) = row.live.clone() else {
            // The one that should have taken its place was never made.
            self.change(row, |row, service| {
                row.live = row.before.take();
                row.turn(service, "UPDATE_COMPLETE", None);
            })?;
            return Ok(true);
        };
        if live.physical != before.physical {
            self.change(row, |row, service| {
                row.live = Some(before);
                row.before = Some(live);
                row.turn(service, "UPDATE_COMPLETE", None);
            })?;
            return Ok(true);
        }
        // What an update left that failed or was cut off may be anything between the two.
        let from = row.wanted.clone().unwrap_or_else(|| live.properties.clone());
        if from == before.properties {
            return self.change(row, |row, _| row.live = row.before.take()).map(|()| true);
        }
        let wanted = before.properties.clone();
        self.mark(row, "UPDATE_IN_PROGRESS", None)?;
        let done = self.update(stack, row, kind, &from, wanted).await?;
        if done {
            self.change(row, |row, _| row.live = row.before.take())?;
        }
        Ok(done)
    }

    /// Deletes what stands under a logical id, or what stood there; `false`: that failed.
    pub(super) async fn delete(&self, stack: &Stack, row: &mut Resource, gone: &Live, retain: bool) -> Step<bool> {
        let physical = gone.physical.as_str();
        if retain {
            self.change(row, |row, service| row.turn_as(service, "DELETE_SKIPPED", None, physical))?;
            return Ok(true);
        }
        self.change(row, |row, service| row.turn_as(service, "DELETE_IN_PROGRESS", None, physical))?;
        let Some(kind) = types::find(&row.kind) else { return Err(Halted) };
        let act = self.act(stack, physical, &clock::id(), gone.properties.clone());
        let mut tries = 0;
        let done: Result<(), ApiError> = loop {
            tries += 1;
            match kind.delete(&act, physical).await {
                Err(error) if unclear(&error) && tries < TRIES => self.pause().await,
                done => break done,
            }
        };
        let problem = done.as_ref().err().map(|error| reason(service_of(&row.kind), error, &act.token));
        let status = if problem.is_none() { "DELETE_COMPLETE" } else { "DELETE_FAILED" };
        self.change(row, |row, service| row.turn_as(service, status, problem, physical))?;
        Ok(done.is_ok())
    }
}
