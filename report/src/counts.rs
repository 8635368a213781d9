//! What became of each fault, counted from its records.

use std::collections::{BTreeMap, HashMap};

use faultlayer_core::faults::{Role, spec};
use faultlayer_core::plan::Fault;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::figures::rounded;
use crate::records::text;

/// What became of one fault of the plan.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FaultCount {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its rate, or the highest of its steps.
    pub rate: f64,
    /// Rate times calls, at the rates of the moments of the calls. What `match` and limits keep away is not taken off. Absent where
    /// nobody knows the moment of each call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// One standard deviation around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
    /// Invocations for which it was drawn.
    pub drawn: u64,
    /// Those in which it was injected.
    pub injected: u64,
    /// Those in which it would have been injected but for the dry run.
    pub dry_run: u64,
    /// The others, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Of a fault in calls, those that it met: calls to AWS, or connections, or names that were resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<CallCount>,
}

/// The calls of all invocations for which a fault in calls was drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CallCount {
    /// Those that its target matches.
    pub matched: u64,
    /// Those of them that were hit, or would have been but for the dry run.
    pub hit: u64,
}

impl FaultCount {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(fault: &Fault) -> FaultCount {
        FaultCount {
            id: fault.id.clone(),
            kind: fault.kind.spec().name.to_owned(),
            rate: fault.rate.highest(),
            calls: fault.kind.target().map(|_| CallCount::default()),
            ..FaultCount::default()
        }
    }

    /// From records alone, where no plan is at hand, or several were: of each fault that they name, in their order. Each record with
    /// the invocation that it is of.
    #[must_use]
    pub fn of_records<'a>(all: impl Iterator<Item = (&'a str, &'a Map<String, Value>)>) -> Vec<FaultCount> {
        let mut counts: Vec<FaultCount> = Vec::new();
        let mut invocations: HashMap<(&str, &str), Vec<&Map<String, Value>>> = HashMap::new();
        for (invocation, record) in all {
            let Some(fault) = text(record, "fault") else { continue };
            let count = FaultCount::of_record(fault, record);
            match counts.iter_mut().find(|known| known.id == fault) {
                Some(known) => known.rate = known.rate.max(count.rate),
                None => counts.push(count),
            }
            invocations.entry((fault, invocation)).or_default().push(record);
        }
        for ((fault, _), records) in invocations {
            counts.iter_mut().filter(|count| count.id == fault).for_each(|count| count.count(&records));
        }
        counts
    }

    /// By one record of it: nothing counted yet.
    fn of_record(fault: &str, record: &Map<String, Value>) -> FaultCount {
        let kind = text(record, "kind").unwrap_or_default();
        FaultCount {
            id: fault.to_owned(),
            kind: kind.to_owned(),
            rate: record.get("rate").and_then(Value::as_f64).unwrap_or(1.0),
            calls: spec(kind).filter(|kind| kind.role == Role::Calls).map(|_| CallCount::default()),
            ..FaultCount::default()
        }
    }

    /// Sets what was to be expected.
    pub fn expect(&mut self, mean: f64, deviation: f64) {
        (self.expected, self.deviation) = (Some(rounded(mean)), Some(rounded(deviation)));
    }

    /// `60.0 ± 6.5`, or a dash.
    #[must_use]
    pub fn expected_said(&self) -> String {
        let both = self.expected.zip(self.deviation);
        both.map_or_else(|| "–".to_owned(), |(mean, deviation)| format!("{mean:.1} ± {deviation:.1}"))
    }

    /// `3 of 12`: the calls that it hit, of a fault in calls.
    #[must_use]
    pub fn calls_said(&self) -> String {
        self.calls.map(|calls| format!("{} of {}", calls.hit, calls.matched)).unwrap_or_default()
    }

    /// Counts its records of one invocation: a fault in calls has one for each call that it hits.
    pub fn count(&mut self, records: &[&Map<String, Value>]) {
        let Some(first) = records.first() else { return };
        let is = |record: &Map<String, Value>, action| text(record, "action") == Some(action);
        self.drawn += 1;
        if records.iter().any(|record| is(record, "injected")) {
            self.injected += 1;
        } else if records.iter().any(|record| is(record, "dry_run")) {
            self.dry_run += 1;
        } else {
            *self.skipped.entry(text(first, "reason").unwrap_or("unknown").to_owned()).or_default() += 1;
        }
        let Some(calls) = &mut self.calls else { return };
        for record in records {
            let counted = record.get("calls").and_then(Value::as_u64);
            let met = if is(record, "skipped") { counted.unwrap_or(0) } else { counted.unwrap_or(1) };
            calls.matched += met;
            calls.hit += if is(record, "skipped") { 0 } else { met };
        }
    }
}

#[cfg(test)]
mod tests {
    use faultlayer_core::plan::Plan;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_in_calls_counts_once_an_invocation_and_each_of_its_calls() {
        let text =
            r#"{"version":1,"faults":[{"id":"f","kind":"aws_call","rate":1,"target":{"service":["s3"]},"error":"SlowDown"}]}"#;
        let mut count = FaultCount::new(&Plan::parse(text).unwrap().faults[0]);
        let hit = json!({"action": "injected"});
        let rest = json!({"action": "injected", "calls": 3});
        let left = json!({"action": "skipped", "reason": "not_chosen", "calls": 2});
        let none = json!({"action": "skipped", "reason": "no_call"});
        for records in [vec![&hit, &hit, &rest, &left], vec![&left], vec![&none], vec![]] {
            count.count(&records.into_iter().map(|record| record.as_object().unwrap()).collect::<Vec<_>>());
        }
        assert_eq!((count.drawn, count.injected), (3, 1));
        assert_eq!(count.skipped, [("no_call".to_owned(), 1), ("not_chosen".to_owned(), 1)].into());
        assert_eq!(count.calls, Some(CallCount { matched: 9, hit: 5 }));
    }

    #[test]
    fn connections_are_calls_and_what_hits_neither_counts_none() {
        let text = r#"{"version":1,"faults":[
            {"id":"a","kind":"network","rate":1,"target":{"host":["h"]},"effect":"refuse"},
            {"id":"b","kind":"latency","rate":1,"delay_ms":1}]}"#;
        let faults = Plan::parse(text).unwrap().faults;
        let counts: Vec<_> = faults.iter().map(|fault| FaultCount::new(fault).calls).collect();
        assert_eq!(counts, [Some(CallCount::default()), None]);
        let of_record = |kind: &str| FaultCount::of_record("f", json!({"kind": kind}).as_object().unwrap()).calls;
        assert_eq!(["network", "latency", "unheard_of"].map(of_record), [Some(CallCount::default()), None, None]);
    }

    #[test]
    fn records_alone_tell_of_each_fault_at_its_highest_rate() {
        let record = |fault, rate, action| json!({"fault": fault, "kind": "latency", "rate": rate, "action": action});
        let own = json!({"reason": "plan_readable"});
        let told = [
            ("1", record("slow", 0.1, "injected")),
            ("1", own),
            ("1", record("late", 1.0, "skipped")),
            ("2", record("slow", 0.5, "injected")),
            ("3", record("slow", 0.2, "injected")),
        ];
        let counts = FaultCount::of_records(told.iter().map(|(invocation, record)| (*invocation, record.as_object().unwrap())));
        let seen: Vec<_> = counts.iter().map(|count| (count.id.as_str(), count.rate, count.drawn, count.injected)).collect();
        assert_eq!(seen, [("slow", 0.5, 3, 3), ("late", 1.0, 1, 0)]);
        assert_eq!(counts[0].expected_said(), "–");
    }
}
