//! What JavaScript gets where the engine cannot do what it was asked to. Does not own what is wrong with a plan (core).

use faultlayer_core::boundary::{Failed, Refused};
use napi::{Error, Status};

/// The problems as JSON in the error's message; `lib/` makes its own class of it, with `code` and `path`.
pub fn refused(refused: &Refused) -> Error {
    match refused {
        Refused::Plan(error) => Error::new(Status::InvalidArg, error.to_json()),
        Refused::Failed(error) => failed(*error),
    }
}

/// The engine itself failed.
pub fn failed(error: Failed) -> Error {
    Error::new(Status::GenericFailure, error.to_string())
}

/// A number that no host of this thread has.
pub fn unknown_host() -> Error {
    Error::new(Status::InvalidArg, "there is no such host")
}
