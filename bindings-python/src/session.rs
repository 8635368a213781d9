//! Carries a session's steps out around a synchronous call. Owns what each outcome is in Python; decides nothing.

use faultlayer_core::boundary::{Language, Session, Step, guard};
use faultlayer_core::decision::Outcome;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::act::Acting;
use crate::sleep::hold_us;

/// What stands after a step.
enum Stands<'py> {
    /// The handler's turn, or its own answer or error.
    Own,
    /// This answer instead.
    Answer(Bound<'py, PyAny>),
    /// This error instead.
    Error(PyErr),
    /// The own answer, with this text in the place where its text was.
    Text(String),
}

/// The language's half of a fault: where its Python part lives and in whose place errors are raised.
pub struct Actor<'a, 'py> {
    /// The layer's or the library's.
    pub acting: &'a Acting,
    /// The original handler.
    pub target: &'a Bound<'py, PyAny>,
    /// What to do with trouble of our own: raise it (library) or report it and go on (layer).
    pub trouble: &'a dyn Fn(PyErr) -> PyResult<()>,
}

impl<'py> Actor<'_, 'py> {
    /// Runs `call` between the steps of `session`, or what stands in its place.
    ///
    /// # Errors
    /// The call's own, untouched, or the one that a fault raises.
    pub fn drive(&self, mut session: Session, call: impl FnOnce() -> PyResult<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let result = self.steps(&mut session, call);
        // The end of the invocation waits for its threads to stop: other threads of Python need not.
        self.target.py().detach(|| guard(|| (), || drop(session)));
        result
    }

    fn steps(&self, session: &mut Session, call: impl FnOnce() -> PyResult<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match self.stands(session.before())? {
            Stands::Answer(answer) => return Ok(answer),
            Stands::Error(error) => return Err(error),
            Stands::Own | Stands::Text(_) => {}
        }
        match call() {
            Ok(answer) => {
                let text = if session.wants_text() { text_of(&answer) } else { None };
                let text = text.as_ref().and_then(|text| text.to_str().ok());
                match self.stands(&self.told(|| session.returned(text, None))?)? {
                    Stands::Own => Ok(answer),
                    Stands::Answer(other) => Ok(other),
                    Stands::Error(error) => Err(error),
                    Stands::Text(text) => match with_text(&answer, &text) {
                        Ok(mangled) => Ok(mangled),
                        Err(error) => (self.trouble)(error).map(|()| answer),
                    },
                }
            }
            Err(own) => match self.stands(&self.told(|| session.failed(None))?)? {
                Stands::Error(error) => Err(error),
                _ => Err(own),
            },
        }
    }

    /// The engine's next step; a panic in it is trouble of ours, after which the own answer or error goes on.
    fn told(&self, ask: impl FnOnce() -> Step) -> PyResult<Step> {
        let step = guard(|| None, || Some(ask()));
        step.map_or_else(|| (self.trouble)(PyRuntimeError::new_err("the engine panicked")).map(|()| Step::RUN), Ok)
    }

    /// Holds and does what the step says. An error from here is the user's: a signal handler's, or strict trouble.
    fn stands(&self, step: &Step) -> PyResult<Stands<'py>> {
        let py = self.target.py();
        hold_us(py, step.delay_us)?;
        if let Outcome::Timeout { hold_us: micros, .. } = step.outcome {
            hold_us(py, micros)?;
        }
        self.outcome(&step.outcome).or_else(|error| (self.trouble)(error).map(|()| Stands::Own))
    }

    fn outcome(&self, outcome: &Outcome) -> PyResult<Stands<'py>> {
        let py = self.target.py();
        Ok(match outcome {
            Outcome::Run => Stands::Own,
            Outcome::Error { type_name, message, properties } => {
                let properties = serde_json::to_string(properties).unwrap_or_else(|_| "{}".to_owned());
                Stands::Error(self.acting.error(self.target, type_name.of(Language::Python), message, &properties)?)
            }
            Outcome::Timeout { message, .. } => Stands::Error(self.acting.timeout(self.target, message)?),
            Outcome::Response { answer, .. } => Stands::Answer(self.acting.answer(py, answer.get())?),
            Outcome::Exit { code } => {
                self.acting.end(py, *code)?;
                Stands::Own
            }
            Outcome::Corrupt { text } => Stands::Text(text.clone()),
        })
    }
}

/// The answer if it is a string, or the string `body` of a dict.
pub fn text_of<'py>(answer: &Bound<'py, PyAny>) -> Option<Bound<'py, PyString>> {
    if let Ok(text) = answer.cast::<PyString>() {
        return Some(text.clone());
    }
    let body = answer.cast::<PyDict>().ok()?.get_item(intern!(answer.py(), "body")).ok()??;
    body.cast_into::<PyString>().ok()
}

/// The answer with another text in its place: a copy, since the handler may keep what it returned.
fn with_text<'py>(answer: &Bound<'py, PyAny>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let Ok(fields) = answer.cast::<PyDict>() else {
        return Ok(PyString::new(answer.py(), text).into_any());
    };
    let fields = fields.copy()?;
    fields.set_item(intern!(answer.py(), "body"), text)?;
    Ok(fields.into_any())
}
