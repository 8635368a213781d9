//! JSON with `X-Amz-Target`: Systems Manager, tagging, Logs.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Written;
use super::models::Operation;
use crate::cloud::call::{ApiError, Reply, Request};

/// A request's members.
pub fn read(body: &Bytes) -> Result<Request, ApiError> {
    let input = if body.is_empty() {
        Value::Object(Map::new())
    } else {
        serde_json::from_slice(body).map_err(|error| ApiError::bad("SerializationException", error.to_string()))?
    };
    Ok(Request { input, ..Request::default() })
}

/// An answer.
pub fn write(operation: &Operation, reply: &Reply) -> Written {
    let status = reply.status.unwrap_or(operation.http.response_code);
    let body = if reply.body.is_null() { Bytes::new() } else { Bytes::from(reply.body.to_string()) };
    Written { status, headers: Vec::new(), body }
}

/// A refusal.
pub fn error(error: &ApiError) -> Bytes {
    Bytes::from(json!({"__type": error.code, "message": error.message, "Message": error.message}).to_string())
}
