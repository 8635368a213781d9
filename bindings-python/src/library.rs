//! The library's native half: `Host`, a plan around any callable, and `Session`, one invocation of it.
//!
//! Owns what of a call's arguments is Lambda's, and the strictness; does not own the wrappers (Python), nor what outcomes
//! are (`session.rs`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use faultlayer_core::boundary::{self, Call, EventInput, Identity, Language, PlanError, Reads, Sink, Step, guard};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};

use crate::act::Acting;
use crate::context::Seen;
use crate::error::refused;
use crate::event::decide;
use crate::session::{Actor, text_of};

/// Index, bytes, milliseconds.
type BorderTuple = (usize, Option<u64>, Option<f64>);

/// A plan in force, with its limits' counters: one for each `wrap`, `inject` or `faults`.
#[pyclass(frozen, module = "faultlayer._native")]
pub struct Host {
    host: boundary::Host,
    language: Language,
    /// Calls without a request id so far: each gets `call-N`.
    calls: AtomicU64,
    acting: &'static Acting,
}

#[pymethods]
impl Host {
    /// `plan` is JSON; `sink` gets each record's line. `language` and `identity` are for tests of the engine itself.
    #[new]
    #[pyo3(signature = (plan, sink, *, language = "python", identity = None))]
    fn new(py: Python<'_>, plan: &str, sink: Py<PyAny>, language: &str, identity: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let language = language_of(language)?;
        let identity = identity.map_or_else(|| Ok(Identity::from_environment()), identity_of)?;
        let sink = Sink::Callback(Box::new(move |line| deliver(&sink, line)));
        let host = checked(py, || boundary::Host::library(plan, language, identity, sink))?;
        Ok(Self { host, language, calls: AtomicU64::new(0), acting: Acting::library(py)? })
    }

    /// Puts another plan in force, under running calls.
    fn replace(&self, py: Python<'_>, plan: &str) -> PyResult<()> {
        checked(py, || self.host.replace(plan))
    }

    /// Fault and reason of each fault of the plan in force that never had a chance to fire.
    fn no_chance(&self) -> PyResult<Vec<(String, &'static str)>> {
        let missed = guard(|| Err(panicked()), || Ok(self.host.no_chance()))?;
        Ok(missed.into_iter().map(|missed| (missed.fault, missed.reason.name())).collect())
    }

    /// Calls `function`, with the faults that are drawn for this call.
    fn call<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = || if kwargs.is_empty() { function.call1(args) } else { function.call(args, Some(kwargs)) };
        match self.drawn(args, kwargs)? {
            None => call(),
            Some(session) => Actor { acting: self.acting, target: function, trouble: &Err }.drive(session, call),
        }
    }

    /// Decides for a call that the caller carries out itself, step by step; `None` if nothing is drawn.
    fn begin(&self, args: &Bound<'_, PyTuple>, kwargs: &Bound<'_, PyDict>) -> PyResult<Option<Session>> {
        Ok(self.drawn(args, kwargs)?.map(|session| Session::new(session, self.language)))
    }

    /// Decides for an invocation that is told in full: `client_context` as JSON text, `event` as JSON (bytes) or as
    /// Python's objects, `now_us` in microseconds since the epoch.
    #[pyo3(signature = (request_id, *, deadline_ms = None, function_arn = None, client_context = None, event = None,
        streaming = false, now_us = None))]
    #[expect(clippy::too_many_arguments, reason = "one for each field of an invocation")]
    fn decide(
        &self,
        request_id: &str,
        deadline_ms: Option<i64>,
        function_arn: Option<&str>,
        client_context: Option<&str>,
        event: Option<&Bound<'_, PyAny>>,
        streaming: bool,
        now_us: Option<i64>,
    ) -> PyResult<Option<Session>> {
        let json = event.and_then(|event| event.cast::<PyBytes>().ok());
        let as_json = json.map_or(EventInput::Absent, |json| EventInput::Json(json.as_bytes()));
        let call = Call { request_id, deadline_ms, function_arn, client_context, event: as_json, streaming, now_us };
        let objects = event.filter(|_| json.is_none());
        Ok(self.ask(self.host.reads(), call, objects)?.map(|session| Session::new(session, self.language)))
    }
}

impl Host {
    /// The decision for a call: a Lambda context as the second argument (or `context`) says who it is, else its number.
    fn drawn(&self, args: &Bound<'_, PyTuple>, kwargs: &Bound<'_, PyDict>) -> PyResult<Option<boundary::Session>> {
        let py = args.py();
        let reads = self.host.reads();
        let context = argument(args, 1, kwargs, intern!(py, "context"));
        let seen = context.as_ref().map(|context| Seen::of(context, reads));
        let numbered;
        let request_id = match seen.as_ref().and_then(Seen::request_id) {
            Some(id) => id,
            None => {
                numbered = format!("call-{}", self.calls.fetch_add(1, Ordering::Relaxed) + 1);
                &numbered
            }
        };
        let call = Call {
            request_id,
            deadline_ms: seen.as_ref().and_then(Seen::deadline_ms),
            function_arn: seen.as_ref().and_then(Seen::function_arn),
            client_context: seen.as_ref().and_then(Seen::client_context),
            event: EventInput::Absent,
            streaming: false,
            now_us: None,
        };
        self.ask(reads, call, argument(args, 0, kwargs, intern!(py, "event")).as_ref())
    }

    fn ask(&self, reads: Reads, call: Call<'_>, event: Option<&Bound<'_, PyAny>>) -> PyResult<Option<boundary::Session>> {
        guard(|| Err(panicked()), || Ok(decide(&self.host, reads, call, event)))
    }
}

