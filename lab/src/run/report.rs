//! A run as data: what `--json` prints.

use std::collections::BTreeMap;

use bytes::Bytes;
use faultlayer_core::plan::Fault;
use faultlayer_report::document::Verdict;
use faultlayer_report::figures::rounded;
use faultlayer_report::{Expectation, Judged, Timeline};
use serde::Serialize;
use serde_json::{Map, Value};

use super::records;
use super::runner::Request;
use super::statistics::Side;
use crate::runtime::{Cause, FunctionSpec, InvokeOutcome, Invoked};

/// The longest answer that stands in a report, in bytes.
const LONGEST_ANSWER: usize = 4096;

/// One run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was run.
    pub function: Shown,
    /// What became of what was expected, and what was seen, in two sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What was expected, and whether it is so.
    pub expectations: Vec<Judged>,
    /// When the first call (under the plan, if there is one) began, and when the last one had ended; RFC 3339.
    pub started_at: String,
    /// See there.
    pub ended_at: String,
    /// How often it was to be invoked, on each side.
    pub calls: u64,
    /// Gives the same request ids again.
    pub id_seed: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// The plan as the layer got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Value>,
    /// What callers saw without Faultlayer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy: Option<Side>,
    /// What callers saw under the plan, or at all, if there is none.
    pub run: Side,
    /// Whether both sides answered alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
    /// In the plan's order.
    pub faults: Vec<FaultCount>,
    /// Faultlayer's own records: what it says of itself.
    pub own_records: Vec<Map<String, Value>>,
    /// What to know about this run.
    pub notes: Vec<String>,
    /// The run (not the healthy side) on a time axis.
    pub timeline: Timeline,
    /// Of the run (not of the healthy side), in their order.
    pub invocations: Vec<Invocation>,
}

/// The function of a report.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    runtime: String,
    handler: String,
    timeout_ms: u64,
    memory_mb: u32,
}

impl Shown {
    fn new(spec: &FunctionSpec) -> Shown {
        Shown {
            runtime: spec.runtime.clone(),
            handler: spec.handler.clone(),
            timeout_ms: u64::try_from(spec.timeout.as_millis()).unwrap_or(u64::MAX),
            memory_mb: spec.memory_mb,
        }
    }

    /// The function's handler.
    pub fn handler(&self) -> &str {
        &self.handler
    }

    /// `python3.12 · app.handler · timeout 3 s · 128 MB`
    pub fn line(&self) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a timeout of at most minutes")]
        let seconds = self.timeout_ms as f64 / 1000.0;
        format!("{} · {} · timeout {seconds} s · {} MB", self.runtime, self.handler, self.memory_mb)
    }
}

/// What became of one fault of the plan.
#[derive(Debug, Clone, Serialize)]
pub struct FaultCount {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its rate, or the highest of its steps.
    pub rate: f64,
    /// Rate times calls, at the rates of the moments of the calls. What `match` and limits keep away is not taken off.
    pub expected: f64,
    /// One standard deviation around it.
    pub deviation: f64,
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
    pub fn new(fault: &Fault) -> FaultCount {
        FaultCount {
            id: fault.id.clone(),
            kind: fault.kind.spec().name.to_owned(),
            rate: fault.rate.highest(),
            expected: 0.0,
            deviation: 0.0,
            drawn: 0,
            injected: 0,
            dry_run: 0,
            skipped: BTreeMap::new(),
            calls: fault.kind.target().map(|_| CallCount::default()),
        }
    }

    /// Sets what was to be expected.
    pub fn expect(&mut self, mean: f64, deviation: f64) {
        (self.expected, self.deviation) = (rounded(mean), rounded(deviation));
    }

