//! What an experiment did: measured, judged, and shown.
//!
//! - [`figures`]: percentiles, and numbers as people read them.
//! - [`document`]: what a report says, from the verdict to the records.
//! - [`records`], [`counts`], [`reach`]: Faultlayer's lines in a log, what became of each fault by them, and why it hit no call.
//! - [`timeline`]: calls on one time axis.
//! - [`expect`]: hypotheses, and whether they held.
//! - [`format`]: the files that a report is written to.
//! - [`html`] with [`chart`], and [`markdown`]: the two forms for people.

pub mod chart;
pub mod counts;
pub mod document;
pub mod expect;
pub mod figures;
pub mod format;
pub mod html;
pub mod markdown;
pub mod reach;
pub mod records;
pub mod timeline;

pub use counts::FaultCount;
pub use document::Document;
pub use expect::{Expectation, Judged};
pub use format::Format;
pub use timeline::Timeline;
