//! `faultlayer lab`.

use crate::Outcome;

/// The arguments of `faultlayer lab`.
#[derive(clap::Args)]
pub struct Args {}

/// Carries the subcommand out.
pub fn run(_args: Args) -> Outcome {
    Err("`lab` is not built yet".into())
}
