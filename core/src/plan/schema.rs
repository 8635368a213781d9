//! The JSON Schema of the plan, generated from the tables of fields.

use serde_json::{Map, Value, json};

use super::field::{Field, Presence, Shape};
use super::{FAULT_FIELDS, MAX_FAULTS, PLAN, WHEN_FIELDS};
use crate::faults::{Between, KINDS, Spec};

/// Draft 2020-12. It says what each field may hold, and the rules between fields that a kind's row lists; others are the
/// engine's.
#[must_use]
pub fn schema() -> Value {
    let mut schema = of(&PLAN);
    if let Value::Object(map) = &mut schema {
        map.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        map.insert("title".into(), "Faultlayer plan, version 1".into());
    }
    schema
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Name { max } => json!({"type": "string", "minLength": 1, "maxLength": max}),
        Shape::Text => json!({"type": "string"}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Integer { min, max } if min == max => json!({"const": min}),
        Shape::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Number { min, max, above: true } => json!({"type": "number", "exclusiveMinimum": min, "maximum": max}),
        Shape::Number { min, max, above: false } => json!({"type": "number", "minimum": min, "maximum": max}),
        Shape::Fraction => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Shape::Time { or_never: false } => json!({"type": "string", "format": "date-time"}),
        Shape::Time { or_never: true } => json!({"anyOf": [{"type": "string", "format": "date-time"}, {"const": "never"}]}),
        Shape::Choice(choices) => json!({"enum": choices}),
        Shape::Json => json!({}),
        Shape::Object | Shape::Pattern => json!({"type": "object"}),
        Shape::Strings => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        Shape::Fields(fields) => object(&[fields], Map::new(), Vec::new()),
        Shape::OneOf(fields) => {
            let mut one = object(&[fields], Map::new(), Vec::new());
            if let Value::Object(map) = &mut one {
                map.insert("minProperties".into(), 1.into());
                map.insert("maxProperties".into(), 1.into());
            }
            one
        }
        Shape::Percentiles => json!({
            "type": "object",
            "patternProperties": {"^[0-9]+(\\.[0-9]+)?$": {"type": "number", "minimum": 0, "maximum": crate::delay::MAX_DELAY_MS}},
            "required": ["100"],
            "additionalProperties": false,
        }),
        Shape::List { item, min, max } => json!({"type": "array", "items": of(item), "minItems": min, "maxItems": max}),
        Shape::Either(plain, more) => json!({"anyOf": [of(plain), of(more)]}),
        Shape::Faults => {
            let kinds: Vec<_> = KINDS.iter().map(|kind| fault(kind)).collect();
            json!({"type": "array", "maxItems": MAX_FAULTS, "items": {"oneOf": kinds}})
        }
    }
}

fn fault(kind: &Spec) -> Value {
    let when: &[Field] = if kind.takes_when { WHEN_FIELDS } else { &[] };
    let named = Map::from_iter([("kind".to_owned(), json!({"const": kind.name, "description": kind.doc}))]);
    let rules = kind.between.iter().map(Between::schema).collect();
    let mut schema = object(&[FAULT_FIELDS, when, kind.fields], named, rules);
    if let Value::Object(map) = &mut schema {
        map.insert("title".into(), kind.name.into());
    }
    schema
}

/// An object with these fields and no others; `given` stands for fields whose table says less, `rules` are between them.
fn object(tables: &[&[Field]], given: Map<String, Value>, rules: Vec<Value>) -> Value {
    let mut properties = Map::new();
    for field in tables.iter().copied().flatten() {
        let schema = given.get(field.name).cloned().unwrap_or_else(|| described(field));
        properties.insert(field.name.to_owned(), schema);
    }
    let fields = || tables.iter().copied().flatten();
    let required: Vec<_> = fields().filter(|field| field.is_required()).map(|field| field.name).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if let Value::Object(map) = &mut schema {
        if !required.is_empty() {
            map.insert("required".into(), required.into());
        }
        let rules: Vec<_> = fields()
            .filter_map(|field| match field.presence {
                Presence::DefaultWithout { other, .. } => Some(json!({"not": {"required": [other, field.name]}})),
                _ => None,
            })
            .chain(rules)
            .collect();
        if !rules.is_empty() {
            map.insert("allOf".into(), rules.into());
        }
    }
    schema
}

fn described(field: &Field) -> Value {
    let mut schema = of(&field.shape);
    if let Value::Object(map) = &mut schema {
        map.insert("description".into(), field.doc.into());
        if let Presence::Default(default) | Presence::DefaultWithout { json: default, .. } = field.presence
            && let Ok(default) = serde_json::from_str(default)
        {
            map.insert("default".into(), default);
        }
    }
    schema
}
