//! `faultlayer attach`, `rollback` and `status`: start the Automation documents and show what they do, step by step.
//!
//! Owns what is shown; what is done is in the documents, and the calls in `faultlayer_ssm_documents`.

mod attach;
mod follow;
mod rollback;
mod status;
mod words;

use std::time::{SystemTime, UNIX_EPOCH};

use faultlayer_core::timestamp::Timestamp;
use faultlayer_ssm_documents::Documents;

pub use attach::{Args as AttachArgs, attach, plan_text};
pub use rollback::{Args as RollbackArgs, rollback};
pub use status::{Args as StatusArgs, status};
pub use words::reported;

/// The prefix where none is said.
const PREFIX: &str = "Faultlayer";

/// What all three need.
#[derive(clap::Args)]
struct Common {
    /// The prefix of the documents' names
    #[arg(long, default_value = PREFIX, value_name = "NAME")]
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
    /// Ctrl-C cancels the execution, which then takes off what it attached, and waits for that; without it the execution goes on
    #[arg(long, conflicts_with = "no_wait")]
    cancel_on_interrupt: bool,
}

impl Common {
    async fn connect(&self) -> Documents {
        Documents::connect(&*self.prefix).await
    }

    /// A command for people to type, with the prefix where it is not the usual one.
    fn command(&self, rest: &str) -> String {
        let prefix = if self.prefix == PREFIX { String::new() } else { format!(" --prefix {}", self.prefix) };
        format!("faultlayer {rest}{prefix}")
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, std::io::Error> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
