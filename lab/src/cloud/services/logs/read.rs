//! GetLogEvents and FilterLogEvents. Tokens name a place in the order of all events, so that pages stay right while events come.

use serde_json::{Value, json};

use super::events::Event;
use super::pattern::Pattern;
use super::streams::{self, Stream, of_group};
use super::{Logs, groups, invalid, not_served};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{on, text, texts, with};

/// The most bytes of a page.
const MOST_PAGE: u64 = 1 << 20;
const MOST_EVENTS: u64 = 10_000;

fn limit(input: &Value) -> usize {
    let limit = input.get("limit").and_then(Value::as_u64).unwrap_or(MOST_EVENTS);
    usize::try_from(limit.min(MOST_EVENTS)).unwrap_or(1)
}

fn time(input: &Value, member: &str) -> Option<i64> {
    input.get(member).and_then(Value::as_i64)
}

/// The place in a token.
fn place(text: &str) -> Option<(i64, u64)> {
    let (timestamp, number) = text.split_once('.')?;
    Some((timestamp.parse().ok()?, number.parse().ok()?))
}

fn bad_token() -> ApiError {
    invalid("The specified nextToken is invalid.")
}

/// As many as a page holds, counted from the end that matters.
fn fill<'e>(events: impl Iterator<Item = &'e Event>, most: usize) -> Vec<&'e Event> {
    let mut bytes = 0;
    let fits = |event: &&Event| {
        bytes += event.bytes();
        bytes <= MOST_PAGE.max(event.bytes())
    };
    events.take(most).take_while(fits).collect()
}

/// GetLogEvents: one stream, forwards or backwards.
pub fn get(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let group = logs.group(input)?;
    let token = text(input, "nextToken");
    let at = match token {
        None => None,
        Some(token) => {
            let (way, rest) = token.split_once('/').ok_or_else(bad_token)?;
            let at = rest.strip_suffix("/s").and_then(place).ok_or_else(bad_token)?;
            Some((way == "f", at))
        }
    };
    let forwards = at.map_or(on(input, "startFromHead"), |(forwards, _)| forwards);
    let (start, end) = (time(input, "startTime").unwrap_or(i64::MIN), time(input, "endTime").unwrap_or(i64::MAX));
    logs.tables(|tables| {
        let oldest = groups::find(tables, group)?.oldest();
        let stream = streams::find(tables, group, text(input, "logStreamName").unwrap_or_default())?;
        let fitting = tables.events.of(&stream.id).iter().filter(|event| {
            let beyond = at.is_none_or(|(forwards, at)| if forwards { event.place() > at } else { event.place() < at });
            event.timestamp >= start.max(oldest) && event.timestamp < end && beyond
        });
        let events = if forwards {
            fill(fitting, limit(input))
        } else {
            let mut events = fill(fitting.rev(), limit(input));
            events.reverse();
            events
        };
        // Where there is nothing more, the place stays the same; a stream without events begins at the beginning.
        let known = at.map_or((0, 0), |(_, at)| at);
        let (first, last) =
            (events.first().map_or(known, |event| event.place()), events.last().map_or(known, |event| event.place()));
        let rows: Vec<Value> = events
            .iter()
            .map(|event| json!({"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}))
            .collect();
        Ok(json!({
            "events": rows, "nextForwardToken": format!("f/{}.{}/s", last.0, last.1),
            "nextBackwardToken": format!("b/{}.{}/s", first.0, first.1),
        }))
    })
}

/// FilterLogEvents: many streams as one.
pub fn filter(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let group = logs.group(input)?;
    let (names, prefix): (Vec<&str>, _) = (texts(input, "logStreamNames").collect(), text(input, "logStreamNamePrefix"));
    if !names.is_empty() && prefix.is_some() {
        return Err(invalid("logStreamNamePrefix and logStreamNames cannot be used together."));
    }
    if input.get("startFromHead").and_then(Value::as_bool) == Some(false) {
        return Err(not_served("startFromHead = false of FilterLogEvents"));
    }
    let pattern = Pattern::read(text(input, "filterPattern").unwrap_or_default()).map_err(invalid)?;
    let after = text(input, "nextToken").map(|token| place(token).ok_or_else(bad_token)).transpose()?;
    let (start, end) = (time(input, "startTime").unwrap_or(i64::MIN), time(input, "endTime").unwrap_or(i64::MAX));
    logs.tables(|tables| {
        let start = start.max(groups::find(tables, group)?.oldest());
        names.iter().try_for_each(|name| streams::find(tables, group, name).map(|_| ()))?;
        let chosen = of_group(tables, group).filter(|stream| {
            (names.is_empty() || names.contains(&stream.name.as_str())) && prefix.is_none_or(|prefix| stream.name.starts_with(prefix))
        });
        let mut found: Vec<(&Stream, &Event)> = Vec::new();
        for stream in chosen {
            let fitting = tables.events.of(&stream.id).iter().filter(|event| {
                let beyond = after.is_none_or(|after| event.place() > after);
                event.timestamp >= start && event.timestamp <= end && beyond && pattern.matches(&event.message)
            });
            found.extend(fitting.map(|event| (stream, event)));
        }
        found.sort_by_key(|(_, event)| event.place());
        let events = fill(found.iter().map(|(_, event)| *event), limit(input));
        let next = events.last().filter(|_| events.len() < found.len()).map(|event| format!("{}.{}", event.timestamp, event.number));
        let row = |(stream, event): &(&Stream, &Event)| {
            json!({
                "logStreamName": stream.name, "timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested,
                "eventId": format!("{:018}{:038}", event.timestamp, event.number),
            })
        };
        let rows: Vec<Value> = found.iter().take(events.len()).map(row).collect();
        Ok(with(json!({"events": rows, "searchedLogStreams": []}), "nextToken", next))
    })
}
