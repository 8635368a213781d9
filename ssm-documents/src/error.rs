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

impl Error {
    /// What to do about it, where that is known.
    fn next_step(&self) -> Option<&'static str> {
        let Self::Call { operation, code, message } = self else { return None };
        let said = message.to_lowercase();
        match code.as_str() {
            "InvalidDocument" | "AutomationDefinitionNotFoundException" => {
                Some("register the documents with `faultlayer attach --register --role ARN --layer RUNTIME-ARCHITECTURE=ARN`")
            }
            "AutomationExecutionNotFoundException" => Some("`faultlayer status` lists the executions"),
            "InvalidAutomationExecutionParametersException" if said.contains("role") => {
                Some("name another role with `--role ARN`")
            }
            "AccessDeniedException" | "AccessDenied" if *operation == "StartAutomationExecution" => {
                Some("the caller needs `ssm:StartAutomationExecution` on the document and `iam:PassRole` on the role of `--role`")
            }
            "" if said.contains("region") => Some("set `AWS_REGION`, or `region` in the profile that `AWS_PROFILE` names"),
            "" if said.contains("credential") => Some("set `AWS_PROFILE`, or give credentials as other AWS tools take them"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = self.next_step().map(|next| format!("; {next}")).unwrap_or_default();
        match self {
            Self::Call { operation, code, message } if code.is_empty() => {
                write!(f, "{operation}: no answer from AWS: {message}{next}")
            }
            Self::Call { operation, code, message } => write!(f, "{operation}: {code}: {message}{next}"),
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
