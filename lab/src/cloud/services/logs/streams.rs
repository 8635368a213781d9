//! Log streams: what is kept of them, and their operations.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Logs, Tables, groups, invalid, no_stream};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{on, page, text, with};
use crate::cloud::state::Row;

/// A group holds so many streams; a function makes one for each of its environments.
const MOST: usize = 1000;

/// A stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stream {
    /// Group and name, as its row is called.
    pub key: String,
    /// What its file is called.
    pub id: String,
    /// Its name.
    pub name: String,
    group: String,
    created: i64,
}

impl Row for Stream {
    const TABLE: &'static str = "streams";

    fn key(&self) -> &str {
        &self.key
    }
}

fn row_name(group: &str, name: &str) -> String {
    // No group's name has a colon.
    format!("{group}:{name}")
}

/// The streams of a group, in the order of their names.
pub fn of_group<'t>(tables: &'t Tables, group: &str) -> impl Iterator<Item = &'t Stream> {
    let start = row_name(group, "");
    tables.streams.range(start.clone()..).map(|(_, stream)| stream).take_while(move |stream| stream.key.starts_with(&start))
}

/// A stream by its names.
pub fn find<'t>(tables: &'t Tables, group: &str, name: &str) -> Result<&'t Stream, ApiError> {
    groups::find(tables, group)?;
    tables.streams.get(&row_name(group, name)).ok_or_else(no_stream)
}

/// CreateLogStream.
pub fn create(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let (group, name) = (text(input, "logGroupName").unwrap_or_default(), text(input, "logStreamName").unwrap_or_default());
    let stream = Stream {
        key: row_name(group, name),
        id: clock::id(),
        name: name.to_owned(),
        group: group.to_owned(),
        created: clock::now_ms(),
    };
    logs.tables(|tables| {
        groups::find(tables, group)?;
        if tables.streams.contains_key(&stream.key) {
            return Err(ApiError::bad("ResourceAlreadyExistsException", "The specified log stream already exists"));
        }
        tables.streams.put(stream)?;
        if of_group(tables, group).count() > MOST {
            let oldest = of_group(tables, group).min_by_key(|stream| tables.events.written(&stream.id).unwrap_or(stream.created));
            if let Some((key, id)) = oldest.map(|stream| (stream.key.clone(), stream.id.clone())) {
                tables.streams.remove(&key)?;
                tables.events.forget(&id);
            }
        }
        Ok(Value::Null)
    })
}

/// DeleteLogStream.
pub fn delete(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let (group, name) = (text(input, "logGroupName").unwrap_or_default(), text(input, "logStreamName").unwrap_or_default());
    logs.tables(|tables| {
        let id = find(tables, group, name)?.id.clone();
        tables.streams.remove(&row_name(group, name))?;
        tables.events.forget(&id);
        Ok(Value::Null)
    })
}

/// DescribeLogStreams.
pub fn describe(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let group = logs.group(input)?;
    let (prefix, by_time) = (text(input, "logStreamNamePrefix"), text(input, "orderBy") == Some("LastEventTime"));
    if prefix.is_some() && by_time {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let mut rows = logs.tables(|tables| {
        groups::find(tables, group)?;
        let row = |stream: &Stream| {
            let mut row = json!({
                "logStreamName": stream.name, "creationTime": stream.created, "storedBytes": 0, "uploadSequenceToken": stream.id,
                "arn": logs.arn(&format!("{}:log-stream:{}", stream.group, stream.name)),
            });
            let events = tables.events.of(&stream.id);
            let (first, last) = (events.first(), events.last());
            if let (Some(first), Some(last), Some(fields)) = (first, last, row.as_object_mut()) {
                fields.insert("firstEventTimestamp".into(), json!(first.timestamp));
                fields.insert("lastEventTimestamp".into(), json!(last.timestamp));
                fields.insert("lastIngestionTime".into(), json!(tables.events.written(&stream.id)));
            }
            (last.map_or(0, |last| last.timestamp), row)
        };
        let fitting = |stream: &&Stream| prefix.is_none_or(|prefix| stream.name.starts_with(prefix));
        Ok::<_, ApiError>(of_group(tables, group).filter(fitting).map(row).collect::<Vec<_>>())
    })?;
    if by_time {
        rows.sort_by_key(|(last, _)| *last);
    }
    if on(input, "descending") {
        rows.reverse();
    }
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let (rows, next): (Vec<Value>, _) = page(rows, text(input, "nextToken"), input.get("limit").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"logStreams": rows}), "nextToken", next))
}
