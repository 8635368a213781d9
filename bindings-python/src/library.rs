//! The library's native half: `Host`, a plan around any callable.
//!
//! Owns what of a call's arguments is Lambda's; does not own the wrappers (Python), the steps (`session.rs`), nor what
//! outcomes are (`act.rs`).

use std::sync::atomic::{AtomicU64, Ordering};

use faultlayer_core::boundary::{self, Call, EventInput, Identity, Language, Library, Sink};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyModule, PyString, PyTuple, PyType};

use crate::act::{Acting, INJECTED};
use crate::calls;
use crate::context::{Seen, deadline_ms};
use crate::drive::Actor;
use crate::error::{failed, refused};
use crate::event::decide;
use crate::session::Session;
use crate::sleep::monotonic_ns;

/// A plan in force, with its limits' counters: one for each `wrap`, `inject` or `faults`.
#[pyclass(frozen, module = "faultlayer._native")]
pub struct Host {
    library: Library,
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
        let sink = Sink::callback(move |line| deliver(&sink, line));
        let library = Library::open(plan, language, identity, sink).map_err(|error| refused(py, &error))?;
        Ok(Self { library, language, calls: AtomicU64::new(0), acting: Acting::library(py)? })
    }

    /// Puts another plan in force, under running calls.
    fn replace(&self, py: Python<'_>, plan: &str) -> PyResult<()> {
        self.library.replace(plan).map_err(|error| refused(py, &error))
    }

    /// Fault and reason of each fault of the plan in force that never had a chance to fire.
    fn no_chance(&self) -> PyResult<Vec<(String, &'static str)>> {
        let missed = self.library.ask(boundary::Host::no_chance).map_err(failed)?;
        Ok(missed.into_iter().map(|missed| (missed.fault, missed.reason.name())).collect())
    }

    /// Whether the plan in force has faults in calls to AWS.
    fn hits_aws_calls(&self) -> PyResult<bool> {
        self.library.ask(boundary::Host::hits_aws_calls).map_err(failed)
    }

    /// Whether it has faults in connections, which are reached here.
    fn hits_connections(&self) -> PyResult<bool> {
        self.library.ask(boundary::Host::hits_connections).map_err(failed)
    }

    /// Decides for code that makes calls and has no call of its own around it: only faults in calls are drawn.
    fn begin_calls(&self) -> PyResult<Option<Session>> {
        let request_id = self.numbered();
        let session = self.library.ask(|host| host.decide_calls(&Call::of(&request_id))).map_err(failed)?;
        Ok(session.map(|session| Session::new(session, self.language)))
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
            None => {
                let _nobodys = calls::shield(function.py())?;
                call()
            }
            Some(session) => {
                Actor { acting: self.acting, target: function, deadline_ms: &|| None, trouble: &Err }.drive(session, call)
            }
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
        let drawn = self.library.ask(|host| decide(&host.asked(), call, objects)).map_err(failed)?;
        Ok(drawn.map(|session| Session::new(session, self.language)))
    }
}

impl Host {
    /// The decision for a call: a Lambda context as the second argument (or `context`) says who it is, else its number.
    fn drawn(&self, args: &Bound<'_, PyTuple>, kwargs: &Bound<'_, PyDict>) -> PyResult<Option<boundary::Session>> {
        let py = args.py();
        let context = argument(args, 1, kwargs, intern!(py, "context"));
        let event = argument(args, 0, kwargs, intern!(py, "event"));
        let drawn = self.library.ask(|host| {
            let asked = host.asked();
            let seen = context.as_ref().map(|context| Seen::of(context, asked.reads()));
            let numbered;
            let request_id = match seen.as_ref().and_then(Seen::request_id) {
                Some(id) => id,
                None => {
                    numbered = self.numbered();
                    &numbered
                }
            };
            let call = Call {
                request_id,
                deadline_ms: context.as_ref().and_then(deadline_ms),
                function_arn: seen.as_ref().and_then(Seen::function_arn),
                client_context: seen.as_ref().and_then(Seen::client_context),
                event: EventInput::Absent,
                streaming: false,
                now_us: None,
            };
            decide(&asked, call, event.as_ref())
        });
        drawn.map_err(failed)
    }

    fn numbered(&self) -> String {
        format!("call-{}", self.calls.fetch_add(1, Ordering::Relaxed) + 1)
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

/// Adds to the module what the library's Python takes of it.
///
/// # Errors
/// Python ran out of memory.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(monotonic_ns, module)?)?;
    module.add_function(wrap_pyfunction!(error, module)?)?;
    module.add_function(wrap_pyfunction!(timeout, module)?)?;
    module.add_function(wrap_pyfunction!(class_of, module)?)?;
    module.add_function(wrap_pyfunction!(calls::look_at_calls, module)?)?;
    module.add_class::<Host>()?;
    module.add_class::<calls::Calls>()?;
    module.add_class::<Session>()?;
    // A layer makes it only where something can fire.
    if module.name()?.to_str()?.starts_with("faultlayer.") {
        module.add(INJECTED, Acting::library(module.py())?.injected(module.py()))?;
    }
    Ok(())
}
