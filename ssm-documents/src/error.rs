//! The crate's error: one line for people.

use std::fmt;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};

/// Why something could not be done.
#[derive(Debug)]
pub enum Error {
    /// Systems Manager refused a call, or could not be reached.
    Call {
        /// The operation, as in `StartAutomationExecution`.
        operation: &'static str,
        /// AWS's error code; empty if there was no answer.
        code: String,
        /// What AWS or the connection said.
        message: String,
    },
    /// What was asked for makes no sense; the text names the field first.
    Input(String),
}

impl Error {
    /// AWS's error code, if AWS answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call { code, .. } if !code.is_empty() => Some(code),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { operation, code, message } if code.is_empty() => {
                write!(f, "{operation}: no answer from Systems Manager: {message}")
            }
            Self::Call { operation, code, message } => write!(f, "{operation}: {code}: {message}"),
            Self::Input(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

/// Turns the SDK's error into ours.
pub(crate) fn call<E>(operation: &'static str) -> impl FnOnce(SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    move |error| {
        let code = error.code().unwrap_or_default().to_owned();
        let message = match error.message() {
            Some(message) => message.to_owned(),
            None => deepest(&error),
        };
        Error::Call { operation, code, message }
    }
}

/// The innermost reason: the SDK's own outer ones say only that something went wrong.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
