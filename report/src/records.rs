//! Faultlayer's lines among the lines of a function's log.

use serde_json::{Map, Value};

use crate::document::Line;

/// Fields of a record that stand in columns of their own, say the same of every call, or are for CloudWatch.
const SAID_ELSEWHERE: [&str; 14] = [
    "timestamp",
    "level",
    "source",
    "experiment",
    "fault",
    "kind",
    "action",
    "reason",
    "requestId",
    "sample",
    "rate",
    "coldStart",
    "injections",
    "_aws",
];

/// The records in a log: those of faults, and Faultlayer's own, which name none.
#[must_use]
pub fn of(log: &[String]) -> Vec<Map<String, Value>> {
    log.iter().filter_map(|line| read(line)).collect()
}

/// The record that a line is, if it is one.
#[must_use]
pub fn read(line: &str) -> Option<Map<String, Value>> {
    let like_one = line.starts_with('{') && line.contains("faultlayer");
    let record = like_one.then(|| serde_json::from_str::<Map<String, Value>>(line).ok()).flatten()?;
    (text(&record, "source") == Some("faultlayer")).then_some(record)
}

/// What a report says of a fault's record beside what it says of its call.
#[must_use]
pub fn line(record: &Map<String, Value>, call: Line) -> Line {
    let word = |field| text(record, field).unwrap_or_default();
    let action = match text(record, "reason") {
        Some(reason) => format!("{}: {reason}", word("action")),
        None => word("action").to_owned(),
    };
    let details = record.iter().filter(|(name, _)| !SAID_ELSEWHERE.contains(&name.as_str()));
    Line {
        fault: word("fault").to_owned(),
        kind: word("kind").to_owned(),
        action,
        details: details.map(|(name, value)| (name.clone(), value.clone())).collect(),
        ..call
    }
}

/// What Faultlayer says of itself in a record that names no fault.
#[must_use]
pub fn own(record: &Map<String, Value>) -> String {
    let word = |field| text(record, field).unwrap_or_default();
    format!("Faultlayer says `{}`: {}", word("reason"), word("message"))
}

/// A text field of a record.
#[must_use]
pub fn text<'a>(record: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    record.get(field).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_records_count() {
        let log = [
            "START RequestId: faultlayer",
            r#"{"source":"faultlayer","fault":"slow"}"#,
            r#"{"source":"someone else","about":"faultlayer"}"#,
            r#"{"source":"faultlayer","#,
        ];
        let records = of(&log.map(str::to_owned));
        assert_eq!(records.len(), 1);
        assert_eq!(text(&records[0], "fault"), Some("slow"));
    }
}
