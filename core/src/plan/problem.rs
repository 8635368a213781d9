//! What is wrong with a plan: every problem with its path, the value that stands there and what is allowed.

use std::fmt;

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

const LONGEST_SHOWN: usize = 80;

impl Problem {
    /// A problem at `path` where `value` stands (or nothing).
    #[must_use]
    pub fn new(code: ProblemCode, path: &str, value: Option<&Value>, expected: impl Into<String>) -> Self {
        Self { code, path: path.to_owned(), value: value.map(shown), expected: expected.into() }
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
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

    /// `{"code", "path", "message", "problems": […]}` with the first problem's path.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!({
            "code": self.code,
            "path": self.problems.first().map_or("", |problem| &problem.path),
            "message": self.to_string(),
            "problems": self.problems,
        })
        .to_string()
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanError {}
