//! The tables of options in the reference pages (`docs/`), generated from the tables of fields. A test keeps the pages equal.

use std::fmt::Write;

use super::field::{Field, Presence, Shape};
use super::{FAULT_FIELDS, PLAN_FIELDS, WHEN_FIELDS};
use crate::faults;

/// A Markdown table of the options named `what`: a kind of fault, or `plan`, `fault` (what every kind has), `when`.
#[must_use]
pub fn options(what: &str) -> Option<String> {
    let fields = match what {
        "plan" => PLAN_FIELDS,
        "fault" => FAULT_FIELDS,
        "when" => WHEN_FIELDS,
        kind => faults::spec(kind)?.fields,
    };
    if fields.is_empty() {
        return Some("None of its own.\n".to_owned());
    }
    let mut table = "| option | value | default | meaning |\n| -- | -- | -- | -- |\n".to_owned();
    rows(&mut table, fields, "");
    Some(table)
}

fn rows(table: &mut String, fields: &[Field], prefix: &str) {
    for field in fields {
        let name = format!("{prefix}{}", field.name);
        let default = match &field.presence {
            Presence::Required | Presence::AtLeast(_) => "required".to_owned(),
            Presence::Optional => "none".to_owned(),
            Presence::Default(json) => format!("`{json}`"),
            Presence::DefaultWithout { other, json } => format!("`{json}`, without `{other}`"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{name}` | {} | {default} | {} |", field.shape.expected(), field.doc);
        nested(table, &field.shape, &name);
    }
}

fn nested(table: &mut String, shape: &Shape, name: &str) {
    match shape {
        Shape::Fields(fields) | Shape::OneOf(fields) => rows(table, fields, &format!("{name}.")),
        Shape::List { item, .. } => nested(table, item, &format!("{name}[]")),
        Shape::Either(plain, more) => {
            nested(table, plain, name);
            nested(table, more, name);
        }
        _ => {}
    }
}
