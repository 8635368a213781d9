//! Members of requests, and answers in pages.

use serde_json::{Map, Value, json};

use crate::cloud::call::ApiError;

/// A member that is a text.
pub fn text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input.get(member).and_then(Value::as_str)
}

/// A member that is a switch, and on.
pub fn on(input: &Value, member: &str) -> bool {
    input.get(member).and_then(Value::as_bool) == Some(true)
}

/// A member that is a list.
pub fn list<'a>(input: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    input.get(member).and_then(Value::as_array).into_iter().flatten()
}

/// A member that is a list of texts.
pub fn texts<'a>(input: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    list(input, member).filter_map(Value::as_str)
}

/// A list of tags as a map.
pub fn tags(input: &Value, member: &str) -> Map<String, Value> {
    list(input, member)
        .map(|tag| (text(tag, "Key").unwrap_or_default().to_owned(), json!(text(tag, "Value").unwrap_or_default())))
        .collect()
}

/// A map as a list of tags.
pub fn tag_list(tags: &Map<String, Value>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// A page of a list: `marker` is the number of rows to leave out.
pub fn page<T>(
    rows: Vec<T>,
    marker: Option<&str>,
    most: Option<u64>,
    usual: usize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let skip = match marker {
        None | Some("") => 0,
        Some(marker) => marker.parse::<usize>().map_err(|_| ApiError::invalid("The pagination token is not valid"))?,
    };
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usual).max(1);
    let total = rows.len();
    let rows: Vec<T> = rows.into_iter().skip(skip).take(most).collect();
    let next = skip + rows.len();
    Ok((rows, (next < total).then(|| next.to_string())))
}

/// Puts a member into an answer, if there is one, as the next page's marker.
pub fn with(mut answer: Value, member: &str, text: Option<String>) -> Value {
    if let (Some(fields), Some(text)) = (answer.as_object_mut(), text) {
        fields.insert(member.to_owned(), Value::String(text));
    }
    answer
}
