//! The local cloud: Lambda, Systems Manager with its Automation, tagging and STS on one loopback port, as strict as AWS.
//!
//! - [`server`]: the port.  [`wire`]: protocols.  [`control`]: the lab's own endpoint, described in `README.md`.
//! - [`lab`]: the state and the way of a call.  [`world`], [`store`]: what is kept and where.
//! - [`model`]: botocore's models, which every request is checked against.  [`limits`]: request rates.
//! - [`faults`]: hooks for tests.  [`calls`], [`principal`], [`resource`]: the call log.
//! - [`lambda`], [`ssm`], [`automation`], [`tagging`], [`sts`]: the services.

pub mod automation;
pub mod calls;
pub mod clock;
pub mod control;
pub mod error;
pub mod faults;
pub mod lab;
pub mod lambda;
pub mod limits;
pub mod model;
pub mod principal;
pub mod resource;
pub mod server;
pub mod ssm;
pub mod store;
pub mod sts;
pub mod tagging;
pub mod wire;
pub mod world;

pub use lab::{Lab, Place};
pub use server::Server;
