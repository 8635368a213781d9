//! What holding patterns against one event may cost, however the plan and the event are made.

use super::{MAX_BYTES, MAX_STEPS};

/// What is left of the steps and bytes of one event, and what was used of them.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    steps: u64,
    bytes: usize,
    peak_bytes: usize,
    spent: bool,
}

/// Why reading or searching ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing that follows can change an answer.
    Decided,
    /// The budget is spent.
    Spent,
    /// What is read is no event, or nests too deep on a path: nothing matches.
    NoEvent,
}

/// Goes on, unless something stops it.
pub(super) type Flow<T = ()> = Result<T, Stop>;

impl Budget {
    /// The steps taken: one for each value looked at and each question to it, one more for each 64 bytes of a text that is
    /// looked through.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The most bytes that were held at one time.
    #[must_use]
    pub const fn peak_bytes(&self) -> usize {
        self.peak_bytes
    }

    /// Whether it was not enough, so that some answer is not known.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.spent
    }

    pub(super) fn step(&mut self) -> Flow {
        self.take(1)
    }

    pub(super) fn take(&mut self, steps: usize) -> Flow {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > MAX_STEPS { self.spend() } else { Ok(()) }
    }

    /// A text of so many bytes is looked through.
    pub(super) fn text(&mut self, bytes: usize) -> Flow {
        self.take(1 + bytes / 64)
    }

    /// So many more bytes are held, until [`Budget::release`].
    pub(super) fn hold(&mut self, bytes: usize) -> Flow {
        self.bytes = self.bytes.saturating_add(bytes);
        self.peak_bytes = self.peak_bytes.max(self.bytes);
        if self.bytes > MAX_BYTES { self.spend() } else { Ok(()) }
    }

    pub(super) const fn held(&self) -> usize {
        self.bytes
    }

    /// What was held since is not any more.
    pub(super) const fn release_to(&mut self, held: usize) {
        self.bytes = held;
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// So many more bytes are held for a moment.
    pub(super) fn passing(&mut self, bytes: usize) -> Flow {
        self.hold(bytes)?;
        self.release(bytes);
        Ok(())
    }

    pub(super) fn spend<T>(&mut self) -> Flow<T> {
        self.spent = true;
        Err(Stop::Spent)
    }
}
