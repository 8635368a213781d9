//! Walks what was written along the tables of fields: collects every problem, and fills in the defaults, so that what
//! comes out has one meaning. Rules between fields are checked by each part's own `check`.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::field::{Field, Presence, Shape};
use super::json::join;
use super::near::near;
use super::problem::{Problem, ProblemCode};
use super::{FAULT_FIELDS, MAX_FAULTS, WHEN_FIELDS};
use crate::faults::{self, KINDS};
use crate::timestamp::Timestamp;

pub(super) struct Validator {
    pub(super) problems: Vec<Problem>,
}

impl Validator {
    /// The value with its defaults filled in; wherever a problem was found, the value as it stands.
    pub(super) fn complete(&mut self, value: &Value, shape: &'static Shape, path: &str) -> Value {
        match (shape, value) {
            (Shape::Fields(fields), Value::Object(map)) => Value::Object(self.fields(map, &[fields], path)),
            (Shape::OneOf(fields), Value::Object(map)) => self.one_of(map, fields, path),
            (Shape::List { item, min, max }, Value::Array(items)) => {
                if items.len() < *min || items.len() > *max {
                    self.refuse(ProblemCode::OutOfRange, path, value, shape.expected());
                }
                let complete = |(index, entry)| self.complete(entry, item, &format!("{path}[{index}]"));
                Value::Array(items.iter().enumerate().map(complete).collect())
            }
            (Shape::Faults, Value::Array(items)) => self.faults(items, value, path),
            (Shape::Either(_, more), Value::Object(_)) => self.complete(value, more, path),
            (Shape::Either(plain, _), _) => {
                if let Some(code) = scalar_problem(plain, value) {
                    self.refuse(code, path, value, shape.expected_instead_of(value));
                }
                value.clone()
            }
            (Shape::Strings, Value::Object(map)) => {
                for (key, entry) in map.iter().filter(|(_, entry)| !entry.is_string()) {
                    self.refuse(ProblemCode::WrongType, &join(path, key), entry, "a string".into());
                }
                value.clone()
            }
            (Shape::Percentiles, Value::Object(map)) => {
                if percentiles(map).is_none() {
                    self.refuse(ProblemCode::OutOfRange, path, value, shape.expected());
                }
                value.clone()
            }
            _ => {
                if let Some(code) = scalar_problem(shape, value) {
                    self.refuse(code, path, value, shape.expected_instead_of(value));
                }
                match (shape, value) {
                    (Shape::Integer { .. }, Value::Number(number)) => whole(number).map_or(Value::Null, Value::from),
                    _ => value.clone(),
                }
            }
        }
    }

    fn fields(&mut self, map: &Map<String, Value>, tables: &[&'static [Field]], path: &str) -> Map<String, Value> {
        let mut complete = Map::new();
        for (key, value) in map {
            match tables.iter().copied().flatten().find(|field| field.name == key) {
                Some(field) => {
                    if let Presence::DefaultWithout { other, .. } = field.presence
                        && map.contains_key(other)
                    {
                        self.refuse(ProblemCode::Conflict, &join(path, key), value, format!("it only without \"{other}\""));
                    }
                    if let Presence::AtLeast(least) = field.presence
                        && let (Some(number), Some(bound)) = (value.as_f64(), map.get(least).and_then(Value::as_f64))
                        && number < bound
                    {
                        self.refuse(
                            ProblemCode::Conflict,
                            &join(path, key),
                            value,
                            format!("at least `{least}`, which is {bound}"),
                        );
                    }
                    let value = self.complete(value, &field.shape, &join(path, key));
                    complete.insert(key.clone(), value);
                }
                None => {
                    let names = tables.iter().copied().flatten().map(|field| field.name);
                    self.refuse(ProblemCode::UnknownField, &join(path, key), value, instead_of(key, names, "no field but "));
                }
            }
        }
        for field in tables.iter().copied().flatten().filter(|field| !map.contains_key(field.name)) {
            match &field.presence {
                Presence::Required | Presence::AtLeast(_) => self.miss(&join(path, field.name), &field.shape),
                Presence::Default(json) => {
                    let default = serde_json::from_str(json).unwrap_or(Value::Null);
                    complete.insert(field.name.to_owned(), default);
                }
                Presence::DefaultWithout { other, json } if !map.contains_key(*other) => {
                    complete.insert(field.name.to_owned(), serde_json::from_str(json).unwrap_or(Value::Null));
                }
                Presence::DefaultWithout { .. } | Presence::Optional => {}
            }
        }
        complete
    }

    fn one_of(&mut self, map: &Map<String, Value>, fields: &'static [Field], path: &str) -> Value {
        let mut complete = Map::new();
        for (key, value) in map {
            if let Some(field) = fields.iter().find(|field| field.name == key) {
                complete.insert(key.clone(), self.complete(value, &field.shape, &join(path, key)));
            } else {
                let names = fields.iter().map(|field| field.name);
                self.refuse(ProblemCode::UnknownField, &join(path, key), value, instead_of(key, names, "one of "));
            }
        }
        let known = complete.len();
        if known > 1 || map.is_empty() {
            self.refuse(ProblemCode::Conflict, path, &Value::Object(map.clone()), Shape::OneOf(fields).expected());
        }
        Value::Object(complete)
    }

    fn faults(&mut self, items: &[Value], value: &Value, path: &str) -> Value {
        if items.len() > MAX_FAULTS {
            self.refuse(ProblemCode::OutOfRange, path, value, Shape::Faults.expected());
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut complete = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}[{index}]");
            complete.push(self.fault(item, &path));
            if let Some(id) = item.get("id").and_then(Value::as_str)
                && let Some(first) = seen.insert(id, index)
            {
                let expected = format!("an id of its own, `faults[{first}]` has this one");
                self.refuse(ProblemCode::DuplicateId, &join(&path, "id"), &Value::from(id), expected);
            }
        }
        Value::Array(complete)
    }

