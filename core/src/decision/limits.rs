//! How many injections were made, counted atomically: exact under any number of threads, without a lock. A plan that comes
//! after another one of its experiment goes on counting where that one is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::Plan;

/// So many faults at most are remembered that no plan has any more and that nothing was injected of.
const MOST_KEPT: usize = 1000;

#[derive(Debug)]
pub(crate) struct LimitCounters {
    experiment: Option<String>,
    all: Counter,
    each: Vec<Counter>,
    /// Of each fault that a plan of the experiment had, also of those that this one does not have.
    used: Vec<Arc<Used>>,
}

/// The injections of one fault so far.
#[derive(Debug)]
struct Used {
    fault: String,
    count: AtomicU64,
}

impl Used {
    fn none(fault: &str) -> Arc<Self> {
        Arc::new(Self { fault: fault.to_owned(), count: AtomicU64::new(0) })
    }
}

/// What was used, which plans share, held against one plan's limit; `None` has no limit.
#[derive(Debug)]
struct Counter {
    used: Arc<Used>,
    most: Option<u64>,
}

impl Counter {
    fn take(&self) -> bool {
        let room = |used: u64| self.most.is_none_or(|most| used < most).then(|| used.saturating_add(1));
        self.used.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    fn give_back(&self) {
        self.used.count.fetch_sub(1, Ordering::Relaxed);
    }

    fn has_room(&self) -> bool {
        self.most.is_none_or(|most| self.used.count.load(Ordering::Relaxed) < most)
    }
}

impl LimitCounters {
    /// Those of a plan that nothing was injected by, or, behind another plan of its experiment, that goes on with its faults,
    /// which their ids tell.
    pub(crate) fn of(plan: &Plan, before: Option<&Self>) -> Self {
        let before = before.filter(|before| before.experiment == plan.experiment);
        let mut used = before.map_or_else(Vec::new, |before| before.used.clone());
        let each = plan.faults.iter().map(|fault| {
            let known = used.iter().find(|used| used.fault == fault.id).map(Arc::clone);
            let used = known.unwrap_or_else(|| {
                let fresh = Used::none(&fault.id);
                used.push(Arc::clone(&fresh));
                fresh
            });
            Counter { used, most: fault.limit }
        });
        let each = each.collect();
        if used.len() > MOST_KEPT {
            used.retain(|used| used.count.load(Ordering::Relaxed) > 0 || plan.faults.iter().any(|fault| fault.id == used.fault));
        }
        let all = before.map_or_else(|| Used::none(""), |before| Arc::clone(&before.all.used));
        Self { experiment: plan.experiment.clone(), all: Counter { used: all, most: plan.limits.injections }, each, used }
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
