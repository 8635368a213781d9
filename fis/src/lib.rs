//! Builds, checks, starts, watches and stops experiments of AWS Fault Injection Service (FIS), on AWS and in the lab alike.
//!
//! What an experiment does is in the Automation documents and in the plan; nothing of it is decided here.
//!
//! - [`Spec`]: what an experiment template is made from.  [`template()`]: the template, as `aws fis create-experiment-template` takes it.
//! - [`problems`]: what FIS, Automation or the documents would refuse of a template, all at once.
//! - [`Experiments`]: the connection.  [`Watching`], [`View`]: what is going on.  [`Asked`]: of its report, what is to be in it.
//!   [`Pulse`]: what can be seen while it runs.
//! - [`Aim`]: which functions it is about.  [`Caller`]: calls them, for a load.

mod aim;
mod check;
mod error;
mod experiments;
mod invoke;
mod report;
mod request;
mod template;
mod view;
mod watch;

pub use aim::Aim;
pub use check::problems;
pub use error::Error;
pub use experiments::{Experiments, Listed, Stack};
pub use invoke::{Called, Caller};
pub use report::{Asked, Pulse};
pub use template::{Action, Spec, Targets, template};
pub use view::{ActionView, View};
pub use watch::Watching;
