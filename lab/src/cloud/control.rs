//! The lab's own endpoint, `/_lab`: what tests read and change. Described in `README.md` beside this file.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::automation::Engines;
use super::faults::HookSpec;
use super::lab::Lab;
use super::lambda::function::Switches;
use super::{lambda, wire};

/// Answers one request.
pub async fn answer(lab: &Arc<Lab>, parts: &Parts, body: &Bytes) -> Response<Full<Bytes>> {
    let path = parts.uri.path().trim_start_matches("/_lab").trim_matches('/');
    if let Some(hash) = path.strip_prefix("code/") {
        return zip(lab, &wire::decode(hash));
    }
    let (status, value) = match route(lab, &parts.method, path, parts.uri.query().unwrap_or_default(), body).await {
        Ok(value) => (StatusCode::OK, value),
        Err(message) => (StatusCode::BAD_REQUEST, json!({"message": message})),
    };
    respond(status, "application/json", Bytes::from(value.to_string()))
}

fn respond(status: StatusCode, kind: &str, bytes: Bytes) -> Response<Full<Bytes>> {
    let built = Response::builder().status(status).header("content-type", kind).body(Full::new(bytes));
    built.unwrap_or_else(|_| Response::new(Full::new(Bytes::new())))
}

fn zip(lab: &Lab, hash: &str) -> Response<Full<Bytes>> {
    match std::fs::read(lambda::code::path(lab.store.folder(), hash)) {
        Ok(bytes) => respond(StatusCode::OK, "application/zip", Bytes::from(bytes)),
        Err(_) => respond(StatusCode::NOT_FOUND, "text/plain", Bytes::new()),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

async fn route(lab: &Arc<Lab>, method: &Method, path: &str, query: &str, body: &Bytes) -> Result<Value, String> {
    let post = *method == Method::POST;
    match (path, post) {
        ("", false) => Ok(json!({
            "endpoint": lab.endpoint(), "account": lab.place.account, "region": lab.place.region, "state": lab.store.folder(),
        })),
        ("settings", post) => {
            if post {
                let mut settings = serde_json::to_value(lab.settings()).map_err(|error| error.to_string())?;
                let changes: Value = read(body)?;
                if let (Some(settings), Some(changes)) = (settings.as_object_mut(), changes.as_object()) {
                    settings.extend(changes.clone());
                }
                let settings = serde_json::from_value(settings).map_err(|error| error.to_string())?;
                lab.set_settings(settings).map_err(|error| error.to_string())?;
            }
            serde_json::to_value(lab.settings()).map_err(|error| error.to_string())
        }
        ("reset", true) => {
            lab.reset().await.map_err(|error| error.to_string())?;
            Ok(json!({}))
        }
        ("calls", false) => {
            let value = |name: &str| {
                query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).filter(|value| !value.is_empty())
            };
            let since = value("since").map_or(Ok(1), str::parse::<u64>).map_err(|error| format!("since: {error}"))?;
            Ok(lab.calls.since(since, value("execution")))
        }
        ("scripts", false) => Ok(Engines::scripts(&lab.engines)),
        ("faults", true) => Ok(json!({"id": lab.faults.set(read::<HookSpec>(body)?)})),
        ("faults", false) if *method == Method::DELETE => {
            lab.faults.clear();
            Ok(json!({}))
        }
        ("faults", false) => Ok(json!({"faults": lab.faults.list()})),
        ("faults/release", true) => {
            let wanted: Value = if body.is_empty() { Value::Null } else { read(body)? };
            Ok(json!({"released": lab.faults.release(wanted.get("id").and_then(Value::as_u64))}))
        }
        (path, true) if path.starts_with("functions/") => {
            let name = path.trim_start_matches("functions/");
            let changes: Value = read(body)?;
            lab.world(|world| {
                let function = world.functions.get_mut(name).ok_or_else(|| format!("there is no function `{name}`"))?;
                let mut switches = serde_json::to_value(&function.switches).map_err(|error| error.to_string())?;
                if let (Some(switches), Some(changes)) = (switches.as_object_mut(), changes.as_object()) {
                    switches.extend(changes.clone());
                }
                function.switches = serde_json::from_value::<Switches>(switches).map_err(|error| error.to_string())?;
                lab.save("functions", name, function);
                serde_json::to_value(&function.switches).map_err(|error| error.to_string())
            })
        }
        _ => Err(format!("there is no `{method} /_lab/{path}`")),
    }
}
