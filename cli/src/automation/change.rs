//! `faultlayer change`: asks the engine about the plan, then starts the document.

use faultlayer_core::attach::later;
use faultlayer_core::timestamp::Timestamp;

use super::attach::{plan_text, refused};
use super::follow::follow;
use super::{Common, Start, block_on, now};
use crate::Outcome;

/// The arguments of `faultlayer change`.
#[derive(clap::Args)]
#[command(after_help = "A plan without `expires_at` gets the end of the one that was attached; none may outlive that. Where \
functions read their plan from `parameter:/NAME`, that parameter is written; a plan at `appconfig:` or `file:` is changed where it is.")]
pub struct Args {
    /// The execution that attached, as `faultlayer status` lists it
    #[arg(value_name = "EXECUTION")]
    execution: String,
    /// The other plan: a file, its JSON, or `parameter:NAME`
    #[arg(long, value_name = "PLAN")]
    plan: String,
    #[command(flatten)]
    start: Start,
    #[command(flatten)]
    common: Common,
}

/// Gives what is attached another plan.
pub fn change(args: Args) -> Outcome {
    block_on(async {
        let text = plan_text(&args.plan)?;
        let checked = |until: Option<Timestamp>| match later(&text, now(), until, false) {
            // What is in a parameter only the documents can read.
            Err(error) if !text.starts_with("parameter:") => Err(refused(&args.plan, &text, "take the place of another", &error)),
            _ => Ok(()),
        };
        // Before anything is asked of AWS, what is wrong whenever the other one ends.
        checked(Timestamp::parse("9999-12-31T00:00:00Z"))?;
        let documents = args.common.connect().await;
        let attached = documents.execution(&args.execution).await?;
        match attached.output("Until") {
            Some("never") => checked(None)?,
            // Where the end is not known, the document says why it changes nothing.
            until => until.and_then(Timestamp::parse).map_or(Ok(()), |until| checked(Some(until)))?,
        }
        let id = documents.change(&args.execution, &text, args.start.role.as_deref()).await?;
        Ok(follow(&documents, &id, &args.start.following(), &args.common).await?.status())
    })?
}
