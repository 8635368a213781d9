//! Faultlayer's records in the logs of functions.

use faultlayer_report::records;
use serde_json::{Map, Value, json};

use crate::{Error, Experiments};

/// So many records of a function are read, and no more.
pub const MOST: usize = 20_000;

/// What the log of one function has.
#[derive(Debug, Default)]
pub struct Found {
    /// The records, with their moments in ms since the Unix epoch, in their order.
    pub records: Vec<(i64, Map<String, Value>)>,
    /// Why they are not all; empty if they are.
    pub missing: Option<String>,
}

impl Experiments {
    /// The records of a function between two moments, in ms since the Unix epoch.
    pub(super) async fn records(&self, function: &str, (from, until): (i64, i64)) -> Result<Found, Error> {
        let group = format!("/aws/lambda/{function}");
        let input = json!({
            "logGroupName": group, "startTime": from, "endTime": until, "filterPattern": "\"\\\"source\\\":\\\"faultlayer\\\"\"",
        });
        let mut found = Found::default();
        let take = |page: &Value| {
            let events = page.get("events").and_then(Value::as_array);
            found.records.extend(events.into_iter().flatten().filter_map(|event| {
                let record = event.get("message").and_then(Value::as_str).map(str::trim_end).and_then(records::read);
                event.get("timestamp")?.as_i64().zip(record)
            }));
            found.records.len() < MOST
        };
        match self.logs.pages("logs:FilterLogEvents", input, "nextToken", take).await {
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                found.missing = Some(format!("`{function}` has no log group `{group}`: its records are not here"));
            }
            done => done?,
        }
        if found.records.len() >= MOST {
            found.records.truncate(MOST);
            found.missing = Some(format!("of `{function}` the first {MOST} records were read, and no more"));
        }
        found.records.sort_by_key(|(at, _)| *at);
        Ok(found)
    }
}
