//! `faultlayer plan`: check, start, explain plans; everything is answered by the engine itself.

mod check;
mod explain;
mod init;
mod try_pattern;

use std::io::Read;
use std::process::ExitCode;

use clap::Subcommand;

use crate::Outcome;

/// The arguments of `faultlayer plan`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Name everything that is wrong with a plan, with line and column
    Check(check::Args),
    /// Print a plan to start from
    Init(init::Args),
    /// Tell which faults would hit an invocation, and why the others would not
    Explain(explain::Args),
    /// Try patterns: answers lines {"pattern": …, "event": …} of standard input with true, false or error: …
    Match,
    /// Print the JSON Schema of plans
    Schema,
}

/// Carries the subcommand out.
pub fn run(args: Args) -> Outcome {
    match args.command {
        Command::Check(args) => check::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Match => try_pattern::run(),
        Command::Schema => {
            println!("{:#}", faultlayer_core::plan::schema());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The text of a file, or of standard input for `-`.
fn read_text(path: &str) -> Result<String, String> {
    let mut text = String::new();
    let read = if path == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map(|()| text).map_err(|error| format!("cannot read `{path}`: {error}"))
}
