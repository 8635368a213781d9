//! What a report says, from the verdict to the records.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::counts::FaultCount;
use crate::expect::{Judged, State};
use crate::figures::{Latency, counted, share};
use crate::timeline::Timeline;

/// A whole report.
#[derive(Debug, Clone, Serialize)]
pub struct Document {
    /// What was done, in a few words.
    pub title: String,
    /// The first thing to read.
    pub verdict: Verdict,
    /// The hypotheses, in the order in which they were said.
    pub expectations: Vec<Judged>,
    /// To whom, when and how: a name and what stands behind it.
    pub facts: Vec<(String, String)>,
    /// What callers saw, phase by phase; the last but those after it is the one under the plan.
    pub phases: Vec<Phase>,
    /// What became of each fault, in the plan's order.
    pub faults: Vec<FaultCount>,
    /// The same on a time axis.
    pub timeline: Timeline,
    /// What happened at one moment.
    pub marks: Vec<Mark>,
    /// What was logged of single calls, and calls that failed by themselves.
    pub records: Vec<Line>,
    /// How many lines there were before some were left out.
    pub records_in_all: u64,
    /// What became of each function that was touched; empty for a run on this machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Touched>,
    /// What to know beside.
    pub notes: Vec<String>,
    /// The plan, as it was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Value>,
}

/// The first thing to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The worst of the expectations; absent where nothing was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// One sentence.
    pub headline: String,
    /// What was seen, in one more.
    pub detail: String,
}

/// What callers saw in one phase.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Phase {
    /// `healthy`, `under the plan`, `before`, `during`, `after`.
    pub name: String,
    /// Where the phase's figures stand in the report as JSON, as in `run`.
    #[serde(skip)]
    pub path: String,
    /// Its beginning, since the report's.
    pub from_ms: f64,
    /// Its end.
    pub until_ms: f64,
    /// Calls.
    pub calls: u64,
    /// Those that were answered.
    pub ok: u64,
    /// Answers that carry an HTTP status from 400, by status; they are among `ok`.
    pub statuses: BTreeMap<u64, u64>,
    /// Those that failed in the handler or its initialisation, by type.
    pub errors: BTreeMap<String, u64>,
    /// Those that ran out of time.
    pub timeouts: u64,
    /// Those whose process ended.
    pub crashes: u64,
    /// Processes that were started.
    pub cold_starts: u64,
    /// What callers waited.
    pub latency_ms: Latency,
    /// Calls that were refused before they reached the function; absent where nobody counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttles: Option<u64>,
    /// Why calls that failed are not told apart, nor cold starts counted: all errors have one name then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untold: Option<String>,
    /// Why these figures are not those of the whole phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

impl Phase {
    /// Calls that were not answered.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.errors.values().sum::<u64>() + self.timeouts + self.crashes
    }
}

/// One function of an experiment, with its figures under the faults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Touched {
    /// Its name.
    pub name: String,
    /// Its configuration afterwards: that it is as before, or how it differs, and why.
    pub configuration: String,
    /// Invocations.
    pub calls: u64,
    /// Those that failed.
    pub errors: u64,
    /// Calls that were refused.
    pub throttles: u64,
    /// Faultlayer's records in its log.
    pub records: u64,
}

/// The columns of [`Touched`].
pub const FUNCTIONS: [&str; 6] = ["function", "configuration afterwards", "calls", "errors", "throttled", "records"];

/// What happened at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    /// Since the report's beginning.
    pub at_ms: f64,
    /// In a word or two.
    pub label: String,
}

/// One record, or one call that failed without any.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Line {
    /// When, since the report's beginning.
    pub at_ms: f64,
    /// The fault's id; empty where none was there.
    pub fault: String,
    /// Its kind.
    pub kind: String,
    /// `injected`, `skipped: REASON`, `dry_run`, or `failed by itself`.
    pub action: String,
    /// The call's id.
    pub request_id: String,
    /// How the call ended: `ok`, or the error's type.
    pub outcome: String,
    /// What its caller waited; absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// The fields of the kind.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// At most this many lines stand on a page: some 200 bytes each.
pub const MOST_LINES: usize = 4000;

