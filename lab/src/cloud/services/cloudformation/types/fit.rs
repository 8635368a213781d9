//! Properties in the form that an API wants: CloudFormation writes numbers and switches as texts as it likes, and members with large
//! first letters; the API's model says what they are.

use serde_json::{Map, Value};

use crate::cloud::gateway::models::Model;
use crate::cloud::services::cloudformation::template::functions::text;

/// A value as a shape of the model wants it. What does not fit stays as it is, for the API to refuse.
pub fn fit(model: &Model, shape: &str, value: &Value) -> Value {
    let Some(shape) = model.shape(shape) else { return value.clone() };
    match (shape.kind.as_str(), value) {
        ("structure", Value::Object(fields)) => {
            let mut fitted = Map::new();
            for (name, field) in fields {
                let small = name.chars().next().map(|first| first.to_lowercase().chain(name.chars().skip(1)).collect::<String>());
                let known = shape.members.get_key_value(name).or_else(|| shape.members.get_key_value(&small?));
                match known {
                    Some((name, member)) => fitted.insert(name.clone(), fit(model, &member.shape, field)),
                    None => fitted.insert(name.clone(), field.clone()),
                };
            }
            Value::Object(fitted)
        }
        ("map", Value::Object(fields)) => {
            let inner = shape.value.as_ref().map_or("", |value| value.shape.as_str());
            fields.iter().map(|(key, field)| (key.clone(), fit(model, inner, field))).collect::<Map<_, _>>().into()
        }
        ("list", Value::Array(items)) => {
            let inner = shape.member.as_ref().map_or("", |member| member.shape.as_str());
            items.iter().map(|item| fit(model, inner, item)).collect()
        }
        ("string", value) => text(value).map_or_else(|| value.clone(), Value::from),
        ("integer" | "long", Value::String(text)) => text.parse::<i64>().map_or_else(|_| value.clone(), Value::from),
        ("float" | "double", Value::String(text)) => {
            text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or_else(|| value.clone(), Value::Number)
        }
        ("boolean", Value::String(text)) => text.parse::<bool>().map_or_else(|_| value.clone(), Value::from),
        _ => value.clone(),
    }
}
