//! The wall clock, against which Lambda's deadlines and a plan's window are stated.

use std::time::SystemTime;

use crate::timestamp::Timestamp;

/// Now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Timestamp {
    SystemTime::now().into()
}
