//! What JavaScript gets where a plan is refused. Does not own what is wrong with it (core).

use faultlayer_core::boundary::PlanError;
use napi::{Error, Status};

/// The problems as JSON in the error's message; `lib/` makes its own class of it, with `code` and `path`.
pub fn refused(error: &PlanError) -> Error {
    Error::new(Status::InvalidArg, error.to_json())
}

/// A panic that the boundary caught.
pub fn internal() -> Error {
    Error::new(Status::GenericFailure, "the engine failed")
}
