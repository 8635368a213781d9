//! How trouble of ours ends: unseen and recorded in a layer, as an error in a library.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::guard::guard;
use super::language::Language;
use crate::matching::{MAX_BYTES, MAX_STEPS};
use crate::plan::PlanError;
use crate::record::{OwnReason, Record};
use crate::rim::environment::{Identity, Surroundings};
use crate::rim::sink::Sink;
use crate::rim::{clock, daemon};
use crate::trace::datagram;

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Fails open.
    Layer,
    /// Is strict.
    Library,
}

/// What a host and its sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) side: Side,
    pub(super) language: Language,
    pub(super) sink: Sink,
    /// Who the function is, for patterns on the context and the bound of memory faults.
    pub(super) identity: Identity,
    pub(super) surroundings: Surroundings,
    /// One bit for each of Faultlayer's own records that was written.
    told: AtomicU32,
    /// Lines that came up on threads where a library's sink cannot be called.
    later: Mutex<Vec<String>>,
}

impl Shared {
    pub(super) fn new(side: Side, language: Language, sink: Sink, identity: Identity) -> Self {
        let surroundings = Surroundings::from_environment();
        Self { side, language, sink, identity, surroundings, told: AtomicU32::new(0), later: Mutex::default() }
    }

    /// The line of a record, whose subsegment, if it has one, is out by then.
    pub(super) fn line(record: &Record) -> String {
        if record.traced {
            daemon::send(|header, serial| datagram(record, header, serial));
        }
        record.to_line()
    }

    /// Writes a line that comes up on any thread: now in a layer, in a library with the next step's records.
    pub(super) fn write_elsewhere(&self, line: String) {
        match self.side {
            Side::Layer => self.sink.write(&line),
            Side::Library => self.later.lock().unwrap_or_else(PoisonError::into_inner).push(line),
        }
    }

    /// Writes what [`Shared::write_elsewhere`] kept.
    pub(super) fn write_kept(&self) {
        let kept = std::mem::take(&mut *self.later.lock().unwrap_or_else(PoisonError::into_inner));
        kept.iter().for_each(|line| self.sink.write(line));
    }

    /// Runs a part of ours, a binding's conversions included. Where it panics, a layer goes on with the default, for
    /// which nothing happens, and says so in one record; a library gets the error.
    pub(super) fn run<T: Default>(&self, part: impl FnOnce() -> T) -> Result<T, Failed> {
        if let Some(done) = guard(part) {
            return Ok(done);
        }
        if self.side == Side::Layer {
            self.report("the engine panicked, the function runs untouched");
        }
        self.over()
    }

    /// What is answered once the engine has panicked.
    pub(super) fn over<T: Default>(&self) -> Result<T, Failed> {
        match self.side {
            Side::Layer => Ok(T::default()),
            Side::Library => Err(Failed),
        }
    }

    /// Writes Faultlayer's own record of trouble in the shim or in the engine.
    pub(super) fn report(&self, message: &str) {
        // What ended the engine may end its record too, and must not get further.
        guard(|| self.tell(OwnReason::InternalError, message));
    }

    /// Writes Faultlayer's own record of patterns that took too much.
    pub(super) fn tell_budget(&self) {
        self.tell(OwnReason::MatchBudgetSpent, &budget_spent());
    }

    /// The same, on any thread.
    pub(super) fn tell_budget_elsewhere(&self) {
        self.tell_elsewhere(OwnReason::MatchBudgetSpent, &budget_spent());
    }

    /// Writes Faultlayer's own record, once an environment and reason.
    pub(super) fn tell(&self, reason: OwnReason, message: &str) {
        if self.is_first(reason) {
            self.sink.write(&reason.to_line(clock::now(), message));
        }
    }

    /// Writes Faultlayer's own record each time, in a layer.
    pub(super) fn tell_again(&self, reason: OwnReason, message: &str) {
        self.sink.write(&reason.to_line(clock::now(), message));
    }

    /// As [`Shared::tell`], on any thread.
    pub(super) fn tell_elsewhere(&self, reason: OwnReason, message: &str) {
        if self.is_first(reason) {
            self.write_elsewhere(reason.to_line(clock::now(), message));
        }
    }

    fn is_first(&self, reason: OwnReason) -> bool {
        let bit = 1_u32.wrapping_shl(reason as u32);
        self.told.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

fn budget_spent() -> String {
    let limits = format!("{MAX_STEPS} steps or {MAX_BYTES} bytes");
    format!("matching an event takes more than {limits}, faults that it was not enough for are not drawn")
}

/// The engine panicked. Only a library ever meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the engine panicked")
    }
}

impl std::error::Error for Failed {}

/// Why a library does not take a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The plan does not hold.
    Plan(PlanError),
    /// Nobody can say: the engine panicked over it.
    Failed(Failed),
}

impl Refused {
    /// `{"code", "path", "message", "problems": […]}`, as of a [`PlanError`].
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Plan(error) => error.to_json(),
            Self::Failed(failed) => {
                serde_json::json!({"code": "internal_error", "path": "", "message": failed.to_string(), "problems": []})
                    .to_string()
            }
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(error) => error.fmt(formatter),
            Self::Failed(failed) => failed.fmt(formatter),
        }
    }
}

impl std::error::Error for Refused {}
