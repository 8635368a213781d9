//! What functions write, in CloudWatch Logs: by calls with the rights of the function's role. Where these are not enough, or the disk is
//! full, the log is missing there, as in AWS, and the invocation knows nothing of it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::function::Config;
use crate::cloud::call::{ApiError, Principal, Request};
use crate::cloud::lab::Lab;
use crate::cloud::services::members::text;
use crate::runtime::Invoked;

/// A batch has at most so many bytes, 26 beside each message counted, and so many events.
const MOST_BATCH: usize = 1_048_576;
const MOST_EVENTS: usize = 10_000;
const EACH: usize = 26;

/// Where a function's log goes.
pub fn group(name: &str, config: &Config) -> String {
    let said = config.rest.get("LoggingConfig").and_then(|logging| text(logging, "LogGroup"));
    said.map_or_else(|| format!("/aws/lambda/{name}"), str::to_owned)
}

/// Who writes, and where to.
pub struct Writer {
    who: Principal,
    group: String,
    /// In this era of the lab the invocation began; in a later one there is nobody whose log it would be.
    era: u64,
}

impl Writer {
    /// For a function of this configuration that is about to be invoked.
    pub fn of(lab: &Lab, name: &str, config: &Config) -> Writer {
        let who = Principal::session(&lab.site.place.account, &config.role, name);
        Writer { who, group: group(name, config), era: lab.era() }
    }

    /// Writes the log of an invocation.
    pub async fn write(&self, lab: &Arc<Lab>, invoked: &Invoked) {
        let stream = invoked.log_stream.as_str();
        if invoked.cold_start {
            self.create(lab, stream).await;
        }
        for batch in batches(invoked) {
            let input = json!({"logGroupName": self.group, "logStreamName": stream, "logEvents": batch});
            let Err(error) = self.call(lab, "PutLogEvents", input.clone()).await else { continue };
            // Deleted since the environment was made.
            if error.code != "ResourceNotFoundException" || !self.create(lab, stream).await {
                return;
            }
            if self.call(lab, "PutLogEvents", input).await.is_err() {
                return;
            }
        }
    }

    /// Makes the stream, and its group if need be; whether it is there.
    async fn create(&self, lab: &Arc<Lab>, stream: &str) -> bool {
        let input = json!({"logGroupName": self.group, "logStreamName": stream});
        let there = |done: Result<(), ApiError>| done.err().is_none_or(|error| error.code == "ResourceAlreadyExistsException");
        match self.call(lab, "CreateLogStream", input.clone()).await {
            Err(error) if error.code == "ResourceNotFoundException" => {
                let made = self.call(lab, "CreateLogGroup", json!({"logGroupName": self.group})).await;
                there(made) && there(self.call(lab, "CreateLogStream", input).await)
            }
            other => there(other),
        }
    }

    async fn call(&self, lab: &Arc<Lab>, operation: &str, input: Value) -> Result<(), ApiError> {
        if lab.era() != self.era {
            return Err(ApiError::internal("the lab was reset"));
        }
        lab.call(&self.who, &Request::new("logs", operation, input)).await.answer().map(|_| ())
    }
}

/// The lines as events, in batches that Logs takes.
fn batches(invoked: &Invoked) -> Vec<Vec<Value>> {
    let (mut batches, mut bytes, mut last) = (vec![Vec::new()], 0, 0);
    for (line, at) in invoked.log.iter().zip(&invoked.log_times) {
        // The end of a line belongs to it.
        let mut message = format!("{line}\n");
        message.truncate(message.floor_char_boundary(MOST_BATCH - EACH));
        last = last.max(*at);
        bytes += message.len() + EACH;
        if bytes > MOST_BATCH || batches.last().is_some_and(|batch| batch.len() >= MOST_EVENTS) {
            bytes = message.len() + EACH;
            batches.push(Vec::new());
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(json!({"timestamp": last, "message": message}));
        }
    }
    batches.retain(|batch| !batch.is_empty());
    batches
}
