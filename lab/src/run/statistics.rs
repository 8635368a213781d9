//! Counts and percentiles of one side of a run.

use std::collections::BTreeMap;

use faultlayer_report::figures::Latency;
use serde::Serialize;
use serde_json::Value;

use crate::runtime::{Cause, InvokeOutcome, Invoked};

/// Characters of an error's message that are kept.
const LONGEST_MESSAGE: usize = 300;

/// What the callers of one side saw.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Side {
    /// Invocations.
    pub calls: u64,
    /// Those that were answered.
    pub ok: u64,
    /// Answers that carry an HTTP status from 400, by status. They are among `ok`: to Lambda they are answers.
    pub statuses: BTreeMap<u64, u64>,
    /// Those that failed in the handler or in its initialisation, by `errorType`.
    pub errors: BTreeMap<String, u64>,
    /// The first error of each of these types.
    pub first_errors: BTreeMap<String, FirstError>,
    /// Those of the errors that came before the handler was loaded.
    pub init_errors: u64,
    /// Those that ran out of time.
    pub timeouts: u64,
    /// Those whose process ended.
    pub crashes: u64,
    /// Of the crashes, those for memory.
    pub out_of_memory: u64,
    /// Processes that were started: the first, and one after each crash and timeout.
    pub cold_starts: u64,
    /// What the callers waited, initialisation included.
    pub latency_ms: Latency,
    #[serde(skip)]
    waited: Vec<f64>,
    #[serde(skip)]
    java: bool,
}

/// What an error says, for whoever has to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstError {
    /// `errorMessage`, at most 300 characters of it.
    pub message: String,
    /// Where in the function's own code it was raised, as its language says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
}

impl Side {
    /// Of a function of this runtime.
    pub fn of(runtime: &str) -> Self {
        Side { java: runtime.starts_with("java"), ..Side::default() }
    }

    /// Takes one invocation in. [`Side::finish`] completes the figures.
    pub fn count(&mut self, invoked: &Invoked) {
        self.calls += 1;
        self.cold_starts += u64::from(invoked.cold_start);
        self.waited.push(invoked.latency_ms());
        match &invoked.outcome {
            InvokeOutcome::Ok { payload, .. } => {
                self.ok += 1;
                if let Some(status) = http_status(payload).filter(|status| *status >= 400) {
                    *self.statuses.entry(status).or_default() += 1;
                }
            }
            InvokeOutcome::FunctionError { cause, error_type, payload, .. } => match cause {
                Cause::Timeout => self.timeouts += 1,
                Cause::Exit => self.crashes += 1,
                Cause::Memory => {
                    self.crashes += 1;
                    self.out_of_memory += 1;
                }
                Cause::Handler | Cause::Init | Cause::TooLarge => {
                    let document: Value = serde_json::from_slice(payload).unwrap_or_default();
                    // Java's client says the error's own type only here where it could not initialise.
                    let error_type = document.get("errorType").and_then(Value::as_str).unwrap_or(error_type);
                    let found_none = self.java && *cause == Cause::Handler && names_no_frames(&document);
                    let unreached = *cause == Cause::Init || found_none;
                    *self.errors.entry(error_type.to_owned()).or_default() += 1;
                    self.init_errors += u64::from(unreached);
                    let first = || first_error(&document, if unreached { &invoked.log } else { &[] });
                    self.first_errors.entry(error_type.to_owned()).or_insert_with(first);
                }
            },
        }
    }

    /// The error that kept every single call from reaching the handler, with its type.
    pub fn never_loaded(&self) -> Option<(&str, &FirstError)> {
        let (error_type, first) = self.first_errors.first_key_value()?;
        (self.init_errors == self.calls).then_some((error_type, first))
    }

    /// Computes the percentiles.
    pub fn finish(&mut self) {
        self.latency_ms = Latency::of(&mut self.waited);
    }
}

