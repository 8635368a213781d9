//! What the bindings call: one interface for all languages, so that no shim decides, validates or holds a default.
//!
//! A binding makes a [`Host`] (from the environment in a layer, from a plan in a library), asks it to
//! [`Host::decide`] once an invocation, and where that returns a [`Session`], carries out its steps around the handler.

mod call;
mod guard;
mod host;
mod language;
mod session;
mod step;

pub use call::{Call, EventInput, Reads};
pub use guard::guard;
pub use host::Host;
pub use language::Language;
pub use session::Session;

pub use crate::decision::{Border, NoChance, NoChanceReason, Step};
pub use crate::plan::PlanError;
pub use crate::rim::environment::Identity;
pub use crate::rim::sink::Sink;
