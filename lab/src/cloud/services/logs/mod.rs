//! CloudWatch Logs: groups, streams, and the events in them.
//!
//! - [`groups`], [`streams`], [`policies`]: what is kept of them, and their operations.  [`events`]: the events, their files and bounds.
//! - [`write`]: PutLogEvents; [`embedded`]: the metrics in events.  [`read`]: GetLogEvents and FilterLogEvents.  [`pattern`]: filter patterns.
//!
//! Events are kept in memory and in a file a stream, within bounds: 4 MiB a stream, 64 MiB all together, 1000 streams a group.
//! What is beyond goes, the oldest first.

mod embedded;
mod events;
mod groups;
mod pattern;
mod policies;
mod read;
mod streams;
mod write;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::{Answer, Done, Service, Tagged, now};
use crate::cloud::call::rates::{Rate, rate};
use crate::cloud::call::{ApiError, Call, Request};
use crate::cloud::lab::{Home, Site};
use crate::cloud::services::members::text;
use crate::cloud::state::{Folder, Table};
use events::Events;
use groups::Group;
use policies::Policy;
use streams::Stream;

/// The service.
#[derive(Debug)]
struct Logs {
    site: Arc<Site>,
    folder: Folder,
    tables: Mutex<Tables>,
}

/// What is kept.
#[derive(Debug)]
struct Tables {
    groups: Table<Group>,
    streams: Table<Stream>,
    policies: Table<Policy>,
    events: Events,
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let Home { site, folder } = home;
    let streams: Table<Stream> = Table::open(&folder)?;
    let events = Events::open(&folder, streams.values().map(|stream| stream.id.as_str()))?;
    let tables = Tables { groups: Table::open(&folder)?, streams, policies: Table::open(&folder)?, events };
    Ok(Arc::new(Logs { site, folder, tables: Mutex::new(tables) }))
}

impl Logs {
    /// Works on what is kept.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn arn(&self, group: &str) -> String {
        self.site.place.arn("logs", &format!("log-group:{group}"))
    }

    /// The name in an ARN of a group.
    fn name_of<'a>(&self, arn: &'a str) -> Option<&'a str> {
        let name = arn.strip_prefix(&self.site.place.arn("logs", "log-group:"))?;
        name.split(':').next()
    }

    /// The group that a request names by its name or ARN.
    fn group<'a>(&self, input: &'a Value) -> Result<&'a str, ApiError> {
        match (text(input, "logGroupName"), text(input, "logGroupIdentifier")) {
            (Some(name), None) => Ok(name),
            (None, Some(arn)) if arn.starts_with("arn:") => self.name_of(arn).ok_or_else(no_group),
            (None, Some(name)) => Ok(name),
            _ => Err(invalid("Either logGroupName or logGroupIdentifier must be provided, not both.")),
        }
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad("InvalidParameterException", message)
}

fn not_served(what: &str) -> ApiError {
    invalid(format!("the lab does not serve {what}"))
}

fn no_group() -> ApiError {
    ApiError::bad("ResourceNotFoundException", "The specified log group does not exist.")
}

fn no_stream() -> ApiError {
    ApiError::bad("ResourceNotFoundException", "The specified log stream does not exist.")
}

impl Service for Logs {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        let input = &call.request.input;
        let answer = match call.request.operation.as_str() {
            "CreateLogGroup" => groups::create(&self, input),
            "DeleteLogGroup" => groups::delete(&self, input),
            "DescribeLogGroups" => groups::describe(&self, input),
            "PutRetentionPolicy" => groups::retain(&self, input, input.get("retentionInDays").and_then(Value::as_u64)),
            "DeleteRetentionPolicy" => groups::retain(&self, input, None),
            "TagResource" => groups::tag(&self, input),
            "UntagResource" => groups::untag(&self, input),
            "ListTagsForResource" => groups::list_tags(&self, input),
            "CreateLogStream" => streams::create(&self, input),
            "DeleteLogStream" => streams::delete(&self, input),
            "DescribeLogStreams" => streams::describe(&self, input),
            "PutLogEvents" => {
                let answer = write::put(&self, input);
                return Box::pin(async move {
                    if answer.is_ok() {
                        write::metrics(&call).await;
                    }
                    answer.map(Into::into)
                });
            }
            "GetLogEvents" => read::get(&self, input),
            "FilterLogEvents" => read::filter(&self, input),
            "PutResourcePolicy" => policies::put(&self, input),
            "DescribeResourcePolicies" => policies::describe(&self, input),
            "DeleteResourcePolicy" => policies::delete(&self, input),
            // No client can call it: services do, with the rights of whoever wants their logs.
            "CreateLogDelivery" => groups::deliver(&self, input),
            _ => Err(call.unknown()),
        };
        now(answer)
    }

    /// As AWS names them when it refuses: also what is about a whole group ends with a stream, an empty one.
    fn resources(&self, request: &Request) -> Vec<String> {
        let input = &request.input;
        let stream = text(input, "logStreamName").unwrap_or_default();
        match request.operation.as_str() {
            "TagResource" | "UntagResource" | "ListTagsForResource" => {
                vec![text(input, "resourceArn").unwrap_or("*").trim_end_matches(":*").to_owned()]
            }
            "CreateLogDelivery" | "PutResourcePolicy" | "DescribeResourcePolicies" | "DeleteResourcePolicy" => {
                vec!["*".to_owned()]
            }
            "DescribeLogGroups" => vec![self.arn(":log-stream:")],
            _ => vec![self.arn(&format!("{}:log-stream:{stream}", self.group(input).unwrap_or("*")))],
        }
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        match operation {
            "PutLogEvents" => rate("PutLogEvents", 5000.0),
            "CreateLogStream" => rate("CreateLogStream", 50.0),
            "DescribeLogStreams" => rate("DescribeLogStreams", 25.0),
            "GetLogEvents" | "FilterLogEvents" => {
                rate(if operation == "GetLogEvents" { "GetLogEvents" } else { "FilterLogEvents" }, 25.0)
            }
            _ => rate("others", 10.0),
        }
    }

    fn largest(&self, operation: &str) -> usize {
        // A megabyte of messages, as JSON.
        if operation == "PutLogEvents" { 8 << 20 } else { 1 << 20 }
    }

    fn denied(&self, message: String) -> ApiError {
        ApiError::bad("AccessDeniedException", message)
    }

    fn tagged(&self) -> Vec<Tagged> {
        self.tables(|tables| {
            let tagged = |group: &Group| Tagged { arn: self.arn(&group.name), kind: "logs:log-group", tags: group.tags.clone() };
            tables.groups.values().map(tagged).collect()
        })
    }

    fn tags_of(&self, arn: &str) -> Option<Map<String, Value>> {
        let name = self.name_of(arn)?;
        self.tables(|tables| tables.groups.get(name).map(|group| group.tags.clone()))
    }

    fn reset(self: Arc<Self>) -> Done {
        let forgotten = self.tables(|tables| {
            tables.groups.clear()?;
            tables.streams.clear()?;
            tables.policies.clear()?;
            tables.events.clear();
            self.folder.remove()
        });
        Box::pin(std::future::ready(forgotten))
    }
}
