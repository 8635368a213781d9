//! `exit`: the process ends at once, as by a crash.

use serde::Deserialize;
use serde_json::Value;

use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Outcome, Reason, details};
use crate::plan::{Field, Problem, Shape, When, typed};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "exit",
    doc: "Ends the process at once, as a crash does.",
    fields: FIELDS,
    takes_when: true,
    role: Role::End,
    stands: When::Before,
    by_place: &["code"],
    instead: &[],
    between: &[],
    read,
};

static FIELDS: &[Field] = &[Field::with_default("code", Shape::Integer { min: 0, max: 255 }, "1", "The process's exit status.")];

/// How to end.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Exit {
    /// The exit status.
    pub code: u8,
}

impl Kind for Exit {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, _: &Draws) -> Details {
        details([("code", self.code.into())])
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        Ok(Act::new(Effect::Instead(Outcome::Exit { code: self.code }), self.details(moment.draws)))
    }
}

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Read {
    typed::<Exit>(fault).and_then(boxed)
}
