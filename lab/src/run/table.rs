//! A report as text for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use faultlayer_core::text::printable;
use faultlayer_report::expect::State;
use faultlayer_report::figures::{milliseconds, percent};
use faultlayer_report::records;

use super::report::Report;
use super::statistics::{FirstError, Side};

/// How text is set off.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Whether escape sequences are understood.
    pub colours: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// The whole report, with the first `records` of Faultlayer's records at its end.
pub fn render(report: &Report, records: usize, style: Style) -> String {
    let mut out = String::new();
    let calls = if report.calls == 1 { "1 call".to_owned() } else { format!("{} calls", report.calls) };
    let _ = writeln!(out, "{}\n", style.dim(&format!("{} · {calls}", report.function.line())));
    if report.interrupted {
        let _ = writeln!(
            out,
            "{}",
            style.paint("33", &format!("interrupted after {} of {} calls\n", report.run.calls, report.calls))
        );
    }
    if let Some((error_type, error)) = report.run.never_loaded() {
        let _ = writeln!(out, "{}", style.paint("31", &format!("the handler could not be loaded: {}", said(error_type, error))));
        if let Some(frame) = &error.frame {
            let _ = writeln!(out, "  {}", printable(frame));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{}", sides(report, style));
    for (error_type, error) in first_errors(report).filter(|_| report.run.never_loaded().is_none()) {
        let _ = writeln!(out, "{}", style.dim(&format!("  the first {}", said(error_type, error))));
    }
    out.push('\n');
    if !report.faults.is_empty() {
        let _ = writeln!(out, "{}\n", faults(report, style));
    }
    if !report.expectations.is_empty() {
        let _ = writeln!(out, "{}\n", expectations(report, style));
    }
    if records > 0 {
        let _ = writeln!(out, "{}", style.bold("what the function's log says"));
        let all: Vec<_> = report.invocations.iter().flat_map(|invocation| &invocation.records).collect();
        for record in all.iter().take(records) {
            let _ = writeln!(out, "{}", printable(&serde_json::to_string(record).unwrap_or_default()));
        }
        if let Some(more) = all.len().checked_sub(records).filter(|more| *more > 0) {
            let _ = writeln!(out, "{}", style.dim(&format!("… and {more} more, all of them in --report FILE.json")));
        }
        out.push('\n');
    }
    for record in &report.own_records {
        let word = |field| printable(records::text(record, field).unwrap_or_default());
        let _ = writeln!(out, "{} {}: {}", style.paint("33", "faultlayer says"), word("reason"), word("message"));
    }
    for note in &report.notes {
        let _ = writeln!(out, "{}", style.dim(&format!("note: {note}")));
    }
    let _ = writeln!(out, "{}", style.dim(&format!("the same request ids again: --id-seed {}", report.id_seed)));
    out
}

/// The first error of each type, of the run rather than of the healthy side.
fn first_errors(report: &Report) -> impl Iterator<Item = (&str, &FirstError)> {
    let sides = report.healthy.iter().chain([&report.run]);
    let all: BTreeMap<_, _> = sides.flat_map(|side| &side.first_errors).map(|(name, error)| (name.as_str(), error)).collect();
    all.into_iter()
}

fn said(error_type: &str, error: &FirstError) -> String {
    let message = error.message.lines().next().unwrap_or_default();
    printable(&if message.is_empty() { error_type.to_owned() } else { format!("{error_type}: {message}") }).into_owned()
}

/// A table of cells: the first column to the left, the others to the right unless `left` names them.
struct Table {
    rows: Vec<Row>,
    left: &'static [usize],
}

enum Row {
    Cells { cells: Vec<String>, code: &'static str },
    Gap,
}

impl Table {
    fn add(&mut self, code: &'static str, cells: Vec<String>) {
        // Ids, classes of errors and reasons are what others wrote.
        let cells = cells.iter().map(|cell| printable(cell).into_owned()).collect();
        self.rows.push(Row::Cells { cells, code });
    }

    fn render(&self, style: Style) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            let Row::Cells { cells, .. } = row else { continue };
            widths.resize(widths.len().max(cells.len()), 0);
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let lines: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let Row::Cells { cells, code } = row else { return String::new() };
                let padded: Vec<String> = cells
                    .iter()
                    .zip(&widths)
                    .enumerate()
                    .map(|(column, (cell, &width))| {
                        if column == 0 || self.left.contains(&column) {
                            format!("{cell:<width$}")
                        } else {
                            format!("{cell:>width$}")
                        }
                    })
                    .collect();
                let line = format!("  {}", padded.join("   "));
                let line = line.trim_end();
                if code.is_empty() { line.to_owned() } else { style.paint(code, line) }
            })
            .collect();
        lines.join("\n")
    }
}

