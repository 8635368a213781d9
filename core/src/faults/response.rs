//! `response`: the caller gets this answer instead of the handler's.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Outcome, Reason, details};
use crate::plan::{Field, Presence, Problem, Shape, When, typed};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "response",
    doc: "Answers instead of the handler: an HTTP status with headers and body, or any JSON.",
    fields: FIELDS,
    takes_when: true,
    role: Role::Answer,
    stands: When::Before,
    by_place: &["answer"],
    instead: &[("payload", "payload")],
    between: &[],
    read,
};

static FIELDS: &[Field] = &[
    http("status", Shape::Integer { min: 100, max: 599 }, "500", "The answer's `statusCode`."),
    http("headers", Shape::Strings, "{}", "The answer's `headers`."),
    http("body", Shape::Text, "\"\"", "The answer's `body`."),
    Field::optional("payload", Shape::Json, "The answer as it stands, instead of an HTTP answer."),
];

const fn http(name: &'static str, shape: Shape, json: &'static str, doc: &'static str) -> Field {
    Field { name, doc, shape, presence: Presence::DefaultWithout { other: "payload", json } }
}

/// The answer to give.
#[derive(Clone, Debug)]
pub struct Response {
    /// JSON, exactly as it goes out.
    pub answer: Box<RawValue>,
    /// The answer is `{"statusCode", "headers", "body"}`; on a stream its HTTP prelude and body.
    pub status: Option<u16>,
}

impl Kind for Response {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, _: &Draws) -> Details {
        self.status.map_or_else(Details::new, |status| details([("status", status.into())]))
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let outcome = Outcome::Response { answer: self.answer.clone(), http: self.status.is_some() };
        Ok(Act::new(Effect::Instead(outcome), self.details(moment.draws)))
    }
}

fn read(fault: &Value, written: Written, _: &str, _: &mut Vec<Problem>) -> Read {
    if let Some(payload) = written.payload {
        return boxed(Response { answer: payload, status: None });
    }
    let status: u16 = typed(fault.get("status")?)?;
    let mut answer = serde_json::Map::new();
    answer.insert("statusCode".into(), status.into());
    answer.insert("headers".into(), fault.get("headers")?.clone());
    answer.insert("body".into(), fault.get("body")?.clone());
    let answer = serde_json::value::to_raw_value(&answer).ok()?;
    boxed(Response { answer, status: Some(status) })
}
