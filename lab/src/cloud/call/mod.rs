//! The way of every API call, whoever makes it: a client on the wire, a script, a step of an execution, another service.
//!
//! - [`request`]: what is asked, what is answered.  [`principal`]: by whom.  [`error`]: refusals.
//! - [`door`]: the one way in, [`Lab::call`](super::Lab::call): hooks, the model, rates, permissions, the operation, the log.
//! - [`patience`]: calls of the lab's own services, made again while they are throttled.
//! - [`hooks`]: what a test wants done to a call.  [`rates`]: throttling.  [`access`]: permissions.  [`log`]: what happened.

pub mod access;
pub mod door;
pub mod error;
pub mod hooks;
pub mod log;
pub mod patience;
pub mod principal;
pub mod rates;
pub mod request;

pub use error::ApiError;
pub use principal::Principal;
pub use request::{Call, Outcome, Reply, Request};
