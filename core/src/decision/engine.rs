//! The engine: the plan in force, swapped atomically under running invocations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwapOption, Guard};

use super::Running;
use super::chance::NoChance;
use super::draw::draw;
use super::matches::{CLIENT_CONTEXT, Facts, INVOCATION};
use super::phase::Decision;
use crate::matching::Budget;
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

/// Which parts of an invocation deciding under a plan needs, beyond its identity; none for a plan without patterns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// The event.
    pub event: bool,
    /// The client context.
    pub client_context: bool,
    /// The ARN by which the function was invoked: without patterns on the context nothing looks at its alias.
    pub function_arn: bool,
    /// The deadline: without faults that sample by attempt nothing looks at it before something is drawn.
    pub deadline: bool,
    /// Which invocation of the execution environment it is.
    pub number: bool,
}

impl Reads {
    fn of(plan: &Plan) -> Self {
        let of_context = |name| plan.context_patterns.paths().iter().any(|path| path.split('.').next() == Some(name));
        Self {
            event: !plan.event_patterns.is_empty(),
            client_context: of_context(CLIENT_CONTEXT),
            function_arn: !plan.context_patterns.is_empty(),
            deadline: plan.faults.iter().any(|fault| fault.sample_by == SampleBy::Attempt),
            number: of_context(INVOCATION),
        }
    }
}

/// Decides for any number of concurrent invocations. An idle decision takes no lock. `B` is what an owner keeps beside a plan,
/// and what comes into force with it in one moment.
#[derive(Debug)]
pub struct Engine<B = ()> {
    /// The plan that it was made with, which most keep: it is looked at as it stands. One that can go at any time has to be held
    /// on to, which takes as long as all else of an idle decision but the hash.
    first: Option<InForce<B>>,
    /// Whether `later` counts.
    is_replaced: AtomicBool,
    later: ArcSwapOption<InForce<B>>,
}

#[derive(Debug)]
struct InForce<B> {
    running: Arc<Running>,
    reads: Reads,
    number: u64,
    beside: B,
}

impl<B> InForce<B> {
    /// `before` is what was in force until now.
    fn new(plan: &Arc<Plan>, before: Option<&Self>, beside: B) -> Self {
        let running = Running::new(Arc::clone(plan), before.map(|before| &*before.running));
        let number = before.map_or(0, |before| before.number) + 1;
        Self { running: Arc::new(running), reads: Reads::of(plan), number, beside }
    }
}

impl Engine {
    /// An engine with a plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self::with(&Arc::new(plan), ())
    }

    /// Puts a plan in force, as [`Engine::put`], or none.
    pub fn replace(&self, plan: Option<Plan>) {
        match plan {
            Some(plan) => self.put(&Arc::new(plan), &()),
            None => {
                self.later.store(None);
                self.is_replaced.store(true, Ordering::Release);
            }
        }
    }

    /// Draws the faults of one invocation; `None` if nothing is drawn, which is the hot path.
    #[must_use]
    pub fn decide(&self, invocation: &Invocation<'_>) -> Option<Decision> {
        let standing = self.standing();
        if standing.is_quiet(invocation.request_id) {
            return None;
        }
        standing.decide(&mut Budget::default(), invocation, false, false)
    }
}

impl<B> Engine<B> {
    /// An engine that decides "nothing" until it gets a plan.
    #[must_use]
    pub fn idle() -> Self {
        Self { first: None, is_replaced: AtomicBool::new(true), later: ArcSwapOption::empty() }
    }

    /// An engine with a plan and what is kept beside it.
    #[must_use]
    pub fn with(plan: &Arc<Plan>, beside: B) -> Self {
        let first = Some(InForce::new(plan, None, beside));
        Self { first, is_replaced: AtomicBool::new(false), later: ArcSwapOption::empty() }
    }

    /// Puts a plan in force. Invocations under way keep the plan they were decided by; what limits have counted carries over by
    /// the faults' ids from a plan of the same experiment.
    pub fn put(&self, plan: &Arc<Plan>, beside: &B)
    where
        B: Clone,
    {
        // Without a lock, which a fork could leave behind for ever; where two come at once, one comes after the other.
        self.later.rcu(|later| {
            let before = later.as_deref().or_else(|| self.unreplaced());
            Some(Arc::new(InForce::new(plan, before, beside.clone())))
        });
        self.is_replaced.store(true, Ordering::Release);
    }

    fn unreplaced(&self) -> Option<&InForce<B>> {
        self.first.as_ref().filter(|_| !self.is_replaced.load(Ordering::Acquire))
    }

    /// The plan in force.
    #[must_use]
    pub fn plan(&self) -> Option<Arc<Plan>> {
        self.standing().plan().map(Arc::clone)
    }

    /// The plan in force, which this holds on to: what it reads and what is decided by it are of one plan.
    #[must_use]
    #[inline]
    pub fn standing(&self) -> Standing<'_, B> {
        match self.unreplaced() {
            Some(first) => Standing(Held::First(first)),
            None => Standing(Held::Later(self.later.load())),
        }
    }
}

/// A plan in force, or none.
#[derive(Debug)]
pub struct Standing<'a, B = ()>(Held<'a, B>);

#[derive(Debug)]
enum Held<'a, B> {
    First(&'a InForce<B>),
    Later(Guard<Option<Arc<InForce<B>>>>),
}

impl<B> Standing<'_, B> {
    fn in_force(&self) -> Option<&InForce<B>> {
        match &self.0 {
            Held::First(first) => Some(first),
            Held::Later(later) => later.as_deref(),
        }
    }

    /// Counts the plans of an engine, from 1; 0 for none.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.in_force().map_or(0, |in_force| in_force.number)
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        self.in_force().map(|in_force| &in_force.running.plan)
    }

    /// What is kept beside it.
    #[must_use]
    pub fn beside(&self) -> Option<&B> {
        self.in_force().map(|in_force| &in_force.beside)
    }

    /// What deciding needs to be told.
    #[must_use]
    pub fn reads(&self) -> Reads {
        self.in_force().map(|in_force| in_force.reads).unwrap_or_default()
    }

    /// The faults that never had a chance to fire since the plan was put in force.
    #[must_use]
    pub fn no_chance(&self) -> Vec<NoChance> {
        self.in_force().map_or_else(Vec::new, |in_force| in_force.running.chance.missed(&in_force.running.plan))
    }

    /// Whether nothing is drawn for a request, whatever the time is and whatever patterns say: then [`Standing::decide`] need
    /// not be asked, unless there is to be a decision in any case. It is the hot path.
    #[must_use]
    pub fn is_quiet(&self, request_id: &str) -> bool {
        self.in_force().is_none_or(|in_force| in_force.running.is_quiet(request_id))
    }

    /// Whether [`Standing::is_quiet`] can be true of any request, and is worth asking.
    #[must_use]
    pub fn id_tells(&self) -> bool {
        self.in_force().is_none_or(|in_force| in_force.running.quiet.is_told())
    }

    /// As [`Engine::decide`]. Where the budget is spent, a fault that it was not enough for is not drawn. With
    /// `calls_alone`, only faults in calls are; with `even_empty`, there is a decision also where nothing is drawn.
    #[must_use]
    pub fn decide(
        &self,
        budget: &mut Budget,
        invocation: &Invocation<'_>,
        calls_alone: bool,
        even_empty: bool,
    ) -> Option<Decision> {
        let running = &self.in_force()?.running;
        let drawn = draw(running, invocation, budget, calls_alone);
        if drawn.is_empty() && !even_empty {
            return None;
        }
        Some(Decision::new(Arc::clone(running), invocation, drawn))
    }
}
