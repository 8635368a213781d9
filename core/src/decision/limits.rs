//! How many injections are left, counted atomically: exact under any number of threads, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::Plan;

#[derive(Debug)]
pub(crate) struct LimitCounters {
    all: Counter,
    each: Vec<Counter>,
}

/// What is left; `None` has no limit.
#[derive(Debug)]
struct Counter(Option<AtomicU64>);

impl Counter {
    fn take(&self) -> bool {
        let Some(left) = &self.0 else { return true };
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn give_back(&self) {
        if let Some(left) = &self.0 {
            left.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn has_room(&self) -> bool {
        self.0.as_ref().is_none_or(|left| left.load(Ordering::Relaxed) > 0)
    }
}

impl LimitCounters {
    pub(crate) fn of(plan: &Plan) -> Self {
        let counter = |limit: Option<u64>| Counter(limit.map(AtomicU64::new));
        Self { all: counter(plan.limits.injections), each: plan.faults.iter().map(|fault| counter(fault.limit)).collect() }
    }

    /// One from the fault's own limit and one from the plan's, or none from either.
    pub(crate) fn take(&self, fault: usize) -> bool {
        let Some(own) = self.each.get(fault) else { return false };
        if !own.take() {
            return false;
        }
        if self.all.take() {
            return true;
        }
        own.give_back();
        false
    }

    pub(crate) fn give_back(&self, fault: usize) {
        if let Some(own) = self.each.get(fault) {
            own.give_back();
            self.all.give_back();
        }
    }

    /// Whether `take` would succeed now; for dry runs, which take nothing.
    pub(crate) fn has_room(&self, fault: usize) -> bool {
        self.all.has_room() && self.each.get(fault).is_some_and(Counter::has_room)
    }
}
