//! The crate's error: one line for people.

use std::fmt;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};

/// A call that AWS refused, or did not answer.
#[derive(Debug)]
pub struct Refused {
    /// The operation, as in `StartAutomationExecution`.
    pub operation: &'static str,
    /// AWS's error code; empty if there was no answer.
    pub code: String,
    /// What AWS or the connection said.
    pub message: String,
}

impl Refused {
    /// Reads the SDK's error about an operation.
    pub fn read<E>(operation: &'static str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().map_or_else(|| deepest(error), str::to_owned);
        Self { operation, code, message }
    }

    /// AWS's error code, if AWS answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        Some(self.code.as_str()).filter(|code| !code.is_empty())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            None => write!(f, "{}: no answer from AWS: {}", self.operation, self.message),
            Some(code) => write!(f, "{}: {code}: {}", self.operation, self.message),
        }
    }
}

/// Why something could not be done.
#[derive(Debug)]
pub enum Error {
    /// Systems Manager refused a call, or could not be reached.
    Call(Refused),
    /// What was asked for makes no sense; the text names the field first.
    Input(String),
}

impl Error {
    /// AWS's error code, if AWS answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call(refused) => refused.code(),
            Self::Input(_) => None,
        }
    }

    /// What to do about it, where that is known.
    fn next_step(&self) -> Option<&'static str> {
        let Self::Call(Refused { operation, code, message }) = self else { return None };
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
        match self {
            Self::Call(refused) => refused.fmt(f)?,
            Self::Input(text) => f.write_str(text)?,
        }
        self.next_step().map_or(Ok(()), |next| write!(f, "; {next}"))
    }
}

impl std::error::Error for Error {}

/// Turns the SDK's error into ours.
pub(crate) fn call<E>(operation: &'static str) -> impl FnOnce(SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    move |error| Error::Call(Refused::read(operation, &error))
}

/// The innermost reason: the SDK's own outer ones say only that something went wrong.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
