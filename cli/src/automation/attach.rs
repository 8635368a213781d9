//! `faultlayer attach`: asks the engine about the plan, then starts the document.

use std::path::Path;
use std::process::ExitCode;

use faultlayer_core::attach::{Window, timed};
use faultlayer_core::plan::PlanError;
use faultlayer_ssm_documents::{Attach, Documents, Layers, Source, Targets};

use super::follow::{Ended, follow};
use super::{Common, Start, block_on, now, words};
use crate::Outcome;

/// The arguments of `faultlayer attach`.
#[derive(clap::Args)]
pub struct Args {
    /// Names or ARNs of functions, at most 50
    #[arg(required_unless_present_any = ["tag", "register"], conflicts_with = "tag")]
    functions: Vec<String>,
    /// Every function with this tag, in place of names
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Option<String>,
    /// The plan: a file, its JSON, or `parameter:NAME`
    #[arg(long, required_unless_present_any = ["register", "plan_source"], value_name = "PLAN")]
    plan: Option<String>,
    /// In place of a plan, where functions read it, now and when it changes: `file:PATH`,
    /// `appconfig:APPLICATION/ENVIRONMENT/PROFILE` or `parameter:/NAME`. The latter two need AWS's extension on the functions
    #[arg(long, conflicts_with_all = ["plan", "dry_run"], value_name = "SOURCE")]
    plan_source: Option<String>,
    /// How many minutes the faults are held
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Hold, then roll back, all in one execution
    #[arg(long)]
    experiment: bool,
    /// Attach all the same, with `dry_run` in the plan: it only logs what it would inject
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

/// Puts the layer on functions.
pub fn attach(args: Args) -> Outcome {
    block_on(async {
        // Before anything is asked of AWS, what is wrong with the plan is said.
        let plan = match args.plan_source {
            Some(source) => Some(Source::Live(source)),
            None => args.plan.as_deref().map(|plan| checked(plan, args.minutes, args.dry_run)).transpose()?.map(Source::Plan),
        };
        let documents = args.common.connect().await;
        let mut layers = Layers::default();
        for layer in &args.layers {
            layers.add(layer)?;
        }
        if args.register {
            for (name, outcome) in documents.register(&layers, args.start.role.as_deref()).await? {
                eprintln!("{name}: {}", format!("{outcome:?}").to_lowercase());
            }
        }
        let Some(plan) = plan else { return Ok(ExitCode::SUCCESS) };
        let targets = targets(&documents, args.tag.as_deref(), &args.functions).await?;
        let request = Attach {
            targets,
            plan,
            minutes: args.minutes,
            dry_run: args.dry_run,
            alias: args.alias,
            timeout: args.timeout,
            memory: args.memory,
            layers,
            role: args.start.role.clone(),
            experiment: args.experiment,
        };
        let id = documents.attach(&request).await?;
        let ended = follow(&documents, &id, &args.start.following(), &args.common).await?;
        if !args.experiment {
            let back = args.common.command(&format!("rollback --execution {id}"));
            match &ended {
                Ended::Done(execution) if execution.is_success() => {
                    if let Some(until) = execution.output("Until") {
                        eprintln!("attached until {until}{}", words::left(until, now()));
                    }
                    eprintln!("roll back with: {back}");
                }
                // Nobody has seen its end.
                Ended::NotAwaited => eprintln!("roll back with: {back}"),
                // What was refused changed nothing, and what failed midway is taken off already.
                _ => {}
            }
        }
        Ok(ended.status())
    })?
}

async fn targets(
    documents: &Documents,
    tag: Option<&str>,
    functions: &[String],
) -> Result<Targets, Box<dyn std::error::Error + Send + Sync>> {
    Ok(match tag {
        Some(tag) => {
            let (key, value) = tag.split_once('=').ok_or_else(|| format!("tag: expected `KEY=VALUE`, got `{tag}`"))?;
            Targets::Tag(key.to_owned(), value.to_owned())
        }
        None => Targets::Functions(documents.functions(functions).await?),
    })
}

/// The plan's text: JSON and `parameter:NAME` as they are, anything else is a file's name.
pub fn plan_text(plan: &str) -> Result<String, String> {
    if plan.trim_start().starts_with('{') || plan.starts_with("parameter:") {
        return Ok(plan.to_owned());
    }
    std::fs::read_to_string(Path::new(plan)).map_err(|error| format!("plan: `{plan}`: {error}"))
}

/// The plan's text as the engine would take it into a function; what is in a parameter only the documents can read.
fn checked(plan: &str, minutes: u32, dry_run: bool) -> Result<String, String> {
    let text = plan_text(plan)?;
    // How long attaching takes only the documents can tell, and they ask again.
    if !plan.starts_with("parameter:")
        && let Err(error) = timed(&text, Window::hold(now(), 0, minutes), dry_run)
    {
        return Err(refused(plan, &text, "be attached", &error));
    }
    Ok(text)
}

/// What the engine says against a plan that was given as `plan`.
pub(super) fn refused(plan: &str, text: &str, what: &str, error: &PlanError) -> String {
    let said = if text == plan { "the plan".to_owned() } else { format!("`{plan}`") };
    format!("{said} cannot {what}:\n  {}", error.to_string().replace('\n', "\n  "))
}
