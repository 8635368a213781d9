//! The wall clock, against which Lambda's deadlines and a plan's window are stated.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::timestamp::Timestamp;

/// Now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
}
