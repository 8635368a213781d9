//! Event patterns: the language of Amazon EventBridge with the semantics of the open-source `aws/event-ruler`.
//!
//! [`Patterns`] compiles the patterns of a plan together; [`Patterns::hold`] holds them against one event, in one pass over
//! what their paths name, within a [`Budget`] that no plan and no event can pass. Nothing here reads a clock, the environment
//! or a file, and nothing here decides what a match means.
//!
//! The way of an event: [`scan`] (JSON text, [`token`] by token) or [`node`] (a language's own objects) walks it along the
//! [`Paths`]; each leaf is held against the [`index`] of its path, all alternatives of all patterns at once; [`walk`] keeps
//! which [`facts`] hold where, array elements that say the same as one; [`search`] answers where array elements have to fit
//! together.
//!
//! # Why not a crate
//!
//! On crates.io `event-ruler` 0.1.0 is an empty placeholder, and `quamina` 0.7.0 speaks a dialect of its own: no `$or`,
//! no nested forms of `anything-but`, no `prefix` or `suffix` that ignores case; and it reads whole events as bytes,
//! where a layer has the language's own objects. A differential test (`tests/matching`) holds this module to the library.
//!
//! # Where this module differs from the library on purpose
//!
//! - Numbers compare as binary64. The library compares those that are no shortest decimal form of a binary64 as text.
//! - `cidr` and addresses look at strings only. The library also reads the digits of a number as a hexadecimal address.
//! - A suffix looks at strings only. The library can meet it in its own encoding of a number.
//! - An empty key at the end of a path is a key like any other. The library reads it only in some patterns.
//! - Where alternatives of one field make the library contradict what it says to each of them alone, each alone counts.
//! - An empty list in a nested `anything-but` is refused. The library refuses it in some patterns and ignores it in others.
//! - An event that is not exactly one JSON object never matches. The library throws, or ignores what follows the object.
//! - Half a surrogate pair, which JSON can escape, is read as U+FFFD, as the languages hand it over.
//! - What takes more than the [`Budget`] has no answer, and says so.
//! - What follows in an event's text once the answers are certain is not looked at, well-formed or not.

mod address;
mod alternative;
mod budget;
mod compile;
mod facts;
mod fold;
mod glob;
mod index;
mod node;
mod operator;
mod paths;
mod patterns;
mod scan;
mod search;
mod table;
mod token;
mod walk;

pub use budget::Budget;
pub use compile::PatternProblem;
pub use node::{Kind, Node};
pub use paths::{Key, Paths};
pub use patterns::{Matches, PatternId, Patterns, Source};
pub use walk::Walk;

/// The deepest that objects and `$or` of a pattern may nest, and the most names in one path.
pub const MAX_DEPTH: usize = 64;

/// The most fields of one branch of a pattern; the library's own limit.
pub const MAX_FIELDS: usize = 256;

/// The most branches that the `$or` of a pattern may multiply to.
pub const MAX_BRANCHES: usize = 1_024;

/// The most values and operators of one pattern.
pub const MAX_TESTS: usize = 16_384;

/// The deepest that objects and arrays of an event may nest on a path that a pattern names; deeper, nothing matches.
pub const MAX_EVENT_DEPTH: usize = 128;

/// The most steps that all patterns together take on one event; see [`Budget::steps`].
pub const MAX_STEPS: u64 = 1 << 22;

/// The most bytes that are held at one time for one event.
pub const MAX_BYTES: usize = 1 << 20;
