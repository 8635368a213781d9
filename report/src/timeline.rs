//! Calls on one time axis: how many, how they ended, how long they took and what was injected, from moment to moment.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::figures::{Latency, rounded};

/// How many moments a phase has at most.
const MOMENTS: f64 = 60.0;

/// How long a moment may be, in ms: what people count in.
const LENGTHS_MS: [f64; 18] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 10e3, 30e3, 60e3, 300e3, 900e3, 3600e3];

/// How one call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The caller got an answer.
    Answered,
    /// The handler or its initialisation failed.
    Error,
    /// It ran out of time.
    Timeout,
    /// Its process ended.
    Crash,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Since the report's beginning.
    pub at_ms: f64,
    /// What the caller waited.
    pub latency_ms: f64,
    /// How it ended.
    pub ending: Ending,
    /// The ids of the faults that were injected.
    pub injected: Vec<String>,
}

/// A stretch of one phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Moment {
    /// Its beginning, since the report's.
    pub at_ms: f64,
    /// Its phase's name.
    pub phase: String,
    /// Calls that began in it.
    pub calls: u64,
    /// Those that were answered and met no fault.
    pub answered: u64,
    /// Those that were answered and met one.
    pub answered_hit: u64,
    /// Those that failed in the handler or its initialisation.
    pub errors: u64,
    /// Those that ran out of time.
    pub timeouts: u64,
    /// Those whose process ended.
    pub crashes: u64,
    /// What they waited.
    pub latency_ms: Latency,
    /// Injections by fault.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub injected: BTreeMap<String, u64>,
}

/// All phases, one after the other.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Timeline {
    /// How long a moment is.
    pub moment_ms: f64,
    /// Where it ends.
    pub until_ms: f64,
    /// In their order; those without a call are left out.
    pub moments: Vec<Moment>,
}

impl Timeline {
    /// From the calls of each phase, in their order.
    #[must_use]
    pub fn of(phases: &[(&str, &[Call])]) -> Timeline {
        let begin = |calls: &[Call]| calls.first().map_or(0.0, |call| call.at_ms);
        let end = |calls: &[Call]| calls.iter().map(|call| call.at_ms + call.latency_ms).fold(0.0, f64::max);
        let longest = phases.iter().map(|(_, calls)| end(calls) - begin(calls)).fold(0.0, f64::max);
        let moment_ms = LENGTHS_MS.into_iter().find(|length| longest / length <= MOMENTS).unwrap_or(longest / MOMENTS);
        let mut timeline = Timeline { moment_ms, until_ms: 0.0, moments: Vec::new() };
        for (phase, calls) in phases {
            let begin = begin(calls);
            timeline.until_ms = timeline.until_ms.max(rounded(end(calls)));
            for calls in calls.chunk_by(|a, b| ((a.at_ms - begin) / moment_ms).floor() == ((b.at_ms - begin) / moment_ms).floor())
            {
                let at = calls.first().map_or(0.0, |call| ((call.at_ms - begin) / moment_ms).floor() * moment_ms + begin);
                timeline.moments.push(Moment::of(rounded(at), phase, calls));
            }
        }
        timeline
    }
}

impl Moment {
    fn of(at_ms: f64, phase: &str, calls: &[Call]) -> Moment {
        let mut moment = Moment { at_ms, phase: phase.to_owned(), ..Moment::default() };
        let mut waited = Vec::with_capacity(calls.len());
        for call in calls {
            moment.calls += 1;
            waited.push(call.latency_ms);
            *match call.ending {
                Ending::Answered if call.injected.is_empty() => &mut moment.answered,
                Ending::Answered => &mut moment.answered_hit,
                Ending::Error => &mut moment.errors,
                Ending::Timeout => &mut moment.timeouts,
                Ending::Crash => &mut moment.crashes,
            } += 1;
            for fault in &call.injected {
                *moment.injected.entry(fault.clone()).or_default() += 1;
            }
        }
        moment.latency_ms = Latency::of(&mut waited);
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(at_ms: f64, ending: Ending, injected: &[&str]) -> Call {
        Call { at_ms, latency_ms: 2.0, ending, injected: injected.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn each_call_stands_once_in_its_phases_moment() {
        let healthy: Vec<Call> = (0..100).map(|n| call(f64::from(n) * 3.0, Ending::Answered, &[])).collect();
        let run = [
            call(300.0, Ending::Answered, &["slow"]),
            call(301.0, Ending::Error, &["boom"]),
            call(390.0, Ending::Timeout, &[]),
            call(391.0, Ending::Crash, &[]),
        ];
        let timeline = Timeline::of(&[("before", &healthy), ("under the plan", &run)]);
        assert_eq!((timeline.moment_ms, timeline.until_ms), (5.0, 393.0));
        assert_eq!(timeline.moments.iter().map(|moment| moment.calls).sum::<u64>(), 104);
        let under: Vec<_> = timeline.moments.iter().filter(|moment| moment.phase == "under the plan").collect();
        assert_eq!(under.iter().map(|moment| (moment.at_ms, moment.calls)).collect::<Vec<_>>(), [(300.0, 2), (390.0, 2)]);
        assert_eq!((under[0].answered_hit, under[0].errors, under[1].timeouts, under[1].crashes), (1, 1, 1, 1));
        assert_eq!(under[0].injected, BTreeMap::from([("boom".to_owned(), 1), ("slow".to_owned(), 1)]));
    }

    #[test]
    fn however_many_calls_there_are_the_moments_are_few() {
        for step_ms in [0.01, 0.3, 10.0, 60_000.0] {
            let calls: Vec<Call> = (0..20_000).map(|n| call(f64::from(n) * step_ms, Ending::Answered, &[])).collect();
            let timeline = Timeline::of(&[("all", &calls)]);
            assert!((1..=61).contains(&timeline.moments.len()), "{step_ms}: {}", timeline.moments.len());
        }
        assert!(Timeline::of(&[("none", &[])]).moments.is_empty());
    }
}
