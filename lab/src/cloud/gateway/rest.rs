//! What both REST protocols share: members in paths, query strings, headers and the status.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::{Map, Value};

use super::Written;
use super::models::{Member, Model, Operation};
use super::routing::{Found, pairs};
use super::scalars::{self, Times};
use crate::cloud::call::{ApiError, Reply};

/// The members of a request that lie outside its body.
pub fn read(found: &Found<'_>, parts: &Parts) -> Result<Map<String, Value>, ApiError> {
    let query = pairs(parts.uri.query().unwrap_or_default());
    let mut fields = Map::new();
    for (field, member) in found.model.input(found.operation).into_iter().flat_map(|shape| &shape.members) {
        let wire = member.location_name.as_deref().unwrap_or(field);
        let value = match member.location.as_deref() {
            Some("uri") => one(found.model, member, of(&found.labels, wire)),
            Some("querystring") => one(found.model, member, of(&query, wire)),
            Some("header") => one(found.model, member, header(parts, wire)),
            Some("headers") => Ok(prefixed(parts, wire)),
            _ => continue,
        };
        let named = |error: ApiError| ApiError::new(&error.code, error.status, format!("`{field}`: {}", error.message));
        if let Some(value) = value.map_err(named)? {
            fields.insert(field.clone(), value);
        }
    }
    Ok(fields)
}

fn of(pairs: &[(String, String)], wanted: &str) -> Vec<String> {
    pairs.iter().filter(|(name, _)| name == wanted).map(|(_, text)| text.clone()).collect()
}

fn header(parts: &Parts, name: &str) -> Vec<String> {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned).into_iter().collect()
}

/// A map whose keys are headers with a prefix.
fn prefixed(parts: &Parts, prefix: &str) -> Option<Value> {
    let prefix = prefix.to_ascii_lowercase();
    let fields: Map<String, Value> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix(&prefix)?.to_owned(), value.to_str().ok()?.into())))
        .collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}

fn one(model: &Model, member: &Member, texts: Vec<String>) -> Result<Option<Value>, ApiError> {
    let shape = model.shape(&member.shape);
    if let Some(inner) = shape.filter(|shape| shape.kind == "list").and_then(|shape| shape.member.as_ref()) {
        let split = member.location.as_deref() == Some("header");
        let parts =
            texts.iter().flat_map(|text| if split { text.split(',').map(str::trim).collect() } else { vec![text.as_str()] });
        let list = parts.map(|text| scalars::read(model, inner, text)).collect::<Result<Vec<_>, _>>()?;
        return Ok((!list.is_empty()).then_some(Value::Array(list)));
    }
    texts.into_iter().next().map(|text| scalars::read(model, member, &text)).transpose()
}

/// What an answer's body is, once status and headers are taken out of its members.
pub enum Body<'m> {
    /// The bytes of one member.
    Raw(Bytes),
    /// One member.
    One(&'m str, &'m Member, Value),
    /// All members that are left, with the output's shape.
    All(Value),
}

/// Puts members into status and headers; what is left is the body.
pub fn place<'m>(model: &'m Model, operation: &'m Operation, reply: Reply) -> (Written, Body<'m>) {
    let mut written = Written { status: operation.http.response_code, ..Written::default() };
    let Reply { mut body, raw, status } = reply;
    let shape = model.output(operation);
    if let (Some(shape), Some(fields)) = (shape, body.as_object_mut()) {
        for (field, member) in &shape.members {
            let Some(location) = member.location.as_deref() else { continue };
            let Some(value) = fields.remove(field).filter(|value| !value.is_null()) else { continue };
            let wire = member.location_name.as_deref().unwrap_or(field);
            match location {
                "statusCode" => written.status = value.as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(200),
                "headers" => {
                    for (key, value) in value.as_object().into_iter().flatten() {
                        written.headers.push((format!("{wire}{key}"), value.as_str().unwrap_or_default().to_owned()));
                    }
                }
                // With a body at hand its length is known.
                _ if raw.is_some() && wire.eq_ignore_ascii_case("content-length") => {}
                _ => written.headers.push((wire.to_owned(), scalars::write(model, member, &value, Times::Rfc822))),
            }
        }
    }
    written.status = status.unwrap_or(written.status);
    if let Some(raw) = raw {
        return (written, Body::Raw(raw));
    }
    let payload = shape.and_then(|shape| shape.payload());
    if let Some((name, member)) = payload.filter(|(_, member)| !model.raw(member)) {
        let value = body.as_object_mut().and_then(|fields| fields.remove(name)).unwrap_or_default();
        return (written, Body::One(name, member, value));
    }
    (written, Body::All(body))
}
