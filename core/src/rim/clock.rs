//! The wall clock, against which Lambda's deadlines and a plan's window are stated, and the monotonic one, for what passes.

use std::time::{Instant, SystemTime};

use crate::timestamp::Timestamp;

/// Now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn now() -> Timestamp {
    SystemTime::now().into()
}

/// A moment from which to measure.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads it but for the sleep")]
pub fn instant() -> Instant {
    Instant::now()
}
