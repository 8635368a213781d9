//! Threads that burn until their time is over or the invocation ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What burns, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Burn {
    pub(super) duration_ms: f64,
    pub(super) threads: u32,
}

/// Burning threads; dropping waits until they are gone, a few microseconds.
#[derive(Debug)]
pub(super) struct Burning {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts the threads; those that the system refuses are left out.
#[expect(clippy::disallowed_methods, reason = "burning is measured against the monotonic clock")]
pub(super) fn burn(cpu: Burn) -> Burning {
    let stop = Arc::new(AtomicBool::new(false));
    let end = Instant::now().checked_add(Duration::try_from_secs_f64(cpu.duration_ms / 1000.0).unwrap_or_default());
    let spawn = |_| {
        let stop = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("faultlayer-cpu".into()).stack_size(64 << 10);
        thread.spawn(move || while !stop.load(Ordering::Relaxed) && end.is_some_and(|end| Instant::now() < end) {}).ok()
    };
    let threads = (0..cpu.threads).filter_map(spawn).collect();
    Burning { stop, threads }
}

impl Drop for Burning {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
