//! The report as Markdown, for a pull request.

use std::collections::BTreeSet;
use std::fmt::Write;

use faultlayer_core::text::printable;

use crate::document::{Document, FUNCTIONS, Phase};
use crate::expect::State;
use crate::figures::{milliseconds, percent};

/// Records that stand in it.
const RECORDS: usize = 20;

/// The whole report.
#[must_use]
pub fn render(document: &Document) -> String {
    let mut text = String::new();
    let verdict = &document.verdict;
    let sign = verdict.state.map_or("", sign);
    let _ = write!(text, "# {}\n\n**{sign}{}.** {}\n", line(&document.title), line(&verdict.headline), line(&verdict.detail));
    if !document.expectations.is_empty() {
        let rows = document.expectations.iter().map(|judged| {
            let why = judged.why.clone().unwrap_or_default();
            vec![
                code(&judged.text),
                format!("{}{}", sign_of(judged.state), judged.state.word()),
                cell(judged.measured.as_deref().unwrap_or("–")),
                cell(&why),
            ]
        });
        table(&mut text, "What was expected", &["expectation", "state", "measured", "why"], rows);
    }
    let _ = write!(text, "\n## What was done\n\n");
    for (name, value) in &document.facts {
        let _ = writeln!(text, "- {name}: {}", line(value));
    }
    phases(&mut text, document);
    faults(&mut text, document);
    if !document.records.is_empty() {
        let shown = document.records.len().min(RECORDS);
        let title = format!("Records: {shown} of {}", document.records_in_all);
        let rows = document.records.iter().take(RECORDS).map(|record| {
            vec![
                milliseconds(record.at_ms),
                code(&record.fault),
                cell(&record.action),
                cell(&record.outcome),
                record.latency_ms.map(milliseconds).unwrap_or_default(),
                code(&record.request_id),
            ]
        });
        table(&mut text, &title, &["after", "fault", "what became of it", "call ended", "waited", "request id"], rows);
    }
    if !document.functions.is_empty() {
        let rows = document.functions.iter().map(|function| {
            vec![
                code(&function.name),
                cell(&function.configuration),
                function.calls.to_string(),
                function.errors.to_string(),
                function.throttles.to_string(),
                function.records.to_string(),
            ]
        });
        table(&mut text, "The functions", &FUNCTIONS, rows);
    }
    if !document.notes.is_empty() {
        let _ = write!(text, "\n## Notes\n\n");
        for note in &document.notes {
            let _ = writeln!(text, "- {}", line(note));
        }
    }
    text
}

fn phases(text: &mut String, document: &Document) {
    let phases = &document.phases;
    let count = |label: String, of: &dyn Fn(&Phase) -> u64, shares: bool| -> Vec<String> {
        let cells = phases.iter().map(|phase| {
            let share = if shares { percent(of(phase), phase.calls) } else { String::new() };
            format!("{} {share}", of(phase)).trim_end().to_owned()
        });
        std::iter::once(label).chain(cells).collect()
    };
    let time = |label: &str, of: &dyn Fn(&Phase) -> f64| -> Vec<String> {
        std::iter::once(format!("waited, {label}")).chain(phases.iter().map(|phase| milliseconds(of(phase)))).collect()
    };
    let mut rows =
        vec![count("calls".to_owned(), &|phase| phase.calls, false), count("answered".to_owned(), &|phase| phase.ok, true)];
    for status in phases.iter().flat_map(|phase| phase.statuses.keys()).collect::<BTreeSet<_>>() {
        let of = |phase: &Phase| phase.statuses.get(status).copied().unwrap_or_default();
        rows.push(count(format!("… with status {status}"), &of, true));
    }
    for name in phases.iter().flat_map(|phase| phase.errors.keys()).collect::<BTreeSet<_>>() {
        rows.push(count(format!("error {}", code(name)), &|phase| phase.errors.get(name).copied().unwrap_or_default(), true));
    }
    if phases.iter().all(|phase| phase.untold.is_none()) {
        rows.extend([
            count("timeouts".to_owned(), &|phase| phase.timeouts, true),
            count("crashes".to_owned(), &|phase| phase.crashes, true),
            count("cold starts".to_owned(), &|phase| phase.cold_starts, false),
        ]);
    }
    if phases.iter().any(|phase| phase.throttles.is_some()) {
        rows.push(count("throttled".to_owned(), &|phase| phase.throttles.unwrap_or_default(), false));
    }
    rows.extend([
        time("p50", &|phase| phase.latency_ms.p50),
        time("p90", &|phase| phase.latency_ms.p90),
        time("p99", &|phase| phase.latency_ms.p99),
        time("max", &|phase| phase.latency_ms.max),
    ]);
    let mut head = vec!["figure"];
    head.extend(phases.iter().map(|phase| phase.name.as_str()));
    table(text, "What callers saw", &head, rows.into_iter());
}

fn faults(text: &mut String, document: &Document) {
    if document.faults.is_empty() {
        return;
    }
    let dry = document.faults.iter().any(|fault| fault.dry_run > 0);
    let in_calls = document.faults.iter().any(|fault| fault.calls.is_some());
    let rows = document.faults.iter().map(|fault| {
        let reasons: Vec<String> = fault.skipped.iter().map(|(reason, count)| format!("{} {count}", cell(reason))).collect();
        let mut cells = vec![
            code(&fault.id),
            cell(&fault.kind),
            fault.rate.to_string(),
            fault.expected_said(),
            fault.drawn.to_string(),
            if dry { fault.dry_run } else { fault.injected }.to_string(),
            reasons.join(", "),
        ];
        if in_calls {
            cells.push(fault.calls_said());
        }
        cells
    });
    let injected = if dry { "would inject" } else { "injected" };
    let mut head = vec!["fault", "kind", "rate", "expected", "drawn", injected, "skipped"];
    head.extend(in_calls.then_some("calls hit"));
    table(text, "What the plan did", &head, rows);
}

fn table(text: &mut String, title: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let _ = write!(text, "\n## {title}\n\n| {} |\n|{}\n", head.join(" | "), " -- |".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

const fn sign(state: State) -> &'static str {
    match state {
        State::Held => "✅ ",
        State::NotMeasurable => "❔ ",
        State::Broken => "❌ ",
    }
}

const fn sign_of(state: State) -> &'static str {
    sign(state)
}

/// Text of others in a line: nothing of it is Markdown's or HTML's. What stands in backticks stays code.
fn line(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return plain(text);
    }
    let written = pieces.into_iter().enumerate();
    written.map(|(index, piece)| if index % 2 == 1 { code(piece) } else { plain(piece) }).collect()
}

fn cell(text: &str) -> String {
    line(text)
}

fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for character in printable(text).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '!' | '@') {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

/// Code in a cell: a bar would end the cell even there, a backtick the code.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("`{}`", printable(text).replace('|', "\\|").replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_becomes_markdown() {
        assert_eq!(line("a|b <img> *c* `d|e`"), "a\\|b \\<img\\> \\*c\\* `d\\|e`");
        assert_eq!(line("one ` alone\n# x"), "one \\` alone\\\\n\\# x");
        assert_eq!(code("a`b|c"), "`a'b\\|c`");
    }
}
