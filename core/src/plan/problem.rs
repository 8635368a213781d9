//! What is wrong with a plan: every problem with its path, the value that stands there and what is allowed.

use std::fmt::{self, Write};

use serde::Serialize;
use serde_json::Value;

/// A stable name for a kind of problem; the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Not JSON at all, or a number outside binary64.
    InvalidJson,
    /// One key twice in one object.
    DuplicateKey,
    /// A value of another type.
    WrongType,
    /// The right type, but outside what is allowed.
    OutOfRange,
    /// A field that must stand does not.
    MissingField,
    /// A field that does not exist there.
    UnknownField,
    /// A fault's kind that does not exist.
    UnknownKind,
    /// Two faults with one id.
    DuplicateId,
    /// Fields that contradict each other.
    Conflict,
    /// An event pattern that Amazon `EventBridge` would refuse.
    InvalidPattern,
    /// A part of the format that this engine does not carry out yet.
    NotSupported,
    /// A plan for a layer or a library without `expires_at`.
    NoExpiry,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its stable name.
    pub code: ProblemCode,
    /// Where: `faults[2].rate`; empty for the plan as a whole.
    pub path: String,
    /// What stands there, as compact JSON, shortened; absent where nothing stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is allowed; completes "expected …".
    pub expected: String,
}

/// The most problems that people are shown at once; the rest is counted.
pub const MAX_SHOWN: usize = 100;

const LONGEST_SHOWN: usize = 80;

impl Problem {
    /// A problem at `path` where `value` stands (or nothing).
    #[must_use]
    pub fn new(code: ProblemCode, path: &str, value: Option<&Value>, expected: impl Into<String>) -> Self {
        Self { code, path: path.to_owned(), value: value.map(shown), expected: expected.into() }
    }
}

/// A value as compact JSON, shortened; no more of it is written than is shown.
pub(super) fn shown(value: &Value) -> String {
    let mut shown = Shown { text: String::new(), left: LONGEST_SHOWN };
    if write!(shown, "{value}").is_err() {
        shown.text.push('…');
    }
    shown.text
}

struct Shown {
    text: String,
    /// Characters.
    left: usize,
}

impl fmt::Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match text.char_indices().nth(self.left) {
            Some((end, _)) => {
                self.text.push_str(text.get(..end).unwrap_or_default());
                self.left = 0;
                Err(fmt::Error)
            }
            None => {
                self.text.push_str(text);
                self.left -= text.chars().count();
                Ok(())
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "plan" } else { &self.path };
        match &self.value {
            Some(value) => write!(formatter, "{path}: expected {}, got `{value}`", self.expected),
            None => write!(formatter, "{path}: expected {}", self.expected),
        }
    }
}

/// Why there is no plan. The codes are stable and the same in every language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// `plan_invalid`, `plan_unreadable`, `plan_without_expiry` or `plan_source_unknown`.
    pub code: &'static str,
    /// All that is wrong, in the order of the text; never empty.
    pub problems: Vec<Problem>,
}

impl PlanError {
    /// A plan that was read but does not hold.
    #[must_use]
    pub fn invalid(problems: Vec<Problem>) -> Self {
        let only_expiry = problems.iter().all(|problem| problem.code == ProblemCode::NoExpiry);
        Self { code: if only_expiry { "plan_without_expiry" } else { "plan_invalid" }, problems }
    }

    /// `{"code", "path", "message", "problems": […]}` with the first problem's path; of more than [`MAX_SHOWN`] problems the
    /// first ones, and beside them how many more there are, as `more`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (shown, more) = self.shown();
        let mut json = serde_json::json!({
            "code": self.code,
            "path": self.problems.first().map_or("", |problem| &problem.path),
            "message": self.to_string(),
            "problems": shown,
        });
        if let Some(map) = json.as_object_mut().filter(|_| more > 0) {
            map.insert("more".into(), more.into());
        }
        json.to_string()
    }

    /// The problems that people are shown, and how many more there are.
    #[must_use]
    pub fn shown(&self) -> (&[Problem], usize) {
        let (shown, rest) = self.problems.split_at(self.problems.len().min(MAX_SHOWN));
        (shown, rest.len())
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, more) = self.shown();
        for (index, problem) in shown.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{problem}")?;
        }
        if more > 0 {
            write!(formatter, "\nand {more} more")?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    use super::{MAX_SHOWN, shown};
    use crate::plan::Plan;
    use serde_json::{Value, json};

    #[test]
    fn of_very_many_problems_the_first_are_shown_and_the_rest_is_counted() {
        let fault = json!({"id": "same", "kind": "exit", "rate": 1});
        let text = json!({"version": 1, "faults": vec![fault; 4_000]}).to_string();
        let error = Plan::parse(&text).unwrap_err();
        assert_eq!(error.problems.len(), 4_000, "too many faults, and each but the first has the id of another");
        assert_eq!((error.problems[0].path.as_str(), error.problems[3_999].path.as_str()), ("faults", "faults[3999].id"));
        let answer: Value = serde_json::from_str(&error.to_json()).unwrap();
        assert_eq!(answer["problems"].as_array().unwrap().len(), MAX_SHOWN);
        assert_eq!(answer["more"], 3_900);
        assert!(error.to_string().ends_with("\nand 3900 more"));
    }

    #[test]
    fn no_more_of_a_value_is_written_than_is_shown() {
        assert_eq!(shown(&json!("é".repeat(78))), format!("\"{}\"", "é".repeat(78)));
        assert_eq!(shown(&json!("é".repeat(79))), format!("\"{}…", "é".repeat(79)));
    }
}
