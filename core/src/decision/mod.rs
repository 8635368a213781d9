//! What is decided for one invocation: which faults are drawn, and how the drawn ones combine.
//!
//! Everything here is a function of its arguments: time, identity and event come in, the decision goes out as data. The
//! only state is the limits' counters, and whether any call ever met an open window.

mod calls;
mod chance;
mod draw;
mod engine;
mod explain;
mod limits;
mod matches;
mod moment;
mod outcome;
mod phase;
mod quiet;
mod reason;
mod resources;

pub use calls::{Calls, MAX_CALL_RECORDS, Met, Reached};
pub use chance::{NoChance, NoChanceReason};
pub use engine::{Engine, Invocation, Reads, Standing};
pub use explain::{Explained, explain};
pub use matches::{Context, Event, Facts, Match, alias};
pub(crate) use moment::put;
pub use moment::{Act, Cut, Details, Effect, Moment, details, millis};
pub use outcome::{Outcome, Step};
pub use phase::{Border, Decision, Phase};
pub use reason::Reason;
pub use resources::{Resource, Resources, Unbounded};

pub use crate::record::{Action, Record};

use chance::Chance;
use limits::LimitCounters;
use quiet::Quiet;

use crate::plan::Plan;
use std::sync::Arc;

/// A plan in force, with what was injected by it in this execution environment.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) plan: Arc<Plan>,
    pub(crate) limits: LimitCounters,
    pub(crate) chance: Chance,
    pub(crate) quiet: Quiet,
}

impl Running {
    /// `before` is the plan that was in force until now.
    fn new(plan: Arc<Plan>, before: Option<&Self>) -> Self {
        let limits = LimitCounters::of(&plan, before.map(|before| &before.limits));
        let quiet = Quiet::of(&plan);
        Self { plan, limits, chance: Chance::default(), quiet }
    }

    /// Whether nothing is drawn for a request, and nothing is to be kept of it either, whatever else is known of it.
    fn is_quiet(&self, request_id: &str) -> bool {
        self.chance.was_had() && self.quiet.holds(request_id)
    }
}
