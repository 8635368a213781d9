//! Smithy RPC v2 with CBOR: CloudWatch, tagging from newer clients. Times carry a tag, blobs are bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value, json};

use super::Written;
use super::models::{Member, Model, Operation};
use crate::cloud::call::{ApiError, Reply, Request};

/// The tag of seconds since 1970.
const SECONDS: u64 = 1;

/// A request's members.
pub fn read(body: &Bytes) -> Result<Request, ApiError> {
    let input = if body.is_empty() {
        Value::Object(Map::new())
    } else {
        let parsed: Cbor = ciborium::from_reader(body.as_ref()).map_err(|error| broken(&error.to_string()))?;
        plain(parsed)?
    };
    Ok(Request { input, ..Request::default() })
}

fn broken(message: &str) -> ApiError {
    ApiError::bad("SerializationException", message)
}

fn plain(value: Cbor) -> Result<Value, ApiError> {
    Ok(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(on) => Value::Bool(on),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bytes(bytes) => Value::String(STANDARD.encode(bytes)),
        Cbor::Float(number) => Value::Number(Number::from_f64(number).ok_or_else(|| broken("a number that is none"))?),
        Cbor::Integer(number) => {
            let number = i128::from(number);
            let number = i64::try_from(number).map(Value::from).or_else(|_| u64::try_from(number).map(Value::from));
            number.map_err(|_| broken("an integer beyond 64 bits"))?
        }
        Cbor::Tag(SECONDS, inner) => plain(*inner)?.as_f64().map(Value::from).ok_or_else(|| broken("a time that is none"))?,
        Cbor::Array(items) => items.into_iter().map(plain).collect::<Result<_, _>>()?,
        Cbor::Map(entries) => {
            let mut fields = Map::new();
            for (key, value) in entries {
                let Cbor::Text(key) = key else {
                    return Err(broken("a key that is no text"));
                };
                fields.insert(key, plain(value)?);
            }
            Value::Object(fields)
        }
        _ => return Err(broken("a value of no known kind")),
    })
}

/// An answer.
pub fn write(model: &Model, operation: &Operation, reply: &Reply) -> Written {
    let body = encode(&typed(model, operation.output.as_deref().unwrap_or_default(), &reply.body));
    Written { status: reply.status.unwrap_or(operation.http.response_code), headers: Vec::new(), body }
}

fn typed(model: &Model, name: &str, value: &Value) -> Cbor {
    let shape = model.shape(name);
    let of = |member: Option<&Member>, value: &Value| typed(model, member.map_or("", |member| member.shape.as_str()), value);
    match (shape.map_or("", |shape| shape.kind.as_str()), value) {
        ("timestamp", Value::Number(number)) => Cbor::Tag(SECONDS, Box::new(Cbor::Float(number.as_f64().unwrap_or_default()))),
        ("float" | "double", Value::Number(number)) => Cbor::Float(number.as_f64().unwrap_or_default()),
        ("blob", Value::String(text)) => Cbor::Bytes(STANDARD.decode(text).unwrap_or_default()),
        (_, Value::Null) => Cbor::Null,
        (_, Value::Bool(on)) => Cbor::Bool(*on),
        (_, Value::String(text)) => Cbor::Text(text.clone()),
        (_, Value::Number(number)) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Cbor::Integer(number.into()),
            (None, Some(number)) => Cbor::Integer(number.into()),
            (None, None) => Cbor::Float(number.as_f64().unwrap_or_default()),
        },
        (_, Value::Array(items)) => {
            Cbor::Array(items.iter().map(|item| of(shape.and_then(|shape| shape.member.as_ref()), item)).collect())
        }
        (_, Value::Object(fields)) => {
            let entry = |(key, value): (&String, &Value)| {
                let member = shape.and_then(|shape| shape.members.get(key).or(shape.value.as_ref()));
                (Cbor::Text(key.clone()), of(member, value))
            };
            Cbor::Map(fields.iter().filter(|(_, value)| !value.is_null()).map(entry).collect())
        }
    }
}

fn encode(value: &Cbor) -> Bytes {
    let mut bytes = Vec::new();
    if ciborium::into_writer(value, &mut bytes).is_err() {
        bytes.clear();
    }
    Bytes::from(bytes)
}

/// A refusal.
pub fn error(error: &ApiError) -> Bytes {
    let mut bytes = Vec::new();
    let body = json!({"__type": error.code, "message": error.message, "Message": error.message});
    if ciborium::into_writer(&body, &mut bytes).is_err() {
        bytes.clear();
    }
    Bytes::from(bytes)
}
