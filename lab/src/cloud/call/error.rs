//! An error as an AWS service answers it: a code, an HTTP status, a message.

use std::fmt;

/// One service error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The error's shape name, as in `ResourceConflictException`.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// What the service says.
    pub message: String,
}

impl ApiError {
    /// An error with its code, status and message.
    pub fn new(code: &str, status: u16, message: impl Into<String>) -> ApiError {
        ApiError { code: code.to_owned(), status, message: message.into() }
    }

    /// A status 400 error, which most are.
    pub fn bad(code: &str, message: impl Into<String>) -> ApiError {
        ApiError::new(code, 400, message)
    }

    /// `ValidationException`.
    pub fn validation(message: impl Into<String>) -> ApiError {
        ApiError::bad("ValidationException", message)
    }

    /// Lambda's `InvalidParameterValueException`.
    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::bad("InvalidParameterValueException", message)
    }

    /// Lambda's `ResourceNotFoundException`.
    pub fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new("ResourceNotFoundException", 404, message)
    }

    /// Lambda's `ResourceConflictException`.
    pub fn conflict(message: impl Into<String>) -> ApiError {
        ApiError::new("ResourceConflictException", 409, message)
    }

    /// Whether the same call may pass a moment later, by whichever of the names that services have for it.
    pub fn is_throttling(&self) -> bool {
        ["Throttl", "TooManyRequests", "RequestLimitExceeded"].iter().any(|word| self.code.contains(word))
    }

    /// The lab's own trouble, as the service would show its own.
    pub fn internal(message: impl Into<String>) -> ApiError {
        ApiError::new("InternalServerError", 500, message)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ApiError {}