/// Whether an error document has no place for frames: Java's client answers so, each call anew, where it found no handler to call.
/// What a handler raises has one in every language, if an empty one.
fn names_no_frames(document: &Value) -> bool {
    document.get("errorMessage").is_some() && document.get("stackTrace").or_else(|| document.get("trace")).is_none()
}

/// Reads the error document of a runtime client. `log` is what it printed meanwhile, if that belongs to the error: Java's client tells
/// there alone what went wrong in a class that it loads.
fn first_error(document: &Value, log: &[String]) -> FirstError {
    let message = document.get("errorMessage").and_then(Value::as_str).unwrap_or_default();
    let list = |name| document.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    // Lambda's own place of the code, where a frame names a file: Python ends with the closest one, Node begins with it.
    // Java's frames name classes; the closest comes first, and the JDK's are nobody's own.
    let ours = |frame: &&str| frame.contains("/var/task/");
    // Where Lambda's place is not to be had here, Python's closest frame is the best guess.
    let python = |frame: &&str| frame.trim_start().starts_with("File ");
    let java = |frame: &&str| !frame.contains('/') && !frame.starts_with("java.") && !frame.starts_with("com.amazonaws.");
    let frame = list("stackTrace").rfind(ours).or_else(|| list("trace").find(ours));
    let frame = frame.or_else(|| list("stackTrace").rfind(python)).or_else(|| list("stackTrace").find(java));
    let printed =
        |mark: &'static str| log.iter().filter_map(move |line| line.strip_prefix(mark)).filter(|_| names_no_frames(document));
    let frame = frame.or_else(|| printed("\tat ").find(java));
    let cause = printed("Caused by: ").next_back().map(|cause| format!(", caused by {cause}")).unwrap_or_default();
    FirstError {
        message: message.chars().chain(cause.chars()).take(LONGEST_MESSAGE).collect(),
        frame: frame.and_then(|frame| frame.trim().lines().next()).map(str::to_owned),
    }
}

