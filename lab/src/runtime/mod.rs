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
//! - `process`, `memory`: the launcher seen from outside, and what its processes use.
//! - [`launcher`], `namespace`: the launcher from inside.
//! - `layers`: layer archives, unpacked as under `/opt`.
//! - [`clients`]: the runtime interface clients, one file for each language.

mod api;
pub mod clients;
mod environment;
pub mod error;
pub mod function;
pub mod launcher;
mod layers;
mod memory;
mod namespace;
mod process;
mod report;
pub mod spec;
pub mod tools;
mod variables;

pub use error::LabError;
pub use function::Function;
pub use spec::{Cause, FunctionSpec, Invoke, InvokeOutcome, Invoked, Stream};
pub use tools::{Options, Tools};
