//! The local Lambda, SSM and FIS: real functions run on this machine, without an account and without containers.
//!
//! - [`runtime`]: execution environments that serve the Runtime API to the real runtime interface clients.

mod ids;
pub mod runtime;
