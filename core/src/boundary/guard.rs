//! Nothing of ours may break a function: a panic is caught and prints nothing. What it leads to, [`super::Layer`] and
//! [`super::Library`] say.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Once;

static SILENCE: Once = Once::new();

/// What `body` answers, or `None` if it panics. The first call silences the panic hook of this native library (each has
/// its own), which would print to the function's log.
pub(super) fn guard<T>(body: impl FnOnce() -> T) -> Option<T> {
    let (mut body, mut done) = (Some(body), None);
    catch(&mut || done = body.take().map(|body| body()));
    done
}

/// One for all kinds of answers: each copy of this would weigh in a layer.
#[inline(never)]
fn catch(body: &mut dyn FnMut()) {
    SILENCE.call_once(silence);
    // What `body` leaves half done is dropped with it; the engine's shared state is atomic counters and a swap.
    let _ = catch_unwind(AssertUnwindSafe(body));
}

#[expect(clippy::disallowed_methods, reason = "the one place that sets the hook")]
fn silence() {
    set_hook(Box::new(|_| {}));
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_becomes_nothing() {
        assert_eq!(guard(|| 2), Some(2));
        assert_eq!(guard(|| if std::hint::black_box(true) { panic!("boom") } else { 2 }), None);
    }
}
