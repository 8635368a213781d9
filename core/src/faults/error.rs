//! `error`: the caller sees an error of a named class, as if the handler had raised it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::boundary::Language;
use crate::decision::{Act, Details, Effect, Moment, Outcome, Reason, details};
use crate::plan::{Field, Presence, Problem, ProblemCode, Shape, When, join, typed};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "error",
    doc: "Raises an error of a named class.",
    fields: FIELDS,
    takes_when: true,
    role: Role::Error,
    stands: When::Before,
    by_place: &["type", "message"],
    instead: &[],
    between: &[],
    read,
};

const CLASS: Shape = Shape::Name { max: 256 };

static FIELDS: &[Field] = &[
    Field::required(
        "type",
        Shape::Either(&CLASS, &Shape::Fields(TYPES)),
        "The error's class by name, one for all languages or one for each.",
    ),
    Field::with_default("message", Shape::Text, "\"injected by Faultlayer\"", "The error's message."),
    Field {
        name: "properties",
        doc: "Attributes of the error, where the language has them.",
        shape: Shape::Object,
        presence: Presence::Default("{}"),
    },
];

static TYPES: &[Field] = &[
    Field::optional("python", CLASS, "A built-in exception or a dotted path."),
    Field::optional("node", CLASS, "A global error class, or the `name` of a plain `Error`."),
    Field::optional("java", CLASS, "A class name with its package."),
];

/// The class of error that stands for a language of which the plan says nothing, and for a class that is not there.
pub const FALLBACK_TYPE: &str = "FaultInjected";

/// The error to raise.
#[derive(Clone, Debug, Deserialize)]
pub struct ErrorFault {
    /// Its class.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// Its message.
    pub message: String,
    /// Its attributes.
    pub properties: Map<String, Value>,
}

/// The name of a class: one for all languages or one for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TypeName {
    /// The same everywhere.
    Same(String),
    /// By language.
    ByLanguage {
        /// In Python.
        #[serde(skip_serializing_if = "Option::is_none")]
        python: Option<String>,
        /// In Node.
        #[serde(skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// In Java.
        #[serde(skip_serializing_if = "Option::is_none")]
        java: Option<String>,
    },
}

impl TypeName {
    /// The class for a language; `FaultInjected` where the plan names none.
    #[must_use]
    pub fn of(&self, language: Language) -> &str {
        match self {
            Self::Same(name) => name,
            Self::ByLanguage { python, node, java } => match language {
                Language::Python => python,
                Language::Node => node,
                Language::Java => java,
            }
            .as_deref()
            .unwrap_or(FALLBACK_TYPE),
        }
    }
}

impl Kind for ErrorFault {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, _: &Draws) -> Details {
        details([("type", serde_json::to_value(&self.type_name).unwrap_or(Value::Null))])
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let outcome = Outcome::Error {
            type_name: self.type_name.clone(),
            message: self.message.clone(),
            properties: self.properties.clone(),
        };
        Ok(Act::new(Effect::Instead(outcome), self.details(moment.draws)))
    }
}

fn read(fault: &Value, _: Written, path: &str, problems: &mut Vec<Problem>) -> Read {
    if fault.get("type").and_then(Value::as_object).is_some_and(Map::is_empty) {
        let expected = "a class for at least one of \"python\", \"node\", \"java\"";
        problems.push(Problem::new(ProblemCode::MissingField, &join(path, "type"), fault.get("type"), expected));
    }
    typed::<ErrorFault>(fault).and_then(boxed)
}
