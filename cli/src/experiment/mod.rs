//! `faultlayer experiment`: FIS experiments from a template to the end. What is shown is here; the calls are in `faultlayer_fis`.

mod build;
mod screen;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use faultlayer_fis::{Experiments, Listed, View};
use serde_json::{Value, json};

use crate::Outcome;
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
    Start(StartArgs),
    /// Watch an experiment to its end
    Watch {
        /// The experiment's id
        id: String,
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

#[derive(clap::Args)]
struct StartArgs {
    /// The template's id
    template: String,
    /// Resolve the template and run no action
    #[arg(long)]
    preview: bool,
    /// Start only; `faultlayer experiment watch ID` shows the rest
    #[arg(long)]
    no_wait: bool,
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
            Command::Start(start) => {
                let id = experiments.start(&start.template, start.preview).await?;
                eprintln!("experiment {id}");
                if start.no_wait {
                    if args.json {
                        writeln!(out, "{}", json!({"id": id}))?;
                    } else {
                        writeln!(out, "{id}")?;
                    }
                    return Ok(ExitCode::SUCCESS);
                }
                follow(&experiments, &id, args.json).await
            }
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

/// Watches an experiment to its end. An interrupt asks on a terminal whether to stop it, and says elsewhere how to.
async fn follow(experiments: &Experiments, id: &str, as_json: bool) -> Outcome {
    let mut screen = Screen::new();
    let mut watching = experiments.watch(id);
    let view = loop {
        tokio::select! {
            ended = watching.to_the_end(|view| screen.show(view)) => break ended,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                screen.pause();
                if !wants_stop(id)? {
                    return Ok(ExitCode::from(130));
                }
                experiments.stop(id).await?;
                eprintln!("stopping; the roll-back is waited for, an interrupt leaves it to itself");
            }
        }
    };
    screen.end();
    let view = view?;
    let mut out = std::io::stdout();
    if as_json {
        writeln!(out, "{}", view.to_json())?;
    } else {
        write!(out, "{}", screen::ending(&view))?;
    }
    Ok(exit_status(&view))
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
