//! The kinds of fault: one file a kind, one table of all. A kind's file holds its fields, what they mean and what its
//! record says; how faults combine is [`crate::decision`]'s business.

mod aws_call;
mod between;
mod corrupt;
mod cpu;
mod disk;
mod error;
mod exit;
mod latency;
mod memory;
mod network;
mod response;
mod target;
mod timeout;

pub use aws_call::AwsCall;
pub use between::Between;
pub use error::{FALLBACK_TYPE, TypeName};
pub use network::{Network, Peer};
pub use target::Target;

use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::decision::{Act, Details, Moment, Reason};
use crate::plan::{Field, Problem, When};
use crate::sampling::Draws;

/// What a fault does, with its options.
pub trait Kind: fmt::Debug + Send + Sync {
    /// The row of its kind.
    fn spec(&self) -> &'static Spec;

    /// The fields that its record has also where it did not act. `draws` stands behind the sample.
    fn details(&self, _draws: &Draws) -> Details {
        Details::new()
    }

    /// Acts, with the record's fields.
    ///
    /// # Errors
    /// It cannot, for this reason.
    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason>;

    /// Which calls it hits, where it hits calls that a handler makes.
    fn target(&self) -> Option<&Target> {
        None
    }

    /// Itself, where it hits the calls to AWS that a handler makes.
    fn aws_call(&self) -> Option<&AwsCall> {
        None
    }

    /// Itself, where it hits the connections that a handler opens.
    fn network(&self) -> Option<&Network> {
        None
    }
}

/// A kind as a fault of a plan has it; `None` where its fields do not hold.
pub(crate) type Read = Option<Box<dyn Kind>>;

/// How a kind combines with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds; all of a phase add up.
    Delay,
    /// Raises an error instead of the handler, or of its answer; the handler's own error stands before it.
    Error,
    /// Answers instead of the handler; the handler's own error stands before it, and on a stream that is complete it is
    /// too late.
    Answer,
    /// Ends the invocation, whatever the handler did.
    End,
    /// As `End`, and outlasts every delay.
    Hang,
    /// Changes the handler's answer, unless an outcome stands instead.
    Corruption,
    /// Runs beside the handler.
    Resource,
    /// Hits calls that the handler makes.
    Calls,
}

/// One row of the table of kinds.
pub struct Spec {
    /// The value of `kind`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// The fields of its own.
    pub fields: &'static [Field],
    /// Whether `when` can be said.
    pub takes_when: bool,
    /// How it combines with others.
    pub role: Role,
    /// Where it stands if `when` is not said.
    pub stands: When,
    /// The fields that builders in Node take by place; `answer` stands for an object of all its own.
    pub by_place: &'static [&'static str],
    /// Builders of their own for a field that stands instead of the others: their names and the field.
    pub instead: &'static [(&'static str, &'static str)],
    /// Rules between its fields.
    pub between: &'static [Between],
    /// Builds it from its fields with the defaults filled in. `None` where a problem was noticed before; rules that `between`
    /// cannot say add theirs.
    read: fn(&Value, Written, &str, &mut Vec<Problem>) -> Read,
}

/// The parts of a fault that go out exactly as they were written.
#[derive(Debug, Default)]
pub struct Written {
    /// `payload`, `null` included.
    pub payload: Option<Box<RawValue>>,
    /// `body`, `null` included.
    pub body: Option<Box<RawValue>>,
}

/// All kinds, in the order of the documentation.
pub static KINDS: &[&Spec] = &[
    &latency::SPEC,
    &error::SPEC,
    &response::SPEC,
    &exit::SPEC,
    &timeout::SPEC,
    &corrupt::SPEC,
    &disk::SPEC,
    &memory::SPEC,
    &cpu::SPEC,
    &aws_call::SPEC,
    &network::SPEC,
];

/// The row of a kind.
#[must_use]
pub fn spec(name: &str) -> Option<&'static Spec> {
    KINDS.iter().find(|spec| spec.name == name).copied()
}

/// Builds a fault's kind from its walked fields.
pub(crate) fn read(fault: &Value, written: Written, path: &str, problems: &mut Vec<Problem>) -> Read {
    let spec = spec(fault.get("kind")?.as_str()?)?;
    problems.extend(spec.between.iter().filter_map(|rule| rule.check(fault, path)));
    (spec.read)(fault, written, path, problems)
}

fn boxed(kind: impl Kind + 'static) -> Read {
    Some(Box::new(kind))
}

impl fmt::Debug for Spec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Spec").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::plan::Plan;

    #[test]
    fn every_kind_can_be_said_with_its_required_fields_alone() {
        for spec in KINDS {
            let own = match spec.name {
                "latency" => ",\"delay_ms\":1",
                "error" => ",\"type\":\"E\"",
                "disk" | "memory" => ",\"size_mib\":1",
                "cpu" => ",\"duration_ms\":1",
                "network" => ",\"target\":{\"host\":[\"h\"]},\"effect\":\"refuse\"",
                "aws_call" => ",\"target\":{\"service\":[\"s3\"]},\"error\":\"E\"",
                _ => "",
            };
            let text = format!(r#"{{"version":1,"faults":[{{"id":"a","kind":"{}","rate":1{own}}}]}}"#, spec.name);
            let plan = Plan::parse(&text).unwrap();
            assert_eq!(plan.faults[0].kind.spec().name, spec.name);
        }
    }
}
