//! The local cloud: Lambda, Systems Manager with its Automation, FIS, S3, Logs, IAM and their neighbours on one loopback port, as strict as AWS.
//!
//! - [`gateway`]: the port and its protocols; knows no service by name.
//! - [`call`]: the way of every call: who calls, hooks for tests, rates, permissions, the log.
//! - [`services`]: one folder a service.  [`state`]: what they keep.
//! - [`lab`]: the registry of the services, the settings, the reset.  [`clock`]: time and ids as AWS writes them.
//!
//! `README.md` beside this file says what tests can ask of it, and how a service is added.

pub mod call;
pub mod clock;
pub mod gateway;
pub mod lab;
pub mod services;
pub mod state;

pub use gateway::server::Server;
pub use lab::{Lab, Place};
