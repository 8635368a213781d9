//! How often a fault fires, possibly changing with the time since the plan's start.

use serde::Deserialize;

use super::problem::{Problem, ProblemCode};

/// A fault's rate: a fraction of the invocations that reach its sample.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Rate {
    /// Always the same.
    Constant(f64),
    /// Changes at fixed times after `starts_at`.
    Steps {
        /// In rising order of time.
        steps: Vec<Step>,
    },
}

/// From when on a rate holds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Step {
    /// Seconds after `starts_at`.
    pub at_s: f64,
    /// The rate from then to the next step.
    pub rate: f64,
}

impl Rate {
    /// The rate that holds so many microseconds after the plan's start.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "microseconds of centuries fit 2^53")]
    pub fn at(&self, micros_since_start: i64) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Steps { steps } => {
                let seconds = micros_since_start as f64 / 1e6;
                steps.iter().rev().find(|step| step.at_s <= seconds).map_or(0.0, |step| step.rate)
            }
        }
    }

    /// The highest rate that ever holds.
    #[must_use]
    pub fn highest(&self) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Steps { steps } => steps.iter().map(|step| step.rate).fold(0.0, f64::max),
        }
    }

    pub(super) fn check(&self, has_start: bool, path: &str, problems: &mut Vec<Problem>) {
        let Self::Steps { steps } = self else { return };
        for (index, pair) in steps.windows(2).enumerate() {
            if let [before, after] = pair
                && after.at_s <= before.at_s
            {
                let path = format!("{path}.steps[{}].at_s", index + 1);
                let expected = format!("seconds that rise from step to step, the one before has {}", before.at_s);
                problems.push(Problem::new(ProblemCode::OutOfRange, &path, Some(&after.at_s.into()), expected));
            }
        }
        if !has_start {
            let expected = "an RFC 3339 time, since a rate has steps that count from it, nothing stands there";
            if !problems.iter().any(|problem| problem.path == "starts_at") {
                problems.push(Problem::new(ProblemCode::MissingField, "starts_at", None, expected));
            }
        }
    }
}
