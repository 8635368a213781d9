//! What a function is, what one invocation is given, and what its caller got. Plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

/// A function as Lambda knows it. What is not given has Lambda's own default.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// The function's name.
    pub name: String,
    /// `$LATEST` or a version's number.
    pub version: String,
    /// The runtime's identifier, as in `python3.12`.
    pub runtime: String,
    /// The handler, as in `app.handler`.
    pub handler: String,
    /// The folder that the function sees as `/var/task`. It is only read.
    pub code_dir: PathBuf,
    /// Layers in their order: archives (`.zip`) or folders, laid out as under `/opt`.
    pub layers: Vec<PathBuf>,
    /// The function's own environment variables.
    pub variables: BTreeMap<String, String>,
    /// From handing the event over to the kill.
    pub timeout: Duration,
    /// What the processes may use together, in MB.
    pub memory_mb: u32,
    /// The size of `/tmp`, in MB.
    pub ephemeral_mb: u32,
    /// The region in ARNs and variables.
    pub region: String,
    /// The account in ARNs, twelve digits.
    pub account: String,
    /// Where the function is told that its log goes.
    pub log_group: String,
}

impl FunctionSpec {
    /// A function with Lambda's defaults: `$LATEST`, 3 s, 128 MB, 512 MB of `/tmp`, no layers, no variables.
    pub fn new(name: &str, runtime: &str, handler: &str, code_dir: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            version: "$LATEST".to_owned(),
            runtime: runtime.to_owned(),
            handler: handler.to_owned(),
            code_dir: code_dir.into(),
            layers: Vec::new(),
            variables: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            ephemeral_mb: 512,
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            log_group: format!("/aws/lambda/{name}"),
        }
    }

    /// The function's ARN, without a version.
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.name)
    }
}

/// The largest event of an invocation that is waited for, in bytes.
pub const LARGEST_EVENT: usize = 6_291_456;
/// The largest event of an asynchronous invocation, in bytes.
pub const LARGEST_ASYNCHRONOUS_EVENT: usize = 1_048_576;
/// The largest answer, in bytes.
pub const LARGEST_ANSWER: usize = 6_291_556;
/// The largest streamed answer, in bytes.
pub const LARGEST_STREAM: usize = 209_715_200;

/// One invocation.
#[derive(Debug, Clone, Default)]
pub struct Invoke {
    /// The event, as JSON text.
    pub event: Bytes,
    /// The request id; drawn at random where there is none.
    pub request_id: Option<String>,
    /// The client context, as JSON text.
    pub client_context: Option<String>,
    /// The ARN that was invoked, with its version or alias; the function's own where there is none.
    pub function_arn: Option<String>,
}

/// What became of one invocation.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The invocation's request id.
    pub request_id: String,
    /// What the caller got.
    pub outcome: InvokeOutcome,
    /// Whether a process was started for this invocation: in a new environment, or after a crash or a timeout.
    pub cold_start: bool,
    /// How long initialisation took before the event was handed over; absent where it was part of `duration_ms` or did not happen.
    pub init_ms: Option<f64>,
    /// From handing the event over (or from restarting the process for it) to the answer, in ms.
    pub duration_ms: f64,
    /// The most memory that the environment's processes have used so far, in MB.
    pub max_memory_mb: u32,
    /// Lines of standard output and error during this invocation, with the platform's START, END and REPORT.
    pub log: Vec<String>,
    /// When each of the lines was read, in milliseconds since 1970.
    pub log_times: Vec<i64>,
    /// The stream that the environment's log belongs to.
    pub log_stream: String,
}

impl Invoked {
    /// What the caller waited, in ms: initialisation and invocation.
    pub fn latency_ms(&self) -> f64 {
        self.init_ms.unwrap_or(0.0) + self.duration_ms
    }
}

/// What the caller got.
#[derive(Debug, Clone)]
pub enum InvokeOutcome {
    /// The function's own answer.
    Ok {
        /// The whole answer, streamed or not.
        payload: Bytes,
        /// As the client posted it.
        content_type: String,
        /// How it was streamed, if it was.
        stream: Option<Stream>,
    },
    /// An error, in the form of `X-Amz-Function-Error: Unhandled`.
    FunctionError {
        /// What went wrong.
        cause: Cause,
        /// `errorType`, as in `ConnectionError` or `Runtime.ExitError`.
        error_type: String,
        /// What Lambda answers: JSON with `errorMessage`, and `errorType` where there is one.
        payload: Bytes,
        /// What had been streamed until then.
        stream: Option<Stream>,
    },
}

impl InvokeOutcome {
    /// The body of the answer.
    pub fn payload(&self) -> &Bytes {
        match self {
            Self::Ok { payload, .. } | Self::FunctionError { payload, .. } => payload,
        }
    }
}

/// What went wrong in a failed invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The handler failed and the client said so.
    Handler,
    /// The function could not be initialised.
    Init,
    /// The time was over and the processes were killed.
    Timeout,
    /// The process ended by itself.
    Exit,
    /// The processes used more memory than the function has, and were killed.
    Memory,
    /// The answer was larger than Lambda takes.
    TooLarge,
}

/// A streamed answer, as it came.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// `application/vnd.awslambda.http-integration-response` where a prelude leads the body.
    pub content_type: String,
    /// The pieces: milliseconds since the event was handed over, and bytes.
    pub chunks: Vec<(f64, Bytes)>,
}

impl Stream {
    /// All pieces together.
    pub fn bytes(&self) -> Bytes {
        let mut all = Vec::new();
        for (_, chunk) in &self.chunks {
            all.extend_from_slice(chunk);
        }
        Bytes::from(all)
    }
}
