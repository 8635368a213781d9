//! The engine: the plan in force, swapped atomically under running invocations.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::Running;
use super::chance::NoChance;
use super::draw::draw;
use super::matches::Facts;
use super::phase::Decision;
use crate::matching::{Budget, Patterns};
use crate::plan::{Plan, SampleBy};
use crate::timestamp::Timestamp;

/// What the engine is told of one invocation.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// Lambda's request id.
    pub request_id: &'a str,
    /// The time at which Lambda ends the invocation; `None` outside Lambda.
    pub deadline: Option<Timestamp>,
    /// The time of the decision.
    pub now: Timestamp,
    /// This is the execution environment's first invocation.
    pub cold_start: bool,
    /// The handler streams its response.
    pub streaming: bool,
    /// What patterns can ask for.
    pub facts: Facts<'a>,
}

/// Decides for any number of concurrent invocations. An idle decision takes no lock.
#[derive(Debug, Default)]
pub struct Engine {
    running: ArcSwapOption<Running>,
}

impl Engine {
    /// An engine that decides "nothing" until it gets a plan.
    #[must_use]
    pub fn idle() -> Self {
        Self::default()
    }

    /// An engine with a plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let engine = Self::idle();
        engine.replace(Some(plan));
        engine
    }

    /// Puts a plan in force, or none. Invocations under way keep the plan they were decided by; limits start anew.
    pub fn replace(&self, plan: Option<Plan>) {
        self.running.store(plan.map(|plan| Arc::new(Running::new(Arc::new(plan)))));
    }

    /// The plan in force.
    #[must_use]
    pub fn plan(&self) -> Option<Arc<Plan>> {
        self.running.load().as_ref().map(|running| Arc::clone(&running.plan))
    }

    /// Whether deciding under the plan in force needs the event, the client context, any other part of the context, and
    /// the deadline.
    #[must_use]
    pub fn reads(&self) -> (bool, bool, bool, bool) {
        self.running.load().as_ref().map_or_else(Default::default, |running| {
            let plan = &running.plan;
            let by_attempt = plan.faults.iter().any(|fault| fault.sample_by == SampleBy::Attempt);
            (!plan.event_patterns.is_empty(), plan.reads_client_context, !plan.context_patterns.is_empty(), by_attempt)
        })
    }

    /// What the plan in force asks of events.
    #[must_use]
    pub fn event_patterns(&self) -> Option<Arc<Patterns>> {
        self.running.load().as_ref().map(|running| Arc::clone(&running.plan.event_patterns))
    }

    /// The faults of the plan in force that never had a chance to fire since it was put in force.
    #[must_use]
    pub fn no_chance(&self) -> Vec<NoChance> {
        self.running.load().as_ref().map_or_else(Vec::new, |running| running.chance.missed(&running.plan))
    }

    /// Draws the faults of one invocation; `None` if nothing is drawn, which is the hot path.
    #[must_use]
    pub fn decide(&self, invocation: &Invocation<'_>) -> Option<Decision> {
        self.decide_within(&mut Budget::default(), invocation, false, false)
    }

    /// As [`Engine::decide`]. Where the budget is spent, a fault that it was not enough for is not drawn. With
    /// `calls_alone`, only faults in calls are; with `even_empty`, there is a decision also where nothing is drawn.
    #[must_use]
    pub fn decide_within(
        &self,
        budget: &mut Budget,
        invocation: &Invocation<'_>,
        calls_alone: bool,
        even_empty: bool,
    ) -> Option<Decision> {
        let running = self.running.load();
        let running = running.as_ref()?;
        let drawn = draw(running, invocation, budget, calls_alone);
        if drawn.is_empty() && !even_empty {
            return None;
        }
        Some(Decision::new(Arc::clone(running), invocation, drawn))
    }
}
