//! The local Lambda and Systems Manager: real functions run on this machine, without an account and without containers.
//!
//! - [`runtime`]: execution environments that serve the Runtime API to the real runtime interface clients.
//! - [`run`]: many invocations of one function under a plan, counted.
//! - [`shipped`]: the layers, the stack and its samples, which come with the command.
//! - [`cloud`]: Lambda, Systems Manager, tagging and STS on one port.

pub mod cloud;
pub mod run;
pub mod runtime;
pub mod shipped;
mod whole;
