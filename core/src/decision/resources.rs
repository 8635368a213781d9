//! What a resource fault can have here and now, as the rim tells it.

use super::reason::Reason;
use crate::faults::Kind;

/// Grants disk, memory and CPU, before anything of it is taken.
pub trait Resources {
    /// How many MiB of what the fault asks for can be had; `None` where it is all of it, or no matter of size.
    ///
    /// # Errors
    /// Nothing can be had, for this reason.
    fn grant(&mut self, kind: &Kind) -> Result<Option<u64>, Reason>;
}

/// Grants everything: for explanations, which take nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unbounded;

impl Resources for Unbounded {
    fn grant(&mut self, _: &Kind) -> Result<Option<u64>, Reason> {
        Ok(None)
    }
}
