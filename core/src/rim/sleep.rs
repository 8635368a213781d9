//! A precise hold for languages that can block a thread.

use std::time::{Duration, Instant};

/// Holds the calling thread for at least so many microseconds, and as little longer as the kernel allows (about 0.1 ms
/// of timer slack on Linux). It goes by the monotonic clock and is never early.
#[expect(clippy::disallowed_methods, reason = "the one place that sleeps, on behalf of a shim")]
pub fn hold_us(micros: u64) {
    let Some(end) = Instant::now().checked_add(Duration::from_micros(micros)) else { return };
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::sleep(left);
    }
}
