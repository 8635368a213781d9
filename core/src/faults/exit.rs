//! `exit`: the process ends at once, as by a crash.

use serde::Deserialize;
use serde_json::Value;

use super::{Kind, Spec, Written};
use crate::plan::{Field, Problem, Shape, When, typed};

pub(super) static SPEC: Spec = Spec {
    name: "exit",
    doc: "Ends the process at once, as a crash does.",
    fields: FIELDS,
    takes_when: true,
    stands: When::Before,
    read,
};

static FIELDS: &[Field] = &[Field::with_default("code", Shape::Integer { min: 0, max: 255 }, "1", "The process's exit status.")];

/// How to end.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Exit {
    /// The exit status.
    pub code: u8,
}

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Option<Kind> {
    typed(fault).map(Kind::Exit)
}
