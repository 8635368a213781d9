//! The page: one file, which asks nobody for anything and is whole without its script.

mod part;
mod records;
mod tables;

use std::fmt::Write;

use crate::chart::{self, Axis, ENDINGS, PERCENTILES, Trouble, Width};
use crate::document::Document;
use crate::expect::State;
use part::escape;

/// The whole page.
///
/// # Errors
///
/// Where a chart cannot be drawn.
pub fn render(document: &Document) -> Result<String, Trouble> {
    let mut page = String::with_capacity(64 * 1024);
    // Nothing is fetched, whatever a message or an answer contains.
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
        <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n\
        <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"faultlayer\">\n\
        <link rel=\"icon\" href=\"data:,\">\n<title>{title} – Faultlayer</title>\n<style>{css}</style>\n</head>\n<body>\n",
        title = escape(&document.title),
        css = include_str!("page.css"),
    )?;
    header(&mut page, document)?;
    page.push_str("<main>\n");
    tables::expectations(&mut page, document)?;
    what_was_done(&mut page, document)?;
    tables::phases(&mut page, document)?;
    charts(&mut page, document)?;
    tables::faults(&mut page, document)?;
    records::section(&mut page, document)?;
    tables::functions(&mut page, document)?;
    end(&mut page, document)?;
    write!(page, "</main>\n<script>{}</script>\n</body>\n</html>\n", include_str!("page.js"))?;
    Ok(page)
}

fn header(page: &mut String, document: &Document) -> std::fmt::Result {
    let verdict = &document.verdict;
    let (class, sign) = match verdict.state {
        Some(State::Held) => ("held", "✓"),
        Some(State::Broken) => ("broken", "✗"),
        Some(State::NotMeasurable) => ("unknown", "?"),
        None => ("none", "·"),
    };
    write!(
        page,
        "<header>\n<p class=\"kicker\">Faultlayer report</p>\n<h1>{}</h1>\n\
        <div class=\"verdict {class}\"><span class=\"sign\" aria-hidden=\"true\">{sign}</span>\
        <div><p class=\"headline\">{}</p><p>{}</p></div></div>\n</header>\n",
        part::code(&document.title),
        escape(&verdict.headline),
        part::code(&verdict.detail),
    )
}

fn what_was_done(page: &mut String, document: &Document) -> std::fmt::Result {
    page.push_str("<section aria-labelledby=\"done\">\n<h2 id=\"done\">What was done</h2>\n<dl>\n");
    for (name, value) in &document.facts {
        writeln!(page, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), part::code(value))?;
    }
    page.push_str("</dl>\n</section>\n");
    Ok(())
}

fn charts(page: &mut String, document: &Document) -> Result<(), Trouble> {
    if document.timeline.moments.is_empty() {
        return Ok(());
    }
    let axis = Axis { timeline: &document.timeline, phases: &document.phases, marks: &document.marks };
    page.push_str("<section aria-labelledby=\"time\">\n<h2 id=\"time\">From moment to moment</h2>\n");
    let calls: u64 = document.timeline.moments.iter().map(|moment| moment.calls).sum();
    let used: Vec<(&str, &str)> = ENDINGS
        .iter()
        .filter(|series| document.timeline.moments.iter().any(|moment| (series.of)(moment) > 0))
        .map(|series| (series.name, series.class))
        .collect();
    let both = |draw: &dyn Fn(Width) -> Result<String, Trouble>| -> Result<[String; 2], Trouble> {
        Ok([draw(Width::Wide)?, draw(Width::Narrow)?])
    };
    let words = format!("Bar chart of {calls} calls over time, by how they ended; the table below has its figures");
    part::figure(page, "Calls, by how they ended", &words, &used, &both(&|width| chart::calls(axis, width))?)?;
    let lines: Vec<(&str, &str)> = PERCENTILES.iter().map(|series| (series.name, series.class)).collect();
    let words = "Line chart of the median, 90th and 99th percentile of what callers waited over time, on a logarithmic scale";
    part::figure(page, "What callers waited", words, &lines, &both(&|width| chart::latency(axis, width))?)?;
    if !document.faults.is_empty() {
        let words = "Injections of each fault over time, a lane for each fault";
        let drawn = both(&|width| chart::injections(axis, &document.faults, width))?;
        part::figure(page, "Injections, by fault", words, &[], &drawn)?;
    }
    tables::moments(page, document)?;
    page.push_str("</section>\n");
    Ok(())
}

fn end(page: &mut String, document: &Document) -> std::fmt::Result {
    if let Some(plan) = &document.plan {
        let text = serde_json::to_string_pretty(plan).unwrap_or_default();
        writeln!(
            page,
            "<section aria-labelledby=\"plan\">\n<h2 id=\"plan\">The plan</h2>\n<details><summary>As it was carried out</summary>\
            <pre tabindex=\"0\">{}</pre></details>\n</section>",
            escape(&text)
        )?;
    }
    if !document.notes.is_empty() {
        page.push_str("<section aria-labelledby=\"notes\">\n<h2 id=\"notes\">Notes</h2>\n<ul>\n");
        for note in &document.notes {
            writeln!(page, "<li>{}</li>", part::code(note))?;
        }
        page.push_str("</ul>\n</section>\n");
    }
    Ok(())
}
