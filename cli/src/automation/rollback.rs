//! `faultlayer rollback`: starts the document and says whether anything was restored.

use std::process::ExitCode;

use faultlayer_ssm_documents::Rollback;

use super::follow::{Ended, follow};
use super::{Common, Start, block_on, words};
use crate::Outcome;

/// The arguments of `faultlayer rollback`.
#[derive(clap::Args)]
pub struct Args {
    /// Names or ARNs of functions, at most 50
    #[arg(required_unless_present_any = ["execution", "all"], conflicts_with_all = ["execution", "all"])]
    functions: Vec<String>,
    /// Every function that this execution attached
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    execution: Option<String>,
    /// Every function that this stack's layers are on
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    start: Start,
    #[command(flatten)]
    common: Common,
}

/// Restores functions.
pub fn rollback(args: Args) -> Outcome {
    block_on(async {
        let documents = args.common.connect().await;
        let request = match (&args.execution, args.all) {
            (Some(id), _) => Rollback::Execution(id.clone()),
            (None, true) => Rollback::AllMarked,
            (None, false) => Rollback::Functions(documents.functions(&args.functions).await?),
        };
        let id = documents.rollback(request, args.start.role.as_deref()).await?;
        let ended = follow(&documents, &id, &args.start.following(), &args.common).await?;
        let Ended::Done(execution) = &ended else { return Ok(ended.status()) };
        let Some(report) = execution.outputs.get("Restore.Report").and_then(|text| serde_json::from_str(text).ok()) else {
            return Ok(ended.status());
        };
        let restored = words::count(&report, "restored");
        if args.all && restored == 0 && execution.is_success() {
            eprintln!("nothing was attached");
        } else if let Some(trouble) = nothing_done(&args, &report).filter(|_| execution.is_success()) {
            eprintln!("faultlayer: {trouble}; `{}` lists what is attached", args.common.command("status"));
            return Ok(ExitCode::FAILURE);
        }
        Ok(ended.status())
    })?
}

/// What was asked for and not done, though the roll-back ended well: a name that no function has, or nothing to restore.
fn nothing_done(args: &Args, report: &serde_json::Value) -> Option<String> {
    let gone = words::list(report.get("gone")?);
    if !args.functions.is_empty() && !gone.is_empty() {
        return Some(format!("no such function: {gone}"));
    }
    let nothing = !args.all && words::count(report, "restored") == 0;
    nothing.then(|| match &args.execution {
        Some(id) => format!("nothing was restored: execution {id} has nothing attached"),
        None => format!("nothing was restored: nothing is attached to {}", args.functions.join(", ")),
    })
}
