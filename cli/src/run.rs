//! `faultlayer run`.

use crate::Outcome;

/// The arguments of `faultlayer run`.
#[derive(clap::Args)]
pub struct Args {}

/// Carries the subcommand out.
pub fn run(_args: Args) -> Outcome {
    Err("`run` is not built yet".into())
}
