//! `faultlayer attach`, `rollback` and `status`: start the Automation documents and show what they do, step by step.
//!
//! Owns what is shown; what is done is in the documents, and the calls in `faultlayer_ssm_documents`.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use faultlayer_ssm_documents::{Attach, Documents, Execution, Layers, Rollback, Step, Targets};
use indicatif::{ProgressBar, ProgressStyle};

use crate::Outcome;

/// What all three need.
#[derive(clap::Args)]
struct Common {
    /// The prefix of the documents' names
    #[arg(long, default_value = "Faultlayer", value_name = "NAME")]
    prefix: String,
    /// Show the execution as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// What the two that start an execution need.
#[derive(clap::Args)]
struct Start {
    /// The role the automation assumes, in place of the documents' default; scripts have no rights without one
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// Start only; `faultlayer status ID` shows the rest
    #[arg(long)]
    no_wait: bool,
}

/// The arguments of `faultlayer attach`.
#[derive(clap::Args)]
pub struct AttachArgs {
    /// Names or ARNs of functions, at most 50
    #[arg(required_unless_present_any = ["tag", "register"], conflicts_with = "tag")]
    functions: Vec<String>,
    /// Every function with this tag, in place of names
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Option<String>,
    /// The plan: a file, its JSON, or `parameter:NAME`
    #[arg(long, required_unless_present = "register", value_name = "PLAN")]
    plan: Option<String>,
    /// How many minutes the faults are held
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Hold, then roll back, all in one execution
    #[arg(long)]
    experiment: bool,
    /// Attach, but only log what would be injected
    #[arg(long)]
    dry_run: bool,
    /// The alias callers use
    #[arg(long)]
    alias: Option<String>,
    /// A timeout to set while attached, in seconds
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// A memory size to set while attached, in MiB
    #[arg(long, value_name = "MIB")]
    memory: Option<u32>,
    /// A layer in place of the documents' default; may be repeated
    #[arg(long = "layer", value_name = "RUNTIME-ARCHITECTURE=ARN")]
    layers: Vec<String>,
    /// Create or update the documents first, with the layers and the role given as their defaults
    #[arg(long)]
    register: bool,
    #[command(flatten)]
    start: Start,
    #[command(flatten)]
    common: Common,
}

/// The arguments of `faultlayer rollback`.
#[derive(clap::Args)]
pub struct RollbackArgs {
    /// Names or ARNs of functions, at most 50
    #[arg(required_unless_present_any = ["execution", "all"], conflicts_with_all = ["execution", "all"])]
    functions: Vec<String>,
    /// Every function that this execution attached
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    execution: Option<String>,
    /// Every function that carries the marker
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    start: Start,
    #[command(flatten)]
    common: Common,
}

/// The arguments of `faultlayer status`.
#[derive(clap::Args)]
pub struct StatusArgs {
    /// An execution's id; without it, the latest executions are listed, and which of them have something attached
    execution: Option<String>,
    /// Watch it to its end
    #[arg(long, requires = "execution")]
    watch: bool,
    /// Cancel it: what it attached is taken off
    #[arg(long, requires = "execution")]
    cancel: bool,
    #[command(flatten)]
    common: Common,
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, std::io::Error> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// Puts the layer on functions.
pub fn attach(args: AttachArgs) -> Outcome {
    block_on(async {
        let documents = Documents::connect(&*args.common.prefix).await;
        let mut layers = Layers::default();
        for layer in &args.layers {
            layers.add(layer)?;
        }
        if args.register {
            for (name, outcome) in documents.register(&layers, args.start.role.as_deref()).await? {
                eprintln!("{name}: {}", format!("{outcome:?}").to_lowercase());
            }
        }
        let Some(plan) = &args.plan else { return Ok(ExitCode::SUCCESS) };
        let targets = match &args.tag {
            Some(tag) => {
                let (key, value) = tag.split_once('=').ok_or_else(|| format!("tag: expected `KEY=VALUE`, got `{tag}`"))?;
                Targets::Tag(key.to_owned(), value.to_owned())
            }
            None => Targets::Functions(args.functions),
        };
        let request = Attach {
            targets,
            plan: plan_text(plan)?,
            minutes: args.minutes,
            dry_run: args.dry_run,
            alias: args.alias,
            timeout: args.timeout,
            memory: args.memory,
            layers,
            role: args.start.role,
            experiment: args.experiment,
        };
        let id = documents.attach(&request).await?;
        let outcome = follow(&documents, &id, !args.start.no_wait, args.common.json).await;
        if !args.experiment {
            eprintln!("roll back with: faultlayer rollback --execution {id}");
        }
        outcome
    })?
}

/// Restores functions.
pub fn rollback(args: RollbackArgs) -> Outcome {
    block_on(async {
        let documents = Documents::connect(&*args.common.prefix).await;
        let request = match (args.execution, args.all) {
            (Some(id), _) => Rollback::Execution(id),
            (None, true) => Rollback::AllMarked,
            (None, false) => Rollback::Functions(args.functions),
        };
        let id = documents.rollback(request, args.start.role.as_deref()).await?;
        follow(&documents, &id, !args.start.no_wait, args.common.json).await
    })?
}

/// Shows executions.
pub fn status(args: StatusArgs) -> Outcome {
    block_on(async {
        let documents = Documents::connect(&*args.common.prefix).await;
        let Some(id) = args.execution else {
            let attached = documents.attached().await?;
            let executions = documents.recent(20).await?;
            let mut out = std::io::stdout().lock();
            for execution in &executions {
                let mark = if attached.contains(&execution.id) { "attached" } else { "" };
                if args.common.json {
                    let mut value = json(execution);
                    if let Some(fields) = value.as_object_mut() {
                        fields.insert("attached".into(), (!mark.is_empty()).into());
                    }
                    writeln!(out, "{value}")?;
                } else {
                    let Execution { id, document, status, started, .. } = execution;
                    let row = format!("{id}  {document:<24}  {status:<12}  {started}  {mark}");
                    writeln!(out, "{}", row.trim_end())?;
                }
            }
            // Older than the list, or of another prefix.
            for id in attached.iter().filter(|id| executions.iter().all(|execution| execution.id != **id)) {
                if args.common.json {
                    writeln!(out, "{}", serde_json::json!({"id": id, "attached": true}))?;
                } else {
                    writeln!(out, "{id}  attached")?;
                }
            }
            return Ok(ExitCode::SUCCESS);
        };
        if args.cancel {
            documents.cancel(&id).await?;
        }
        if args.watch || args.cancel {
            return follow(&documents, &id, true, args.common.json).await;
        }
        let execution = documents.execution(&id).await?;
        let mut out = std::io::stdout().lock();
        if args.common.json {
            writeln!(out, "{}", json(&execution))?;
        } else {
            writeln!(out, "{}  {}  {}", execution.id, execution.document, execution.status)?;
            for step in &execution.steps {
                writeln!(out, "{}", line(step))?;
            }
            write!(out, "{}", ending(&execution))?;
        }
        Ok(ExitCode::SUCCESS)
    })?
}

/// The plan's text: JSON and `parameter:NAME` as they are, anything else is a file's name.
pub fn plan_text(plan: &str) -> Result<String, String> {
    if plan.trim_start().starts_with('{') || plan.starts_with("parameter:") {
        return Ok(plan.to_owned());
    }
    std::fs::read_to_string(Path::new(plan)).map_err(|error| format!("plan: `{plan}`: {error}"))
}

/// Shows an execution's steps as they go, on standard error; its end on standard output.
async fn follow(documents: &Documents, id: &str, wait: bool, as_json: bool) -> Outcome {
    let mut out = std::io::stdout();
    eprintln!("execution {id}");
    if !wait {
        writeln!(out, "{id}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut screen = Screen::new();
    let execution = documents.watch(id, |execution| screen.show(execution)).await;
    screen.end();
    let execution = execution?;
    if as_json {
        writeln!(out, "{}", json(&execution))?;
    } else {
        write!(out, "{}", ending(&execution))?;
    }
    Ok(if execution.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Finished steps as lines, the running one beside a spinner where a terminal shows it.
struct Screen {
    spinner: Option<ProgressBar>,
    shown: Vec<(String, String)>,
}

impl Screen {
    fn new() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { spinner, shown: Vec::new() }
    }

    fn show(&mut self, execution: &Execution) {
        for step in &execution.steps {
            let running = step.status == "InProgress";
            let key = (step.name.clone(), step.status.clone());
            if let (true, Some(spinner)) = (running, &self.spinner) {
                spinner.set_message(step.name.clone());
            } else if step.status != "Pending" && !self.shown.contains(&key) {
                match &self.spinner {
                    Some(spinner) => spinner.println(line(step)),
                    None => eprintln!("{}", line(step)),
                }
                self.shown.push(key);
            }
        }
    }

    fn end(self) {
        if let Some(spinner) = self.spinner {
            spinner.finish_and_clear();
        }
    }
}

/// A step in one line: name, status, and what it has to say.
fn line(step: &Step) -> String {
    let said = step.outputs.get("Estimate").map_or_else(|| brief(&step.failure), Clone::clone);
    format!("  {:<10} {:<12} {said}", step.name, step.status).trim_end().to_owned()
}

/// The last line of a failure: scripts fail with their whole traceback.
fn brief(failure: &str) -> String {
    failure.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

/// The end of an execution: status, why it failed, and the roll-back's report.
fn ending(execution: &Execution) -> String {
    if !execution.is_final() {
        return String::new();
    }
    let mut text = format!("{}: {}", execution.document, execution.status);
    if !execution.failure.is_empty() {
        text.push_str(": ");
        text.push_str(&brief(&execution.failure));
    }
    text.push('\n');
    for report in ["Restore.Report", "Rollback.Report"] {
        if let Some(report) = execution.outputs.get(report).and_then(|text| serde_json::from_str(text).ok()) {
            text.push_str(&reported(&report));
        }
    }
    text
}

/// A roll-back's report in words.
pub fn reported(report: &serde_json::Value) -> String {
    let count = |key: &str| report.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let mut text = format!("restored {}, unchanged {}", count("restored"), count("unchanged"));
    let empty = serde_json::Map::new();
    let map = |key: &str| report.get(key).and_then(serde_json::Value::as_object).unwrap_or(&empty);
    let words = |value: &serde_json::Value| match value {
        serde_json::Value::Array(items) => items.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    if let Some(gone) = report.get("gone").map(words).filter(|gone| !gone.is_empty()) {
        text.push_str(&format!("\n  gone: {gone}"));
    }
    for (name, notes) in map("changed") {
        text.push_str(&format!("\n  {name}: kept what its owner changed: {}", words(notes)));
    }
    for (name, reason) in map("left") {
        text.push_str(&format!("\n  {name}: not restored: {}", words(reason)));
    }
    text.push('\n');
    text
}

fn json(execution: &Execution) -> serde_json::Value {
    let steps = execution.steps.iter().map(
        |step| serde_json::json!({"name": step.name, "status": step.status, "failure": step.failure, "outputs": step.outputs}),
    );
    serde_json::json!({
        "id": execution.id, "document": execution.document, "status": execution.status, "started": execution.started,
        "failure": execution.failure, "steps": steps.collect::<Vec<_>>(), "outputs": execution.outputs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_was_kept_and_what_is_left() {
        let report = serde_json::json!({
            "restored": 2, "unchanged": 1, "gone": ["g"], "left": {"l": "why"}, "changed": {"c": ["variable A added", "field Timeout"]},
        });
        assert_eq!(
            reported(&report),
            "restored 2, unchanged 1\n  gone: g\n  c: kept what its owner changed: variable A added, field Timeout\n  l: not restored: why\n"
        );
    }

    #[test]
    fn of_a_traceback_the_last_line_is_shown() {
        assert_eq!(brief("Traceback:\n  File x\nRefused: nothing was changed\n"), "Refused: nothing was changed");
        assert_eq!(brief(""), "");
    }
}
