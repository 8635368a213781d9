//! `faultlayer attach`, `rollback` and `status`.

use crate::Outcome;

/// The arguments of `faultlayer attach`.
#[derive(clap::Args)]
pub struct AttachArgs {}

/// The arguments of `faultlayer rollback`.
#[derive(clap::Args)]
pub struct RollbackArgs {}

/// The arguments of `faultlayer status`.
#[derive(clap::Args)]
pub struct StatusArgs {}

/// Attaches the layer.
pub fn attach(_args: AttachArgs) -> Outcome {
    Err("`attach` is not built yet".into())
}

/// Restores functions.
pub fn rollback(_args: RollbackArgs) -> Outcome {
    Err("`rollback` is not built yet".into())
}

/// Shows the state.
pub fn status(_args: StatusArgs) -> Outcome {
    Err("`status` is not built yet".into())
}
