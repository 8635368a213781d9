//! `faultlayer experiment start`: the steady state, the load, the experiment, and what became of what was expected.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use faultlayer_fis::Experiments;
use serde_json::json;

use super::load::Load;
use super::{exit_status, follow, report, screen, watched};
use crate::{Outcome, Trouble, reporting};

/// The exit status of an interrupt.
const INTERRUPTED: u8 = 130;

#[derive(clap::Args)]
pub struct Args {
    /// The template's id
    template: String,
    /// Resolve the template and run no action
    #[arg(long)]
    preview: bool,
    /// Start only; `faultlayer experiment watch ID` shows the rest
    #[arg(long, conflicts_with_all = ["report", "load"])]
    no_wait: bool,
    #[command(flatten)]
    report: report::Args,
    /// Start it although what is expected is not so before it
    #[arg(long)]
    despite_steady_state: bool,
    /// A command that calls the functions: started --around before the experiment, ended --around after it. It finds their names in
    /// `FAULTLAYER_FUNCTIONS`
    #[arg(long, value_name = "COMMAND", conflicts_with = "preview")]
    load: Option<String>,
    /// With --expect or --report: how long CloudWatch's last figures are waited for, before and after
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = report::settling)]
    settle: Duration,
}

/// Carries the subcommand out.
pub async fn run(experiments: &Experiments, args: &Args, as_json: bool) -> Outcome {
    if args.preview {
        return started(experiments, args, as_json).await;
    }
    let mut load = match &args.load {
        Some(command) => Some(Load::start(command, &args.report.functions(experiments, &args.template).await?)?),
        None => None,
    };
    if load.is_some() {
        let settle = if args.report.expects() { args.settle } else { Duration::ZERO };
        if !wait(args.report.around() + settle, "the load runs before the experiment is started").await? {
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    if let Some(over) = load.as_mut().and_then(Load::over) {
        return Err(format!("load: {over}; nothing was started").into());
    }
    if report::broken_before(experiments, &args.template, &args.report).await? {
        if !args.despite_steady_state {
            eprintln!("not started: the steady state is broken before it; `--despite-steady-state` starts it all the same");
            return Ok(ExitCode::from(reporting::BROKEN));
        }
        eprintln!("started despite its steady state, as told");
    }
    if args.no_wait || !(args.report.wanted() || load.is_some()) {
        return started(experiments, args, as_json).await;
    }
    let id = start(experiments, args).await?;
    let Some(view) = watched(experiments, &id).await? else { return Ok(ExitCode::from(INTERRUPTED)) };
    eprint!("{}", screen::ending(&view));
    if let Some(mut load) = load {
        wait(args.report.around(), "the load runs after the experiment").await?;
        if let Some(over) = load.over() {
            eprintln!("{over}");
        }
    }
    wait(args.settle, "CloudWatch's last figures come").await?;
    let judged = report::report(experiments, &id, &args.report, as_json).await?;
    let own = exit_status(&view);
    Ok(if own == ExitCode::SUCCESS { judged.unwrap_or(own) } else { own })
}

async fn start(experiments: &Experiments, args: &Args) -> Result<String, Trouble> {
    let id = experiments.start(&args.template, args.preview).await?;
    eprintln!("experiment {id}");
    Ok(id)
}

/// Starts it, and watches it unless told not to.
async fn started(experiments: &Experiments, args: &Args, as_json: bool) -> Outcome {
    let id = start(experiments, args).await?;
    if !args.no_wait {
        return follow(experiments, &id, as_json).await;
    }
    let mut out = std::io::stdout();
    if as_json {
        writeln!(out, "{}", json!({"id": id}))?;
    } else {
        writeln!(out, "{id}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits, and says what for. An interrupt ends the wait; whether none did.
async fn wait(time: Duration, what: &str) -> Result<bool, Trouble> {
    if time.is_zero() {
        return Ok(true);
    }
    eprintln!("{what}: {} s", time.as_secs());
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(true),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            Ok(false)
        }
    }
}
