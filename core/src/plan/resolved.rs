//! What a plan means, with every default filled in: the form the engine decides by.

use std::sync::Arc;

use serde::Deserialize;

use super::rate::Rate;
use crate::decision::Match;
use crate::faults::{Kind, Role};
use crate::matching::Patterns;
use crate::sampling::FaultHash;
use crate::timestamp::Timestamp;

/// A plan that holds.
#[derive(Debug)]
pub struct Plan {
    /// Its name, if it has one; stands in every record.
    pub experiment: Option<String>,
    /// Chooses which request ids are hit.
    pub seed: u64,
    /// Nothing fires before.
    pub starts_at: Option<Timestamp>,
    /// From when on nothing fires.
    pub expires: Expiry,
    /// Decide and log, change nothing.
    pub dry_run: bool,
    /// Where injections count as metrics, if they shall.
    pub namespace: Option<String>,
    /// Whether injections are subsegments of their invocations' traces.
    pub traces: bool,
    /// What holds for all faults together.
    pub limits: Limits,
    /// In the plan's order.
    pub faults: Vec<Fault>,
    /// The patterns of all faults on the event.
    pub event_patterns: Arc<Patterns>,
    /// Those on the context.
    pub context_patterns: Patterns,
}

/// When a plan ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// Never, and the plan says so.
    Never,
    /// The plan does not say. Attaching and the lab fill it in; layer and library refuse it.
    Unsaid,
}

/// What holds for all faults together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Injections of all faults together; `None` for no limit.
    pub injections: Option<u64>,
    /// Microseconds that a delay leaves before the deadline.
    pub deadline_margin_us: i64,
}

/// One fault of a plan.
#[derive(Debug)]
pub struct Fault {
    /// Its id, unique in the plan.
    pub id: String,
    /// Of the id.
    pub hash: FaultHash,
    /// What it does.
    pub kind: Box<dyn Kind>,
    /// When it does it.
    pub when: When,
    /// Which invocations it can hit.
    pub matches: Match,
    /// How often.
    pub rate: Rate,
    /// Injections of this fault; `None` for no limit.
    pub limit: Option<u64>,
    /// What the sample is taken of.
    pub sample_by: SampleBy,
}

impl Fault {
    /// How it combines with others.
    #[must_use]
    pub fn role(&self) -> Role {
        self.kind.spec().role
    }

    /// Whether it stands instead of the handler or of what the handler gives, so that only the first of a phase can.
    #[must_use]
    pub fn is_outcome(&self) -> bool {
        matches!(self.role(), Role::Error | Role::Answer | Role::End | Role::Hang)
    }
}

/// Where a fault stands in an invocation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Before the handler, or instead of it.
    Before,
    /// In the midst of a streamed response, at a border.
    During {
        /// Once so many bytes are out.
        after_bytes: Option<u64>,
        /// So many milliseconds after the stream began.
        after_ms: Option<f64>,
    },
    /// After the handler.
    After,
}

/// What a fault's sample is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleBy {
    /// The request id: all retries of one call meet the same fate.
    Request,
    /// The request id and the deadline: each attempt meets its own.
    Attempt,
}

impl Plan {
    /// Whether anything can still fire at `now` or later.
    #[must_use]
    pub fn can_ever_fire(&self, now: Timestamp) -> bool {
        let over = matches!(self.expires, Expiry::At(end) if end <= now);
        let exhausted = self.limits.injections == Some(0);
        !over && !exhausted && self.faults.iter().any(|fault| fault.rate.highest() > 0.0 && fault.limit != Some(0))
    }

    /// Whether `now` lies in the window from `starts_at` to `expires_at`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= now) && !matches!(self.expires, Expiry::At(end) if end <= now)
    }
}
