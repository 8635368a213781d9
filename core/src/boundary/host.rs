//! The engine as a language holds it: one for a process in a layer, one for each scope in a library.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::call::{Call, Reads};
use super::language::Language;
use super::session::Session;
use crate::decision::{Context, Engine, Facts, Invocation, NoChance, alias};
use crate::matching::Paths;
use crate::plan::{Expiry, Plan, PlanError};
use crate::record::OwnReason;
use crate::rim::environment::{self, Identity};
use crate::rim::sink::Sink;
use crate::rim::{clock, source};
use crate::timestamp::Timestamp;

/// Cheap to share, safe under any number of threads.
#[derive(Debug)]
pub struct Host {
    engine: Engine,
    shared: Arc<Shared>,
    /// Invocations so far in this execution environment.
    invocations: AtomicU64,
}

/// What a host and its sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) language: Language,
    pub(super) sink: Sink,
    /// Who the function is, for patterns on the context and the bound of memory faults.
    pub(super) identity: Identity,
    /// One bit for each of Faultlayer's own records that was written.
    told: AtomicU32,
}

impl Host {
    /// In a layer, where everything fails open: whatever is wrong, the answer is `None` and Faultlayer's own record
    /// says why. `None` means that nothing can ever fire: hand the client the original function itself.
    #[must_use]
    pub fn layer(language: Language) -> Option<Self> {
        let shared =
            Shared { language, sink: Sink::StandardOutput, identity: Identity::from_environment(), told: AtomicU32::new(0) };
        if environment::is_disabled(environment::variable(environment::DISABLED).as_deref()) {
            shared.tell(OwnReason::Disabled, "FAULTLAYER_DISABLED is set, no faults will be injected");
            return None;
        }
        let Some(value) = environment::variable(environment::PLAN).filter(|value| !value.trim().is_empty()) else {
            shared.tell(OwnReason::PlanMissing, "FAULTLAYER_PLAN is not set, no faults will be injected");
            return None;
        };
        let text = source::read(&value).map_err(|(reason, message)| shared.tell(reason, &message)).ok()?;
        let plan = Plan::parse_to_run(&text);
        let plan = plan.map_err(|error| shared.tell(own_reason(&error), &error.to_string())).ok()?;
        let now = clock::now();
        if let Expiry::At(end) = plan.expires
            && end <= now
        {
            shared.tell(OwnReason::PlanExpired, &format!("the plan expired at {}, no faults will be injected", end.to_rfc3339()));
            return None;
        }
        plan.can_ever_fire(now).then(|| Self::new(plan, shared))
    }

    /// In a library, where everything is strict.
    ///
    /// # Errors
    /// All problems of the plan; a plan without `expires_at` among them.
    pub fn library(plan_json: &str, language: Language, identity: Identity, sink: Sink) -> Result<Self, PlanError> {
        let plan = Plan::parse_to_run(plan_json)?;
        Ok(Self::new(plan, Shared { language, sink, identity, told: AtomicU32::new(0) }))
    }

    fn new(plan: Plan, shared: Shared) -> Self {
        Self { engine: Engine::new(plan), shared: Arc::new(shared), invocations: AtomicU64::new(0) }
    }

    /// Puts another plan in force, atomically, under running invocations.
    ///
    /// # Errors
    /// All problems of the plan; the old one stays in force.
    pub fn replace(&self, plan_json: &str) -> Result<(), PlanError> {
        self.engine.replace(Some(Plan::parse_to_run(plan_json)?));
        Ok(())
    }

    /// What [`Host::decide`] needs to be told.
    #[must_use]
    pub fn reads(&self) -> Reads {
        let (event, client_context, function_arn) = self.engine.reads();
        Reads { event, client_context, function_arn }
    }

    /// The paths along which a binding reads an event from its language's own objects, if [`Reads::event`] asks for it.
    #[must_use]
    pub fn event_paths(&self) -> Option<Arc<Paths>> {
        self.engine.event_paths()
    }

    /// Whether [`Host::decide`] will look at the event of this call, which it does only where the sample of a fault with a
    /// pattern hits. A binding to which reading costs more than asking reads the event only then; the call must name the
    /// time (`now_us`), so that both see the same.
    #[must_use]
    pub fn looks_at_event(&self, call: &Call<'_>) -> bool {
        self.engine.looks_at_event(&Invocation {
            request_id: call.request_id,
            deadline: call.deadline_ms.map(Timestamp::from_millis),
            now: call.now_us.map_or_else(clock::now, Timestamp),
            cold_start: false,
            streaming: call.streaming,
            facts: Facts::default(),
        })
    }

    /// The faults of the plan in force that never had a chance to fire: nothing was decided while its window was open. For
    /// a library's scopes, which fail then; [`NoChance`] says why.
    #[must_use]
    pub fn no_chance(&self) -> Vec<NoChance> {
        self.engine.no_chance()
    }

    /// The time as [`Call::now_us`] tells it.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        clock::now().0
    }

    /// Decides for one invocation, and counts it. `None` if nothing is drawn: call the handler as if nothing were here.
    #[must_use]
    pub fn decide(&self, call: &Call<'_>) -> Option<Session> {
        let before = self.invocations.fetch_add(1, Ordering::Relaxed);
        let decision = self.engine.decide(&Invocation {
            request_id: call.request_id,
            deadline: call.deadline_ms.map(Timestamp::from_millis),
            now: call.now_us.map_or_else(clock::now, Timestamp),
            cold_start: before == 0,
            streaming: call.streaming,
            facts: Facts { event: call.event, context: self.context(call, before + 1) },
        })?;
        Some(Session::begin(Arc::clone(&self.shared), decision))
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

    /// Writes Faultlayer's own record of an error in the shim, once an environment.
    pub fn report(&self, reason: OwnReason, message: &str) {
        self.shared.tell(reason, message);
    }
}

impl Shared {
    fn tell(&self, reason: OwnReason, message: &str) {
        let bit = 1_u32.wrapping_shl(reason as u32);
        if self.told.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            self.sink.write(&reason.to_line(clock::now(), message));
        }
    }
}

fn own_reason(error: &PlanError) -> OwnReason {
    if error.code == "plan_without_expiry" { OwnReason::PlanWithoutExpiry } else { OwnReason::PlanInvalid }
}
