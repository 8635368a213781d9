//! `disk`: `/tmp` is filled while the handler runs. The effect itself is [`crate::rim::effects`]' business.

use serde::Deserialize;
use serde_json::Value;

use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Reason, Resource, details};
use crate::plan::{Field, Problem, Shape, When, typed};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "disk",
    doc: "Fills `/tmp` by so much while the handler runs.",
    fields: FIELDS,
    takes_when: false,
    role: Role::Resource,
    stands: When::Before,
    by_place: &["size_mib"],
    instead: &[],
    between: &[],
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

impl Kind for Disk {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, _: &Draws) -> Details {
        size(self.size_mib, None)
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let granted_mib = moment.take(Resource::Disk { size_mib: self.size_mib })?;
        Ok(Act::new(Effect::Beside, size(self.size_mib, granted_mib)))
    }
}

/// How much is occupied: as much as was granted, and what was asked for where that is more.
pub(super) fn size(asked_mib: u64, granted_mib: Option<u64>) -> Details {
    let size_mib = granted_mib.unwrap_or(asked_mib);
    let mut said = details([("size_mib", size_mib.into())]);
    if size_mib < asked_mib {
        said.extend(details([("asked_mib", asked_mib.into())]));
    }
    said
}

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Read {
    typed::<Disk>(fault).and_then(boxed)
}
