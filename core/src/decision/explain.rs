//! What the engine would decide for an invocation, and why: for people, before anything runs.

use std::sync::Arc;

use serde::Serialize;

use super::Running;
use super::draw::{Drawns, Hashes, hit};
use super::engine::Invocation;
use super::matches::held;
use super::phase::Decision;
use super::reason::Reason;
use super::resources::Unbounded;
use crate::matching::Budget;
use crate::plan::Plan;
use crate::record::Action;

/// One fault's fate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The fault's id.
    pub fault: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its sample, where one was needed.
    pub sample: Option<f64>,
    /// The rate that holds at that time.
    pub rate: f64,
    /// Window, match, sample and limit all say yes.
    pub drawn: bool,
    /// What happens if it is drawn.
    pub action: Option<Action>,
    /// Why not.
    pub reason: Option<Reason>,
}

/// Explains each fault of the plan, in its order, for a fresh execution environment, a handler that returns
/// a text, and all resources that are asked for.
#[must_use]
pub fn explain(plan: &Arc<Plan>, invocation: &Invocation<'_>) -> Vec<Explained> {
    let running = Arc::new(Running::new(Arc::clone(plan), None));
    let hashes = Hashes::new(&running, invocation);
    let held = held(plan, invocation, 0..plan.faults.len(), &mut Budget::default());
    let mut explained = Vec::with_capacity(plan.faults.len());
    let mut all_drawn = Drawns::new();
    for ((index, fault), held) in plan.faults.iter().enumerate().zip(held) {
        let mut fate = Explained {
            fault: fault.id.clone(),
            kind: fault.kind.spec().name,
            sample: None,
            rate: 0.0,
            drawn: false,
            action: None,
            reason: None,
        };
        // A match comes before the sample in the order that people are told.
        let unmatched = match held {
            Some(true) => None,
            Some(false) => Some(Reason::NotMatched),
            None => Some(Reason::MatchBudgetSpent),
        };
        match hit(plan, fault, index, &hashes) {
            Ok(drawn) => {
                (fate.sample, fate.rate, fate.reason) = (Some(drawn.sample), drawn.rate, unmatched);
                if unmatched.is_none() {
                    fate.drawn = if plan.dry_run { running.limits.has_room(index) } else { running.limits.take(index) };
                    if fate.drawn { all_drawn.push(drawn) } else { fate.reason = Some(Reason::LimitReached) }
                }
            }
            Err(refused) => {
                let reason = unmatched.filter(|_| refused.reason == Reason::NotSampled).unwrap_or(refused.reason);
                (fate.sample, fate.rate, fate.reason) = (refused.sample, refused.rate, Some(reason));
            }
        }
        explained.push(fate);
    }
    let mut decision = Decision::new(Arc::clone(&running), invocation, all_drawn);
    let mut records = decision.before(&mut Unbounded).records;
    // Nobody knows the handler's calls: what waits for them would hit them.
    let waiting = decision.waiting().faults();
    records.extend(decision.returned(Some("any text"), invocation.now).records);
    for record in records {
        if let Some(fate) = explained.iter_mut().find(|fate| fate.fault == record.fault) {
            (fate.action, fate.reason) = (Some(record.action), record.reason);
        }
    }
    let action = if plan.dry_run { Action::DryRun } else { Action::Injected };
    for fault in waiting {
        if let Some(fate) = explained.get_mut(fault) {
            (fate.action, fate.reason) = (Some(action), None);
        }
    }
    explained
}
