//! What a shim carries out: hold, then an outcome.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::faults::TypeName;

/// Hold first, then do the outcome.
#[derive(Clone, Debug)]
pub struct Step {
    /// Microseconds to hold.
    pub delay_us: u64,
    /// What follows.
    pub outcome: Outcome,
}

/// What happens at a point of an invocation.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Go on: call the handler, or hand on what it answered or raised.
    Run,
    /// Raise an error of this class.
    Error {
        /// Its class, possibly by language.
        type_name: TypeName,
        /// Its message.
        message: String,
        /// Its attributes.
        properties: Map<String, Value>,
    },
    /// Answer this.
    Response {
        /// JSON as it stands.
        answer: Box<RawValue>,
        /// It is `{"statusCode", "headers", "body"}`.
        http: bool,
    },
    /// End the process.
    Exit {
        /// The exit status.
        code: u8,
    },
    /// Hold, then raise `FaultInjected`.
    Timeout {
        /// Microseconds to hold.
        hold_us: u64,
        /// The error's message.
        message: String,
    },
    /// Put this text in the place that the answer's text was taken from.
    Corrupt {
        /// The mangled text.
        text: String,
    },
}

impl Step {
    /// Nothing to do.
    pub const RUN: Self = Self { delay_us: 0, outcome: Outcome::Run };
}

impl Default for Step {
    /// [`Step::RUN`].
    fn default() -> Self {
        Self::RUN
    }
}
