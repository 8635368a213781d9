//! What [`super::Layer::ask`] and [`super::Library::ask`] ask: the engine with what it counts and knows of the function.

use std::sync::Arc;

use super::call::{Call, Reads};
use super::guard::guard;
use super::invocations::Invocations;
use super::live::Live;
use super::network::Connections;
use super::session::{Reach, Session};
use super::side::{Failed, Shared};
use crate::decision::{Context, Engine, Facts, Invocation, NoChance, Standing, alias};
use crate::matching::{Budget, Patterns};
use crate::plan::Plan;
use crate::record::OwnReason;
use crate::rim::clock;
use crate::timestamp::Timestamp;

/// Plans, each with the connections that it is about.
pub(super) type Plans = Engine<Option<Arc<Connections>>>;

/// Puts a plan in force, and looks at the connections that it is about, in one moment.
pub(super) fn put(plans: &Plans, plan: Plan, shared: &Arc<Shared>) {
    let plan = Arc::new(plan);
    plans.put(&plan, &connections(&plan, shared));
}

fn connections(plan: &Arc<Plan>, shared: &Arc<Shared>) -> Option<Arc<Connections>> {
    guard(|| Connections::of(plan, shared)).flatten().map(Arc::new)
}

/// Met only inside a question, so that nothing of it runs unguarded.
#[derive(Debug)]
pub struct Host {
    plans: Arc<Plans>,
    shared: Arc<Shared>,
    /// Where the plan comes from, if it can become another.
    live: Option<Arc<Live>>,
    /// Of this execution environment.
    invocations: Invocations,
}

impl Host {
    pub(super) fn new(plan: Plan, shared: Shared) -> Self {
        let (plan, shared) = (Arc::new(plan), Arc::new(shared));
        Self::under(Plans::with(&plan, connections(&plan, &shared)), shared)
    }

    /// Under plans that come from somewhere, by `of`; under none until the first is there.
    pub(super) fn live(shared: Shared, of: impl FnOnce(Arc<Plans>, Arc<Shared>) -> Live) -> Self {
        let mut host = Self::under(Plans::idle(), Arc::new(shared));
        let live = Arc::new(of(Arc::clone(&host.plans), Arc::clone(&host.shared)));
        live.open();
        host.live = Some(live);
        host
    }

    fn under(plans: Plans, shared: Arc<Shared>) -> Self {
        Self { plans: Arc::new(plans), shared, live: None, invocations: Invocations::default() }
    }

    pub(super) fn replace(&self, plan: Plan) {
        put(&self.plans, plan, &self.shared);
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn source(&self) -> Option<&Arc<Live>> {
        self.live.as_ref()
    }

    pub(super) fn guarded<T: Default>(&self, question: impl FnOnce(&Self) -> T) -> Result<T, Failed> {
        self.shared.run(|| question(self))
    }

    /// What [`Host::decide`] needs to be told by the plan in force.
    #[must_use]
    pub fn reads(&self) -> Reads {
        self.plans.standing().reads()
    }

    /// The faults of the plan in force that never had a chance to fire: nothing was decided while its window was open. For
    /// a library's scopes, which fail then; [`NoChance`] says why.
    #[must_use]
    pub fn no_chance(&self) -> Vec<NoChance> {
        self.plans.standing().no_chance()
    }

    /// Whether faults can hit the handler's calls to AWS, now or, where the plan can become another, at some time: without any,
    /// a shim need not look at them.
    #[must_use]
    pub fn hits_aws_calls(&self) -> bool {
        let hits = |plan: Arc<Plan>| plan.faults.iter().any(|fault| fault.kind.aws_call().is_some());
        self.live.is_some() || self.plans.plan().is_some_and(hits)
    }

    /// Whether the plan in force has faults that hit connections, and this platform lets them.
    #[must_use]
    pub fn hits_connections(&self) -> bool {
        self.plans.standing().beside().is_some_and(Option::is_some)
    }

    /// Whether the plan can become another at any time, so that what was asked of it has to be asked again.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// The time as [`Call::now_us`] tells it.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        clock::now().0
    }

