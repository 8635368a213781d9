//! Execution environments as Lambda has them: the Runtime API, the processes, timeouts, crashes, memory, `/tmp`.
//!
//! It runs a function and says what a caller would have got. It knows nothing of plans, of deployed functions or of other services.
//!
//! - [`spec`]: what a function is, what one invocation is given and what it answered.
//! - [`tools`]: what all functions of a process share: the launcher, the clients, the working folder.
//! - [`function`]: a set of environments, one for each concurrent invocation, reused and replaced.
//! - `environment`: one environment: its process, the Runtime API it is served, the log.
//! - `api`: the Runtime API over HTTP.
//! - `variables`: the environment variables that Lambda sets.
//! - `report`: the platform's own log lines and error payloads.
//! - `process`, `processes`, `memory`: the launcher seen from outside, what is below it, and what that uses.
//! - [`launcher`], `namespace`, `view`: the launcher from inside. Where there are no mount namespaces, functions see the machine's own files.
//! - `layers`: layer archives, unpacked as under `/opt`.
//! - [`clients`]: the runtime interface clients, one file for each language.

mod api;
pub mod clients;
mod environment;
pub mod error;
pub mod function;
pub mod launcher;
mod layers;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(not(target_os = "linux"))]
#[path = "memory_elsewhere.rs"]
mod memory;
#[cfg(target_os = "linux")]
mod namespace;
#[cfg(not(target_os = "linux"))]
#[path = "namespace_elsewhere.rs"]
mod namespace;
mod process;
mod processes;
mod report;
pub mod spec;
pub mod tools;
mod variables;
mod view;

pub use error::LabError;
pub use function::Function;
pub use spec::{Cause, FunctionSpec, Invoke, InvokeOutcome, Invoked, Stream};
pub use tools::{Options, Tools};
