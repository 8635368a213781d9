//! What a stack's status says is to be done: each phase ends with the next status.

use std::collections::{BTreeMap, BTreeSet};

use super::{Halted, Run, Step};
use crate::cloud::clock;
use crate::cloud::services::cloudformation::plan::{Goal, Plan};
use crate::cloud::services::cloudformation::resources::Resource;
use crate::cloud::services::cloudformation::stacks::Stack;
use crate::cloud::services::cloudformation::template::references::order;
use crate::cloud::services::members::text;

use super::make::For;

/// Resources, and what each needs, in the order of their making.
type Order = Vec<(String, Vec<String>)>;

impl Run {
    pub(super) async fn phase(&self, stack: &Stack) -> Step<()> {
        match stack.status.as_str() {
            "CREATE_IN_PROGRESS" => self.create(stack).await,
            "ROLLBACK_IN_PROGRESS" | "DELETE_IN_PROGRESS" => self.delete_all(stack).await,
            "UPDATE_IN_PROGRESS" => self.update_all(stack).await,
            "UPDATE_ROLLBACK_IN_PROGRESS" => self.roll_back(stack).await,
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => self.clean_up(stack).await,
            _ => Err(Halted),
        }
    }

    /// The plan and the order of its resources. That it can be worked out was checked before it was begun.
    fn plan(&self, stack: &Stack, goal: &Goal) -> Step<(Plan, Order)> {
        let plan = Plan::of(goal, &stack.identity, &self.lab.site.place).map_err(|_| Halted)?;
        let order = plan.order().map_err(|_| Halted)?;
        Ok((plan, order))
    }

    async fn create(&self, stack: &Stack) -> Step<()> {
        let (plan, order) = self.plan(stack, &stack.goal)?;
        for (logical, needs) in &order {
            if self.row(logical).is_some_and(|row| row.status == "CREATE_COMPLETE") {
                continue;
            }
            if !self.make(stack, &plan, logical, needs, For::Creation).await? {
                let reason = format!("The following resource(s) failed to create: [{logical}]. ");
                return self.give_up_creation(stack, reason);
            }
        }
        match self.outputs(&plan) {
            Ok(outputs) => self.turn("CREATE_IN_PROGRESS", "CREATE_COMPLETE", None, |stack| stack.outputs = outputs),
            Err(problem) => self.give_up_creation(stack, problem),
        }
    }

    fn give_up_creation(&self, stack: &Stack, reason: String) -> Step<()> {
        let (next, reason) = match stack.on_failure.as_str() {
            "DO_NOTHING" => ("CREATE_FAILED", reason),
            "DELETE" => ("DELETE_IN_PROGRESS", format!("{reason}Delete requested by user.")),
            _ => ("ROLLBACK_IN_PROGRESS", format!("{reason}Rollback requested by user.")),
        };
        self.turn("CREATE_IN_PROGRESS", next, Some(reason), |_| {})
    }

    /// The outputs, or why there are none.
    fn outputs(&self, plan: &Plan) -> Result<Vec<serde_json::Value>, String> {
        let outputs = plan.outputs(&|name, attribute| self.known(name, attribute)).map_err(|error| error.message)?;
        let exported = |outputs: &[serde_json::Value]| {
            outputs.iter().filter_map(|output| text(output, "ExportName").map(str::to_owned)).collect::<Vec<_>>()
        };
        let own = exported(&outputs);
        let taken = self.service.tables(|tables| {
            let others = tables.stacks.values().filter(|other| other.identity.id != self.id && !other.gone());
            others
                .flat_map(|other| exported(&other.outputs).into_iter().map(|name| (name, other.identity.name.clone())))
                .find(|(name, _)| own.contains(name))
        });
        match taken {
            Some((name, whose)) => Err(format!("Export with name {name} is already exported by stack {whose}. ")),
            None => Ok(outputs),
        }
    }

    async fn update_all(&self, stack: &Stack) -> Step<()> {
        let (plan, order) = self.plan(stack, &stack.goal)?;
        for (logical, needs) in &order {
            if !self.bring(stack, &plan, logical, needs).await? {
                let status = self.row(logical).map(|row| row.status).unwrap_or_default();
                let word = if status == "CREATE_FAILED" { "create" } else { "update" };
                return self.give_up_update(stack, format!("The following resource(s) failed to {word}: [{logical}]. "));
            }
        }
        match self.outputs(&plan) {
            Ok(outputs) => {
                self.turn("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None, |stack| stack.outputs = outputs)
            }
            Err(problem) => self.give_up_update(stack, problem),
        }
    }

    fn give_up_update(&self, stack: &Stack, reason: String) -> Step<()> {
        let next = if stack.on_failure == "DO_NOTHING" { "UPDATE_FAILED" } else { "UPDATE_ROLLBACK_IN_PROGRESS" };
        self.turn("UPDATE_IN_PROGRESS", next, Some(reason), |_| {})
    }

    async fn roll_back(&self, stack: &Stack) -> Step<()> {
        let mut failed = Vec::new();
        // Each after those that it needs, as they were made.
        for logical in ordered(&self.rows()) {
            let Some(mut row) = self.row(&logical) else { continue };
            if !self.bring_back(stack, &mut row).await? {
                failed.push(logical);
            }
        }
        if !failed.is_empty() {
            let reason = format!("The following resource(s) failed to update: [{}]. ", failed.join(", "));
            return self.turn("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", Some(reason), |_| {});
        }
        self.turn("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None, |stack| {
            if let Some(before) = stack.before.take() {
                stack.goal = before;
            }
        })
    }

