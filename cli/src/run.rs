//! `faultlayer run`: one function on this machine under a plan, and what its callers would have seen.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use faultlayer_lab::run::table::{Style, render};
use faultlayer_lab::run::{Progress, Report, Request, RunPlan, Which, run as run_function};
use faultlayer_lab::runtime::launcher::kill_all;
use faultlayer_lab::runtime::{FunctionSpec, Options, Tools};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::{Outcome, reporting};

/// Calls where neither a number nor a file of events says how many.
const CALLS: u64 = 200;

/// How long a preparation is waited for that was told to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// The arguments of `faultlayer run`.
#[derive(clap::Args)]
pub struct Args {
    /// python, node or java, or one version as in python3.12, nodejs22.x, java21
    #[arg(long)]
    runtime: String,
    /// The folder with the function's code
    #[arg(long, value_name = "DIR")]
    code: PathBuf,
    /// The function's handler, as in app.handler
    #[arg(long)]
    handler: String,
    /// The plan: a file, or - for standard input; without one the function runs as it is
    #[arg(long, value_name = "FILE", group = "any_plan")]
    plan: Option<PathBuf>,
    /// In place of a plan, where the function reads it, now and when it changes: file:PATH, as in file:/var/task/plan.json for
    /// one beside the code
    #[arg(long, group = "any_plan", value_name = "SOURCE")]
    plan_source: Option<String>,
    /// The event of every invocation: a file, or - for standard input [default: {}]
    #[arg(long, value_name = "FILE", conflicts_with = "events")]
    event: Option<PathBuf>,
    /// Events, one JSON document a line, taken in turn
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// How often to invoke it [default: once for each line of --events, else 200]
    #[arg(short = 'n', long = "calls", value_name = "N")]
    calls: Option<u64>,
    /// The function's timeout, as in 3s, 500ms, 1m
    #[arg(long, default_value = "3s", value_parser = duration)]
    timeout: Duration,
    /// The function's memory in MB
    #[arg(long, value_name = "MB", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=32768))]
    memory: u32,
    /// A variable of the function's own, as often as needed
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// A layer, archive or folder, as often as needed; under a plan Faultlayer's own is added unless it is among these
    #[arg(long = "layer", value_name = "ZIP")]
    layers: Vec<PathBuf>,
    /// Run without the plan first, with the same request ids and events, and show both
    #[arg(long, requires = "any_plan")]
    compare: bool,
    /// Chooses the request ids, and with them what the plan hits [default: random, and shown]
    #[arg(long, value_name = "N")]
    id_seed: Option<u64>,
    /// Print the report as JSON and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reporting: reporting::Args,
    /// Print the first N of Faultlayer's records below the tables
    #[arg(long, value_name = "N", default_value_t = 0)]
    records: usize,
    /// Show the function's log while it runs; with --json or --report, keep it there
    #[arg(long)]
    logs: bool,
    /// The interpreter to use, instead of looking for one
    #[arg(long, value_name = "PATH")]
    interpreter: Option<PathBuf>,
    /// Translate Lambda's paths even where they could be made
    #[arg(long, hide = true)]
    not_isolated: bool,
}

/// Carries the subcommand out.
pub fn run(args: Args) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(carry_out(args));
    // A preparation that was cut off is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn carry_out(args: Args) -> Outcome {
    let (stop, caught) = signals()?;
    let mut stopped = stop.clone();
    let (quiet, logs, records) = (args.json, args.logs, args.records);
    let reporting = args.reporting.clone();
    let mut prepared = tokio::task::spawn_blocking(move || prepare(args));
    let (request, tools) = tokio::select! {
        prepared = &mut prepared => prepared??,
        _ = stopped.wait_for(|stopped| *stopped) => {
            // What installs a client ends as well, and with it the preparation, unless that still waits for standard input.
            kill_all();
            let _ = tokio::time::timeout(PATIENCE, &mut prepared).await;
            return Ok(ExitCode::from(*caught.borrow()));
        }
    };
    let keeps_all = request.keeps_all;
    let mut bar = Bar::new(&request, quiet, logs && !quiet);
    let mut report = run_function(request, tools, stop, &mut |progress| bar.advance(&progress)).await?;
    bar.clear();
    report.judge(&reporting.expected());
    let json = if keeps_all { serde_json::to_string_pretty(&report)? } else { String::new() };
    let written = if reporting.writes() { reporting.write(&report.document(), &json)? } else { Vec::new() };
    if quiet {
        println!("{json}");
    } else {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        print!("{}", render(&report, records, Style { colours }));
        for file in written {
            println!("the report: {}", std::path::absolute(file)?.display());
        }
    }
    Ok(status(&report, *caught.borrow()))
}

/// Whether the run itself worked: 0, 1 where the handler could not be loaded or Faultlayer could not do its part, 3 or 4 where an
/// expectation is broken or cannot be measured, 128 + the signal where one stopped it.
fn status(report: &Report, signal: u8) -> ExitCode {
    if report.interrupted {
        return ExitCode::from(signal);
    }
    let trouble = report.trouble();
    for message in &trouble {
        eprintln!("faultlayer: the plan was not carried out: {message}");
    }
    if !trouble.is_empty() || report.run.never_loaded().is_some() {
        return ExitCode::FAILURE;
    }
    reporting::status(&report.expectations).unwrap_or(ExitCode::SUCCESS)
}

