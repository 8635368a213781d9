//! Numbers, switches, times and bytes as texts: in paths, query strings, headers, forms and XML.

use serde_json::Value;

use super::models::{Member, Model};
use crate::cloud::call::ApiError;
use crate::cloud::clock;

/// How a protocol writes times, where the model does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// `2026-11-26T11:35:06Z`
    Iso8601,
    /// `Thu, 26 Nov 2026 11:35:06 GMT`
    Rfc822,
}

fn kind<'m>(model: &'m Model, member: &Member) -> &'m str {
    model.shape(&member.shape).map_or("string", |shape| shape.kind.as_str())
}

/// The value of a text. A time becomes seconds since 1970; a text that is none becomes what check refuses.
pub fn read(model: &Model, member: &Member, text: &str) -> Result<Value, ApiError> {
    let kind = kind(model, member);
    let value = match kind {
        "integer" | "long" => text.parse::<i64>().ok().map(Value::from),
        "float" | "double" => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        "timestamp" => moment(text),
        _ => Some(Value::String(text.to_owned())),
    };
    value.ok_or_else(|| ApiError::bad("SerializationException", format!("`{text}` is not a {kind}")))
}

fn moment(text: &str) -> Option<Value> {
    let ms = clock::parse_rfc3339(text).or_else(|| clock::parse_http_date(text));
    ms.map(clock::seconds).or_else(|| text.parse::<f64>().ok().map(Value::from))
}

/// The text of a value.
pub fn write(model: &Model, member: &Member, value: &Value, usual: Times) -> String {
    if kind(model, member) == "timestamp"
        && let Some(seconds) = value.as_f64()
    {
        let said = member.timestamp_format.as_deref();
        let said = said.or_else(|| model.shape(&member.shape)?.timestamp_format.as_deref());
        return match (said, usual) {
            (Some("unixTimestamp"), _) => value.to_string(),
            (Some("rfc822"), _) | (None, Times::Rfc822) => clock::http_date(clock::ms(seconds)),
            _ => clock::rfc3339(clock::ms(seconds)),
        };
    }
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
