//! What the bindings call: one interface for all languages, so that no shim decides, validates or holds a default.
//!
//! It has two sides. A [`Layer`] fails open: nothing of ours, no panic either, gets out of it. A [`Library`] is strict. In
//! both a binding asks the engine through `ask`, whose closure reads the language's own objects and is guarded with the
//! engine: once an invocation it asks the [`Host`] to [`Host::decide`], and where that gives a [`Session`], it asks that
//! for its [`Steps`] and carries them out around the handler. So a binding holds conversion and nothing else.

mod call;
mod calls;
mod deadline;
mod guard;
mod host;
mod invocations;
mod language;
mod layer;
mod library;
mod live;
mod network;
mod pace;
mod session;
mod side;
mod step;
mod wide;

pub use call::{Call, EventInput, Reads};
pub use calls::{Calls, Met};
pub use deadline::{DEADLINE_TRIES, exact_deadline_ms};
pub use host::{Asked, Host};
pub use language::Language;
pub use layer::Layer;
pub use library::Library;
pub use session::{Session, Steps};
pub use side::{Failed, Refused};
pub use wide::Wide;

pub use crate::aws::{Answer, Request};
pub use crate::decision::{Border, NoChance, NoChanceReason, Outcome, Step};
pub use crate::rim::environment::Identity;
pub use crate::rim::sink::Sink;
pub use crate::rim::sleep::hold_us;
pub use crate::variables::HANDLER;