/// One invocation that something was drawn for. Each step is JSON: `{"delay_us": …, "outcome": …}`.
#[pyclass(frozen, module = "faultlayer._native")]
pub struct Session {
    language: Language,
    session: Mutex<Option<boundary::Session>>,
}

#[pymethods]
impl Session {
    /// What to do before the call, or in its place.
    fn before(&self) -> PyResult<String> {
        self.step(|session| session.before().clone())
    }

    /// The places of a stream at which `reached` has to be asked.
    fn borders(&self) -> PyResult<Vec<BorderTuple>> {
        self.with(|session| session.borders().iter().map(|border| (border.index, border.after_bytes, border.after_ms)).collect())
    }

    /// A stream has come to a border.
    #[pyo3(signature = (border, now_us = None))]
    fn reached(&self, border: usize, now_us: Option<i64>) -> PyResult<String> {
        self.step(|session| session.reached(border, now_us))
    }

    /// A stream is about to deliver this text.
    #[pyo3(signature = (text, now_us = None))]
    fn chunk(&self, text: &str, now_us: Option<i64>) -> PyResult<String> {
        self.step(|session| session.chunk(text, now_us))
    }

    /// The call answered; the text is in the answer.
    fn answered(&self, answer: &Bound<'_, PyAny>) -> PyResult<String> {
        let text = if self.with(|session| session.wants_text())? { text_of(answer) } else { None };
        self.returned(text.as_ref().and_then(|text| text.to_str().ok()), None)
    }

    /// The call answered, with this text to corrupt.
    #[pyo3(signature = (text = None, now_us = None))]
    fn returned(&self, text: Option<&str>, now_us: Option<i64>) -> PyResult<String> {
        self.step(|session| session.returned(text, now_us))
    }

    /// The call raised an error of its own.
    #[pyo3(signature = (now_us = None))]
    fn failed(&self, now_us: Option<i64>) -> PyResult<String> {
        self.step(|session| session.failed(now_us))
    }

    /// Ends the invocation, and with it everything that ran beside it.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).take();
            guard(|| (), || drop(session));
        });
    }
}

impl Session {
    fn new(session: boundary::Session, language: Language) -> Self {
        Self { language, session: Mutex::new(Some(session)) }
    }

    fn step(&self, ask: impl FnOnce(&mut boundary::Session) -> Step) -> PyResult<String> {
        self.with(|session| ask(session).to_json(self.language))
    }

    fn with<T>(&self, ask: impl FnOnce(&mut boundary::Session) -> T) -> PyResult<T> {
        // An invocation's steps come one after the other. Waiting here would hold the GIL that the other step may need.
        let mut session =
            self.session.try_lock().map_err(|_| PyRuntimeError::new_err("another step of the session is under way"))?;
        let session = session.as_mut().ok_or_else(|| PyValueError::new_err("the session is closed"))?;
        guard(|| Err(panicked()), || Ok(ask(session)))
    }
}

fn argument<'py>(
    args: &Bound<'py, PyTuple>,
    index: usize,
    kwargs: &Bound<'py, PyDict>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    args.get_item(index).ok().or_else(|| kwargs.get_item(name).ok().flatten())
}

/// A record goes to the library's sink. What that raises cannot reach the caller of an engine in the middle of a decision:
/// it goes where Python sends such errors.
fn deliver(sink: &Py<PyAny>, line: &str) {
    Python::attach(|py| {
        if let Err(error) = sink.call1(py, (line,)) {
            error.write_unraisable(py, Some(sink.bind(py)));
        }
    });
}

fn checked<T>(py: Python<'_>, make: impl FnOnce() -> Result<T, PlanError>) -> PyResult<T> {
    match guard(|| None, || Some(make())) {
        Some(made) => made.map_err(|error| refused(py, &error)),
        None => Err(panicked()),
    }
}

fn panicked() -> PyErr {
    PyRuntimeError::new_err("the engine panicked")
}

fn language_of(name: &str) -> PyResult<Language> {
    match name {
        "python" => Ok(Language::Python),
        "node" => Ok(Language::Node),
        "java" => Ok(Language::Java),
        _ => Err(PyValueError::new_err(format!("language: expected \"python\", \"node\" or \"java\", got `{name}`"))),
    }
}

fn identity_of(fields: &Bound<'_, PyDict>) -> PyResult<Identity> {
    let text = |name: &str| -> PyResult<Option<String>> { fields.get_item(name)?.map(|value| value.extract()).transpose() };
    Ok(Identity {
        function_name: text("function_name")?,
        function_version: text("function_version")?,
        memory_mb: fields.get_item("memory_mb")?.map(|value| value.extract()).transpose()?,
        runtime: text("runtime")?,
    })
}

/// The exception of an `error`, as it is once it was raised in the place of `target`; for calls that carry their steps out
/// themselves.
#[pyfunction]
pub fn error(target: &Bound<'_, PyAny>, name: &str, message: &str, properties: &str) -> PyResult<PyErr> {
    Acting::library(target.py())?.error(target, name, message, properties)
}

/// The exception of a `timeout`, likewise.
#[pyfunction]
pub fn timeout(target: &Bound<'_, PyAny>, message: &str) -> PyResult<PyErr> {
    Acting::library(target.py())?.timeout(target, message)
}

/// The exception class that a plan's `type` names, or `None`.
#[pyfunction]
pub fn class_of<'py>(py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyType>>> {
    Ok(Acting::library(py)?.class_of(py, name))
}
