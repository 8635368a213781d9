//! Requests as botocore writes them and answers as it reads them, in every protocol: `wire.json`, written by `tests/lab/wire.py`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Request as Http;
use serde_json::{Value, json};

use super::models::Models;
use super::{Protocol, check, read, routing, write};
use crate::cloud::call::{ApiError, Reply};

fn wire() -> (Models, Value) {
    let wire: Value = serde_json::from_str(include_str!("wire.json")).unwrap();
    let mut models = Models::default();
    for row in wire["models"].as_array().unwrap() {
        models.add(row["name"].as_str().unwrap(), &row["model"].to_string()).unwrap();
    }
    (models, wire)
}

fn protocol(name: &Value) -> Protocol {
    match name.as_str().unwrap() {
        "rest-json" => Protocol::RestJson,
        "rest-xml" => Protocol::RestXml,
        "json" => Protocol::Json,
        "query" => Protocol::Query,
        "smithy-rpc-v2-cbor" => Protocol::Cbor,
        other => panic!("{other}"),
    }
}

fn request(row: &Value, signed: bool) -> (hyper::http::request::Parts, Bytes) {
    let text = |field: &str| row[field].as_str().unwrap();
    let mut http = Http::builder().method(text("method")).uri(text("path"));
    for (name, value) in row["headers"].as_object().unwrap() {
        http = http.header(name, value.as_str().unwrap());
    }
    if signed {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential=KEY/20261126/eu-central-1/{}/aws4_request, SignedHeaders=host", text("signing"));
        http = http.header("authorization", scope);
    }
    (http.body(()).unwrap().into_parts().0, Bytes::from(STANDARD.decode(text("body")).unwrap()))
}

#[test]
fn requests_are_read_as_they_were_meant() {
    let (models, wire) = wire();
    for row in wire["requests"].as_array().unwrap() {
        for signed in [true, false] {
            let (parts, body) = request(row, signed);
            let (spoken, found) = routing::route(&models, &parts, &body);
            let found = found.unwrap_or_else(|error| panic!("{row}: {error}"));
            assert_eq!(spoken, protocol(&row["protocol"]), "{row}");
            let read = read(spoken, &found, &parts, &body).unwrap_or_else(|error| panic!("{row}: {error}"));
            assert_eq!((json!(read.service), json!(read.operation)), (row["service"].clone(), row["operation"].clone()), "{row}");
            assert_eq!(read.input, row["input"], "{} {}", read.service, read.operation);
            assert_eq!(STANDARD.encode(&read.raw), row["raw"].as_str().unwrap(), "{row}");
            check::check(found.model, &read.operation, &read.input).unwrap_or_else(|error| panic!("{row}: {error}"));
        }
    }
}

#[test]
fn what_the_scope_of_a_signature_does_not_name_is_not_found() {
    let (models, wire) = wire();
    let row = &wire["requests"][0];
    let mut row = row.clone();
    row["signing"] = json!("ec2");
    let (parts, body) = request(&row, true);
    let (_, found) = routing::route(&models, &parts, &body);
    let error = found.unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("UnknownOperationException", 404));
}

fn body_of(response: hyper::Response<http_body_util::Full<Bytes>>) -> Bytes {
    use http_body_util::BodyExt;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(response.into_body().collect()).unwrap().to_bytes()
}

/// `answers.json` holds what clients read; `FAULTLAYER_BLESS=1` writes it anew, and `tests/lab/test_wire.py` reads it with botocore.
#[test]
fn answers_are_written_as_clients_read_them() {
    let (models, wire) = wire();
    let mut rows = Vec::new();
    for row in wire["answers"].as_array().unwrap() {
        let model = models.service(row["service"].as_str().unwrap()).unwrap();
        let operation = &model.operations[row["operation"].as_str().unwrap()];
        let reply = Reply::from(row["output"].clone());
        let response = write(protocol(&row["protocol"]), Some((model, operation)), Ok(reply));
        // What is random stands for itself.
        let id = response.headers()["x-amzn-requestid"].to_str().unwrap().to_owned();
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().replace(&id, "ID")))
            .collect();
        let status = response.status().as_u16();
        let body = body_of(response);
        let (form, body) = match std::str::from_utf8(&body) {
            Ok(text) => ("text", text.replace(&id, "ID")),
            Err(_) => ("base64", STANDARD.encode(&body)),
        };
        rows.push(json!({"status": status, "headers": headers, form: body}).to_string());
    }
    let text = format!("[\n{}\n]\n", rows.join(",\n"));
    if std::env::var_os("FAULTLAYER_BLESS").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cloud/gateway/answers.json");
        std::fs::write(path, &text).unwrap();
        return;
    }
    assert_eq!(text, include_str!("answers.json"));
}

#[test]
fn refusals_are_written_in_every_protocol() {
    let (models, _) = wire();
    let error = ApiError::new("ResourceNotFound", 404, "no <alarm> & so");
    let model = models.service("cloudwatch").unwrap();
    let asked = Some((model, &model.operations["DescribeAlarms"]));
    for (protocol, wanted) in [
        (Protocol::Query, "<Code>ResourceNotFound</Code><Message>no &lt;alarm&gt; &amp; so</Message>"),
        (Protocol::RestXml, "<Error><Code>ResourceNotFound</Code><Message>no &lt;alarm&gt; &amp; so</Message>"),
        (Protocol::Json, r#""__type":"ResourceNotFound","message":"no <alarm> & so""#),
        (Protocol::RestJson, r#""message":"no <alarm> & so""#),
        (Protocol::Cbor, "ResourceNotFound"),
    ] {
        let response = write(protocol, asked, Err(error.clone()));
        assert_eq!(
            (response.status().as_u16(), response.headers()["x-amzn-errortype"].to_str().unwrap()),
            (404, "ResourceNotFound")
        );
        let text = String::from_utf8_lossy(&body_of(response)).into_owned();
        assert!(text.contains(wanted), "{protocol:?}: {text}");
    }
}
