//! `faultlayer attach`, `change`, `rollback` and `status`: start the Automation documents and show what they do, step by step.
//!
//! Owns what is shown; what is done is in the documents, and the calls in `faultlayer_ssm_documents`.

mod attach;
mod change;
mod follow;
mod rollback;
mod status;
mod words;

use std::time::{SystemTime, UNIX_EPOCH};

use faultlayer_core::timestamp::Timestamp;
use faultlayer_ssm_documents::Documents;

pub use attach::{Args as AttachArgs, attach, plan_text};
pub use change::{Args as ChangeArgs, change};
pub use rollback::{Args as RollbackArgs, rollback};
pub use status::{Args as StatusArgs, status};
pub use words::reported;

/// What the documents' names begin with where no stack is said.
const PREFIX: &str = "Faultlayer";

/// What all of them need.
#[derive(clap::Args)]
struct Common {
    /// The stack, whose name the documents' names begin with
    #[arg(long = "stack", alias = "prefix", default_value = PREFIX, value_name = "NAME")]
    stack: String,
    /// Show the execution as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// What those need that start an execution.
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
        Documents::connect(&*self.stack).await
    }

    /// A command for people to type, with the stack where it is not the usual one.
    fn command(&self, rest: &str) -> String {
        let stack = if self.stack == PREFIX { String::new() } else { format!(" --stack {}", self.stack) };
        format!("faultlayer {rest}{stack}")
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, std::io::Error> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
