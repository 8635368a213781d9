//! The `faultlayer` command: parses the arguments and hands over to one file per subcommand.
//!
//! Nothing is decided here but the exit status: what a subcommand answers, or 2 with the reason on standard error.

mod automation;
mod experiment;
mod lab;
mod plan;
mod reporting;
mod run;
mod shell;
mod shipped;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Why a subcommand could not be carried out.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// What every subcommand answers: the exit status, or why it could not be carried out.
pub type Outcome = Result<ExitCode, Trouble>;

/// Injects faults into AWS Lambda functions whose code nobody touches.
#[derive(Parser)]
#[command(name = "faultlayer", version = env!("COMMAND_VERSION"), propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one function on this machine under a plan and show what its callers would have seen
    Run(Box<run::Args>),
    /// Check, start, explain plans
    Plan(plan::Args),
    /// Serve the local Lambda, Systems Manager, FIS, CloudWatch alarms, Logs, S3, IAM, tagging and STS
    Lab(lab::Args),
    /// Put the layer on functions through the Automation document
    Attach(automation::AttachArgs),
    /// Give what an execution attached another plan while it goes on
    Change(automation::ChangeArgs),
    /// Restore functions to what they were
    Rollback(automation::RollbackArgs),
    /// Show what is attached and what an execution is doing
    Status(automation::StatusArgs),
    /// Build, start, watch, stop and report experiments of AWS Fault Injection Service
    Experiment(experiment::Args),
    /// Write the layers that come with this command to a folder
    Layers(shipped::LayersArgs),
    /// Print the CloudFormation template of the whole stack, with the layers that come with this command
    Stack(shipped::StackArgs),
    /// Print a shell's completions of this command
    Completions(shell::CompletionsArgs),
    /// Print the manual's page of this command, or write all pages
    Man(shell::ManArgs),
}

fn main() -> ExitCode {
    // The command is its own launcher of execution environments; that must happen before any thread exists.
    if let Some(code) = faultlayer_lab::runtime::launcher::entered() {
        return code;
    }
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::run(*args),
        Command::Plan(args) => plan::run(args),
        Command::Lab(args) => lab::run(args),
        Command::Attach(args) => automation::attach(args),
        Command::Change(args) => automation::change(args),
        Command::Rollback(args) => automation::rollback(args),
        Command::Status(args) => automation::status(args),
        Command::Experiment(args) => experiment::run(args),
        Command::Layers(args) => shipped::layers(&args),
        Command::Stack(args) => shipped::stack(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    outcome.unwrap_or_else(|error| {
        // Whoever read our output has seen enough, as `head` does.
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("faultlayer: {error}");
        ExitCode::from(2)
    })
}
