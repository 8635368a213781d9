//! PutLogEvents: what Logs refuses of a batch, and what it leaves out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Logs, embedded, groups, invalid, not_served, streams};
use crate::cloud::call::{ApiError, Call, Principal, Request};
use crate::cloud::clock;
use crate::cloud::services::members::{list, text};

/// The most bytes of a batch: messages, and 26 for each.
const MOST_BATCH: usize = 1_048_576;
const EACH: usize = 26;
/// The most data of one PutMetricData.
const MOST_DATA: usize = 1000;
const DAY_MS: i64 = 86_400_000;

/// PutLogEvents.
pub fn put(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    if input.get("entity").is_some() {
        return Err(not_served("entities"));
    }
    let events: Vec<(i64, &str)> = list(input, "logEvents")
        .map(|event| {
            (event.get("timestamp").and_then(Value::as_i64).unwrap_or_default(), text(event, "message").unwrap_or_default())
        })
        .collect();
    let bytes: usize = events.iter().map(|(_, message)| message.len() + EACH).sum();
    if bytes > MOST_BATCH {
        return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {MOST_BATCH}")));
    }
    if !events.is_sorted_by_key(|(timestamp, _)| *timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let (first, last) = (events.first().map_or(0, |event| event.0), events.last().map_or(0, |event| event.0));
    if last - first > DAY_MS {
        return Err(invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours."));
    }
    let now = clock::now_ms();
    let group = logs.group(input)?;
    let rejected = logs.tables(|tables| {
        let id = streams::find(tables, group, text(input, "logStreamName").unwrap_or_default())?.id.clone();
        let expired = groups::find(tables, group)?.oldest();
        let until = |oldest: i64| events.iter().take_while(|(timestamp, _)| *timestamp < oldest).count();
        let (too_old, expired) = (until(now - 14 * DAY_MS), until(expired));
        let too_new = events.iter().take_while(|(timestamp, _)| *timestamp <= now + 2 * 3_600_000).count();
        let kept = events
            .iter()
            .take(too_new)
            .skip(too_old.max(expired))
            .map(|(timestamp, message)| (*timestamp, (*message).to_owned()));
        let kept: Vec<(i64, String)> = kept.collect();
        if !kept.is_empty() {
            tables.events.add(&id, now, kept)?;
        }
        let mut rejected = serde_json::Map::new();
        if too_old > 0 {
            rejected.insert("tooOldLogEventEndIndex".into(), json!(too_old));
        }
        if expired > 0 {
            rejected.insert("expiredLogEventEndIndex".into(), json!(expired));
        }
        if too_new < events.len() {
            rejected.insert("tooNewLogEventStartIndex".into(), json!(too_new));
        }
        Ok::<_, ApiError>((id, rejected))
    })?;
    let (id, rejected) = rejected;
    let mut answer = json!({"nextSequenceToken": id});
    if let (false, Some(fields)) = (rejected.is_empty(), answer.as_object_mut()) {
        fields.insert("rejectedLogEventsInfo".into(), Value::Object(rejected));
    }
    Ok(answer)
}

/// Puts what the events are as documents of the embedded metric format, in batches that CloudWatch takes. By Logs itself: it needs
/// nobody's right.
pub async fn metrics(call: &Call) {
    let mut data: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (namespace, datum) in
        list(&call.request.input, "logEvents").flat_map(|event| embedded::data(text(event, "message").unwrap_or_default()))
    {
        data.entry(namespace).or_default().push(datum);
    }
    let who = Principal::user(&call.lab.site.place.account);
    for (namespace, data) in data {
        for data in data.chunks(MOST_DATA) {
            let input = json!({"Namespace": namespace, "MetricData": data});
            // What CloudWatch does not take is no metric; the event stands all the same.
            let _ = call.lab.call(&who, &Request::new("cloudwatch", "PutMetricData", input)).await;
        }
    }
}
