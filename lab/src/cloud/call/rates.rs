//! Request rates: token buckets, one a group of operations that a service counts together, each holding one second's worth.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How often operations of a group may be called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// What a service counts together, a name of its own choice.
    pub group: &'static str,
    /// Requests a second.
    pub per_second: f64,
}

/// A rate.
pub fn rate(group: &'static str, per_second: f64) -> Option<Rate> {
    Some(Rate { group, per_second })
}

/// By service and group: how many tokens there were, and when.
type Buckets = HashMap<(String, &'static str), (f64, Instant)>;

/// The buckets' fill.
#[derive(Debug, Default)]
pub struct Rates {
    buckets: Mutex<Buckets>,
}

impl Rates {
    fn locked<T>(&self, work: impl FnOnce(&mut Buckets) -> T) -> T {
        work(&mut self.buckets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes one request's token, with the rate multiplied by `factor` (0: unlimited); whether there was one.
    pub fn take(&self, service: &str, rate: Rate, factor: f64) -> bool {
        if factor <= 0.0 {
            return true;
        }
        let per_second = rate.per_second * factor;
        let full = per_second.max(1.0);
        let now = Instant::now();
        self.locked(|buckets| {
            let (tokens, last) = buckets.entry((service.to_owned(), rate.group)).or_insert((full, now));
            *tokens = (*tokens + now.duration_since(*last).as_secs_f64() * per_second).min(full);
            *last = now;
            let there = *tokens >= 1.0;
            if there {
                *tokens -= 1.0;
            }
            there
        })
    }

    /// All buckets are full again.
    pub fn clear(&self) {
        self.locked(HashMap::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seconds_worth_at_once_for_each_group_of_each_service() {
        let rates = Rates::default();
        for (service, group) in [("ssm", "GetParameter"), ("ssm", "PutParameter"), ("lambda", "GetParameter")] {
            let passed = (0..500).filter(|_| rates.take(service, Rate { group, per_second: 40.0 }, 1.0)).count();
            // A slow machine may earn a few tokens in between.
            assert!((40..=45).contains(&passed), "{service} {group}: {passed}");
        }
    }

    #[test]
    fn a_factor_of_nothing_is_no_limit() {
        let rates = Rates::default();
        let slow = Rate { group: "slow", per_second: 1.0 };
        assert!(rates.take("ssm", slow, 1.0) && !rates.take("ssm", slow, 1.0));
        assert!(rates.take("ssm", slow, 0.0));
        rates.clear();
        assert!(rates.take("ssm", slow, 1.0));
    }
}
