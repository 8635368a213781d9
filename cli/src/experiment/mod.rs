//! `faultlayer experiment`: FIS experiments from a template to the end. What is shown is here; the calls are in `faultlayer_fis`.

mod begin;
mod build;
mod live;
mod load;
mod report;
mod screen;

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use faultlayer_fis::{Experiments, Listed, Pulse, View};
use serde_json::{Value, json};

use crate::{Outcome, Trouble};
use load::Load;
use screen::Screen;

/// Ended, but not as it was to: failed, stopped, cancelled.
const NOT_COMPLETED: u8 = 1;

/// The arguments of `faultlayer experiment`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// The stack, whose name its documents begin with
    #[arg(long, global = true, default_value = "Faultlayer", value_name = "NAME")]
    stack: String,
    /// Answer as JSON on standard output
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Print an experiment template, as `aws fis create-experiment-template --cli-input-json` takes it
    Template(build::Args),
    /// Create an experiment template; its id
    Create(CreateArgs),
    /// Start an experiment and watch it to its end
    Start(Box<begin::Args>),
    /// Watch an experiment to its end
    Watch {
        /// The experiment's id
        id: String,
    },
    /// Say what an experiment did: before, during and after, and whether what was expected held
    Report {
        /// The experiment's id
        id: String,
        #[command(flatten)]
        report: report::Args,
    },
    /// Stop an experiment: it rolls back
    Stop {
        /// The experiment's id
        id: String,
        /// Do not wait for its end
        #[arg(long)]
        no_wait: bool,
    },
    /// List experiments, newest first
    List {
        /// Templates instead
        #[arg(long)]
        templates: bool,
    },
}

#[derive(clap::Args)]
struct CreateArgs {
    /// A template's file, in place of what one is made from
    #[arg(long, value_name = "FILE", conflicts_with_all = ["functions", "tag", "plan"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    build: build::Args,
}

/// Runs one of the subcommands.
pub fn run(args: Args) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let experiments = Experiments::connect(&*args.stack).await;
        let mut out = std::io::stdout();
        match args.command {
            Command::Template(build) => {
                let template = build.template(&experiments, &args.stack).await?;
                writeln!(out, "{}", serde_json::to_string_pretty(&template)?)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Create(create) => {
                let template = match &create.file {
                    Some(path) => build::read(path)?,
                    None => create.build.template(&experiments, &args.stack).await?,
                };
                let id = experiments.create(&template).await?;
                if args.json {
                    writeln!(out, "{}", json!({"id": id}))?;
                } else {
                    writeln!(out, "{id}")?;
                    eprintln!("start it with: faultlayer experiment start {id} --stack {}", args.stack);
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Start(start) => begin::run(&experiments, &start, args.json).await,
            Command::Report { id, report } => report::run(&experiments, &id, &report, args.json).await,
            Command::Watch { id } => follow(&experiments, &id, args.json).await,
            Command::Stop { id, no_wait } => {
                experiments.stop(&id).await?;
                if no_wait {
                    return Ok(ExitCode::SUCCESS);
                }
                follow(&experiments, &id, args.json).await
            }
            Command::List { templates } => {
                let found = if templates { experiments.templates().await? } else { experiments.list().await? };
                if found.is_empty() && !args.json {
                    eprintln!("no {} in this region", if templates { "experiment templates" } else { "experiments" });
                }
                for one in &found {
                    writeln!(out, "{}", if args.json { listed_json(one).to_string() } else { row(one) })?;
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

/// Watches an experiment to its end, and shows how it ended.
async fn follow(experiments: &Experiments, id: &str, as_json: bool) -> Outcome {
    let Some(view) = watched(experiments, id, None).await? else { return Ok(ExitCode::from(130)) };
    let mut out = std::io::stdout();
    if as_json {
        writeln!(out, "{}", view.to_json())?;
    } else {
        write!(out, "{}", screen::ending(&view))?;
    }
    Ok(exit_status(&view))
}

/// Watches an experiment to its end; none where the user left it to itself. An interrupt asks on a terminal whether to stop it, and says elsewhere how to.
async fn watched(experiments: &Experiments, id: &str, load: Option<&Load>) -> Result<Option<View>, Trouble> {
    let screen = RefCell::new(Screen::new());
    let latest = RefCell::new(None);
    let mut watching = experiments.watch(id);
    let mut pulse = Pulse::default();
    let view = loop {
        let seen = |view: &View| {
            screen.borrow_mut().show(view);
            latest.replace(Some(view.clone()));
        };
        tokio::select! {
            ended = watching.to_the_end(seen) => break ended,
            () = look(experiments, &latest, &screen, &mut pulse) => {}
            () = count(load, &screen) => {}
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                screen.borrow_mut().pause();
                if !wants_stop(id)? {
                    return Ok(None);
                }
                experiments.stop(id).await?;
                eprintln!("stopping; the roll-back is waited for, an interrupt leaves it to itself");
            }
        }
    };
    screen.into_inner().end();
    Ok(Some(view?))
}

/// How often injections and errors are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Shows injections and errors for ever. Where they cannot be read that is said once, and the states go on without them.
async fn look(experiments: &Experiments, latest: &RefCell<Option<View>>, screen: &RefCell<Screen>, pulse: &mut Pulse) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(view) = latest.borrow().clone() else { continue };
        if let Err(error) = experiments.look_at(&view, pulse).await {
            let why = error.to_string();
            screen.borrow_mut().without_figures(why.lines().next().unwrap_or_default());
            return std::future::pending().await;
        }
        screen.borrow_mut().figures(pulse);
    }
}

/// Shows what the load has called, for ever.
async fn count(load: Option<&Load>, screen: &RefCell<Screen>) {
    while let Some(said) = load.and_then(Load::said) {
        screen.borrow_mut().load(&said);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    std::future::pending().await
}

/// Whether to stop the experiment. Without a terminal nobody can be asked: it goes on, and the way to stop it is said.
fn wants_stop(id: &str) -> std::io::Result<bool> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        eprint!("\nstop the experiment and roll back? [Y/n] ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if !answer.trim().to_lowercase().starts_with('n') {
            return Ok(true);
        }
    }
    eprintln!(
        "experiment {id} goes on and rolls back by itself\n  watch it: faultlayer experiment watch {id}\n  stop it:  faultlayer experiment stop {id}"
    );
    Ok(false)
}

/// 0: completed and every function restored. 1: anything else.
fn exit_status(view: &View) -> ExitCode {
    let report = view.report().unwrap_or_default();
    let left = report.get("left").and_then(Value::as_object).is_some_and(|left| !left.is_empty());
    if view.is_success() && !left { ExitCode::SUCCESS } else { ExitCode::from(NOT_COMPLETED) }
}

fn row(one: &Listed) -> String {
    let name = one.tags.get("Name").map_or("", String::as_str);
    format!("{:<24}  {:<10}  {}  {name}", one.id, one.state, one.about).trim_end().to_owned()
}

fn listed_json(one: &Listed) -> Value {
    json!({"id": one.id, "about": one.about, "state": one.state, "created": one.created, "tags": one.tags})
}
