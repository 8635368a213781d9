//! The engine of Faultlayer. It decides, for one invocation of a function, which faults hit it and how they combine; the
//! shims of the languages carry the decision out.
//!
//! The engine is pure: time, identity and event come in as arguments, the decision goes out as data. What reads clocks,
//! environments and files, and what writes records, lives in `rim`; what the bindings call lives in
//! [`boundary`].

pub mod attach;
pub mod aws;
pub mod boundary;
pub mod decision;
pub mod delay;
pub mod faults;
pub mod matching;
pub mod plan;
mod record;
mod rim;
pub mod sampling;
pub mod text;
pub mod timestamp;
mod trace;
pub mod variables;
