//! A run as data: what `--json` prints.

use bytes::Bytes;
use faultlayer_report::document::Verdict;
use faultlayer_report::figures::rounded;
use faultlayer_report::{Expectation, FaultCount, Judged, Timeline, reach, records};
use serde::Serialize;
use serde_json::{Map, Value};

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
    /// Or where it read one, which may have changed meanwhile: what is known of its faults is what their records say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_source: Option<String>,
    /// What callers saw without Faultlayer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy: Option<Side>,
    /// What callers saw under the plan, or at all, if there is none.
    pub run: Side,
    /// Whether both sides answered alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
    /// In the plan's order, or in that of the records.
    pub faults: Vec<FaultCount>,
    /// Faultlayer's own records: what it says of itself.
    pub own_records: Vec<Map<String, Value>>,
    /// What to know about this run.
    pub notes: Vec<String>,
    /// The run (not the healthy side) on a time axis.
    pub timeline: Timeline,
    /// Of the run (not of the healthy side), in their order; those without a record only where all are kept.
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
            plan_source: None,
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
        if self.plan_source.is_some() {
            let each = invocations.iter().flat_map(|of| of.records.iter().map(|record| (of.request_id.as_str(), record)));
            self.faults = FaultCount::of_records(each);
        }
        self.notes.extend(self.faults.iter().filter_map(|fault| reach::unmet(fault, &self.function.runtime)));
        self.run = figures;
        self.timeline = super::document::timeline(&invocations);
        self.invocations = invocations;
    }

    /// Whether the function was under a plan, its own or one from a place.
    pub fn is_under_a_plan(&self) -> bool {
        self.plan.is_some() || self.plan_source.is_some()
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
