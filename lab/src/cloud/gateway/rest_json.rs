//! REST with JSON bodies: Lambda, FIS.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::Written;
use super::models::{Model, Operation};
use super::rest::{self, Body};
use super::routing::Found;
use crate::cloud::call::{ApiError, Reply, Request};

/// A request's members, or its payload as bytes.
pub fn read(found: &Found<'_>, parts: &Parts, body: &Bytes) -> Result<Request, ApiError> {
    let shape = found.model.input(found.operation);
    let payload = shape.and_then(|shape| shape.payload());
    let mut fields = Map::new();
    let mut raw = Bytes::new();
    match payload {
        Some((_, member)) if found.model.raw(member) => raw = body.clone(),
        _ if body.is_empty() => {}
        Some((name, _)) => {
            fields.insert(name.to_owned(), parse(body)?);
        }
        None => match parse(body)? {
            Value::Object(body) => fields = body,
            _ => return Err(ApiError::bad("SerializationException", "expected a JSON object")),
        },
    }
    fields.extend(rest::read(found, parts)?);
    Ok(Request { input: Value::Object(fields), raw, ..Request::default() })
}

fn parse(body: &Bytes) -> Result<Value, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::bad("InvalidRequestContentException", error.to_string()))
}

/// An answer.
pub fn write(model: &Model, operation: &Operation, reply: Reply) -> Written {
    let (mut written, body) = rest::place(model, operation, reply);
    written.body = match body {
        Body::Raw(bytes) => bytes,
        Body::One(_, _, value) | Body::All(value) if written.status == 204 || value.is_null() => Bytes::new(),
        Body::One(_, _, value) | Body::All(value) => Bytes::from(value.to_string()),
    };
    written
}

/// A refusal; `member` is what the error's shape calls its message.
pub fn error(error: &ApiError, member: &str) -> Bytes {
    let kind = if error.status < 500 { "User" } else { "Service" };
    Bytes::from(json!({"Type": kind, member: error.message}).to_string())
}