/// What callers saw, one column for each side.
fn sides(report: &Report, style: Style) -> String {
    let columns: Vec<&Side> = report.healthy.iter().chain([&report.run]).collect();
    let mut table = Table { rows: Vec::new(), left: &[] };
    let mut head = vec![style.bold("what callers saw")];
    let row = |table: &mut Table, label: &str, value: &dyn Fn(&Side) -> u64| {
        let cells = columns.iter().flat_map(|side| [value(side).to_string(), percent(value(side), side.calls)]);
        table.add("", std::iter::once(label.to_owned()).chain(cells).collect());
    };
    let time = |table: &mut Table, label: &str, value: &dyn Fn(&Side) -> f64| {
        let cells = columns.iter().flat_map(|side| [milliseconds(value(side)), String::new()]);
        table.add("", std::iter::once(label.to_owned()).chain(cells).collect());
    };
    if report.healthy.is_some() || report.is_under_a_plan() {
        let healthy = report.healthy.iter().flat_map(|_| ["healthy".to_owned(), String::new()]);
        table.add("2", std::iter::once(String::new()).chain(healthy).chain(["under the plan".to_owned()]).collect());
    }
    row(&mut table, "ok", &|side| side.ok);
    for status in keys(&columns, |side| &side.statuses) {
        row(&mut table, &format!("  with status {status}"), &|side| side.statuses.get(&status).copied().unwrap_or_default());
    }
    row(&mut table, "errors", &|side| side.errors.values().sum());
    for error in keys(&columns, |side| &side.errors) {
        row(&mut table, &format!("  {error}"), &|side| side.errors.get(&error).copied().unwrap_or_default());
    }
    row(&mut table, "timeouts", &|side| side.timeouts);
    row(&mut table, "crashes", &|side| side.crashes);
    if columns.iter().any(|side| side.out_of_memory > 0) {
        row(&mut table, "  out of memory", &|side| side.out_of_memory);
    }
    let starts = columns.iter().flat_map(|side| [side.cold_starts.to_string(), String::new()]);
    table.add("", std::iter::once("cold starts".to_owned()).chain(starts).collect());
    table.rows.push(Row::Gap);
    time(&mut table, "latency p50", &|side| side.latency_ms.p50);
    time(&mut table, "        p90", &|side| side.latency_ms.p90);
    time(&mut table, "        p99", &|side| side.latency_ms.p99);
    time(&mut table, "        max", &|side| side.latency_ms.max);
    if let Some(answers) = report.answers.filter(|answers| answers.compared > 0) {
        table.rows.push(Row::Gap);
        let cells = ["answers as healthy", "", "", &format!("{} of {}", answers.equal, answers.compared)];
        table.add("", cells.map(str::to_owned).to_vec());
    }
    head.push(table.render(style));
    head.join("\n")
}

/// What became of the plan's faults.
fn faults(report: &Report, style: Style) -> String {
    let in_calls = report.faults.iter().any(|fault| fault.calls.is_some());
    let mut table = Table { rows: Vec::new(), left: if in_calls { &[1, 8] } else { &[1, 7] } };
    let dry = report.faults.iter().any(|fault| fault.dry_run > 0);
    let injected = if dry { "would inject" } else { "injected" };
    let words = ["fault", "kind", "rate", "expected", "drawn", injected, "skipped"];
    let calls = if in_calls { &["calls hit", ""][..] } else { &[""] };
    table.add("2", words.iter().chain(calls).map(ToString::to_string).collect());
    for fault in &report.faults {
        let mut cells = vec![
            fault.id.clone(),
            fault.kind.clone(),
            fault.rate.to_string(),
            fault.expected_said(),
            fault.drawn.to_string(),
            if dry { fault.dry_run } else { fault.injected }.to_string(),
            fault.skipped.values().sum::<u64>().to_string(),
        ];
        if in_calls {
            cells.push(fault.calls_said());
        }
        cells.push(fault.skipped.iter().map(|(reason, count)| format!("{reason} {count}")).collect::<Vec<_>>().join(", "));
        table.add("", cells);
    }
    format!("{}\n{}", style.bold("what the plan did"), table.render(style))
}

/// What became of the expectations.
fn expectations(report: &Report, style: Style) -> String {
    let mut table = Table { rows: Vec::new(), left: &[1, 2, 3] };
    for judged in &report.expectations {
        let code = match judged.state {
            State::Held => "32",
            State::Broken => "31",
            State::NotMeasurable => "33",
        };
        let (measured, why) = (judged.measured.clone().unwrap_or_default(), judged.why.clone().unwrap_or_default());
        table.add(code, vec![judged.text.clone(), judged.state.word().to_owned(), measured, why]);
    }
    format!("{}\n{}", style.bold("what was expected"), table.render(style))
}

/// All keys of all sides, in their order.
fn keys<K: Ord + Clone>(sides: &[&Side], of: impl Fn(&Side) -> &BTreeMap<K, u64>) -> Vec<K> {
    let all: std::collections::BTreeSet<&K> = sides.iter().flat_map(|side| of(side).keys()).collect();
    all.into_iter().cloned().collect()
}
