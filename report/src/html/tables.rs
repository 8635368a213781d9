//! The page's tables.

use std::collections::BTreeSet;
use std::fmt::{Display, Result, Write};

use super::part::{code, escape, figure_of, step, table};
use crate::document::{Document, FUNCTIONS, Phase};
use crate::expect::State;
use crate::figures::{milliseconds, percent};

pub fn expectations(page: &mut String, document: &Document) -> Result {
    if document.expectations.is_empty() {
        return Ok(());
    }
    page.push_str("<section aria-labelledby=\"expected\">\n<h2 id=\"expected\">What was expected</h2>\n");
    let rows: Vec<Vec<String>> = document
        .expectations
        .iter()
        .enumerate()
        .map(|(index, judged)| {
            let class = match judged.state {
                State::Held => "held",
                State::Broken => "broken",
                State::NotMeasurable => "unknown",
            };
            let word = format!("<span class=\"state {class}\">{}</span>", judged.state.word());
            let shown = judged.measured.as_deref().map_or_else(
                || "–".to_owned(),
                |measured| figure_of(measured, escape(measured), &format!("/expectations/{index}/measured")),
            );
            let why = judged.why.as_deref().map(|why| format!("<small>{}</small>", code(why))).unwrap_or_default();
            vec![format!("<code>{}</code>", escape(&judged.text)), word, format!("{shown}{why}")]
        })
        .collect();
    table(page, "What was expected", "text expected", &["expectation", "state", "measured"], &rows)?;
    page.push_str("</section>\n");
    Ok(())
}

/// What callers saw: a row a figure, a column a phase.
pub fn phases(page: &mut String, document: &Document) -> Result {
    page.push_str("<section aria-labelledby=\"saw\">\n<h2 id=\"saw\">What callers saw</h2>\n");
    let phases = &document.phases;
    let mut head = vec!["figure"];
    head.extend(phases.iter().map(|phase| phase.name.as_str()));
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut count = |label: String, pointer: &dyn Fn(&Phase) -> String, of: &dyn Fn(&Phase) -> u64, shares: bool| {
        let cells = phases.iter().map(|phase| {
            let count = of(phase);
            let share = if shares { percent(count, phase.calls) } else { String::new() };
            let beside = if share.is_empty() { String::new() } else { format!(" <small>{share}</small>") };
            format!("{}{beside}", number(count, &format!("{}{}", phase.path, pointer(phase))))
        });
        rows.push(std::iter::once(label).chain(cells).collect());
    };
    let at = |path: &'static str| move |_: &Phase| path.to_owned();
    count("calls".to_owned(), &at("/calls"), &|phase| phase.calls, false);
    count("answered".to_owned(), &at("/ok"), &|phase| phase.ok, true);
    for status in phases.iter().flat_map(|phase| phase.statuses.keys()).collect::<BTreeSet<_>>() {
        let of = |phase: &Phase| phase.statuses.get(status).copied().unwrap_or_default();
        let label = format!("<span class=\"sub\">with status {status}</span>");
        count(label, &|_| format!("/statuses/{status}"), &of, true);
    }
    for name in phases.iter().flat_map(|phase| phase.errors.keys()).collect::<BTreeSet<_>>() {
        let of = |phase: &Phase| phase.errors.get(name).copied().unwrap_or_default();
        count(format!("error <code>{}</code>", escape(name)), &|_| format!("/errors/{}", step(name)), &of, true);
    }
    if phases.iter().all(|phase| phase.untold.is_none()) {
        count("timeouts".to_owned(), &at("/timeouts"), &|phase| phase.timeouts, true);
        count("crashes".to_owned(), &at("/crashes"), &|phase| phase.crashes, true);
        count("cold starts".to_owned(), &at("/cold_starts"), &|phase| phase.cold_starts, false);
    }
    if phases.iter().any(|phase| phase.throttles.is_some()) {
        count("throttled".to_owned(), &at("/throttles"), &|phase| phase.throttles.unwrap_or_default(), false);
    }
    let mut time = |name: &str, of: &dyn Fn(&Phase) -> f64| {
        let cells = phases.iter().map(|phase| {
            let value = of(phase);
            figure_of(&milliseconds(value), value, &format!("{}/latency_ms/{name}", phase.path))
        });
        rows.push(std::iter::once(format!("waited, {name}")).chain(cells).collect());
    };
    time("p50", &|phase| phase.latency_ms.p50);
    time("p90", &|phase| phase.latency_ms.p90);
    time("p99", &|phase| phase.latency_ms.p99);
    time("max", &|phase| phase.latency_ms.max);
    table(page, "What callers saw", "figures", &head, &rows)?;
    page.push_str("</section>\n");
    Ok(())
}

