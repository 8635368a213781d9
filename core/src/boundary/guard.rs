//! Nothing of ours may break a function: a panic is caught, prints nothing, and the function runs untouched.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Once;

static SILENCE: Once = Once::new();

/// Runs `body`; if it panics, answers `default`. The first call silences the panic hook of this native library (each
/// has its own), which would print to the function's log.
///
/// The default comes from a closure, since it may write Faultlayer's own record.
pub fn guard<T>(default: impl FnOnce() -> T, body: impl FnOnce() -> T) -> T {
    SILENCE.call_once(silence);
    // What `body` leaves half done is dropped with it; the engine's shared state is atomic counters and a swap.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| default())
}

#[expect(clippy::disallowed_methods, reason = "the one place that sets the hook")]
fn silence() {
    set_hook(Box::new(|_| {}));
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_becomes_the_default() {
        assert_eq!(guard(|| 1, || 2), 2);
        assert_eq!(guard(|| 1, || if std::hint::black_box(true) { panic!("boom") } else { 2 }), 1);
    }
}