    /// Deletes what an update or its roll-back left: what was replaced, and what the template no longer has.
    async fn clean_up(&self, stack: &Stack) -> Step<()> {
        let (plan, _) = self.plan(stack, &stack.goal)?;
        let rolled_back = stack.status.contains("ROLLBACK");
        let mut failed = false;
        for logical in ordered(&self.rows()).into_iter().rev() {
            let Some(mut row) = self.row(&logical) else { continue };
            if let Some(before) = row.before.clone() {
                let replaced = row.live.as_ref().is_none_or(|live| live.physical != before.physical);
                if replaced {
                    let status = row.status.clone();
                    let retain = before.replacement == "Retain" && !rolled_back;
                    failed |= !self.delete(stack, &mut row, &before, retain).await?;
                    // What stands there now is what counts again.
                    self.change(&mut row, |row, _| row.status = status)?;
                }
                self.change(&mut row, |row, _| row.before = None)?;
            }
            if plan.resource(&logical).is_some() {
                continue;
            }
            match row.live.clone() {
                Some(live) => {
                    let retain = live.deletion == "Retain" || (live.deletion == "RetainExceptOnCreate" && !rolled_back);
                    failed |= !self.delete(stack, &mut row, &live, retain).await?;
                    self.change(&mut row, |row, _| {
                        "DELETE_COMPLETE".clone_into(&mut row.status);
                        row.live = None;
                    })?;
                }
                // What failed to be made has nothing to delete.
                None if row.status != "DELETE_COMPLETE" => self.mark(&mut row, "DELETE_COMPLETE", None)?,
                None => {}
            }
        }
        let next = stack.status.trim_end_matches("_CLEANUP_IN_PROGRESS").to_owned();
        let said = if rolled_back { "Rollback" } else { "Update" };
        let reason = failed.then(|| format!("{said} successful. One or more resources could not be deleted."));
        let outputs = rolled_back.then(|| self.outputs(&plan).unwrap_or_default());
        self.turn(&stack.status, &next, reason, |stack| {
            stack.before = None;
            stack.outputs = outputs.unwrap_or_else(|| std::mem::take(&mut stack.outputs));
        })
    }

    /// Deletes every resource, each before those that it needs.
    async fn delete_all(&self, stack: &Stack) -> Step<()> {
        let rolled_back = stack.status == "ROLLBACK_IN_PROGRESS";
        let mut failed: Vec<String> = Vec::new();
        // What something needs that is still there.
        let mut blocked: BTreeSet<String> = BTreeSet::new();
        for logical in ordered(&self.rows()).into_iter().rev() {
            let Some(mut row) = self.row(&logical) else { continue };
            self.settle(stack, &mut row).await?;
            let needs: Vec<String> = row.live.iter().flat_map(|live| live.needs.clone()).collect();
            if blocked.contains(&logical) {
                blocked.extend(needs);
                continue;
            }
            let mut done = true;
            // What an update left that went no further.
            if let Some(before) = row.before.clone().filter(|before| before.physical != row.physical()) {
                done &= self.delete(stack, &mut row, &before, false).await?;
            }
            match row.live.clone() {
                Some(live) if done => {
                    let retain = live.deletion == "Retain" || (live.deletion == "RetainExceptOnCreate" && !rolled_back);
                    let retain = retain || stack.retain.contains(&logical);
                    done = self.delete(stack, &mut row, &live, retain).await?;
                }
                None if row.status != "DELETE_COMPLETE" && done => self.mark(&mut row, "DELETE_COMPLETE", None)?,
                _ => {}
            }
            if done {
                self.change(&mut row, |row, _| {
                    row.live = None;
                    row.before = None;
                })?;
            } else {
                failed.push(logical);
                blocked.extend(needs);
            }
        }
        let reason =
            (!failed.is_empty()).then(|| format!("The following resource(s) failed to delete: [{}]. ", failed.join(", ")));
        let next = match (rolled_back, failed.is_empty()) {
            (true, true) => "ROLLBACK_COMPLETE",
            (true, false) => "ROLLBACK_FAILED",
            (false, true) => "DELETE_COMPLETE",
            (false, false) => "DELETE_FAILED",
        };
        self.turn(&stack.status, next, reason, |stack| {
            if next == "DELETE_COMPLETE" {
                stack.deleted = Some(clock::now_ms());
                stack.outputs = Vec::new();
            }
        })
    }
}

/// The logical ids, each after those that it needs now or needed before.
fn ordered(rows: &BTreeMap<String, Resource>) -> Vec<String> {
    let needs = |row: &Resource| {
        let live = row.live.iter().flat_map(|live| live.needs.clone());
        live.chain(row.before.iter().flat_map(|before| before.needs.clone())).collect::<Vec<_>>()
    };
    let all: BTreeMap<String, Vec<String>> = rows.iter().map(|(logical, row)| (logical.clone(), needs(row))).collect();
    // An update may turn a dependency round; then the one that is there now counts.
    order(&all)
        .or_else(|_| {
            let now = |row: &Resource| row.live.iter().flat_map(|live| live.needs.clone()).collect();
            order(&rows.iter().map(|(logical, row)| (logical.clone(), now(row))).collect())
        })
        .unwrap_or_else(|_| rows.keys().cloned().collect())
}
