//! Faultlayer's lines among the lines of a function's log.

use serde_json::{Map, Value};

/// The records in a log: those of faults, and Faultlayer's own, which name none.
pub fn of(log: &[String]) -> Vec<Map<String, Value>> {
    log.iter()
        .filter(|line| line.starts_with('{') && line.contains("faultlayer"))
        .filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok())
        .filter(|record| record.get("source").and_then(Value::as_str) == Some("faultlayer"))
        .collect()
}

/// A text field of a record.
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