/// Turns true when the run shall stop; the other one has the exit status that this means.
fn signals() -> Result<(watch::Receiver<bool>, watch::Receiver<u8>), std::io::Error> {
    let (stop, stopped) = watch::channel(false);
    let (status, caught) = watch::channel(0);
    let mut kinds =
        [(signal(SignalKind::interrupt())?, 130), (signal(SignalKind::terminate())?, 143), (signal(SignalKind::hangup())?, 129)];
    tokio::spawn(async move {
        let [(interrupt, _), (terminate, _), (hangup, _)] = &mut kinds;
        let code = tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
            _ = hangup.recv() => 129,
        };
        let _ = status.send(code);
        let _ = stop.send(true);
        // Kept until the end: a closed channel would read as a stop.
        std::future::pending::<()>().await;
    });
    Ok((stopped, caught))
}

/// Reads all that the arguments name and makes the function's client ready. Blocks.
fn prepare(args: Args) -> Result<(Request, Arc<Tools>), Box<dyn std::error::Error + Send + Sync>> {
    let plan = args.plan.as_deref().map(plan).transpose()?;
    let events = events(args.event.as_deref(), args.events.as_deref())?;
    let lines = args.events.is_some().then_some(events.len() as u64);
    let mut options = Options::new()?;
    options.isolated = !args.not_isolated;
    options.interpreter = args.interpreter;
    let tools = Tools::new(options)?;
    let runtime = tools.resolve(&args.runtime)?;
    tools.client(&runtime)?;
    let name = args.code.canonicalize().ok().and_then(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()));
    let mut spec = FunctionSpec::new(name.as_deref().unwrap_or("function"), &runtime, &args.handler, args.code);
    spec.timeout = args.timeout;
    spec.memory_mb = args.memory;
    spec.layers = args.layers;
    spec.variables = args.variables.into_iter().collect::<BTreeMap<_, _>>();
    let request = Request {
        spec,
        plan,
        source: args.plan_source,
        calls: args.calls.or(lines).unwrap_or(CALLS),
        events: events.into_iter().map(Into::into).collect(),
        id_seed: args.id_seed.unwrap_or_else(seed),
        compare: args.compare,
        logs: args.logs,
        keeps_all: args.json || args.reporting.writes(),
    };
    Ok((request, tools))
}

fn plan(file: &Path) -> Result<RunPlan, String> {
    let said = if file == Path::new("-") { "the plan".to_owned() } else { format!("`{}`", file.display()) };
    RunPlan::parse(&read(file)?).map_err(|error| format!("{said} cannot be run:\n  {}", error.to_string().replace('\n', "\n  ")))
}

/// One event, or those of a file of lines; each must be JSON, as Lambda wants it.
fn events(one: Option<&Path>, many: Option<&Path>) -> Result<Vec<String>, String> {
    let (file, texts) = match (one, many) {
        (Some(file), _) => (file, vec![read(file)?]),
        (None, Some(file)) => {
            (file, read(file)?.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect::<Vec<_>>())
        }
        (None, None) => return Ok(vec!["{}".to_owned()]),
    };
    for (index, text) in texts.iter().enumerate() {
        serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map_err(|error| format!("`{}`: event {} is not JSON: {error}", file.display(), index + 1))?;
    }
    if texts.is_empty() { Err(format!("`{}` holds no event", file.display())) } else { Ok(texts) }
}

fn read(file: &Path) -> Result<String, String> {
    let mut text = String::new();
    let done = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    done.map_err(|error| format!("cannot read `{}`: {error}", file.display()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        _ => f64::NAN,
    };
    let seconds = text.trim_end_matches(unit).parse::<f64>().unwrap_or(f64::NAN) * factor;
    if (0.001..=900.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("expected a time from 1ms to 15m, as in `3s`".to_owned())
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        Err(format!("expected a name of letters, digits and _, got `{name}`"))
    }
}

/// Small enough to be typed again.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id()) % 1_000_000
}

/// The progress bar on a terminal; nothing elsewhere.
struct Bar {
    bar: ProgressBar,
    logs: bool,
    failed: u64,
}

impl Bar {
    fn new(request: &Request, quiet: bool, logs: bool) -> Bar {
        let sides = 1 + u64::from(request.compare);
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(request.calls * sides) };
        if let Ok(style) = ProgressStyle::with_template("  {msg:12} {bar:40} {pos:>6} of {len} {pace:>9} {eta:>5} left") {
            let pace = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                // A terminal that takes no text is nobody's trouble.
                let _ = write!(out, "{:.0}/s", state.per_sec());
            };
            bar.set_style(style.with_key("pace", pace).progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar { bar, logs, failed: 0 }
    }

    fn advance(&mut self, progress: &Progress<'_>) {
        if progress.invocation.outcome != "ok" {
            self.failed += 1;
        }
        self.bar.set_message(match progress.side {
            Which::Healthy => "healthy".to_owned(),
            Which::Run => format!("{} failed", self.failed),
        });
        if self.logs {
            self.bar.suspend(|| progress.log.iter().for_each(|line| eprintln!("{line}")));
        }
        self.bar.inc(1);
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