    fn fault(&mut self, item: &Value, path: &str) -> Value {
        let Value::Object(map) = item else {
            self.refuse(ProblemCode::WrongType, path, item, "an object with \"id\", \"kind\" and \"rate\"".into());
            return item.clone();
        };
        let kind = map.get("kind").and_then(Value::as_str).and_then(faults::spec);
        let Some(kind) = kind else {
            // Without its kind nothing is known of the other fields but the common ones.
            match map.get("kind") {
                Some(named @ Value::String(_)) => {
                    let kinds = KINDS.iter().map(|kind| kind.name);
                    let names = instead_of(named.as_str().unwrap_or_default(), kinds, "one of ");
                    self.refuse(ProblemCode::UnknownKind, &join(path, "kind"), named, names);
                }
                Some(other) => self.refuse(ProblemCode::WrongType, &join(path, "kind"), other, "a string".into()),
                None => self.miss(&join(path, "kind"), &Shape::Text),
            }
            let common = map.iter().filter(|(key, _)| FAULT_FIELDS.iter().any(|field| field.name == *key && *key != "kind"));
            let mut common: Map<_, _> = common.map(|(key, value)| (key.clone(), value.clone())).collect();
            common.insert("kind".into(), Value::from(""));
            return Value::Object(self.fields(&common, &[FAULT_FIELDS], path));
        };
        let when: &'static [Field] = if kind.takes_when { WHEN_FIELDS } else { &[] };
        Value::Object(self.fields(map, &[FAULT_FIELDS, when, kind.fields], path))
    }

    fn refuse(&mut self, code: ProblemCode, path: &str, value: &Value, expected: String) {
        self.problems.push(Problem::new(code, path, Some(value), expected));
    }

    fn miss(&mut self, path: &str, shape: &Shape) {
        self.problems.push(Problem::new(
            ProblemCode::MissingField,
            path,
            None,
            format!("{}, nothing stands there", shape.expected()),
        ));
    }
}

/// What could stand in the place of a name that does not exist, and which of it was probably meant.
fn instead_of<'a>(written: &str, names: impl Iterator<Item = &'a str> + Clone, before: &str) -> String {
    let all: Vec<_> = names.clone().map(|name| format!("\"{name}\"")).collect();
    let meant = near(written, names).map(|name| format!(" (did you mean \"{name}\"?)")).unwrap_or_default();
    format!("{before}{}{meant}", all.join(", "))
}

/// The points of a `percentiles` object in rising order, or `None` if they are not in order or do not reach 100.
pub(crate) fn percentiles(map: &Map<String, Value>) -> Option<Vec<(f64, f64)>> {
    let mut points = Vec::with_capacity(map.len());
    for (key, value) in map {
        let percentile: f64 = key.parse().ok().filter(|_| key.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))?;
        let millis = value.as_f64().filter(|millis| (0.0..=crate::delay::MAX_DELAY_MS).contains(millis))?;
        points.push((percentile, millis));
    }
    points.sort_by(|left, right| left.0.total_cmp(&right.0));
    let rises = points.windows(2).all(|pair| matches!(pair, [left, right] if left.0 < right.0 && left.1 <= right.1));
    #[expect(clippy::float_cmp, reason = "100 is meant exactly")]
    let complete = points.last().is_some_and(|last| last.0 == 100.0);
    (rises && complete).then_some(points)
}

/// What is wrong with a value that has no parts of its own, if anything.
fn scalar_problem(shape: &Shape, value: &Value) -> Option<ProblemCode> {
    let in_range = |inside: bool| if inside { None } else { Some(ProblemCode::OutOfRange) };
    match (shape, value) {
        (Shape::Name { max }, Value::String(text)) => in_range((1..=*max).contains(&text.chars().count())),
        (Shape::Integer { min, max }, Value::Number(number)) => match whole(number) {
            Some(number) => in_range((*min..=*max).contains(&number)),
            None if number.is_f64() && number.as_f64().is_some_and(|number| number.fract() != 0.0) => {
                Some(ProblemCode::WrongType)
            }
            None => Some(ProblemCode::OutOfRange),
        },
        (Shape::Number { min, max, above }, Value::Number(number)) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            in_range((*min..=*max).contains(&number) && !(*above && number <= *min))
        }
        (Shape::Fraction, Value::Number(number)) => in_range(number.as_f64().is_some_and(|number| (0.0..=1.0).contains(&number))),
        (Shape::Time { or_never }, Value::String(text)) => {
            in_range((*or_never && text == "never") || Timestamp::parse(text).is_some())
        }
        (Shape::Choice(choices), Value::String(text)) => in_range(choices.contains(&text.as_str())),
        (Shape::Text, Value::String(_))
        | (Shape::Boolean, Value::Bool(_))
        | (Shape::Json, _)
        | (Shape::Object | Shape::Pattern, Value::Object(_)) => None,
        _ => Some(ProblemCode::WrongType),
    }
}

/// The number if it is whole: `3`, and `3.0` as well.
#[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53 is checked first")]
pub(crate) fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0)?;
        Some(float as i64)
    })
}
