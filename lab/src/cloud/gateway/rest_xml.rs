//! REST with XML bodies: S3.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::{Map, Value};

use super::models::{Model, Operation};
use super::rest::{self, Body};
use super::routing::Found;
use super::{Written, xml};
use crate::cloud::call::{ApiError, Reply, Request};

/// A request's members, or its payload as bytes.
pub fn read(found: &Found<'_>, parts: &Parts, body: &Bytes) -> Result<Request, ApiError> {
    let model = found.model;
    let shape = model.input(found.operation);
    let payload = shape.and_then(|shape| shape.payload());
    let mut fields = Map::new();
    let mut raw = Bytes::new();
    match (payload, &found.operation.input) {
        (Some((_, member)), _) if model.raw(member) => raw = body.clone(),
        _ if body.is_empty() => {}
        (Some((name, member)), _) => {
            fields.insert(name.to_owned(), xml::read(model, &member.shape, body)?);
        }
        (None, Some(input)) => {
            if let Value::Object(body) = xml::read(model, input, body)? {
                fields = body;
            }
        }
        (None, None) => {}
    }
    fields.extend(rest::read(found, parts)?);
    Ok(Request { input: Value::Object(fields), raw, ..Request::default() })
}

/// An answer.
pub fn write(model: &Model, operation: &Operation, reply: Reply) -> Written {
    let (mut written, body) = rest::place(model, operation, reply);
    let space = model.namespace.as_deref().map(|uri| format!(" xmlns=\"{}\"", xml::escape(uri))).unwrap_or_default();
    let text = match body {
        Body::Raw(bytes) => {
            written.body = bytes;
            return written;
        }
        Body::One(_, _, Value::Null) | Body::All(Value::Null) => return written,
        Body::One(name, member, value) => {
            let name = member.location_name.as_deref().unwrap_or(name);
            let mut inner = String::new();
            xml::members(model, &member.shape, &value, &mut inner);
            format!("<{name}{space}>{inner}</{name}>")
        }
        Body::All(value) => {
            let mut inner = String::new();
            xml::members(model, operation.output.as_deref().unwrap_or_default(), &value, &mut inner);
            if inner.is_empty() {
                return written;
            }
            let name = operation.wrapper.clone().unwrap_or_else(|| format!("{}Result", operation.name));
            format!("<{name}{space}>{inner}</{name}>")
        }
    };
    written.body = Bytes::from(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}"));
    written
}

/// A refusal.
pub fn error(error: &ApiError, code: &str, id: &str) -> Bytes {
    Bytes::from(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><RequestId>{id}</RequestId></Error>",
        xml::escape(code),
        xml::escape(&error.message)
    ))
}
