//! How many invocations an execution environment has had: told by plans that ask for an invocation's number, and by records,
//! which say of one that it was the first.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Threads that count beside each other write to a cache line each, as long as no plan asks for the number.
#[derive(Debug, Default)]
pub(super) struct Invocations {
    any: AtomicBool,
    /// Those under plans that ask for it.
    numbered: AtomicU64,
    /// All others.
    counted: [Line; LINES],
}

/// So many threads at most have one of their own; Lambda gives a function up to six processors.
const LINES: usize = 8;

/// Two lines of 64 bytes, since processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicU64);

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static LINE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % LINES;
}

impl Invocations {
    /// Counts one more. Whether it is the first of all.
    pub(super) fn count(&self) -> bool {
        if let Some(Line(count)) = self.counted.get(LINE.with(|line| *line)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.begin()
    }

    /// The same under a plan that asks for its number, from 1: no two such invocations have the same.
    pub(super) fn number(&self) -> (bool, u64) {
        let numbered = self.numbered.fetch_add(1, Ordering::Relaxed);
        let counted: u64 = self.counted.iter().map(|Line(count)| count.load(Ordering::Relaxed)).sum();
        (self.begin(), numbered + counted + 1)
    }

    /// Reads before it writes: threads share this line, and it changes once.
    fn begin(&self) -> bool {
        !self.any.load(Ordering::Relaxed) && !self.any.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Invocations;

    const THREADS: u64 = 16;
    const EACH: u64 = 1000;

    fn beside_each_other<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| (0..EACH).map(|_| work()).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }

    #[test]
    fn of_many_threads_each_invocation_is_counted_and_one_is_the_first() {
        let invocations = Invocations::default();
        let firsts = beside_each_other(|| invocations.count());
        assert_eq!(firsts.into_iter().filter(|first| *first).count(), 1);
        assert_eq!(invocations.number(), (false, THREADS * EACH + 1));
    }

    #[test]
    fn numbers_go_on_behind_what_was_counted_and_none_is_given_twice_or_left_out() {
        let invocations = Invocations::default();
        assert!(invocations.count());
        let numbers: BTreeSet<_> = beside_each_other(|| invocations.number().1).into_iter().collect();
        assert_eq!(numbers, (2..=THREADS * EACH + 1).collect());
    }
}
