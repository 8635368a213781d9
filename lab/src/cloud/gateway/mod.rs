//! The wire: one port, every protocol of AWS. Knows no service by name: what a request is, and what each of its members is, the
//! services' models say.
//!
//! - [`server`]: the port.  [`control`]: the lab's own endpoint, described in `README.md` of the cloud's folder.
//! - [`routing`]: which service, which operation, which protocol.  [`models`]: botocore's models.  [`check`]: requests held against them.
//! - [`chunked`]: bodies in signed pieces.  [`rest`] with [`rest_json`] and [`rest_xml`]; [`json`]; [`query`]; [`cbor`]: one file a protocol.
//! - [`xml`], [`scalars`]: what several of them need.

pub mod cbor;
pub mod check;
pub mod chunked;
pub mod control;
pub mod json;
pub mod models;
pub mod query;
pub mod rest;
pub mod rest_json;
pub mod rest_xml;
pub mod routing;
pub mod scalars;
pub mod server;
pub mod xml;

use bytes::Bytes;
use http_body_util::Full;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::call::{ApiError, Reply, Request};
use super::clock;
use models::{Model, Operation};
use routing::Found;

/// The most bytes that any request may have, since it is held in memory; services take less, each by its own rules.
pub const LARGEST: usize = 256 << 20;

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Paths and JSON.
    RestJson,
    /// Paths and XML.
    RestXml,
    /// `X-Amz-Target` and JSON.
    Json,
    /// A form, answered in XML.
    Query,
    /// Smithy RPC v2.
    Cbor,
}

/// An answer's status, headers and body.
#[derive(Debug, Default)]
pub struct Written {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the protocol's own.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// Reads what a request asks for.
pub fn read(protocol: Protocol, found: &Found<'_>, parts: &Parts, body: &Bytes) -> Result<Request, ApiError> {
    let mut request = match protocol {
        Protocol::RestJson => rest_json::read(found, parts, body),
        Protocol::RestXml => rest_xml::read(found, parts, body),
        Protocol::Json => json::read(body),
        Protocol::Query => query::read(found, parts, body),
        Protocol::Cbor => cbor::read(body),
    }?;
    request.service.clone_from(&found.model.name);
    request.operation.clone_from(&found.operation.name);
    Ok(request)
}

/// Writes an answer; without an operation only errors have one.
pub fn write(protocol: Protocol, asked: Option<(&Model, &Operation)>, outcome: Result<Reply, ApiError>) -> Response<Full<Bytes>> {
    let id = clock::id();
    let mut builder = Response::builder().header("x-amzn-requestid", &id);
    let written = match outcome {
        Ok(reply) => {
            let Some((model, operation)) = asked else {
                return Response::new(Full::new(Bytes::new()));
            };
            match protocol {
                Protocol::RestJson => rest_json::write(model, operation, reply),
                Protocol::RestXml => rest_xml::write(model, operation, reply),
                Protocol::Json => json::write(operation, &reply),
                Protocol::Query => query::write(model, operation, &reply, &id),
                Protocol::Cbor => cbor::write(model, operation, &reply),
            }
        }
        Err(error) => {
            let (code, member) = asked.map_or((error.code.as_str(), "message"), |(model, _)| model.error(&error.code));
            builder = builder.header("x-amzn-errortype", code);
            if error.status == 429 {
                builder = builder.header("retry-after", "1");
            }
            let body = match protocol {
                Protocol::RestJson => rest_json::error(&error, member),
                Protocol::RestXml => rest_xml::error(&error, code, &id),
                Protocol::Json => json::error(&error),
                Protocol::Query => query::error(&error, code, asked.and_then(|(model, _)| model.namespace.as_deref()), &id),
                Protocol::Cbor => cbor::error(&error),
            };
            Written { status: error.status, headers: Vec::new(), body }
        }
    };
    builder = match protocol {
        Protocol::Json => {
            let version = asked.and_then(|(model, _)| model.json.as_deref()).unwrap_or("1.1");
            builder.header("content-type", format!("application/x-amz-json-{version}"))
        }
        Protocol::Cbor => builder.header("content-type", "application/cbor").header("smithy-protocol", "rpc-v2-cbor"),
        _ if written.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) => builder,
        Protocol::RestJson => builder.header("content-type", "application/json"),
        Protocol::RestXml => builder.header("content-type", "application/xml"),
        Protocol::Query => builder.header("content-type", "text/xml"),
    };
    for (name, value) in &written.headers {
        builder = builder.header(name, value);
    }
    let status = StatusCode::from_u16(written.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    builder.status(status).body(Full::new(written.body)).unwrap_or_else(|_| {
        let mut broken = Response::new(Full::new(Bytes::new()));
        *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}

#[cfg(test)]
mod tests;
