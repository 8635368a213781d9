//! What crosses to Java when something is wrong. Owns no wording: the engine's problems go as they are.

use faultlayer_core::boundary::{Host, PlanError};
use faultlayer_core::record::OwnReason;
use faultlayer_core::rim::clock;
use faultlayer_core::rim::sink::Sink;

/// A refused plan as JSON: `{"code", "path", "message", "problems"}`.
pub fn refusal(error: &PlanError) -> String {
    error.to_json()
}

/// Faultlayer's own record of a panic while a host stands.
pub fn panicked(host: &Host) {
    host.report(OwnReason::InternalError, "the engine panicked, the function runs untouched");
}

/// The same at init, before there is a host.
pub fn panicked_at_init() {
    Sink::StandardOutput
        .write(&OwnReason::InternalError.to_line(clock::now(), "the engine panicked at init, nothing is injected"));
}
