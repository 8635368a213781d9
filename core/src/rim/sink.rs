//! Where records go.

use std::fmt;

/// Takes the lines of records.
pub enum Sink {
    /// File descriptor 1, one write(2) a line: the log of a Lambda function, whatever its language makes of `stdout`.
    StandardOutput,
    /// A library's own; gets each line without its newline.
    Callback(Box<dyn Fn(&str) + Send + Sync>),
}

impl Sink {
    /// Writes one line. What cannot be written is lost: a log that fails must not become a fault.
    pub fn write(&self, line: &str) {
        match self {
            Self::StandardOutput => {
                let mut bytes = Vec::with_capacity(line.len() + 1);
                bytes.extend_from_slice(line.as_bytes());
                bytes.push(b'\n');
                // One write(2), so that lines of several threads and processes never mix. Not std's stdout: it has a
                // buffer and a lock that a crash or a fork could leave in any state.
                let _ = rustix::io::write(rustix::stdio::stdout(), &bytes);
            }
            Self::Callback(callback) => callback(line),
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::StandardOutput => "StandardOutput",
            Self::Callback(_) => "Callback",
        })
    }
}