/// Leaves lines out where there are too many: of those whose fault and action have the most, so that what is rare stays whole.
/// They stay spread over the time.
#[must_use]
pub fn thinned(lines: Vec<Line>, most: usize) -> Vec<Line> {
    if lines.len() <= most {
        return lines;
    }
    let mut groups: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in &lines {
        *groups.entry((&line.fault, &line.action)).or_default() += 1;
    }
    // The smallest groups first: what they leave of their part, the others share.
    let mut sizes: Vec<_> = groups.into_iter().map(|(name, size)| (size, (name.0.to_owned(), name.1.to_owned()))).collect();
    sizes.sort();
    let (mut room, mut left) = (most, sizes.len());
    let mut parts: BTreeMap<(String, String), (usize, usize, usize)> = BTreeMap::new();
    for (size, name) in sizes {
        let part = size.min(room / left);
        room -= part;
        left -= 1;
        parts.insert(name, (part, size, 0));
    }
    let kept = |line: &Line| {
        let Some((part, size, seen)) = parts.get_mut(&(line.fault.clone(), line.action.clone())) else { return true };
        // Of `size` lines every one at which the kept share passes a whole number.
        *seen += 1;
        *seen * *part / *size != (*seen - 1) * *part / *size
    };
    let mut kept = kept;
    lines.into_iter().filter(|line| kept(line)).collect()
}

impl Verdict {
    /// From what was judged, and what was seen under the plan and without it.
    #[must_use]
    pub fn of(judged: &[Judged], healthy: Option<&Phase>, under: &Phase, injected: u64) -> Verdict {
        let state = judged.iter().map(|one| one.state).max();
        let number = |state| judged.iter().filter(|one| one.state == state).count() as u64;
        let all = judged.len() as u64;
        let headline = match state {
            None => String::new(),
            Some(State::Held) if all == 1 => "The expectation held".to_owned(),
            Some(State::NotMeasurable) if all == 1 => "The expectation cannot be measured".to_owned(),
            Some(State::Broken) if all == 1 => "The expectation is broken".to_owned(),
            Some(State::Held) => format!("All {all} expectations held"),
            Some(State::NotMeasurable) => {
                format!("{} of {} cannot be measured", number(State::NotMeasurable), counted(all, "expectation"))
            }
            Some(State::Broken) => {
                let (broken, unknown) = (number(State::Broken), number(State::NotMeasurable));
                let beside = if unknown > 0 { format!(", {unknown} cannot be measured") } else { String::new() };
                let verb = if broken == 1 { "is" } else { "are" };
                format!("{broken} of {} {verb} broken{beside}", counted(all, "expectation"))
            }
        };
        let failed = under.failed();
        let before = healthy.map_or(String::new(), |healthy| match healthy.failed() {
            0 => ", none before it".to_owned(),
            failed => format!(", {} before it", share(failed, healthy.calls)),
        });
        let faults = if injected == 1 { "1 fault was".to_owned() } else { format!("{injected} faults were") };
        let calls = counted(under.calls, "call");
        let share = share(failed, under.calls);
        if state.is_none() {
            return Verdict {
                state,
                headline: format!("{failed} of {calls} failed ({share}){before}"),
                detail: format!("{faults} injected. Nothing was expected; `--expect 'errors < 1%'` makes a verdict of it."),
            };
        }
        Verdict { state, headline, detail: format!("{faults} injected into {calls}; {failed} failed ({share}){before}.") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rare_stays_whole_where_lines_are_left_out() {
        let line = |fault: &str, at_ms: u32| Line { fault: fault.to_owned(), at_ms: f64::from(at_ms), ..Line::default() };
        let lines: Vec<Line> = (0..10_000).map(|n| line(if n % 1000 == 0 { "rare" } else { "often" }, n)).collect();
        let kept = thinned(lines.clone(), 200);
        assert_eq!(kept.len(), 200);
        assert_eq!(kept.iter().filter(|line| line.fault == "rare").count(), 10);
        assert!(kept.last().unwrap().at_ms > 9900.0 && kept[1].at_ms < 100.0, "spread over the time");
        assert!(kept.windows(2).all(|two| two[0].at_ms < two[1].at_ms));
        assert_eq!(thinned(lines, 20_000).len(), 10_000);
    }

    #[test]
    fn the_verdict_is_the_worst_of_the_expectations() {
        let judged = |states: &[State]| -> Vec<Judged> {
            states.iter().map(|state| Judged { state: *state, ..Judged::default() }).collect()
        };
        let under = Phase { calls: 200, ok: 171, timeouts: 29, ..Phase::default() };
        let healthy = Phase { calls: 200, ok: 200, ..Phase::default() };
        let verdict = Verdict::of(&judged(&[State::Held, State::Broken, State::NotMeasurable]), Some(&healthy), &under, 42);
        assert_eq!(verdict.state, Some(State::Broken));
        assert_eq!(verdict.headline, "1 of 3 expectations is broken, 1 cannot be measured");
        assert_eq!(verdict.detail, "42 faults were injected into 200 calls; 29 failed (14.5 %), none before it.");
        assert_eq!(Verdict::of(&judged(&[State::Held; 2]), None, &under, 1).headline, "All 2 expectations held");
        let none = Verdict::of(&[], Some(&healthy), &under, 1);
        assert_eq!((none.state, none.headline.as_str()), (None, "29 of 200 calls failed (14.5 %), none before it"));
    }
}
