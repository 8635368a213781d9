//! The kinds of fault: one file a kind, one table of all. A kind's file holds its fields, what they mean and what its
//! record says; how faults combine is [`crate::decision`]'s business.

mod corrupt;
mod cpu;
mod disk;
mod error;
mod exit;
mod latency;
mod memory;
mod response;
mod timeout;

pub use corrupt::Corrupt;
pub use cpu::Cpu;
pub use disk::Disk;
pub use error::{ErrorFault, TypeName};
pub use exit::Exit;
pub use latency::Latency;
pub use memory::Memory;
pub use response::Response;
pub use timeout::Timeout;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::plan::{Field, Problem, When};

/// What a fault does.
#[derive(Debug)]
pub enum Kind {
    /// Holds the invocation.
    Latency(Latency),
    /// Raises an error.
    Error(ErrorFault),
    /// Answers instead of the handler.
    Response(Response),
    /// Ends the process.
    Exit(Exit),
    /// Holds until the function's timeout has passed.
    Timeout(Timeout),
    /// Damages the handler's answer.
    Corrupt(Corrupt),
    /// Fills `/tmp`.
    Disk(Disk),
    /// Occupies memory.
    Memory(Memory),
    /// Burns CPU.
    Cpu(Cpu),
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
    /// Where it stands if `when` is not said.
    pub stands: When,
    /// Builds it from its fields with the defaults filled in. `None` where a problem was noticed before; rules between
    /// fields add theirs.
    read: fn(&Value, Written, &str, &mut Vec<Problem>) -> Option<Kind>,
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
];

/// The row of a kind.
#[must_use]
pub fn spec(name: &str) -> Option<&'static Spec> {
    KINDS.iter().find(|spec| spec.name == name).copied()
}

/// Builds a fault's kind from its walked fields.
pub(crate) fn read(fault: &Value, written: Written, path: &str, problems: &mut Vec<Problem>) -> Option<Kind> {
    let spec = spec(fault.get("kind")?.as_str()?)?;
    (spec.read)(fault, written, path, problems)
}

impl Kind {
    /// The value of `kind`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Latency(_) => latency::SPEC.name,
            Self::Error(_) => error::SPEC.name,
            Self::Response(_) => response::SPEC.name,
            Self::Exit(_) => exit::SPEC.name,
            Self::Timeout(_) => timeout::SPEC.name,
            Self::Corrupt(_) => corrupt::SPEC.name,
            Self::Disk(_) => disk::SPEC.name,
            Self::Memory(_) => memory::SPEC.name,
            Self::Cpu(_) => cpu::SPEC.name,
        }
    }

    /// Whether it stands instead of the handler's own answer, so that only the first of a phase can.
    #[must_use]
    pub const fn is_outcome(&self) -> bool {
        matches!(self, Self::Error(_) | Self::Response(_) | Self::Exit(_) | Self::Timeout(_))
    }
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
                _ => "",
            };
            let text = format!(r#"{{"version":1,"faults":[{{"id":"a","kind":"{}","rate":1{own}}}]}}"#, spec.name);
            let plan = Plan::parse(&text).unwrap();
            assert_eq!(plan.faults[0].kind.name(), spec.name);
        }
    }
}
