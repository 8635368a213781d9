//! Registers and starts the Automation documents, and watches their executions, on AWS and in the lab alike.
//!
//! The only crate with the AWS SDK. What the documents do is in their scripts; nothing of it is decided here.
//!
//! - [`Documents`]: the connection, and the prefix of the documents' names.
//! - [`Attach`], [`Rollback`], [`Source`]: what is asked for.  [`Layers`]: the defaults that registering puts into the documents.
//! - [`Execution`], [`Step`]: what is going on.  [`Attached`]: what is on which functions.  [`Refused`]: what AWS said no to.

mod attached;
mod connect;
mod error;
mod functions;
mod plan;
mod progress;
mod register;
mod start;

pub use attached::Attached;
pub use connect::{Documents, sdk_config};
pub use error::{Error, Refused};
pub use progress::{Execution, Step};
pub use register::{Layers, Registered, shipped};
pub use start::{Attach, Rollback, Source, Targets};
