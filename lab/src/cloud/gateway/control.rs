//! The lab's own endpoint, `/_lab`: what tests read and change. Described in `README.md` of the cloud's folder.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::cloud::call::hooks::HookSpec;
use crate::cloud::lab::Lab;

/// A request to the lab's own endpoint that a service may know.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Whether it is a POST, which changes something.
    pub post: bool,
    /// The path after `/_lab/`, not decoded.
    pub path: &'a str,
    /// The body.
    pub body: &'a Bytes,
}

impl Ask<'_> {
    /// The body as JSON.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        read(self.body)
    }
}

/// What the lab's own endpoint answers.
#[derive(Debug)]
pub enum Own {
    /// JSON.
    Json(Value),
    /// Bytes and their content type.
    Bytes(&'static str, Bytes),
    /// There is no such thing.
    Missing,
}

/// Answers one request, its path without `/_lab/`.
pub async fn answer(lab: &Arc<Lab>, parts: &Parts, path: &str, body: &Bytes) -> Response<Full<Bytes>> {
    match route(lab, &parts.method, path, parts.uri.query().unwrap_or_default(), body).await {
        Ok(Own::Json(value)) => respond(StatusCode::OK, "application/json", Bytes::from(value.to_string())),
        Ok(Own::Bytes(kind, bytes)) => respond(StatusCode::OK, kind, bytes),
        Ok(Own::Missing) => respond(StatusCode::NOT_FOUND, "text/plain", Bytes::new()),
        Err(message) => {
            respond(StatusCode::BAD_REQUEST, "application/json", Bytes::from(json!({"message": message}).to_string()))
        }
    }
}

fn respond(status: StatusCode, kind: &str, bytes: Bytes) -> Response<Full<Bytes>> {
    let built = Response::builder().status(status).header("content-type", kind).body(Full::new(bytes));
    built.unwrap_or_else(|_| Response::new(Full::new(Bytes::new())))
}

fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// `known` with what `changes` says; whoever reads it as a type refuses fields that are none.
pub fn changed<T: serde::Serialize + serde::de::DeserializeOwned>(known: &T, changes: &Value) -> Result<T, String> {
    let mut known = serde_json::to_value(known).map_err(|error| error.to_string())?;
    if let (Some(known), Some(changes)) = (known.as_object_mut(), changes.as_object()) {
        known.extend(changes.clone());
    }
    serde_json::from_value(known).map_err(|error| error.to_string())
}

async fn route(lab: &Arc<Lab>, method: &Method, path: &str, query: &str, body: &Bytes) -> Result<Own, String> {
    let post = *method == Method::POST;
    let own = match (path, post) {
        ("", false) => json!({
            "endpoint": lab.site.endpoint(), "account": lab.site.place.account, "region": lab.site.place.region,
            "state": lab.site.folder().path(), "set_aside": lab.site.folder().broken(),
        }),
        ("settings", post) => {
            if post {
                let settings = changed(&lab.site.settings(), &read(body)?)?;
                lab.site.set_settings(settings).map_err(|error| error.to_string())?;
            }
            serde_json::to_value(lab.site.settings()).map_err(|error| error.to_string())?
        }
        ("reset", true) => {
            lab.reset().await.map_err(|error| error.to_string())?;
            json!({})
        }
        ("calls", false) => {
            let value = |name: &str| {
                query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).filter(|value| !value.is_empty())
            };
            let since = value("since").map_or(Ok(1), str::parse::<u64>).map_err(|error| format!("since: {error}"))?;
            lab.log.since(since, value("execution"))
        }
        ("hooks", true) => json!({"id": lab.hooks.set(read::<HookSpec>(body)?)}),
        ("hooks", false) if *method == Method::DELETE => {
            lab.hooks.clear();
            json!({})
        }
        ("hooks", false) => json!({"hooks": lab.hooks.list()}),
        ("hooks/release", true) => {
            let wanted: Value = if body.is_empty() { Value::Null } else { read(body)? };
            json!({"released": lab.hooks.release(wanted.get("id").and_then(Value::as_u64))})
        }
        _ => {
            let ask = Ask { post, path, body };
            let known = lab.services().find_map(|service| service.control(&ask));
            return known.unwrap_or_else(|| Err(format!("there is no `{method} /_lab/{path}`")));
        }
    };
    Ok(Own::Json(own))
}
