//! What a resource fault can have here and now, as the rim tells it.

use super::reason::Reason;

/// What a resource fault asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resource {
    /// So many MiB of `/tmp`.
    Disk {
        /// In MiB.
        size_mib: u64,
    },
    /// So many MiB of memory.
    Memory {
        /// In MiB.
        size_mib: u64,
    },
    /// Threads that burn.
    Cpu {
        /// In milliseconds.
        duration_ms: f64,
        /// How many.
        threads: u32,
    },
}

/// Grants disk, memory and CPU, before anything of it is taken.
pub trait Resources {
    /// How many MiB of what the fault asks for can be had; `None` where it is all of it, or no matter of size.
    ///
    /// # Errors
    /// Nothing can be had, for this reason.
    fn grant(&mut self, resource: Resource) -> Result<Option<u64>, Reason>;
}

/// Grants everything: for explanations, which take nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unbounded;

impl Resources for Unbounded {
    fn grant(&mut self, _: Resource) -> Result<Option<u64>, Reason> {
        Ok(None)
    }
}
