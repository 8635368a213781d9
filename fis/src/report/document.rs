//! What was seen of an experiment, as a report.

use std::collections::{BTreeMap, BTreeSet};

use faultlayer_core::timestamp::Timestamp;
use faultlayer_report::document::{Line, MOST_LINES, Mark, Phase, Touched, Verdict, thinned};
use faultlayer_report::expect::Measured;
use faultlayer_report::timeline::Moment;
use faultlayer_report::{Document, Expectation, FaultCount, Judged, Timeline, records};
use serde_json::{Map, Value};

use super::counted::Counted;
use super::metrics::{Period, Periods, together, within};
use super::records::Found;
use super::span::{Moments, Stretch};
use super::too_short;
use crate::view::View;

/// The name of all errors together.
const ANY: &str = "of any type";

/// Faultlayer's own records that stand in a report; more of them say the same.
const OWN: usize = 20;

/// All that AWS said.
#[derive(Debug)]
pub struct Seen {
    pub view: View,
    pub moments: Moments,
    pub stretches: [Stretch; 3],
    /// In ms.
    pub period: i64,
    /// Where the last period ends.
    pub until: i64,
    /// By function.
    pub figures: BTreeMap<String, Periods>,
    /// By function, in the order in which the experiment names them.
    pub records: Vec<(String, Found)>,
    /// Where the plan's injections are metrics of its own.
    pub counted: Option<Counted>,
    pub alarms: BTreeMap<String, Vec<String>>,
}

type Record = (i64, Map<String, Value>);

