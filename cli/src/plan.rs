//! `faultlayer plan`.

use crate::Outcome;

/// The arguments of `faultlayer plan`.
#[derive(clap::Args)]
pub struct Args {}

/// Carries the subcommand out.
pub fn run(_args: Args) -> Outcome {
    Err("`plan` is not built yet".into())
}
