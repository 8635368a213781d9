//! The load of the command's own: the functions in turn, at a rate, whether or not earlier calls have ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use faultlayer_fis::{Aim, Called, Caller, Error};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

/// So many calls may be under way at once; beyond it a call is not made, and counted.
const AT_ONCE: usize = 500;

/// How often: from once an hour to 500 times a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(Duration);

impl Rate {
    /// From `20/s`, `90/m`, `5/h`.
    pub fn read(text: &str) -> Result<Self, String> {
        let rate = || {
            let (number, unit) = text.split_once('/')?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => return None,
            };
            let count = number.parse::<u32>().ok().filter(|count| (1..=500 * seconds).contains(count))?;
            Some(Self(Duration::from_secs(seconds.into()) / count))
        };
        rate().ok_or_else(|| "expected a number of calls in a second, minute or hour, at most 500/s, as in `20/s`".to_owned())
    }
}

/// What became of the calls.
#[derive(Debug, Default)]
struct Counted {
    answered: AtomicU64,
    failed: AtomicU64,
    throttled: AtomicU64,
    refused: AtomicU64,
    /// Too many were under way.
    unmade: AtomicU64,
    /// What was said of the first that was refused.
    why: OnceLock<String>,
}

impl Counted {
    fn count(&self, ended: Result<Called, Error>) {
        let counter = match ended {
            Ok(Called::Answered) => &self.answered,
            Ok(Called::Failed) => &self.failed,
            Err(error) if error.code() == Some("TooManyRequestsException") => &self.throttled,
            Err(error) => {
                self.why.get_or_init(|| error.to_string());
                &self.refused
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn of(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    fn said(&self) -> String {
        let calls = Self::of(&self.answered) + Self::of(&self.failed);
        let mut said = format!("{calls} calls, {} failed", Self::of(&self.failed));
        let beside = [("throttled", &self.throttled), ("refused", &self.refused), ("not made", &self.unmade)];
        for (name, counter) in beside.into_iter().filter(|(_, counter)| Self::of(counter) > 0) {
            said.push_str(&format!(", {} {name}", Self::of(counter)));
        }
        said
    }
}

/// A running load. It ends when this is dropped, and what is under way is not waited for.
pub struct Running {
    counted: Arc<Counted>,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts to call what is aimed at.
    pub fn start(rate: Rate, caller: Caller, aim: &Aim, event: String) -> Self {
        let counted = Arc::new(Counted::default());
        let (counts, event) = (Arc::clone(&counted), Arc::<str>::from(event));
        let (functions, alias) = (aim.functions.clone(), aim.alias.clone());
        let task = tokio::spawn(async move {
            let mut under_way = JoinSet::new();
            let mut ticks = tokio::time::interval(rate.0);
            // What could not be sent in time, as while the machine slept, is not sent all at once.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            for function in functions.iter().cycle() {
                ticks.tick().await;
                while under_way.try_join_next().is_some() {}
                if under_way.len() >= AT_ONCE {
                    counts.unmade.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let (caller, counts) = (caller.clone(), Arc::clone(&counts));
                let (function, alias, event) = (function.clone(), alias.clone(), Arc::clone(&event));
                under_way.spawn(async move { counts.count(caller.call(&function, alias.as_deref(), &event).await) });
            }
        });
        Self { counted, task }
    }

    /// Why nobody could call the functions, where not one call was taken.
    pub fn over(&self) -> Option<String> {
        let taken = Counted::of(&self.counted.answered) + Counted::of(&self.counted.failed);
        let why = self.counted.why.get().filter(|_| taken == 0)?;
        Some(format!("no call was taken: {why}"))
    }

    /// In a few words.
    pub fn said(&self) -> String {
        self.counted.said()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_of_calls_in_a_unit_of_time() {
        assert_eq!(Rate::read("20/s"), Ok(Rate(Duration::from_millis(50))));
        assert_eq!(Rate::read("90/m").unwrap().0, Duration::from_secs(60) / 90);
        assert_eq!(Rate::read("1/h"), Ok(Rate(Duration::from_secs(3600))));
        for wrong in ["", "20", "0/s", "501/s", "-1/s", "1.5/s", "20/d", "/s", "30001/m"] {
            assert!(Rate::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_became_of_the_calls_is_said_in_one_line() {
        let counted = Counted::default();
        [Called::Answered, Called::Failed, Called::Answered].into_iter().for_each(|called| counted.count(Ok(called)));
        assert_eq!(counted.said(), "3 calls, 1 failed");
        counted.count(Err(Error::Input("region: expected AWS_REGION".into())));
        assert_eq!(counted.said(), "3 calls, 1 failed, 1 refused");
        assert!(counted.why.get().unwrap().contains("region"));
    }
}
