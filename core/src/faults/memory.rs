//! `memory`: memory is occupied while the handler runs. The effect itself is [`crate::rim::effects`]' business.

use serde::Deserialize;
use serde_json::Value;

use super::disk::{LARGEST_MIB, size};
use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Reason, Resource};
use crate::plan::{Field, Problem, Shape, When, typed};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "memory",
    doc: "Occupies so much memory while the handler runs.",
    fields: FIELDS,
    takes_when: false,
    role: Role::Resource,
    stands: When::Before,
    by_place: &["size_mib"],
    instead: &[],
    between: &[],
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

impl Kind for Memory {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, _: &Draws) -> Details {
        size(self.size_mib, None)
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let granted_mib = moment.take(Resource::Memory { size_mib: self.size_mib })?;
        Ok(Act::new(Effect::Beside, size(self.size_mib, granted_mib)))
    }
}

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Read {
    typed::<Memory>(fault).and_then(boxed)
}