/// The `statusCode` of an answer in the form that API Gateway and function URLs read.
fn http_status(payload: &[u8]) -> Option<u64> {
    /// The one field that counts; whatever else an answer holds is passed over without being built.
    #[derive(serde::Deserialize)]
    struct Status {
        #[serde(rename = "statusCode")]
        status_code: u64,
    }
    serde_json::from_slice::<Status>(payload).ok().map(|status| status.status_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoked(outcome: InvokeOutcome, ms: f64) -> Invoked {
        Invoked {
            request_id: String::new(),
            outcome,
            cold_start: ms > 150.0,
            init_ms: None,
            duration_ms: ms,
            max_memory_mb: 1,
            log: Vec::new(),
            log_times: Vec::new(),
            log_stream: String::new(),
        }
    }

    fn ok(payload: &'static str) -> InvokeOutcome {
        InvokeOutcome::Ok { payload: payload.into(), content_type: String::new(), stream: None }
    }

    fn failed(cause: Cause, error_type: &str) -> InvokeOutcome {
        InvokeOutcome::FunctionError { cause, error_type: error_type.to_owned(), payload: "{}".into(), stream: None }
    }

    #[test]
    fn every_call_is_counted_once() {
        let mut side = Side::default();
        for outcome in [
            ok("1"),
            ok(r#"{"body":"a","statusCode":503}"#),
            ok(r#"{"statusCode":200}"#),
            failed(Cause::Handler, "ConnectionError"),
            failed(Cause::Init, "Runtime.ImportModuleError"),
            failed(Cause::Timeout, "Sandbox.Timedout"),
            failed(Cause::Exit, "Runtime.ExitError"),
            failed(Cause::Memory, "Runtime.OutOfMemory"),
        ] {
            side.count(&invoked(outcome, 1.0));
        }
        let errors: u64 = side.errors.values().sum();
        assert_eq!(side.calls, side.ok + errors + side.timeouts + side.crashes);
        assert_eq!((side.ok, errors, side.timeouts, side.crashes, side.out_of_memory), (3, 2, 1, 2, 1));
        assert_eq!(side.statuses, BTreeMap::from([(503, 1)]));
    }

    #[test]
    fn the_first_error_of_a_type_says_what_and_where_in_the_functions_own_code() {
        let printed = |payload: &'static str, log: &str| {
            let mut side = Side::default();
            let outcome = InvokeOutcome::FunctionError {
                cause: Cause::Init,
                error_type: "E".to_owned(),
                payload: payload.into(),
                stream: None,
            };
            side.count(&Invoked { log: log.lines().map(str::to_owned).collect(), ..invoked(outcome, 1.0) });
            side.count(&invoked(failed(Cause::Init, "E"), 1.0));
            let (error_type, first) = side.never_loaded().unwrap();
            assert_eq!(error_type, "E");
            (first.message.clone(), first.frame.clone().unwrap_or_default())
        };
        let raised = |payload| printed(payload, "\tat other.Printed.it(Printed.java:1)");
        let python = r#"{"errorMessage":"no","stackTrace":["  File \"/usr/lib/importlib.py\", line 1, in load\n    x()\n",
            "  File \"/var/task/app.py\", line 3, in <module>\n    y()\n", "  File \"/usr/lib/json.py\", line 9, in loads\n"]}"#;
        assert_eq!(raised(python), ("no".to_owned(), r#"File "/var/task/app.py", line 3, in <module>"#.to_owned()));
        let node = r#"{"errorMessage":"no","trace":["Error: no","    at load (node:internal/x:1:1)","    at file:///var/task/index.mjs:2:7"]}"#;
        assert_eq!(raised(node), ("no".to_owned(), "at file:///var/task/index.mjs:2:7".to_owned()));
        let java = r#"{"errorMessage":"Error loading class example.Handler"}"#;
        let log = "E\n\tat java.base/java.lang.Class.forName(Class.java:467)\nCaused by: Other: why\n\tat example.Handler.<clinit>(Handler.java:9)";
        let message = "Error loading class example.Handler, caused by Other: why".to_owned();
        assert_eq!(printed(java, log), (message, "example.Handler.<clinit>(Handler.java:9)".to_owned()));
        assert_eq!(raised("no JSON"), (String::new(), String::new()));
        let mut healthy = Side::default();
        healthy.count(&invoked(ok("1"), 1.0));
        assert_eq!(healthy.never_loaded(), None);
    }

    #[test]
    fn an_error_without_a_place_for_frames_means_that_javas_client_found_no_handler() {
        let loaded = |runtime, payload: &'static str| {
            let mut side = Side::of(runtime);
            let outcome = InvokeOutcome::FunctionError {
                cause: Cause::Handler,
                error_type: "E".to_owned(),
                payload: payload.into(),
                stream: None,
            };
            side.count(&invoked(outcome, 1.0));
            side.never_loaded().is_none()
        };
        for missing in [
            r#"{"errorMessage":"Class not found: no.Such","errorType":"E"}"#,
            r#"{"errorMessage":"No public method named nope"}"#,
        ] {
            assert!(!loaded("java21", missing));
            assert!(loaded("python3.12", missing), "a client of the function's own need not say frames");
        }
        for raised in
            [r#"{"errorMessage":"no","errorType":"E","stackTrace":[]}"#, r#"{"errorMessage":"no","trace":[]}"#, "no JSON"]
        {
            assert!(loaded("java21", raised));
        }
    }

    #[test]
    fn a_side_knows_its_cold_starts_and_what_its_callers_waited() {
        let mut side = Side::default();
        for ms in (1..=200).rev() {
            side.count(&invoked(ok("1"), f64::from(ms)));
        }
        side.finish();
        assert_eq!((side.cold_starts, side.latency_ms.p99, side.latency_ms.max), (50, 198.0, 200.0));
    }
}
