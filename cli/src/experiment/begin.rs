//! `faultlayer experiment start`: the steady state, the load, the experiment, and what became of what was expected.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use faultlayer_fis::Experiments;
use serde_json::json;

use super::load::{self, Load};
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
    #[arg(long, conflicts_with_all = ["report", "load", "rate"])]
    no_wait: bool,
    #[command(flatten)]
    report: report::Args,
    /// Start it although what is expected is not so before it
    #[arg(long)]
    despite_steady_state: bool,
    #[command(flatten)]
    load: load::Args,
    /// With --expect or --report: how long CloudWatch's last figures are waited for, before and after
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = report::settling)]
    settle: Duration,
}

/// Carries the subcommand out.
pub async fn run(experiments: &Experiments, args: &Args, as_json: bool) -> Outcome {
    if args.preview {
        return started(experiments, args, as_json).await;
    }
    // Of a command that listens to them, interrupts end nothing by themselves.
    let ready = tokio::select! {
        ready = prepare(experiments, args) => ready?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    let load = match ready {
        Ready::Yes(load) => load,
        Ready::No(status) => return Ok(ExitCode::from(status)),
    };
    if args.no_wait || !(args.report.wanted() || load.is_some()) {
        return started(experiments, args, as_json).await;
    }
    let id = start(experiments, args).await?;
    let Some(view) = watched(experiments, &id, load.as_ref()).await? else { return Ok(ExitCode::from(INTERRUPTED)) };
    eprint!("{}", screen::ending(&view));
    if let Some(mut load) = load {
        wait(args.report.around(), "the load runs after the experiment").await?;
        load.said().into_iter().chain(load.over()).for_each(|said| eprintln!("load: {said}"));
    }
    wait(args.settle, "CloudWatch's last figures come").await?;
    let judged = report::report(experiments, &id, &args.report, as_json).await?;
    let own = exit_status(&view);
    Ok(if own == ExitCode::SUCCESS { judged.unwrap_or(own) } else { own })
}

/// Whether an experiment is to be started, with the load that runs by then; or the exit status.
enum Ready {
    Yes(Option<Load>),
    No(u8),
}

async fn prepare(experiments: &Experiments, args: &Args) -> Result<Ready, Trouble> {
    let mut load = None;
    if args.load.wanted() {
        load = args.load.start(experiments, &args.report.aim(experiments, &args.template).await?)?;
        let settle = if args.report.expects() { args.settle } else { Duration::ZERO };
        pause(args.report.around() + settle, "the load runs before the experiment is started").await;
    }
    if let Some(over) = load.as_mut().and_then(Load::over) {
        return Err(format!("load: {over}; nothing was started").into());
    }
    if report::broken_before(experiments, &args.template, &args.report).await? {
        if !args.despite_steady_state {
            eprintln!("not started: the steady state is broken before it; `--despite-steady-state` starts it all the same");
            return Ok(Ready::No(reporting::BROKEN));
        }
        eprintln!("started despite its steady state, as told");
    }
    Ok(Ready::Yes(load))
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

/// Waits, and says what for.
async fn pause(time: Duration, what: &str) {
    if !time.is_zero() {
        eprintln!("{what}: {} s", time.as_secs());
        tokio::time::sleep(time).await;
    }
}

/// The same; an interrupt ends the wait.
async fn wait(time: Duration, what: &str) -> Result<(), Trouble> {
    tokio::select! {
        () = pause(time, what) => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}
