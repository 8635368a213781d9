//! The platform's own words: error payloads as a caller gets them, and the lines START, END and REPORT of the log.

use bytes::Bytes;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};

use super::process::Exit;
use super::spec::{Cause, FunctionSpec, InvokeOutcome};

const MILLISECONDS: EncodedConfig =
    Config::DEFAULT.set_time_precision(TimePrecision::Second { decimal_digits: std::num::NonZeroU8::new(3) }).encode();

/// The time as in Lambda's logs, `2026-11-23T12:00:00.000Z`.
pub fn timestamp() -> String {
    OffsetDateTime::now_utc().format(&Iso8601::<MILLISECONDS>).unwrap_or_default()
}

/// The time in milliseconds since 1970.
pub fn now_ms() -> i64 {
    i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// An error of the platform as the caller gets it.
pub fn error(cause: Cause, request_id: &str, error_type: &str, message: &str) -> InvokeOutcome {
    let payload = json!({"errorType": error_type, "errorMessage": format!("RequestId: {request_id} Error: {message}")});
    InvokeOutcome::FunctionError {
        cause,
        error_type: error_type.to_owned(),
        payload: Bytes::from(payload.to_string()),
        stream: None,
    }
}

/// `Task timed out after 3.00 seconds`.
pub fn timed_out(spec: &FunctionSpec) -> String {
    format!("Task timed out after {:.2} seconds", spec.timeout.as_secs_f64())
}

/// `Runtime exited with error: exit status 1`, `… signal: killed`, or `Runtime exited without providing a reason`.
pub fn exited(exit: Exit) -> String {
    match exit {
        Exit::Code(0) => "Runtime exited without providing a reason".to_owned(),
        Exit::Code(code) => format!("Runtime exited with error: exit status {code}"),
        Exit::Signal(signal) => format!("Runtime exited with error: signal: {}", signal_words(signal)),
    }
}

/// A signal's name as Go's `os` package says it, since Lambda's supervisor is written in Go.
fn signal_words(signal: i32) -> String {
    match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        other => return format!("signal {other}"),
    }
    .to_owned()
}

/// What stands in the REPORT line beside the figures.
#[derive(Default)]
pub struct Report<'a> {
    pub duration_ms: f64,
    pub init_ms: Option<f64>,
    pub max_memory_mb: u32,
    /// `timeout`, or `error` with its type.
    pub status: Option<(&'a str, Option<&'a str>)>,
}

/// The REPORT line, with tabs as Lambda writes them.
pub fn report_line(request_id: &str, spec: &FunctionSpec, report: &Report<'_>) -> String {
    let billed = (report.duration_ms + report.init_ms.unwrap_or(0.0)).ceil();
    let mut line = format!(
        "REPORT RequestId: {request_id}\tDuration: {:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
        report.duration_ms, spec.memory_mb, report.max_memory_mb
    );
    if let Some(init) = report.init_ms {
        line.push_str(&format!("\tInit Duration: {init:.2} ms"));
    }
    if let Some((status, error_type)) = report.status {
        line.push_str(&format!("\tStatus: {status}"));
        if let Some(error_type) = error_type {
            line.push_str(&format!("\tError Type: {error_type}"));
        }
    }
    line
}
