//! Which invocation a call to AWS belongs to. In a library the context says it (`_calls.py`), and where that knows of none,
//! the scope that is open; in a layer it is the one invocation under way, whichever of its threads calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use faultlayer_core::boundary::{self, Session, Steps};
#[cfg(not(feature = "layer"))]
use faultlayer_core::boundary::{Met, Request};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
#[cfg(not(feature = "layer"))]
use pyo3::types::PyBytes;

use crate::botocore::is_installed;
use crate::error::failed;

/// The faults of one invocation that wait for its calls.
#[pyclass(frozen, module = "faultlayer._native")]
pub struct Calls(pub boundary::Calls);

/// Status, headers, body.
#[cfg(not(feature = "layer"))]
type AnswerTuple = (u16, Vec<(&'static str, String)>, Py<PyBytes>);

#[cfg(not(feature = "layer"))]
#[pymethods]
impl Calls {
    /// Asks for one attempt: microseconds to hold it, and what stands instead of AWS's answer.
    #[pyo3(signature = (method, url, *, authorization = None, target = None, content_type = None, retry = None, body = None,
        operation = None, now_us = None))]
    #[expect(clippy::too_many_arguments, reason = "one for each part of a request")]
    fn met(
        &self,
        py: Python<'_>,
        method: &str,
        url: &str,
        authorization: Option<&str>,
        target: Option<&str>,
        content_type: Option<&str>,
        retry: Option<&str>,
        body: Option<&[u8]>,
        operation: Option<&str>,
        now_us: Option<i64>,
    ) -> PyResult<(u64, Option<AnswerTuple>)> {
        let body = body.unwrap_or_default();
        let request = Request { method, url, authorization, target, content_type, retry, body, operation };
        let Met { delay_us, answer } = self.0.met(&request, now_us).map_err(failed)?;
        Ok((delay_us, answer.map(|answer| (answer.status, answer.headers, PyBytes::new(py, &answer.body).unbind()))))
    }
}

/// The library's half: its context variable, which holds `Calls`, or False in an invocation without, and what answers for
/// code outside any.
struct Library {
    variable: Py<PyAny>,
    outside: Py<PyAny>,
}

static LIBRARY: PyOnceLock<Library> = PyOnceLock::new();
/// How many invocations wait for calls; a library, once it looks, counts for one.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// A layer's.
static UNDER_WAY: Mutex<Vec<(ThreadId, boundary::Calls)>> = Mutex::new(Vec::new());

fn under_way() -> MutexGuard<'static, Vec<(ThreadId, boundary::Calls)>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether anything waits for calls at all.
pub fn is_waited_for() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// The library looks at calls from now on.
#[cfg(not(feature = "layer"))]
#[pyfunction]
pub fn look_at_calls(py: Python<'_>, variable: Py<PyAny>, outside: Py<PyAny>) -> PyResult<()> {
    if LIBRARY.set(py, Library { variable, outside }).is_ok() {
        WAITING.fetch_add(1, Ordering::Relaxed);
    }
    crate::botocore::install(py)
}

/// Whether a library is what this is; a layer fails open.
pub fn is_strict(py: Python<'_>) -> bool {
    LIBRARY.get(py).is_some()
}

/// Whose call it is that is made here and now.
pub enum Owner {
    /// This invocation's.
    Of(boundary::Calls),
    /// Of none that waits for calls.
    Nobody,
    /// Of one of several, and nobody can tell of which.
    Unknown(Vec<boundary::Calls>),
}

/// # Errors
/// The library's own.
pub fn owner(py: Python<'_>) -> PyResult<Owner> {
    let Some(library) = LIBRARY.get(py) else {
        let under_way = under_way();
        return Ok(match &under_way[..] {
            [] => Owner::Nobody,
            [(_, only)] => Owner::Of(only.clone()),
            several => {
                let own = thread::current().id();
                match several.iter().rev().find(|(thread, _)| *thread == own) {
                    Some((_, calls)) => Owner::Of(calls.clone()),
                    None => Owner::Unknown(several.iter().map(|(_, calls)| calls.clone()).collect()),
                }
            }
        });
    };
    let mut held = library.variable.bind(py).call_method0("get")?;
    if held.is_none() {
        held = library.outside.bind(py).call0()?;
    }
    Ok(held.cast::<Calls>().map_or(Owner::Nobody, |calls| Owner::Of(calls.get().0.clone())))
}

/// While it lives, calls from here belong to an invocation.
pub struct Entered<'py> {
    /// The library's context variable, and what sets it back.
    library: Option<(&'py Bound<'py, PyAny>, Bound<'py, PyAny>)>,
}

/// An invocation that something was drawn for begins its handler. Nothing where nobody looks at calls.
///
/// # Errors
/// The SDK cannot be hooked, or the library's own.
pub fn enter_drawn<'py>(py: Python<'py>, session: &mut Session) -> PyResult<Option<Entered<'py>>> {
    if !is_installed()? {
        return Ok(None);
    }
    let calls = session.ask(Steps::calls).map_err(failed)?;
    let library = LIBRARY.get(py);
    match (calls, library) {
        (Some(calls), None) => {
            under_way().push((thread::current().id(), calls));
            WAITING.fetch_add(1, Ordering::Relaxed);
            Ok(Some(Entered { library: None }))
        }
        (None, None) => Ok(None),
        (Some(calls), Some(library)) => hold(library.variable.bind(py), Bound::new(py, Calls(calls))?.into_any()),
        (None, Some(_)) => shield(py),
    }
}

/// A call of the library's that nothing was drawn for: its calls are nobody's, whatever is open around it.
///
/// # Errors
/// The library's own.
pub fn shield(py: Python<'_>) -> PyResult<Option<Entered<'_>>> {
    let Some(library) = LIBRARY.get(py) else { return Ok(None) };
    hold(library.variable.bind(py), false.into_pyobject(py)?.to_owned().into_any())
}

fn hold<'py>(variable: &'py Bound<'py, PyAny>, held: Bound<'py, PyAny>) -> PyResult<Option<Entered<'py>>> {
    let before = variable.call_method1("set", (held,))?;
    Ok(Some(Entered { library: Some((variable, before)) }))
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some((variable, before)) = self.library.take() {
            // It was set here, in this context.
            let _ = variable.call_method1("reset", (before,));
            return;
        }
        let mut under_way = under_way();
        let own = thread::current().id();
        if let Some(at) = under_way.iter().rposition(|(thread, _)| *thread == own) {
            under_way.remove(at);
            WAITING.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
