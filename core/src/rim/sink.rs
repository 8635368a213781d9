//! Where records go.

use std::fmt;

use super::log::Log;

/// Takes the lines of records.
#[derive(Debug)]
pub struct Sink(To);

enum To {
    Log(Log),
    Callback(Box<dyn Fn(&str) + Send + Sync>),
}

impl Sink {
    /// File descriptor 1 as it is now: the log of a Lambda function, whatever its language makes of `stdout`.
    #[must_use]
    pub(crate) fn log() -> Self {
        Self(To::Log(Log::open()))
    }

    /// A library's own; gets each line without its newline.
    #[must_use]
    pub fn callback(take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(To::Callback(Box::new(take)))
    }

    /// Writes one line. What cannot be written is lost: a log that fails must not become a fault.
    pub(crate) fn write(&self, line: &str) {
        match &self.0 {
            To::Log(log) => log.write(line),
            To::Callback(take) => take(line),
        }
    }
}

impl fmt::Debug for To {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(log) => log.fmt(formatter),
            Self::Callback(_) => formatter.write_str("Callback"),
        }
    }
}
