//! `cpu`: threads burn while the handler runs. The effect itself is [`crate::rim::effects`]' business.

use serde::Deserialize;
use serde_json::Value;

use super::{Kind, Spec, Written};
use crate::delay::MAX_DELAY_MS;
use crate::plan::{Field, Problem, Shape, When, typed};

pub(super) static SPEC: Spec =
    Spec { name: "cpu", doc: "Burns CPU beside the handler.", fields: FIELDS, takes_when: false, stands: When::Before, read };

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

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Option<Kind> {
    typed(fault).map(Kind::Cpu)
}