    /// The plan in force: for a shim that reads by it what it tells of an invocation, while another one may come.
    #[must_use]
    pub fn asked(&self) -> Asked<'_> {
        Asked { host: self, standing: self.plans.standing() }
    }

    /// Whether nothing is drawn for an invocation, as its id alone can tell, which it does of most. Then it is counted: call the
    /// handler as if nothing were here. Else [`Host::decide`] tells.
    #[must_use]
    pub fn is_quiet(&self, request_id: &str) -> bool {
        let asked = self.asked();
        let is_quiet = asked.is_quiet(&Call::of(request_id));
        if is_quiet {
            asked.count();
        }
        is_quiet
    }

    /// Whether [`Host::is_quiet`] is worth asking, now or, where the plan can become another, at some time: under a fault that
    /// hits all which its patterns let through, no id tells.
    #[must_use]
    pub fn id_tells(&self) -> bool {
        self.live.is_some() || self.plans.standing().id_tells()
    }

    /// Decides for one invocation, and counts it. `None` if nothing is drawn: call the handler as if nothing were here.
    #[must_use]
    pub fn decide(&self, call: &Call<'_>) -> Option<Session> {
        self.asked().decide(call)
    }

    /// As [`Host::decide`], for code that makes calls but has no steps around it, as a library's scope has: only faults in
    /// calls are drawn.
    #[must_use]
    pub fn decide_calls(&self, call: &Call<'_>) -> Option<Session> {
        self.asked().decided(call, true)
    }

    /// A call to AWS was made where the plan is not in force, as by a thread that a library's scope does not know: one record
    /// says that such calls are not hit.
    pub fn called_elsewhere(&self) {
        let message = "a call to AWS was made by a thread that the plan is not in force for, such calls are not hit";
        self.shared.tell(OwnReason::UnattributedCall, message);
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

/// One plan, or none, that a whole question is about.
#[derive(Debug)]
pub struct Asked<'a> {
    host: &'a Host,
    standing: Standing<'a, Option<Arc<Connections>>>,
}

impl Asked<'_> {
    /// Tells plans apart: what a shim has read by a plan of this number is what [`Asked::decide`] needs.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.standing.number()
    }

    /// What the plan needs to be told.
    #[must_use]
    pub fn reads(&self) -> Reads {
        self.standing.reads()
    }

    /// What it asks of events.
    #[must_use]
    pub fn event_patterns(&self) -> Option<Arc<Patterns>> {
        self.standing.plan().map(|plan| Arc::clone(&plan.event_patterns))
    }

    /// As [`Host::decide`], by this plan.
    #[must_use]
    pub fn decide(&self, call: &Call<'_>) -> Option<Session> {
        self.decided(call, false)
    }

    fn decided(&self, call: &Call<'_>, calls_alone: bool) -> Option<Session> {
        let is_quiet = self.is_quiet(call);
        let (cold_start, number) = self.count();
        if is_quiet { None } else { self.drawn(call, calls_alone, cold_start, number) }
    }

    /// Whether this invocation is the environment's first, and its number, where the plan asks for it.
    fn count(&self) -> (bool, u64) {
        let invocations = &self.host.invocations;
        if self.reads().number { invocations.number() } else { (invocations.count(), 0) }
    }

    /// Without the clock, unless the plan can become another.
    fn is_quiet(&self, call: &Call<'_>) -> bool {
        if let Some(live) = &self.host.live {
            live.look(time_of(call).0);
        }
        self.standing.is_quiet(call.request_id) && !self.may_overlap()
    }

    fn connections(&self) -> Option<&Arc<Connections>> {
        self.standing.beside()?.as_ref()
    }

    /// Whether calls that nothing is drawn for have to be known.
    fn may_overlap(&self) -> bool {
        self.connections().is_some_and(|connections| connections.may_overlap())
    }

    /// The rest of the way, which few go: what it takes is not on the way of all.
    #[inline(never)]
    fn drawn(&self, call: &Call<'_>, calls_alone: bool, cold_start: bool, number: u64) -> Option<Session> {
        let host = self.host;
        let mut budget = Budget::default();
        let decision = self.standing.decide(
            &mut budget,
            &Invocation {
                request_id: call.request_id,
                deadline: call.deadline_ms.map(Timestamp::from_millis),
                now: time_of(call),
                cold_start,
                streaming: call.streaming,
                facts: Facts { event: call.event, context: host.context(call, number) },
            },
            calls_alone,
            self.may_overlap(),
        );
        if budget.is_spent() {
            host.shared.tell_budget();
        }
        let decision = decision?;
        let reach = self.connections().map(|connections| Reach { connections: Arc::clone(connections), background: calls_alone });
        Some(Session::begin(Arc::clone(&host.shared), decision, reach))
    }
}

fn time_of(call: &Call<'_>) -> Timestamp {
    call.now_us.map_or_else(clock::now, Timestamp)
}
