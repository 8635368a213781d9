//! One run: a function is invoked many times under a plan, and what its callers saw is counted.
//!
//! - [`plan`]: the plan as the run hands it to the layer.
//! - [`attach`]: the layer on a function, as the Automation document puts it there.
//! - [`request_ids`]: ids from a seed.
//! - [`runner`]: the loop over the invocations.
//! - [`statistics`]: counts and percentiles.
//! - [`report`]: all of it as data.
//! - [`document`]: as what a page says.
//! - [`table`]: and as text for a terminal.

pub mod attach;
pub mod document;
pub mod plan;
pub mod report;
pub mod request_ids;
pub mod runner;
pub mod statistics;
pub mod table;

pub use plan::RunPlan;
pub use report::Report;
pub use request_ids::RequestIds;
pub use runner::{Progress, Request, Which, run};
