//! The local Lambda and Systems Manager: real functions run on this machine, without an account and without containers.
//!
//! - [`runtime`]: execution environments that serve the Runtime API to the real runtime interface clients.
//! - [`run`]: many invocations of one function under a plan, counted.
//! - [`cloud`]: Lambda, Systems Manager, tagging and STS on one port.

pub mod cloud;
pub mod run;
pub mod runtime;
