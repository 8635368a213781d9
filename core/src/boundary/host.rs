//! What [`super::Layer::ask`] and [`super::Library::ask`] ask: the engine with what it counts and knows of the function.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use super::call::{Call, Reads};
use super::guard::guard;
use super::network::Connections;
use super::session::{Reach, Session};
use super::side::{Failed, Shared};
use crate::decision::{Context, Engine, Facts, Invocation, NoChance, alias};
use crate::matching::{Budget, Patterns};
use crate::plan::Plan;
use crate::record::OwnReason;
use crate::rim::clock;
use crate::timestamp::Timestamp;

/// Met only inside a question, so that nothing of it runs unguarded.
#[derive(Debug)]
pub struct Host {
    engine: Engine,
    shared: Arc<Shared>,
    /// Of the plan in force, where it is about connections.
    connections: ArcSwapOption<Connections>,
    /// Whether it is: most plans are not, and this is an order cheaper to ask for at each invocation.
    watches_connections: AtomicBool,
    /// Invocations so far in this execution environment.
    invocations: AtomicU64,
}

impl Host {
    pub(super) fn new(plan: Plan, shared: Shared) -> Self {
        let host = Self {
            engine: Engine::new(plan),
            shared: Arc::new(shared),
            connections: ArcSwapOption::empty(),
            watches_connections: AtomicBool::new(false),
            invocations: AtomicU64::new(0),
        };
        host.watch();
        host
    }

    /// Looks at the connections that the plan in force is about.
    fn watch(&self) {
        let plan = self.engine.plan();
        let connections = guard(|| Connections::of(&plan?, &self.shared)).flatten();
        let watches = connections.is_some();
        self.connections.store(connections.map(Arc::new));
        self.watches_connections.store(watches, Ordering::Release);
    }

    pub(super) fn replace(&self, plan: Plan) {
        self.engine.replace(Some(plan));
        self.watch();
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn guarded<T: Default>(&self, question: impl FnOnce(&Self) -> T) -> Result<T, Failed> {
        self.shared.run(|| question(self))
    }

    /// What [`Host::decide`] needs to be told.
    #[must_use]
    pub fn reads(&self) -> Reads {
        let (event, client_context, function_arn, deadline) = self.engine.reads();
        Reads { event, client_context, function_arn, deadline }
    }

    /// What the plan in force asks of events.
    #[must_use]
    pub fn event_patterns(&self) -> Option<Arc<Patterns>> {
        self.engine.event_patterns()
    }

    /// The faults of the plan in force that never had a chance to fire: nothing was decided while its window was open. For
    /// a library's scopes, which fail then; [`NoChance`] says why.
    #[must_use]
    pub fn no_chance(&self) -> Vec<NoChance> {
        self.engine.no_chance()
    }

    /// Whether the plan in force has faults that hit the handler's calls to AWS: without any, a shim need not look at them.
    #[must_use]
    pub fn hits_aws_calls(&self) -> bool {
        self.engine.plan().is_some_and(|plan| plan.faults.iter().any(|fault| fault.kind.aws_call().is_some()))
    }

    /// Whether it has faults that hit connections, and this platform lets them.
    #[must_use]
    pub fn hits_connections(&self) -> bool {
        self.watches_connections.load(Ordering::Acquire)
    }

    /// The time as [`Call::now_us`] tells it.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        clock::now().0
    }

    /// Decides for one invocation, and counts it. `None` if nothing is drawn: call the handler as if nothing were here.
    #[must_use]
    pub fn decide(&self, call: &Call<'_>) -> Option<Session> {
        self.decided(call, false)
    }

    /// As [`Host::decide`], for code that makes calls but has no steps around it, as a library's scope has: only faults in
    /// calls are drawn.
    #[must_use]
    pub fn decide_calls(&self, call: &Call<'_>) -> Option<Session> {
        self.decided(call, true)
    }

    /// A call to AWS was made where the plan is not in force, as by a thread that a library's scope does not know: one record
    /// says that such calls are not hit.
    pub fn called_elsewhere(&self) {
        let message = "a call to AWS was made by a thread that the plan is not in force for, such calls are not hit";
        self.shared.tell(OwnReason::UnattributedCall, message);
    }

    fn decided(&self, call: &Call<'_>, calls_alone: bool) -> Option<Session> {
        let before = self.invocations.fetch_add(1, Ordering::Relaxed);
        let mut budget = Budget::default();
        let connections = if self.hits_connections() { self.connections.load_full() } else { None };
        let overlap = connections.as_ref().is_some_and(|connections| connections.may_overlap());
        let decision = self.engine.decide_within(
            &mut budget,
            &Invocation {
                request_id: call.request_id,
                deadline: call.deadline_ms.map(Timestamp::from_millis),
                now: call.now_us.map_or_else(clock::now, Timestamp),
                cold_start: before == 0,
                streaming: call.streaming,
                facts: Facts { event: call.event, context: self.context(call, before + 1) },
            },
            calls_alone,
            overlap,
        );
        if budget.is_spent() {
            self.shared.tell_budget();
        }
        // Before anything is counted up that all threads share: mostly nothing is drawn.
        let decision = decision?;
        let reach = connections.map(|connections| Reach { connections, background: calls_alone });
        Some(Session::begin(Arc::clone(&self.shared), decision, reach))
    }

    fn context<'a>(&'a self, call: &Call<'a>, invocation: u64) -> Context<'a> {
        let identity = &self.shared.identity;
        Context {
            function_name: identity.function_name.as_deref(),
            function_version: identity.function_version.as_deref(),
            alias: call.function_arn.and_then(alias),
            memory_mb: identity.memory_mb,
            runtime: identity.runtime.as_deref(),
            invocation,
            client_context: call.client_context,
        }
    }
}
