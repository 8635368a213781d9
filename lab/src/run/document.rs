//! A run as what a page says.

use faultlayer_report::document::{Document, Line, MOST_LINES, Phase, Verdict, thinned};
use faultlayer_report::expect::Measured;
use faultlayer_report::figures::counted;
use faultlayer_report::timeline::{Call, Ending};
use faultlayer_report::{Expectation, Judged, Timeline, records};
use serde_json::Value;

use super::report::{Invocation, Report};
use super::statistics::Side;

/// The calls under the plan on a time axis.
pub fn timeline(invocations: &[Invocation]) -> Timeline {
    let calls: Vec<Call> = invocations.iter().map(call).collect();
    Timeline::of(&[(UNDER, &calls)])
}

/// The name of the phase in which the plan is in force.
const UNDER: &str = "under the plan";

/// What became of each expectation, and the verdict.
pub fn judged(report: &Report, expected: &[Expectation]) -> (Vec<Judged>, Option<Verdict>) {
    let under = under(report);
    let injections = report.faults.iter().map(|fault| fault.injected).sum();
    let measured = Measured { phase: &under, injections, alarms: None };
    let judged: Vec<Judged> = expected.iter().map(|expectation| expectation.judge(measured)).collect();
    let healthy = report.healthy.as_ref().map(|side| phase("healthy", side));
    let verdict = Verdict::of(&judged, healthy.as_ref(), &under, injections);
    (judged, Some(verdict))
}

impl Report {
    /// What a page of this run says.
    pub fn document(&self) -> Document {
        let healthy = self.healthy.as_ref().map(|side| phase("healthy", side));
        let under = under(self);
        let injected = self.faults.iter().map(|fault| fault.injected).sum();
        let lines = lines(&self.invocations);
        Document {
            title: self.title(),
            verdict: self.verdict.clone().unwrap_or_else(|| Verdict::of(&self.expectations, healthy.as_ref(), &under, injected)),
            expectations: self.expectations.clone(),
            facts: self.facts(),
            phases: healthy.into_iter().chain([under]).collect(),
            faults: self.faults.clone(),
            timeline: self.timeline.clone(),
            marks: Vec::new(),
            records_in_all: lines.len() as u64,
            records: thinned(lines, MOST_LINES),
            functions: Vec::new(),
            notes: self.notes.iter().cloned().chain(self.own_records.iter().map(records::own)).collect(),
            plan: self.plan.clone(),
        }
    }

    fn title(&self) -> String {
        let handler = self.function.handler();
        match self.experiment() {
            Some(experiment) => format!("`{handler}` under `{experiment}`"),
            None if self.is_under_a_plan() => format!("`{handler}` under a plan"),
            None => format!("`{handler}` as it is"),
        }
    }

    /// The plan's experiment, as it says or as its last record does.
    fn experiment(&self) -> Option<&str> {
        let told = || self.invocations.iter().rev().flat_map(|invocation| invocation.records.iter().rev());
        let plan = self.plan.as_ref().and_then(|plan| plan.get("experiment")?.as_str());
        plan.or_else(|| told().find_map(|record| records::text(record, "experiment")))
    }

    fn facts(&self) -> Vec<(String, String)> {
        let plan = self.plan.as_ref();
        let text = |field| plan.and_then(|plan| plan.get(field)).and_then(Value::as_str);
        let mut facts = vec![("function", self.function.line()), ("calls", self.calls_said())];
        if !self.started_at.is_empty() {
            facts.push(("began", self.started_at.clone()));
            facts.push(("ended", self.ended_at.clone()));
        }
        if let (Some(from), Some(until)) = (text("starts_at"), text("expires_at")) {
            facts.push(("the plan is in force", format!("from {from} to {until}")));
        }
        if let Some(source) = &self.plan_source {
            facts.push(("the plan is read from", format!("`{source}`, again and again")));
        }
        if !self.faults.is_empty() {
            let faults: Vec<_> = self.faults.iter().map(|fault| format!("`{}` ({})", fault.id, fault.kind)).collect();
            facts.push(("faults", faults.join(", ")));
        }
        if plan.and_then(|plan| plan.get("dry_run")).and_then(Value::as_bool) == Some(true) {
            facts.push(("dry run", "the plan decides and logs, and changes nothing".to_owned()));
        }
        if let Some(answers) = self.answers.filter(|answers| answers.compared > 0) {
            facts.push(("answers as healthy", format!("{} of {} that no fault replaced", answers.equal, answers.compared)));
        }
        facts.push(("the same request ids again", format!("`--id-seed {}`", self.id_seed)));
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn calls_said(&self) -> String {
        let sides = if self.healthy.is_some() { ", first as it is, then under the plan" } else { "" };
        format!("{}, one after the other{sides}", counted(self.calls, "call"))
    }
}

/// The side under the plan, and why its figures may not be those of the whole.
fn under(report: &Report) -> Phase {
    let mut under = phase(if report.is_under_a_plan() { UNDER } else { "as it is" }, &report.run);
    "/run".clone_into(&mut under.path);
    under.until_ms = report.timeline.until_ms;
    under.incomplete = if let Some(why) = report.trouble().first() {
        Some(format!("the plan was not carried out: {why}"))
    } else if report.interrupted {
        Some(format!("interrupted after {} of {}", report.run.calls, counted(report.calls, "call")))
    } else {
        None
    };
    under
}

fn phase(name: &str, side: &Side) -> Phase {
    Phase {
        name: name.to_owned(),
        path: format!("/{name}"),
        calls: side.calls,
        ok: side.ok,
        statuses: side.statuses.clone(),
        errors: side.errors.clone(),
        timeouts: side.timeouts,
        crashes: side.crashes,
        cold_starts: side.cold_starts,
        latency_ms: side.latency_ms,
        ..Phase::default()
    }
}

fn call(invocation: &Invocation) -> Call {
    Call {
        at_ms: invocation.at_ms,
        latency_ms: invocation.latency_ms,
        ending: match invocation.outcome {
            "ok" => Ending::Answered,
            "timeout" => Ending::Timeout,
            "crash" | "out_of_memory" => Ending::Crash,
            _ => Ending::Error,
        },
        injected: invocation.injected().filter_map(|record| records::text(record, "fault")).map(str::to_owned).collect(),
    }
}

/// A line for each record of a fault, and one for each call that failed without any being injected.
fn lines(invocations: &[Invocation]) -> Vec<Line> {
    let mut lines = Vec::new();
    for invocation in invocations {
        let base = Line {
            at_ms: invocation.at_ms,
            request_id: invocation.request_id.clone(),
            outcome: invocation.error_type.clone().unwrap_or_else(|| invocation.outcome.to_owned()),
            latency_ms: Some(invocation.latency_ms),
            ..Line::default()
        };
        if invocation.outcome != "ok" && invocation.injected().next().is_none() {
            lines.push(Line { action: "failed by itself".to_owned(), ..base.clone() });
        }
        for record in invocation.records.iter().filter(|record| record.contains_key("fault")) {
            lines.push(records::line(record, base.clone()));
        }
    }
    lines
}
