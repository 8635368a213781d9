//! `Session`, one invocation of the library's that something was drawn for, as Python holds it.

use std::sync::{Mutex, PoisonError};

use faultlayer_core::boundary::{self, Language, Step, Steps};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::calls::Calls;
use crate::drive::returned;
use crate::error::failed;

/// Index, bytes, milliseconds.
type BorderTuple = (usize, Option<u64>, Option<f64>);

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
        self.step(|steps| steps.before(None))
    }

    /// What the call's own calls to AWS ask; `None` where no fault waits for them.
    fn calls(&self) -> PyResult<Option<Calls>> {
        crate::botocore::is_installed()?;
        Ok(self.ask(|steps| steps.calls())?.map(Calls))
    }

    /// The places of a stream at which `reached` has to be asked.
    fn borders(&self) -> PyResult<Vec<BorderTuple>> {
        self.ask(|steps| steps.borders().iter().map(|border| (border.index, border.after_bytes, border.after_ms)).collect())
    }

    /// A stream has come to a border.
    #[pyo3(signature = (border, now_us = None))]
    fn reached(&self, border: usize, now_us: Option<i64>) -> PyResult<String> {
        self.step(|steps| steps.reached(border, now_us))
    }

    /// A stream is about to deliver this text.
    #[pyo3(signature = (text, now_us = None))]
    fn chunk(&self, text: &str, now_us: Option<i64>) -> PyResult<String> {
        self.step(|steps| steps.chunk(text, now_us))
    }

    /// The call answered; the text is in the answer.
    fn answered(&self, answer: &Bound<'_, PyAny>) -> PyResult<String> {
        self.step(|steps| returned(steps, answer))
    }

    /// The call answered, with this text to corrupt.
    #[pyo3(signature = (text = None, now_us = None))]
    fn returned(&self, text: Option<&str>, now_us: Option<i64>) -> PyResult<String> {
        self.step(|steps| steps.returned(text, now_us))
    }

    /// The call raised an error of its own.
    #[pyo3(signature = (now_us = None))]
    fn failed(&self, now_us: Option<i64>) -> PyResult<String> {
        self.step(|steps| steps.failed(now_us))
    }

    /// Ends the invocation, and with it everything that ran beside it.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.session.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }
}

impl Session {
    /// What the library's `Host` hands out.
    pub fn new(session: boundary::Session, language: Language) -> Self {
        Self { language, session: Mutex::new(Some(session)) }
    }

    fn step(&self, question: impl FnOnce(&mut Steps) -> Step) -> PyResult<String> {
        self.ask(|steps| question(steps).to_json(self.language))
    }

    fn ask<T: Default>(&self, question: impl FnOnce(&mut Steps) -> T) -> PyResult<T> {
        // An invocation's steps come one after the other. Waiting here would hold the GIL that the other step may need.
        let mut session =
            self.session.try_lock().map_err(|_| PyRuntimeError::new_err("another step of the session is under way"))?;
        let session = session.as_mut().ok_or_else(|| PyValueError::new_err("the session is closed"))?;
        session.ask(question).map_err(failed)
    }
}