/// What became of the plan's faults.
pub fn faults(page: &mut String, document: &Document) -> Result {
    if document.faults.is_empty() {
        return Ok(());
    }
    page.push_str("<section aria-labelledby=\"faults\">\n<h2 id=\"faults\">What the plan did</h2>\n");
    let dry = document.faults.iter().any(|fault| fault.dry_run > 0);
    let in_calls = document.faults.iter().any(|fault| fault.calls.is_some());
    let rows: Vec<Vec<String>> = document
        .faults
        .iter()
        .enumerate()
        .map(|(index, fault)| {
            let at = |field: &str| format!("/faults/{index}/{field}");
            let (injected, field) = if dry { (fault.dry_run, "dry_run") } else { (fault.injected, "injected") };
            let reasons = fault.skipped.iter().map(|(reason, count)| {
                format!("{} {}", escape(reason), number(*count, &at(&format!("skipped/{}", step(reason)))))
            });
            let mut cells = vec![
                format!("<code>{}</code>", escape(&fault.id)),
                escape(&fault.kind),
                figure_of(&fault.rate.to_string(), fault.rate, &at("rate")),
                fault.expected_said(),
                number(fault.drawn, &at("drawn")),
                number(injected, &at(field)),
                reasons.collect::<Vec<_>>().join(", "),
            ];
            if in_calls {
                cells.push(fault.calls.map_or_else(String::new, |calls| {
                    format!("{} of {}", number(calls.hit, &at("calls/hit")), number(calls.matched, &at("calls/matched")))
                }));
            }
            cells
        })
        .collect();
    let injected = if dry { "would inject" } else { "injected" };
    let mut head = vec!["fault", "kind", "rate", "expected", "drawn", injected, "skipped"];
    head.extend(in_calls.then_some("calls hit"));
    table(page, "What the plan did", "faults", &head, &rows)?;
    page.push_str("</section>\n");
    Ok(())
}

/// Each function: its configuration afterwards, and what it met meanwhile.
pub fn functions(page: &mut String, document: &Document) -> Result {
    if document.functions.is_empty() {
        return Ok(());
    }
    page.push_str("<section aria-labelledby=\"functions\">\n<h2 id=\"functions\">The functions</h2>\n");
    let rows: Vec<Vec<String>> = document
        .functions
        .iter()
        .enumerate()
        .map(|(index, function)| {
            let figure = |field: &str, count| number(count, &format!("/functions/{index}/{field}"));
            vec![
                format!("<code>{}</code>", escape(&function.name)),
                code(&function.configuration),
                figure("calls", function.calls),
                figure("errors", function.errors),
                figure("throttles", function.throttles),
                figure("records", function.records),
            ]
        })
        .collect();
    table(page, "The functions", "text functions", &FUNCTIONS, &rows)?;
    page.push_str("</section>\n");
    Ok(())
}

/// The figures of the charts.
pub fn moments(page: &mut String, document: &Document) -> Result {
    let moments = &document.timeline.moments;
    write!(page, "<details><summary>The figures of the charts: {} moments", moments.len())?;
    writeln!(page, " of {}</summary>", milliseconds(document.timeline.moment_ms))?;
    let mut head: Vec<String> =
        ["from", "calls", "answered", "with a fault", "errors", "timeouts", "crashes", "p50", "p90", "p99"]
            .map(str::to_owned)
            .to_vec();
    head.extend(document.faults.iter().map(|fault| format!("<code>{}</code>", escape(&fault.id))));
    let rows: Vec<Vec<String>> = moments
        .iter()
        .map(|moment| {
            let counts = [moment.calls, moment.answered, moment.answered_hit, moment.errors, moment.timeouts, moment.crashes];
            let times = [moment.latency_ms.p50, moment.latency_ms.p90, moment.latency_ms.p99];
            std::iter::once(milliseconds(moment.at_ms))
                .chain(counts.map(|count| count.to_string()))
                .chain(times.map(milliseconds))
                .chain(
                    document.faults.iter().map(|fault| moment.injected.get(&fault.id).copied().unwrap_or_default().to_string()),
                )
                .collect()
        })
        .collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    table(page, "The figures of the charts", "figures", &head, &rows)?;
    page.push_str("</details>\n");
    Ok(())
}

fn number(count: u64, pointer: &str) -> String {
    figure_of(&grouped(count), count, pointer)
}

/// `12 345`, with a space that does not break.
fn grouped(count: impl Display) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + 4);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_grouped_where_there_are_many() {
        assert_eq!(
            [1, 999, 1000, 12_345, 1_234_567].map(grouped),
            ["1", "999", "1000", "12\u{202f}345", "1\u{202f}234\u{202f}567"]
        );
    }
}
