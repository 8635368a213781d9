//! `cpu`: threads burn while the handler runs. The effect itself is [`crate::rim::effects`]' business.

use serde::Deserialize;
use serde_json::Value;

use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Reason, Resource, details};
use crate::delay::MAX_DELAY_MS;
use crate::plan::{Field, Problem, Shape, When, typed};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "cpu",
    doc: "Burns CPU beside the handler.",
    fields: FIELDS,
    takes_when: false,
    role: Role::Resource,
    stands: When::Before,
    by_place: &["duration_ms"],
    instead: &[],
    between: &[],
    read,
};

static FIELDS: &[Field] = &[
    Field::required(
        "duration_ms",
        Shape::number(0.0, MAX_DELAY_MS),
        "How long, in milliseconds; at most until the invocation ends.",
    ),
    Field::with_default("threads", Shape::Integer { min: 1, max: 64 }, "1", "On how many threads."),
];

/// How long to burn, and on how many threads.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Cpu {
    /// In milliseconds.
    pub duration_ms: f64,
    /// From 1 to 64.
    pub threads: u32,
}

impl Kind for Cpu {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, _: &Draws) -> Details {
        details([("duration_ms", self.duration_ms.into()), ("threads", self.threads.into())])
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        moment.take(Resource::Cpu { duration_ms: self.duration_ms, threads: self.threads })?;
        Ok(Act::new(Effect::Beside, self.details(moment.draws)))
    }
}

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Read {
    typed::<Cpu>(fault).and_then(boxed)
}
