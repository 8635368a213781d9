//! `disk`: `/tmp` is filled while the handler runs. The effect itself is [`crate::rim::effects`]' business.

use serde::Deserialize;
use serde_json::Value;

use super::{Kind, Spec, Written};
use crate::plan::{Field, Problem, Shape, When, typed};

pub(super) static SPEC: Spec = Spec {
    name: "disk",
    doc: "Fills `/tmp` by so much while the handler runs.",
    fields: FIELDS,
    takes_when: false,
    stands: When::Before,
    read,
};

/// Lambda's largest `/tmp` and its largest memory, in MiB.
pub(super) const LARGEST_MIB: i64 = 10_240;

static FIELDS: &[Field] = &[Field::required(
    "size_mib",
    Shape::Integer { min: 1, max: LARGEST_MIB },
    "How much to fill, in MiB; where less is free, that.",
)];

/// How much to occupy.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Disk {
    /// In MiB.
    pub size_mib: u64,
}

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Option<Kind> {
    typed(fault).map(Kind::Disk)
}
