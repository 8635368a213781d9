//! Holding a thread of Python: without the GIL, never early, and still answering signals.
//!
//! Does not own how long, nor the sleep itself (core).

use std::time::{Duration, Instant};

use faultlayer_core::boundary;
use pyo3::prelude::*;

/// How long Python's own signal handlers may have to wait.
const SLICE: Duration = Duration::from_millis(50);

/// The monotonic clock in nanoseconds, from a start of its own: tests that freeze Python's clocks do not reach it.
#[cfg(not(feature = "layer"))]
#[pyfunction]
pub fn monotonic_ns() -> u64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Holds for at least so many microseconds.
///
/// # Errors
/// What a signal handler of the user's raised, `KeyboardInterrupt` among it.
pub fn hold_us(py: Python<'_>, micros: u64) -> PyResult<()> {
    if micros == 0 {
        return Ok(());
    }
    let Some(end) = Instant::now().checked_add(Duration::from_micros(micros)) else { return Ok(()) };
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        // Rounded up: a rest below a microsecond is still a rest.
        let slice = u64::try_from(left.min(SLICE).as_nanos().div_ceil(1000)).unwrap_or(u64::MAX);
        py.detach(|| boundary::hold_us(slice));
        py.check_signals()?;
    }
    Ok(())
}