    /// Counts its records of one invocation: a fault in calls has one for each call that it hits.
    fn count(&mut self, records: &[&Map<String, Value>]) {
        let Some(first) = records.first() else { return };
        let is = |record: &Map<String, Value>, action| records::text(record, "action") == Some(action);
        self.drawn += 1;
        if records.iter().any(|record| is(record, "injected")) {
            self.injected += 1;
        } else if records.iter().any(|record| is(record, "dry_run")) {
            self.dry_run += 1;
        } else {
            *self.skipped.entry(records::text(first, "reason").unwrap_or("unknown").to_owned()).or_default() += 1;
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

/// Whether the run answered as the healthy side did, byte by byte, where both answered and no fault replaced or mangled the answer.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Answers {
    /// Such invocations.
    pub compared: u64,
    /// Those whose answers are equal.
    pub equal: u64,
}

impl Answers {
    /// Compares the answers to the same invocations. `run` has its records too.
    pub fn compare(healthy: &[Option<Bytes>], run: &[Option<Bytes>], invocations: &[Invocation]) -> Answers {
        let mut answers = Answers::default();
        for ((healthy, run), invocation) in healthy.iter().zip(run).zip(invocations) {
            if let (Some(healthy), Some(run), false) = (healthy, run, invocation.answer_is_a_faults()) {
                answers.compared += 1;
                answers.equal += u64::from(healthy == run);
            }
        }
        answers
    }
}

/// One invocation of a report.
#[derive(Debug, Clone, Serialize)]
pub struct Invocation {
    /// Its request id.
    pub request_id: String,
    /// `ok`, `error`, `init_error`, `timeout`, `crash`, `out_of_memory` or `too_large`.
    pub outcome: &'static str,
    /// `errorType`, unless it is `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
    /// When it began, since the first one did.
    pub at_ms: f64,
    /// What the caller waited.
    pub latency_ms: f64,
    /// Whether a process was started for it.
    pub cold_start: bool,
    /// The body that the caller got, if it is text of at most 4096 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Its length.
    pub answer_bytes: usize,
    /// Faultlayer's records of it.
    pub records: Vec<Map<String, Value>>,
    /// Its log, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Vec<String>>,
}

impl Invocation {
    /// What a report keeps of an invocation that began so long after the first one.
    pub fn new(invoked: &Invoked, at_ms: f64) -> Invocation {
        let (outcome, error_type) = match &invoked.outcome {
            InvokeOutcome::Ok { .. } => ("ok", None),
            InvokeOutcome::FunctionError { cause, error_type, .. } => {
                let outcome = match cause {
                    Cause::Handler => "error",
                    Cause::Init => "init_error",
                    Cause::Timeout => "timeout",
                    Cause::Exit => "crash",
                    Cause::Memory => "out_of_memory",
                    Cause::TooLarge => "too_large",
                };
                (outcome, Some(error_type.clone()))
            }
        };
        let payload = invoked.outcome.payload();
        Invocation {
            request_id: invoked.request_id.clone(),
            outcome,
            error_type,
            at_ms: rounded(at_ms),
            latency_ms: rounded(invoked.latency_ms()),
            cold_start: invoked.cold_start,
            answer: (payload.len() <= LONGEST_ANSWER).then(|| String::from_utf8(payload.to_vec()).ok()).flatten(),
            answer_bytes: payload.len(),
            records: records::of(&invoked.log),
            log: None,
        }
    }
}

impl Invocation {
    /// The records of what was injected.
    pub fn injected(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.records.iter().filter(|record| records::text(record, "action") == Some("injected"))
    }

    /// Whether a fault replaced or mangled the answer.
    fn answer_is_a_faults(&self) -> bool {
        self.injected().any(|record| matches!(records::text(record, "kind"), Some("response" | "corrupt")))
    }
}

impl Report {
    /// A report of nothing yet.
    pub fn new(request: &Request, not_isolated: Option<&str>) -> Report {
        let notes =
            not_isolated.map(|why| format!("/var/task, /opt and /tmp are this machine's own paths here, translated ({why})"));
        Report {
            function: Shown::new(&request.spec),
            verdict: None,
            expectations: Vec::new(),
            started_at: String::new(),
            ended_at: String::new(),
            calls: request.calls,
            id_seed: request.id_seed,
            interrupted: false,
            plan: None,
            healthy: None,
            run: Side::default(),
            answers: None,
            faults: Vec::new(),
            own_records: Vec::new(),
            notes: notes.into_iter().collect(),
            timeline: Timeline::default(),
            invocations: Vec::new(),
        }
    }

    /// Takes in the side under the plan.
    pub fn take(&mut self, figures: Side, invocations: Vec<Invocation>, wanted: u64) {
        self.interrupted |= figures.calls != wanted;
        for invocation in &invocations {
            let of = |id: Option<&str>| -> Vec<_> {
                invocation.records.iter().filter(|record| records::text(record, "fault") == id).collect()
            };
            self.own_records.extend(of(None).into_iter().cloned());
            self.faults.iter_mut().for_each(|count| count.count(&of(Some(&count.id.clone()))));
        }
        self.run = figures;
        self.timeline = super::document::timeline(&invocations);
        self.invocations = invocations;
    }

    /// Holds what was expected against what was seen.
    pub fn judge(&mut self, expected: &[Expectation]) {
        (self.expectations, self.verdict) = super::document::judged(self, expected);
    }

    /// What kept the plan from working at all: the messages of Faultlayer's own trouble.
    pub fn trouble(&self) -> Vec<&str> {
        self.own_records
            .iter()
            .filter(|record| records::text(record, "level") == Some("ERROR"))
            .map(|record| records::text(record, "message").unwrap_or("Faultlayer failed without a message"))
            .collect()
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
    }
}
