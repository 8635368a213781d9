//! What a kind of fault is told when it acts, and what it answers: between how faults combine (`phase.rs`) and what each
//! kind does ([`crate::faults`]).

use serde_json::{Map, Value};

use super::outcome::Outcome;
use super::reason::Reason;
use super::resources::{Resource, Resources};
use crate::plan::{Expiry, Plan};
use crate::sampling::Draws;
use crate::timestamp::Timestamp;

/// The fields that a record has for its fault's kind.
pub type Details = Map<String, Value>;

/// One point of an invocation, as a fault that is to act there sees it.
pub struct Moment<'a> {
    /// Behind the sample: the next is draw 1.
    pub draws: &'a Draws,
    /// When the invocation was decided.
    pub started: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// When Lambda ends the invocation.
    pub deadline: Option<Timestamp>,
    /// The answer's text, where the answer has one.
    pub text: Option<&'a str>,
    /// What delays of this phase take already.
    pub(super) held_us: u64,
    /// Microseconds before the deadline that delays leave alone.
    pub(super) margin_us: i64,
    /// When the plan ends.
    pub(super) expires: Option<Timestamp>,
    /// `None` where nothing may be taken.
    pub(super) resources: Option<&'a mut dyn Resources>,
}

/// What a fault does.
#[derive(Debug)]
pub struct Act {
    /// The act itself.
    pub effect: Effect,
    /// What its record says of it.
    pub details: Details,
}

/// What becomes of the invocation.
#[derive(Debug)]
pub enum Effect {
    /// It is held for so many microseconds.
    Hold(u64),
    /// This stands instead of the handler, of its answer or of its error.
    Instead(Outcome),
    /// It goes on, and something runs beside it.
    Beside,
}

/// A time that is held, after what limits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What is left of it, in microseconds.
    pub micros: u64,
    /// What took the rest.
    pub by: Option<Reason>,
}

impl<'a> Moment<'a> {
    pub(super) fn new(plan: &Plan, draws: &'a Draws, started: Timestamp, now: Timestamp, deadline: Option<Timestamp>) -> Self {
        let margin_us = plan.limits.deadline_margin_us;
        let expires = match plan.expires {
            Expiry::At(end) => Some(end),
            Expiry::Never | Expiry::Unsaid => None,
        };
        Self { draws, started, now, deadline, text: None, held_us: 0, margin_us, expires, resources: None }
    }

    /// What is left of a delay: it ends before the deadline's margin, and with the plan.
    #[must_use]
    pub fn cut(&self, micros: u64) -> Cut {
        let end = self.deadline.map(|deadline| Timestamp(deadline.0.saturating_sub(self.margin_us)));
        cut(self.cut_at_expiry(micros), self.room_us(end), Reason::DeadlineMargin)
    }

    /// What is left of a hold that only the plan's end cuts.
    #[must_use]
    pub fn cut_at_expiry(&self, micros: u64) -> Cut {
        cut(Cut { micros, by: None }, self.room_us(self.expires), Reason::Expired)
    }

    fn room_us(&self, end: Option<Timestamp>) -> u64 {
        let Some(end) = end else { return u64::MAX };
        u64::try_from(end.micros_since(self.now)).unwrap_or(0).saturating_sub(self.held_us)
    }

    /// How many MiB of what is asked for can be had; `None` where it is all of it, or no matter of size.
    ///
    /// # Errors
    /// Nothing can be had, for this reason.
    pub fn take(&mut self, resource: Resource) -> Result<Option<u64>, Reason> {
        self.resources.as_mut().map_or(Ok(None), |resources| resources.grant(resource))
    }
}

fn cut(asked: Cut, room_us: u64, reason: Reason) -> Cut {
    if room_us < asked.micros { Cut { micros: room_us, by: Some(reason) } } else { asked }
}

impl Act {
    /// An act with what its record says.
    #[must_use]
    pub const fn new(effect: Effect, details: Details) -> Self {
        Self { effect, details }
    }
}

/// Milliseconds in a record.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "delays are far below 2^53 microseconds")]
pub fn millis(micros: u64) -> Value {
    Value::from(micros as f64 / 1000.0)
}

/// The fields of a record, in this order.
pub fn details<const N: usize>(fields: [(&str, Value); N]) -> Details {
    let mut said = Details::new();
    for (name, value) in fields {
        put(&mut said, name, value);
    }
    said
}

/// Puts one field behind them.
#[inline(never)]
pub(crate) fn put(said: &mut Details, name: &str, value: Value) {
    said.insert(name.to_owned(), value);
}
