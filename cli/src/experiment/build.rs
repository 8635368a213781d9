//! A template from what the command line says, and from what the stack's own templates have.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use faultlayer_core::attach::{self, Window};
use faultlayer_core::timestamp::Timestamp;
use faultlayer_fis::{Action, Error, Experiments, Spec, Targets, problems, template};
use faultlayer_ssm_documents::Source;
use serde_json::Value;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What a template is made from.
#[derive(clap::Args)]
pub struct Args {
    /// Names or ARNs of functions, at most 50
    functions: Vec<String>,
    /// Every function with this tag, in place of names
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "functions")]
    tag: Option<String>,
    /// The plan: a file, its JSON, or `parameter:NAME` (one over 512 characters must stand in a parameter)
    #[arg(long, value_name = "PLAN")]
    plan: Option<String>,
    /// In place of a plan, where functions read it, now and when it changes: `file:PATH`,
    /// `appconfig:APPLICATION/ENVIRONMENT/PROFILE` or `parameter:/NAME`. The latter two need AWS's extension on the functions
    #[arg(long, conflicts_with_all = ["plan", "dry_run"], value_name = "SOURCE")]
    plan_source: Option<String>,
    /// How many minutes the faults are held
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Attach and leave: the plan ends by itself, the roll-back is yours
    #[arg(long)]
    attach_only: bool,
    /// Attach, but only log what would be injected
    #[arg(long)]
    dry_run: bool,
    /// The alias callers use
    #[arg(long)]
    alias: Option<String>,
    /// What the template is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The role that FIS assumes, in place of the stack's
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// An alarm that stops the experiment, in place of the stack's; may be repeated
    #[arg(long = "stop-alarm", value_name = "ARN")]
    stop_alarms: Vec<String>,
    /// An alarm that must be OK before the faults and after them; may be repeated
    #[arg(long = "assert-alarm", value_name = "ARN")]
    asserted_alarms: Vec<String>,
    /// The log group of the experiment's log, in place of the stack's
    #[arg(long, value_name = "ARN")]
    log_group: Option<String>,
}

impl Args {
    /// The template, checked.
    pub async fn template(&self, experiments: &Experiments, stack: &str) -> Result<Value, Failed> {
        let targets = match (&self.tag, self.functions.as_slice()) {
            (Some(tag), _) => {
                let (key, value) = tag.split_once('=').ok_or_else(|| format!("tag: expected `KEY=VALUE`, got `{tag}`"))?;
                Targets::Tag(key.to_owned(), value.to_owned())
            }
            (None, []) => return Err("functions: expected at least one, or --tag KEY=VALUE".into()),
            (None, names) => Targets::Functions(names.to_vec()),
        };
        let plan = match &self.plan_source {
            Some(source) => Source::Live(source.clone()),
            None => {
                Source::Plan(on_its_way(self.plan.as_deref().ok_or("plan: expected --plan or --plan-source")?, self.minutes)?)
            }
        };
        let found = experiments.stack().await?;
        let role_arn = self.role.clone().or(found.role_arn).ok_or_else(|| {
            format!("role: the stack `{stack}` has no template to take it from; give --role ARN, or --stack NAME")
        })?;
        let about = match &targets {
            Targets::Functions(names) => names.join(", "),
            Targets::Tag(key, value) => format!("functions tagged {key}={value}"),
        };
        let description = self.description.clone().unwrap_or_else(|| format!("Faultlayer: {about}").chars().take(256).collect());
        let value = template(&Spec {
            description,
            stack: stack.to_owned(),
            documents: found.documents,
            role_arn,
            stop_alarms: if self.stop_alarms.is_empty() { found.stop_alarms } else { self.stop_alarms.clone() },
            log_group_arn: self.log_group.clone().or(found.log_group_arn),
            asserted_alarms: self.asserted_alarms.clone(),
            targets,
            plan,
            minutes: self.minutes,
            action: if self.attach_only { Action::Attach } else { Action::Experiment },
            dry_run: self.dry_run,
            alias: self.alias.clone(),
        });
        let problems = problems(&value);
        if problems.is_empty() { Ok(value) } else { Err(Error::Template(problems).into()) }
    }
}

/// The plan on one line, or `parameter:NAME`. A plan that the functions would refuse is refused here.
fn on_its_way(plan: &str, minutes: u32) -> Result<String, Failed> {
    let text = crate::automation::plan_text(plan)?;
    if !text.starts_with("parameter:") {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let now = Timestamp::from_millis(i64::try_from(now.as_millis())?);
        attach::timed(&text, Window::hold(now, 0, minutes), false)?;
    }
    Ok(attach::minified(&text))
}

/// A template's file.
pub fn read(path: &Path) -> Result<Value, Failed> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("file: `{}`: {error}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("file: `{}`: {error}", path.display()))?)
}
