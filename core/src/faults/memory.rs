//! `memory`: memory is occupied while the handler runs. The effect itself is [`crate::rim::effects`]' business.

use serde::Deserialize;
use serde_json::Value;

use super::disk::LARGEST_MIB;
use super::{Kind, Spec, Written};
use crate::plan::{Field, Problem, Shape, When, typed};

pub(super) static SPEC: Spec = Spec {
    name: "memory",
    doc: "Occupies so much memory while the handler runs.",
    fields: FIELDS,
    takes_when: false,
    stands: When::Before,
    read,
};

static FIELDS: &[Field] = &[Field::required(
    "size_mib",
    Shape::Integer { min: 1, max: LARGEST_MIB },
    "How much to occupy, in MiB; as much of it as the function's limit leaves without ending the process at once.",
)];

/// How much to occupy.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Memory {
    /// In MiB.
    pub size_mib: u64,
}

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Option<Kind> {
    typed(fault).map(Kind::Memory)
}
