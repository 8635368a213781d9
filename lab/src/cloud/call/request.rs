//! A request as services see it, whatever protocol it came in, and its answer.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{ApiError, Principal};
use crate::cloud::lab::Lab;

/// One request. Timestamps are seconds since 1970, blobs base64.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// botocore's name of the service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Its members by name.
    pub input: Value,
    /// A member that is the whole body, as bytes (`Payload` of Invoke, `Body` of an object).
    pub raw: Bytes,
}

impl Request {
    /// A request of one service to another, or of a step.
    pub fn new(service: &str, operation: &str, input: Value) -> Request {
        Request { service: service.to_owned(), operation: operation.to_owned(), input, raw: Bytes::new() }
    }
}

/// What an operation answers.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The output's members by name; the gateway puts each where the model wants it, header or body.
    pub body: Value,
    /// The member that is the whole body, as bytes.
    pub raw: Option<Bytes>,
    /// Another status than the model's.
    pub status: Option<u16>,
}

impl From<Value> for Reply {
    fn from(body: Value) -> Reply {
        Reply { body, ..Reply::default() }
    }
}

/// What a service gets: the request, who makes it, and the lab, whose door leads to the other services.
#[derive(Debug, Clone)]
pub struct Call {
    /// The lab.
    pub lab: Arc<Lab>,
    /// The caller.
    pub who: Principal,
    /// What is asked.
    pub request: Request,
}

impl Call {
    /// The error of an operation that the model has and the service forgot.
    pub fn unknown(&self) -> ApiError {
        ApiError::bad("UnknownOperationException", format!("the lab does not serve `{}`", self.request.operation))
    }
}

/// How a call ends for the caller.
#[derive(Debug)]
pub enum Outcome {
    /// With an answer.
    Answer(Result<Reply, ApiError>),
    /// Without one.
    Dropped,
}

impl Outcome {
    /// The answer; a connection that was closed before is the service's trouble.
    ///
    /// # Errors
    ///
    /// What the service refused, or `InternalServerError`.
    pub fn answer(self) -> Result<Reply, ApiError> {
        match self {
            Outcome::Answer(answer) => answer,
            Outcome::Dropped => Err(ApiError::internal("the connection was closed")),
        }
    }
}