/// A stretch's figures as a phase; the report begins at `base`.
pub fn phase(stretch: &Stretch, all: &Period, base: i64) -> Phase {
    Phase {
        name: stretch.name.to_owned(),
        from_ms: since(base, stretch.from),
        until_ms: since(base, stretch.until.max(stretch.from)),
        calls: all.calls,
        ok: all.calls.saturating_sub(all.errors),
        errors: BTreeMap::from([(ANY.to_owned(), all.errors)]).into_iter().filter(|(_, count)| *count > 0).collect(),
        throttles: Some(all.throttles),
        latency_ms: all.latency(),
        untold: Some("CloudWatch counts errors, and not which".to_owned()),
        ..Phase::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of an experiment")]
fn since(base: i64, at: i64) -> f64 {
    (at - base) as f64
}

impl Seen {
    /// The report.
    pub fn document(&self, expected: &[Expectation]) -> Document {
        let base = self.stretches[0].from;
        let all = together(self.figures.values());
        let phases: Vec<Phase> = self
            .stretches
            .iter()
            .enumerate()
            .map(|(index, stretch)| Phase {
                path: format!("/phases/{index}"),
                incomplete: too_short(stretch, self.period),
                ..phase(stretch, &within(&all, stretch), base)
            })
            .collect();
        let request_id = |record| records::text(record, "requestId").unwrap_or_default();
        let faults = FaultCount::of_records(self.of_faults().map(|(_, record)| (request_id(record), record)));
        let injections = faults.iter().map(|fault| fault.injected).sum();
        let during = phases.get(1).cloned().unwrap_or_default();
        let measured = Measured { phase: &during, injections, alarms: Some(&self.alarms) };
        let judged: Vec<Judged> = expected.iter().map(|one| one.judge(measured)).collect();
        let lines: Vec<Line> = self.of_faults().map(|record| line(record, base)).collect();
        Document {
            title: self.title(),
            verdict: Verdict::of(&judged, phases.first().filter(|before| before.calls > 0), &during, injections),
            expectations: judged,
            facts: self.facts(),
            timeline: self.timeline(&all, base),
            marks: self.marks(base),
            phases,
            faults,
            records_in_all: lines.len() as u64,
            records: thinned(lines, MOST_LINES),
            functions: self.functions(),
            notes: self.notes(),
            plan: None,
        }
    }

    /// The records of faults, of all functions, in the order of time within each.
    fn of_faults(&self) -> impl Iterator<Item = &Record> {
        let all = self.records.iter().flat_map(|(_, found)| &found.records);
        all.filter(|(_, record)| record.contains_key("fault"))
    }

    fn title(&self) -> String {
        let experiment = self.of_faults().find_map(|(_, record)| records::text(record, "experiment"));
        let id = &self.view.id;
        experiment.map_or_else(|| format!("Experiment `{id}`"), |name| format!("`{name}`, experiment `{id}`"))
    }

    fn facts(&self) -> Vec<(String, String)> {
        let view = &self.view;
        let with = |text: String, said: &str| if said.is_empty() { text } else { format!("{text}: {said}") };
        let names: Vec<String> = self.figures.keys().map(|name| format!("`{name}`")).collect();
        let mut facts = vec![
            ("experiment", with(format!("`{}`, {}", view.id, view.state), &view.reason)),
            ("template", format!("`{}`", view.template)),
            ("functions", names.join(", ")),
        ];
        if let Some(execution) = &view.automation {
            facts.push(("automation", with(format!("`{}`, `{}`, {}", execution.document, execution.id, execution.status), "")));
            facts.extend(execution.output("Estimate").map(|said| ("what it was to do", said.to_owned())));
        }
        let moments = [
            ("attaching began", self.moments.attach),
            ("all were attached", self.moments.hold),
            ("rolling back began", self.moments.rollback),
            ("ended", self.moments.end),
        ];
        facts.extend(moments.into_iter().filter_map(|(name, at)| Some((name, Timestamp::from_millis(at?).to_rfc3339()))));
        facts.extend(self.counted.as_ref().map(|counted| ("injections, as CloudWatch counts them", counted.said())));
        facts.push(("figures", format!("CloudWatch's, by {} s", self.period / 1000)));
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn marks(&self, base: i64) -> Vec<Mark> {
        let marks = [
            ("attach", self.moments.attach),
            ("hold", self.moments.hold),
            ("roll back", self.moments.rollback),
            ("ended", self.moments.end),
        ];
        marks.into_iter().filter_map(|(label, at)| Some(Mark { at_ms: since(base, at?), label: label.to_owned() })).collect()
    }

    fn timeline(&self, all: &Periods, base: i64) -> Timeline {
        let down = |at: i64| at.div_euclid(self.period) * self.period;
        let mut injected: BTreeMap<i64, BTreeMap<String, u64>> = BTreeMap::new();
        let mut met = BTreeSet::new();
        for (at, record) in self.of_faults().filter(|(_, record)| records::text(record, "action") == Some("injected")) {
            let word = |field| records::text(record, field).unwrap_or_default();
            // A fault in calls has a record for each.
            if met.insert((word("requestId"), word("fault"))) {
                *injected.entry(down(*at)).or_default().entry(word("fault").to_owned()).or_default() += 1;
            }
        }
        let begins: BTreeSet<i64> = all.keys().chain(injected.keys()).copied().collect();
        let moment = |at: i64| {
            let figures = all.get(&at).copied().unwrap_or_default();
            let stretch = self.stretches.iter().find(|stretch| stretch.has(at));
            Moment {
                at_ms: since(base, at),
                phase: stretch.map_or("between", |stretch| stretch.name).to_owned(),
                calls: figures.calls,
                answered: figures.calls.saturating_sub(figures.errors),
                errors: figures.errors,
                latency_ms: figures.latency(),
                injected: injected.get(&at).cloned().unwrap_or_default(),
                ..Moment::default()
            }
        };
        let until = begins.last().map_or(self.until, |last| self.until.max(last + self.period));
        Timeline {
            moment_ms: since(0, self.period),
            until_ms: since(base, until),
            moments: begins.into_iter().filter(|at| *at >= base).map(moment).collect(),
        }
    }

    fn functions(&self) -> Vec<Touched> {
        let [_, during, _] = &self.stretches;
        let touched = |(name, periods): (&String, &Periods)| {
            let all = within(periods, during);
            let records = self.records.iter().find(|(of, _)| of == name).map_or(0, |(_, found)| found.records.len() as u64);
            Touched {
                name: name.clone(),
                configuration: self.view.configuration(name),
                calls: all.calls,
                errors: all.errors,
                throttles: all.throttles,
                records,
            }
        };
        self.figures.iter().map(touched).collect()
    }

    fn notes(&self) -> Vec<String> {
        let seconds = self.period / 1000;
        let mut notes = vec![
            format!(
                "The figures are CloudWatch's, in whole periods of {seconds} s: those in which functions were attached or rolled back \
                 are on the time axis, and in neither before, during nor after."
            ),
            "What callers waited is Lambda's `Duration`: what initialisation took is not in it. A percentile is the one of the worst \
             period and function, which that of all calls does not exceed."
                .to_owned(),
        ];
        if let Some((key, value)) = &self.view.aim.tag {
            notes
                .push(format!("The experiment names its functions by the tag `{key}={value}`: here are those that have it now."));
        }
        if !self.view.is_final() {
            notes.push("The experiment goes on: what is here is what has been until now.".to_owned());
        }
        notes.extend(self.records.iter().filter_map(|(_, found)| found.missing.clone()));
        let own = self.records.iter().flat_map(|(_, found)| &found.records).filter(|(_, record)| !record.contains_key("fault"));
        let own: BTreeSet<String> = own.map(|(_, record)| records::own(record)).collect();
        notes.extend(own.into_iter().take(OWN));
        notes
    }
}

fn line((at, record): &Record, base: i64) -> Line {
    let request_id = records::text(record, "requestId").unwrap_or_default().to_owned();
    records::line(record, Line { at_ms: since(base, *at), request_id, ..Line::default() })
}
