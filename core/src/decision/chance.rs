//! Whether the faults of a plan ever had a chance to fire: a test must not pass because no fault was there.
//!
//! A call that is decided while the plan's window is open is the chance of all its faults. What match, rate and limits then
//! say is the plan at work, not its absence.

use std::sync::atomic::{AtomicU8, Ordering};

use serde::Serialize;

use crate::faults::Role;
use crate::plan::Plan;
use crate::timestamp::Timestamp;

/// A fault that never had a chance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoChance {
    /// The fault's id.
    pub fault: String,
    /// Why.
    pub reason: NoChanceReason,
}

/// Why a fault never had a chance, as far as the engine can tell. Shims know more reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoChanceReason {
    /// Nothing was decided under the plan.
    NotCalled,
    /// Only before `starts_at`.
    NotStarted,
    /// Only from `expires_at` on.
    Expired,
}

impl NoChanceReason {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotCalled => "not_called",
            Self::NotStarted => "not_started",
            Self::Expired => "expired",
        }
    }
}

/// What the calls met so far: the best of it.
#[derive(Debug, Default)]
pub(crate) struct Chance {
    /// Of whole invocations.
    whole: AtomicU8,
    /// Where only faults in calls could be drawn.
    calls_alone: AtomicU8,
}

impl Chance {
    const NOT_STARTED: u8 = 1;
    const EXPIRED: u8 = 2;
    const HAD: u8 = 3;

    /// A call is decided. Says whether the plan's window is open.
    pub(crate) fn met(&self, plan: &Plan, now: Timestamp, calls_alone: bool) -> bool {
        let open = plan.is_open(now);
        let met = match plan.starts_at {
            _ if open => Self::HAD,
            Some(start) if now < start => Self::NOT_STARTED,
            _ => Self::EXPIRED,
        };
        // Reads before it writes: threads that decide share this line, and it changes at most three times.
        let best = if calls_alone { &self.calls_alone } else { &self.whole };
        if best.load(Ordering::Relaxed) < met {
            best.fetch_max(met, Ordering::Relaxed);
        }
        open
    }

    /// Whether all faults had one, after which no call changes anything here.
    pub(crate) fn was_had(&self) -> bool {
        self.whole.load(Ordering::Relaxed) == Self::HAD
    }

    /// The faults of `plan` that had none, in the plan's order.
    pub(crate) fn missed(&self, plan: &Plan) -> Vec<NoChance> {
        let whole = self.whole.load(Ordering::Relaxed);
        let calls = whole.max(self.calls_alone.load(Ordering::Relaxed));
        let missed = plan.faults.iter().filter_map(|fault| {
            let reason = match if fault.role() == Role::Calls { calls } else { whole } {
                Self::HAD => return None,
                Self::EXPIRED => NoChanceReason::Expired,
                Self::NOT_STARTED => NoChanceReason::NotStarted,
                _ => NoChanceReason::NotCalled,
            };
            Some(NoChance { fault: fault.id.clone(), reason })
        });
        missed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;
    use crate::plan::Plan;
    use crate::timestamp::Timestamp;

    #[test]
    fn a_call_in_the_open_window_is_the_chance_of_all_faults_whatever_their_rate() {
        let text = r#"{"version":1,"starts_at":"2026-01-01T00:00:00Z","expires_at":"2026-01-01T00:00:01Z","faults":[
            {"id":"a","kind":"exit","rate":0},
            {"id":"b","kind":"aws_call","rate":1,"target":{"service":["s3"]},"error":"SlowDown"}]}"#;
        let plan = Plan::parse_to_run(text).unwrap();
        let start = plan.starts_at.unwrap().0;
        let chance = Chance::default();
        let missed =
            || chance.missed(&plan).iter().map(|missed| format!("{} {}", missed.fault, missed.reason.name())).collect::<Vec<_>>();
        assert_eq!(missed(), ["a not_called", "b not_called"]);
        assert!(!chance.met(&plan, Timestamp(start - 1), false));
        assert_eq!(missed(), ["a not_started", "b not_started"]);
        assert!(!chance.met(&plan, Timestamp(start + 1_000_000), false));
        assert_eq!(missed(), ["a expired", "b expired"]);
        assert!(chance.met(&plan, Timestamp(start), true));
        assert_eq!(missed(), ["a expired"], "the other one was no chance for this");
        assert!(chance.met(&plan, Timestamp(start), false));
        assert_eq!(missed(), [""; 0]);
        assert!(!chance.met(&plan, Timestamp(start - 1), false));
        assert_eq!(missed(), [""; 0]);
    }
}
