//! Why the lab could not do what it was asked. What a function does wrong is never one of these: that is an outcome.

use std::fmt;
use std::path::Path;

/// Why the lab could not do what it was asked, in words for the person who asked.
#[derive(Debug, Clone)]
pub struct LabError(String);

impl LabError {
    /// An error that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// An error about a file or folder.
    pub(crate) fn file(action: &str, path: &Path, error: &dyn fmt::Display) -> Self {
        Self(format!("cannot {action} `{}`: {error}", path.display()))
    }
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LabError {}
