//! Rules between the fields of a kind, as its row lists them: held against a fault here, and told by the JSON Schema.

use serde_json::{Value, json};

use crate::plan::{Problem, ProblemCode, join};

/// One rule.
#[derive(Clone, Copy, Debug)]
pub enum Between {
    /// One of two fields stands, or both. `first_is` says what the first one holds.
    Either {
        /// Where the problem is told.
        first: &'static str,
        /// The other one.
        second: &'static str,
        /// In a message.
        first_is: &'static str,
    },
    /// A field stands with another one alone.
    OnlyWith(&'static str, &'static str),
    /// A field stands only where a choice has this value.
    OnlyWhen {
        /// The field.
        field: &'static str,
        /// The field of the choice.
        choice: &'static str,
        /// Its value.
        is: &'static str,
        /// Whether the field must stand then.
        needed: bool,
    },
}

impl Between {
    /// What is wrong with a fault by this rule.
    pub(super) fn check(&self, fault: &Value, path: &str) -> Option<Problem> {
        let conflict =
            |field: &str, expected: &str| Problem::new(ProblemCode::Conflict, &join(path, field), fault.get(field), expected);
        let missing = |field: &str, expected: &str| Problem::new(ProblemCode::MissingField, &join(path, field), None, expected);
        let stands = |field: &str| fault.get(field).is_some();
        match *self {
            Self::Either { first, second, first_is } if !stands(first) && !stands(second) => {
                Some(missing(first, &format!("{first_is} here, or \"{second}\", nothing stands there")))
            }
            Self::OnlyWith(field, other) if stands(field) && !stands(other) => {
                Some(conflict(field, &format!("it only with \"{other}\"")))
            }
            Self::OnlyWhen { field, choice, is, needed } => {
                let is_so = fault.get(choice)?.as_str()? == is;
                match (stands(field), is_so) {
                    (true, false) => Some(conflict(field, &format!("it only with \"{choice}\": \"{is}\""))),
                    (false, true) if needed => {
                        Some(missing(field, &format!("it with \"{choice}\": \"{is}\", nothing stands there")))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The same in JSON Schema.
    pub(crate) fn schema(&self) -> Value {
        match *self {
            Self::Either { first, second, .. } => json!({"anyOf": [{"required": [first]}, {"required": [second]}]}),
            Self::OnlyWith(field, other) => json!({"dependentRequired": {field: [other]}}),
            Self::OnlyWhen { field, choice, is, needed } => {
                let stands = json!({"required": [field]});
                let is_so = json!({"required": [choice], "properties": {choice: {"const": is}}});
                let mut rule = json!({"if": is_so, "else": {"not": stands}});
                if let (Value::Object(rule), true) = (&mut rule, needed) {
                    rule.insert("then".into(), stands);
                }
                rule
            }
        }
    }
}
