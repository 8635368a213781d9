//! The records, with a filter.

use std::collections::BTreeSet;
use std::fmt::{Result, Write};

use serde_json::{Value, json};

use super::part::escape;
use crate::document::{Document, Line, MOST_LINES, thinned};
use crate::figures::{counted, milliseconds};

/// How many stand on the page before its script, and where there is none.
const FIRST: usize = 50;

pub fn section(page: &mut String, document: &Document) -> Result {
    page.push_str("<section aria-labelledby=\"records\">\n<h2 id=\"records\">Records</h2>\n");
    if document.records.is_empty() {
        page.push_str("<p>No fault was drawn, and no call failed.</p>\n</section>\n");
        return Ok(());
    }
    let lines = thinned(document.records.clone(), MOST_LINES);
    let all = document.records_in_all;
    if (lines.len() as u64) < all {
        writeln!(
            page,
            "<p>{} of {}: of those that there are many of some are left out. All stand in the report as JSON.</p>",
            lines.len(),
            counted(all, "record")
        )?;
    }
    page.push_str("<form class=\"filter\" hidden>\n");
    select(page, "fault", "Fault", lines.iter().map(|line| line.fault.as_str()).collect())?;
    select(page, "action", "What became of it", lines.iter().map(|line| line.action.as_str()).collect())?;
    select(page, "outcome", "How the call ended", lines.iter().map(|line| line.outcome.as_str()).collect())?;
    page.push_str(
        "<label>Contains<input type=\"search\" name=\"text\" autocomplete=\"off\" spellcheck=\"false\"></label>\n</form>\n\
        <p id=\"shown\" role=\"status\"></p>\n",
    );
    page.push_str(
        "<div class=\"scroll\" role=\"group\" aria-label=\"Records\" tabindex=\"0\"><table class=\"text records\">\n<thead><tr>\
        <th scope=\"col\">after</th><th scope=\"col\">fault</th><th scope=\"col\">kind</th><th scope=\"col\">what became of it</th>\
        <th scope=\"col\">call ended</th><th scope=\"col\">waited</th><th scope=\"col\">details</th><th scope=\"col\">request id</th>\
        </tr></thead>\n<tbody>\n",
    );
    for line in lines.iter().take(FIRST) {
        let cells = cells(line);
        let cells = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect::<String>();
        writeln!(page, "<tr>{cells}</tr>")?;
    }
    page.push_str("</tbody>\n</table></div>\n<button type=\"button\" id=\"more\" hidden>Show more</button>\n");
    // A `<` inside would end the element, whatever it is in JSON.
    let rows = Value::from(lines.iter().map(|line| json!(cells(line))).collect::<Vec<_>>()).to_string().replace('<', "\\u003c");
    writeln!(page, "<script type=\"application/json\" id=\"rows\">{rows}</script>\n</section>")
}

fn cells(line: &Line) -> [String; 8] {
    let details = line.details.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    [
        milliseconds(line.at_ms),
        line.fault.clone(),
        line.kind.clone(),
        line.action.clone(),
        line.outcome.clone(),
        line.latency_ms.map(milliseconds).unwrap_or_default(),
        details.collect::<Vec<_>>().join(", "),
        line.request_id.clone(),
    ]
}

fn select(page: &mut String, name: &str, label: &str, values: BTreeSet<&str>) -> Result {
    write!(page, "<label>{label}<select name=\"{name}\"><option value=\"\">any</option>")?;
    for value in values.into_iter().filter(|value| !value.is_empty()) {
        write!(page, "<option>{}</option>", escape(value))?;
    }
    page.push_str("</select></label>\n");
    Ok(())
}
