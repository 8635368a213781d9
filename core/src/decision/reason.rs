//! Why a fault did not fire.

use serde::Serialize;

/// Stable names; those of the first group stand in records, those of the second only in explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Another outcome of the same phase stands, or a timeout makes its delay pointless.
    Superseded,
    /// An outcome stands instead of the handler.
    HandlerNotRun,
    /// The handler failed, and its own error stands.
    HandlerFailed,
    /// The handler does not stream its response.
    NotStreaming,
    /// The stream ended before the fault's border.
    StreamEnded,
    /// The response is out already.
    AlreadyStreamed,
    /// Nothing of the delay would be left before the deadline's margin.
    DeadlineMargin,
    /// The answer has no text to mangle.
    NothingToCorrupt,
    /// The disk or the memory limit leaves nothing that could be occupied.
    NoRoom,
    /// The system refuses the resource.
    Unavailable,
    /// The handler made no call that the fault is about.
    NoCall,
    /// Of calls that were let through: `calls` did not choose them.
    NotChosen,
    /// This language's shim cannot carry it out.
    NotSupported,
    /// From `expires_at` on; in a record, of a fault that was drawn before.
    Expired,

    /// Before `starts_at`.
    NotStarted,
    /// The event or the context does not match.
    NotMatched,
    /// Whether it matches takes more than the budget of matching.
    MatchBudgetSpent,
    /// The sample is not below the rate.
    NotSampled,
    /// A limit has nothing left.
    LimitReached,
}

impl Reason {
    /// Its name, as it stands in records.
    #[must_use]
    pub fn to_value(self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
