//! Requests and answers on the wire: REST-JSON (Lambda), JSON 1.1 (SSM, tagging), RPC v2 CBOR (tagging, newer clients), query
//! (STS). Turns a request into an operation and its input, and an outcome into an HTTP answer. Knows no operation by name.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde_json::{Map, Value};

use super::error::ApiError;
use super::model::{Member, Operation, Service, models};

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Lambda.
    Rest,
    /// `X-Amz-Target`.
    Json,
    /// Smithy RPC v2.
    Cbor,
    /// STS.
    Query,
}

/// One request, not yet checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// botocore's name of the service.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// Its members by name.
    pub input: Value,
    /// A body that is the payload itself (Invoke).
    pub raw: Bytes,
}

/// Labels or query terms, decoded.
type Pairs = Vec<(String, String)>;

/// What an operation answers.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// Another status than the model's.
    pub status: Option<u16>,
    /// Members that are headers.
    pub headers: Vec<(String, String)>,
    /// The output's members; ignored where `raw` stands.
    pub body: Value,
    /// A body that is the payload itself.
    pub raw: Option<Bytes>,
}

impl From<Value> for Reply {
    fn from(body: Value) -> Reply {
        Reply { body, ..Reply::default() }
    }
}

/// The access key id of the signature, if there is one.
pub fn access_key(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let (_, rest) = text.split_once("Credential=")?;
    rest.split(['/', ',']).next().map(str::to_owned)
}

/// Reads a request: its protocol, and what it asks for.
pub fn read(parts: &Parts, body: &Bytes) -> (Protocol, Result<Request, ApiError>) {
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let path = parts.uri.path();
    if let Some(target) = target {
        return (Protocol::Json, read_json(target, body));
    }
    if let Some(rest) = path.strip_prefix("/service/") {
        return (Protocol::Cbor, read_cbor(rest, body));
    }
    if path == "/" {
        return (Protocol::Query, read_query(body));
    }
    (Protocol::Rest, read_rest(parts, body))
}

fn read_json(target: &str, body: &Bytes) -> Result<Request, ApiError> {
    let unknown = || ApiError::bad("UnknownOperationException", format!("the lab does not serve `{target}`"));
    let (service, operation) = models()?.target(target).ok_or_else(unknown)?;
    let input = if body.is_empty() {
        Value::Object(Map::new())
    } else {
        serde_json::from_slice(body).map_err(|error| ApiError::bad("SerializationException", error.to_string()))?
    };
    Ok(Request { service, operation, input, raw: Bytes::new() })
}

fn read_cbor(path: &str, body: &Bytes) -> Result<Request, ApiError> {
    let unknown = || ApiError::bad("UnknownOperationException", format!("the lab does not serve `{path}`"));
    let (target, operation) = path.split_once("/operation/").ok_or_else(unknown)?;
    let (service, operation) = models()?.target(&format!("{target}.{operation}")).ok_or_else(unknown)?;
    let input = if body.is_empty() {
        Value::Object(Map::new())
    } else {
        ciborium::from_reader(body.as_ref()).map_err(|error| ApiError::bad("SerializationException", error.to_string()))?
    };
    Ok(Request { service, operation, input, raw: Bytes::new() })
}

fn read_query(body: &Bytes) -> Result<Request, ApiError> {
    let text = String::from_utf8_lossy(body);
    let action = text.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
    let served = models()?.service("sts").and_then(|sts| sts.operations.get_key_value(action));
    let (operation, _) = served.ok_or_else(|| ApiError::bad("InvalidAction", format!("the lab does not serve `{action}`")))?;
    Ok(Request { service: "sts", operation, input: Value::Object(Map::new()), raw: Bytes::new() })
}

fn read_rest(parts: &Parts, body: &Bytes) -> Result<Request, ApiError> {
    let service = models()?.service("lambda").ok_or_else(|| ApiError::internal("models.json: no lambda"))?;
    let query = query_pairs(parts.uri.query().unwrap_or_default());
    let mut found: Option<(&'static str, &'static Operation, Pairs)> = None;
    let mut most = 0;
    for (name, operation) in &service.operations {
        let (template, fixed) = split_template(&operation.http.request_uri);
        let fits = operation.http.method == parts.method.as_str() && fixed.iter().all(|pair| query.contains(pair));
        // Fixed query terms tell apart what shares a path: the operation that names most of them is meant.
        if let Some(labels) = fits.then(|| match_path(template, parts.uri.path())).flatten()
            && (found.is_none() || fixed.len() > most)
        {
            most = fixed.len();
            found = Some((name, operation, labels));
        }
    }
    let unknown = || {
        ApiError::new("UnknownOperationException", 404, format!("the lab does not serve `{} {}`", parts.method, parts.uri.path()))
    };
    let (name, operation, labels) = found.ok_or_else(unknown)?;
    let mut fields = Map::new();
    let mut raw = Bytes::new();
    if let Some(shape) = operation.input.as_deref().and_then(|input| service.shape(input)) {
        if shape.payload.is_some() {
            raw = body.clone();
        } else if !body.is_empty() {
            match serde_json::from_slice(body) {
                Ok(Value::Object(body)) => fields = body,
                Ok(_) => return Err(ApiError::bad("SerializationException", "expected a JSON object")),
                Err(error) => return Err(ApiError::bad("InvalidRequestContentException", error.to_string())),
            }
        }
        for (field, member) in &shape.members {
            if let Some(value) = located(service, member, field, &labels, &query, &parts.headers)? {
                fields.insert(field.clone(), value);
            }
        }
    }
    Ok(Request { service: "lambda", operation: name, input: Value::Object(fields), raw })
}

