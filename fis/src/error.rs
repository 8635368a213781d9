//! The crate's error: one line for people, that says what to do next where that is known.

use std::fmt;

use aws_sdk_fis::error::{ProvideErrorMetadata, SdkError};
use faultlayer_ssm_documents::Refused;

/// Why something could not be done.
#[derive(Debug)]
pub enum Error {
    /// AWS refused a call, or could not be reached; the operation has its service, as in `fis:StartExperiment`.
    Call(Refused),
    /// What was asked for makes no sense; the text names the field first.
    Input(String),
    /// All that is wrong with a template.
    Template(Vec<String>),
    /// Automation's side of it.
    Automation(faultlayer_ssm_documents::Error),
}

impl Error {
    /// AWS's error code, if AWS answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call(refused) => refused.code(),
            Self::Automation(error) => error.code(),
            _ => None,
        }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        let Self::Call(Refused { operation, code, message }) = self else { return None };
        let lower = message.to_lowercase();
        let step = match code.as_str() {
            "AccessDeniedException" | "AccessDenied" => {
                format!("the caller needs the permission `{operation}`; fis/README.md lists what starting an experiment needs")
            }
            "ExpiredTokenException" | "ExpiredToken" | "UnrecognizedClientException" | "InvalidClientTokenId" => {
                "the credentials are not valid any more: sign in again (`aws sso login`), or set new ones".to_owned()
            }
            "ServiceQuotaExceededException" if lower.contains("experiment") && !lower.contains("template") => {
                "a region runs five experiments at a time: `faultlayer experiment list` names them, `faultlayer experiment stop ID` ends \
                 one"
                    .to_owned()
            }
            "ConflictException" if lower.contains("safety lever") => {
                "the safety lever is engaged; when it is safe again: aws fis update-safety-lever-state --id default --state \
                 status=disengaged,reason=…"
                    .to_owned()
            }
            "ResourceNotFoundException" => "`faultlayer experiment list --templates` names what is there".to_owned(),
            "" => "set AWS_REGION and credentials, or AWS_ENDPOINT_URL for `faultlayer lab`".to_owned(),
            _ => return None,
        };
        Some(step)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(refused) => refused.fmt(f)?,
            Self::Input(text) => f.write_str(text)?,
            Self::Template(problems) => f.write_str(&problems.join("\n"))?,
            Self::Automation(error) => error.fmt(f)?,
        }
        self.next_step().map_or(Ok(()), |step| write!(f, "\n{step}"))
    }
}

impl std::error::Error for Error {}

impl From<faultlayer_ssm_documents::Error> for Error {
    fn from(error: faultlayer_ssm_documents::Error) -> Self {
        Self::Automation(error)
    }
}

/// Turns the SDK's error into ours.
pub(crate) fn call<E>(operation: &'static str) -> impl FnOnce(SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    move |error| Error::Call(Refused::read(operation, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, message: &str) -> String {
        Error::Call(Refused { operation: "fis:StartExperiment", code: code.into(), message: message.into() }).to_string()
    }

    #[test]
    fn what_people_meet_names_the_next_step() {
        let cases = [
            (refused("AccessDeniedException", "no"), "permission `fis:StartExperiment`"),
            (refused("ExpiredTokenException", "expired"), "sign in again"),
            (
                refused("ServiceQuotaExceededException", "You have reached the limit of active experiments"),
                "five experiments at a time",
            ),
            (refused("ConflictException", "The safety lever is engaged"), "update-safety-lever-state"),
            (refused("", "dispatch failure"), "AWS_REGION"),
        ];
        for (text, expected) in cases {
            assert!(text.contains(expected), "{text}");
        }
        assert_eq!(refused("ValidationException", "x").lines().count(), 1);
    }
}
