//! What attaching does to a function's configuration, and what a plan becomes on its way there. Pure: a configuration and
//! options in, a change or every reason against it out.
//!
//! The lab's `run` and the command line use it; the Automation documents, which are Python, have the same rule, and
//! `tests/vectors/attach.json` holds the two together.

mod change;
mod configuration;
mod plan;
mod refuse;

pub use change::{Change, Environment, change};
pub use configuration::{Alias, Configuration, Kind, Layer, Options, Routing, Unreadable, Variables, variables_size};
pub use plan::{Timed, Window, later, minified, timed};
pub use refuse::reasons;

/// The most bytes of a function's variables together, as [`variables_size`] counts them.
pub const VARIABLES_LIMIT: usize = 4096;

/// The most layers of a function.
pub const LAYER_LIMIT: usize = 5;

/// AWS's own extensions, through which a function reads a live plan: the layer's name by the source's scheme. On arm64 it ends
/// in `-Arm64`.
pub const EXTENSIONS: [(&str, &str); 2] =
    [("appconfig", "AWS-AppConfig-Extension"), ("parameter", "AWS-Parameters-and-Secrets-Lambda-Extension")];

/// The variable with the plan.
pub const PLAN: &str = "FAULTLAYER_PLAN";

/// The variable with what roll-back needs to know.
pub const RESTORE: &str = "FAULTLAYER_RESTORE";

/// The variable with the original handler.
pub const HANDLER: &str = "FAULTLAYER_HANDLER";

/// What `JAVA_TOOL_OPTIONS` begins with.
pub const AGENT: &str = "-javaagent:/opt/faultlayer/faultlayer-agent.jar";

/// What `NODE_OPTIONS` begins and ends with where Node preloads anything: what stands between them sees the function's own
/// handler in `_HANDLER`, and the client behind them ours.
pub const PRELOADED: [&str; 2] = ["--require=/opt/faultlayer/node/first.cjs", "--import=/opt/faultlayer/node/last.mjs"];

/// Changes a configuration, or says all that is against it.
///
/// # Errors
/// Every reason, in words that follow a function's name, as in `has 5 layers, the most there can be`.
pub fn attach(configuration: &Configuration, options: &Options) -> Result<Change, Vec<String>> {
    let found = reasons(configuration, options);
    let Some(kind) = configuration.kind().filter(|_| found.is_empty()) else { return Err(found) };
    Ok(change(configuration, kind, options))
}