/// A member that lies outside the body.
fn located(
    service: &Service,
    member: &Member,
    field: &str,
    labels: &[(String, String)],
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Result<Option<Value>, ApiError> {
    let Some(location) = member.location.as_deref() else {
        return Ok(None);
    };
    let wire = member.location_name.as_deref().unwrap_or(field);
    let texts: Vec<String> = match location {
        "uri" => labels.iter().filter(|(name, _)| name == wire).map(|(_, text)| text.clone()).collect(),
        "querystring" => query.iter().filter(|(name, _)| name == wire).map(|(_, text)| text.clone()).collect(),
        _ => headers.get(wire).and_then(|value| value.to_str().ok()).map(str::to_owned).into_iter().collect(),
    };
    let kind = service.shape(&member.shape).map_or("string", |shape| shape.kind.as_str());
    if kind == "list" {
        let list: Vec<Value> = texts.into_iter().map(Value::String).collect();
        return Ok((!list.is_empty()).then_some(Value::Array(list)));
    }
    let Some(text) = texts.into_iter().next() else {
        return Ok(None);
    };
    let value = match kind {
        "integer" | "long" => text.parse::<i64>().ok().map(Value::from),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        _ => Some(Value::String(text.clone())),
    };
    value.map(Some).ok_or_else(|| ApiError::bad("SerializationException", format!("`{field}`: expected a {kind}, got `{text}`")))
}

fn split_template(uri: &str) -> (&str, Vec<(String, String)>) {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    (path, query_pairs(query))
}

fn query_pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

fn match_path(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    let mut wanted = template.trim_end_matches('/').split('/');
    let mut given = path.trim_end_matches('/').split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(labels),
            (Some(want), Some(got)) => match want.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
                Some(label) if !got.is_empty() => labels.push((label.to_owned(), decode(got))),
                None if want == got => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// Undoes percent encoding.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes an answer.
pub fn write(protocol: Protocol, request: Option<&Request>, outcome: Result<Reply, ApiError>) -> Response<Full<Bytes>> {
    let id = uuid::Uuid::new_v4().to_string();
    let mut builder = Response::builder().header("x-amzn-requestid", &id);
    let (status, bytes) = match outcome {
        Ok(reply) => {
            for (name, value) in &reply.headers {
                builder = builder.header(name, value);
            }
            let modelled = request
                .and_then(|request| models().ok()?.service(request.service)?.operations.get(request.operation))
                .map_or(200, |operation| operation.http.response_code);
            let status = reply.status.unwrap_or(modelled);
            let bytes = match (reply.raw, protocol) {
                (Some(raw), _) => raw,
                (None, Protocol::Query) => Bytes::from(reply.body.as_str().unwrap_or_default().to_owned()),
                (None, Protocol::Cbor) => cbor(&reply.body),
                (None, _) if status == 204 || reply.body.is_null() => Bytes::new(),
                (None, _) => Bytes::from(reply.body.to_string()),
            };
            (status, bytes)
        }
        Err(error) => {
            builder = builder.header("x-amzn-errortype", &error.code);
            if error.status == 429 {
                builder = builder.header("retry-after", "1");
            }
            (error.status, error_body(protocol, &error, &id))
        }
    };
    builder = match protocol {
        Protocol::Json => builder.header("content-type", "application/x-amz-json-1.1"),
        Protocol::Rest => builder.header("content-type", "application/json"),
        Protocol::Query => builder.header("content-type", "text/xml"),
        Protocol::Cbor => builder.header("content-type", "application/cbor").header("smithy-protocol", "rpc-v2-cbor"),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    builder.status(status).body(Full::new(bytes)).unwrap_or_else(|_| Response::new(Full::new(Bytes::new())))
}

fn error_body(protocol: Protocol, error: &ApiError, id: &str) -> Bytes {
    let body = match protocol {
        Protocol::Rest => {
            // These two shapes spell their member with a capital.
            let capital = matches!(error.code.as_str(), "ResourceNotFoundException" | "ServiceException");
            let key = if capital { "Message" } else { "message" };
            serde_json::json!({"Type": if error.status < 500 { "User" } else { "Service" }, key: error.message})
        }
        Protocol::Json => serde_json::json!({"__type": error.code, "message": error.message, "Message": error.message}),
        Protocol::Cbor => {
            return cbor(&serde_json::json!({"__type": error.code, "message": error.message, "Message": error.message}));
        }
        Protocol::Query => {
            let text = error.message.replace('&', "&amp;").replace('<', "&lt;");
            return Bytes::from(format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{}</Code>\
                 <Message>{text}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>",
                error.code
            ));
        }
    };
    Bytes::from(body.to_string())
}

fn cbor(value: &Value) -> Bytes {
    let mut bytes = Vec::new();
    if ciborium::into_writer(value, &mut bytes).is_err() {
        bytes.clear();
    }
    Bytes::from(bytes)
}
