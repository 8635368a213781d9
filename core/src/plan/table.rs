//! The tables of fields as a few lines of text, for a check that cannot load the engine: the Automation documents carry
//! them inside a script. A file (`plan.fields.json`) holds them, and a test keeps it equal to the tables.

use serde_json::{Map, Value};

use super::field::{Field, Presence, Shape};
use super::{FAULT_FIELDS, MAX_FAULTS, PLAN_FIELDS, WHEN_FIELDS};
use crate::delay::MAX_DELAY_MS;
use crate::faults::KINDS;

/// One member for each object of a plan: its fields, separated by `, `, each `NAME SHAPE`, with `!` behind the name of one
/// that must stand, ` >= OTHER` behind the shape of a number that is at least that of another field, and ` without OTHER`
/// behind that of a field that cannot stand beside another.
///
/// `plan`, `fault` (what every kind has) and `when` (what most have besides) are the outermost; `kind NAME` has a kind's
/// own fields, and `kinds` says which kinds there are and, with `when`, which take it. A shape says in words what is allowed,
/// so that it is the message as well; `object NAME` is an object of this table, `object with one of NAME` one with exactly
/// one of its fields, and `A | B` is B where an object stands.
#[must_use]
pub fn table() -> Value {
    let mut table = Table::default();
    table.add("plan", PLAN_FIELDS);
    table.add("fault", FAULT_FIELDS);
    table.add("when", WHEN_FIELDS);
    let kinds: Vec<_> =
        KINDS.iter().map(|kind| if kind.takes_when { format!("{} when", kind.name) } else { kind.name.to_owned() }).collect();
    table.lines.insert("kinds".to_owned(), kinds.join(", ").into());
    for kind in KINDS {
        table.add(&format!("kind {}", kind.name), kind.fields);
    }
    Value::Object(table.lines)
}

#[derive(Default)]
struct Table {
    lines: Map<String, Value>,
    /// The objects that have a line, each by where its fields stand.
    named: Vec<(&'static [Field], String)>,
}

impl Table {
    fn add(&mut self, name: &str, fields: &'static [Field]) {
        // In its place before those of its fields' own objects.
        self.lines.insert(name.to_owned(), Value::Null);
        self.named.push((fields, name.to_owned()));
        let line: Vec<_> = fields.iter().map(|field| self.field(field, name)).collect();
        self.lines.insert(name.to_owned(), line.join(", ").into());
    }

    fn field(&mut self, field: &'static Field, within: &str) -> String {
        let shape = self.shape(&field.shape, field.name, within);
        let name = field.name;
        match field.presence {
            Presence::Required => format!("{name}! {shape}"),
            Presence::AtLeast(other) => format!("{name}! {shape} >= {other}"),
            Presence::Optional | Presence::Default(_) => format!("{name} {shape}"),
            Presence::DefaultWithout { other, .. } => format!("{name} {shape} without {other}"),
        }
    }

    fn shape(&mut self, shape: &'static Shape, field: &str, within: &str) -> String {
        match shape {
            Shape::Name { max } => format!("text of 1 to {max}"),
            Shape::Text => "text".into(),
            Shape::Boolean => "true or false".into(),
            Shape::Integer { min, max } => format!("integer {min} to {max}"),
            Shape::Number { min, max, above: false } => format!("number {min} to {max}"),
            Shape::Number { min, max, above: true } => format!("number above {min} to {max}"),
            Shape::Fraction => "number 0 to 1".into(),
            Shape::Time { or_never: false } => "time".into(),
            Shape::Time { or_never: true } => "time or never".into(),
            Shape::Choice(choices) => format!("one of {}", choices.join(" ")),
            Shape::Json => "any".into(),
            Shape::Object => "object".into(),
            Shape::Strings => "strings".into(),
            Shape::Pattern => "pattern".into(),
            Shape::Fields(fields) => format!("object {}", self.object(fields, field, within)),
            Shape::OneOf(fields) => format!("object with one of {}", self.object(fields, field, within)),
            Shape::Percentiles => format!("percentiles to {MAX_DELAY_MS}"),
            Shape::List { item, min, max } => format!("list of {min} to {max} {}", self.shape(item, field, within)),
            Shape::Either(plain, more) => {
                format!("{} | {}", self.shape(plain, field, within), self.shape(more, field, within))
            }
            Shape::Faults => format!("list of 0 to {MAX_FAULTS} faults"),
        }
    }

    /// The name of an object's line: the field's own, unless another object has it.
    fn object(&mut self, fields: &'static [Field], field: &str, within: &str) -> String {
        if let Some((_, name)) = self.named.iter().find(|(known, _)| std::ptr::eq(*known, fields)) {
            return name.clone();
        }
        let name = if self.lines.contains_key(field) { format!("{within}.{field}") } else { field.to_owned() };
        self.add(&name, fields);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_line_says_what_must_stand_and_what_holds_between_fields() {
        let table = table();
        assert_eq!(table["uniform"], "min! number 0 to 900000, max! number 0 to 900000 >= min");
        assert_eq!(
            table["kind response"].as_str().unwrap().split(", ").next(),
            Some("status integer 100 to 599 without payload")
        );
        assert!(table["kinds"].as_str().unwrap().starts_with("latency when, error when"));
        assert!(table["fault"].as_str().unwrap().contains("rate! number 0 to 1 | object rate"));
    }

    #[test]
    fn every_object_that_a_line_names_has_a_line() {
        let table = table();
        let shapes = table.as_object().unwrap().values().flat_map(|line| line.as_str().unwrap().split([',', '|']));
        let named: Vec<_> = shapes
            .filter_map(|shape| shape.split_once("object with one of ").or_else(|| shape.split_once("object ")))
            .map(|(_, name)| name.trim())
            .collect();
        assert!(named.len() > 5 && named.iter().all(|name| table.get(name).is_some()), "{named:?}");
    }
}
