//! Carries a session's steps out around a synchronous call. Does not own what an outcome is in Python (`act.rs`); decides
//! nothing.

use faultlayer_core::boundary::{Failed, Language, Outcome, Session, Step, Steps};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::act::Acting;
use crate::calls::{self, Entered};
use crate::error::failed;
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
    /// Asks for the deadline, where the decision was not told it.
    pub deadline_ms: &'a dyn Fn() -> Option<i64>,
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
        self.target.py().detach(|| drop(session));
        result
    }

    fn steps(&self, session: &mut Session, call: impl FnOnce() -> PyResult<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match self.stands(session.ask(|steps| steps.before((self.deadline_ms)())))? {
            Stands::Answer(answer) => return Ok(answer),
            Stands::Error(error) => return Err(error),
            Stands::Own | Stands::Text(_) => {}
        }
        let entered = self.enter(session)?;
        let ended = call();
        drop(entered);
        match ended {
            Ok(answer) => match self.stands(session.ask(|steps| returned(steps, &answer)))? {
                Stands::Own => Ok(answer),
                Stands::Answer(other) => Ok(other),
                Stands::Error(error) => Err(error),
                Stands::Text(text) => match with_text(&answer, &text) {
                    Ok(mangled) => Ok(mangled),
                    Err(error) => (self.trouble)(error).map(|()| answer),
                },
            },
            Err(own) => match self.stands(session.ask(|steps| steps.failed(None)))? {
                Stands::Error(error) => Err(error),
                _ => Err(own),
            },
        }
    }

    /// From here on, calls to AWS are this invocation's.
    fn enter(&self, session: &mut Session) -> PyResult<Option<Entered<'py>>> {
        calls::enter_drawn(self.target.py(), session).or_else(|error| (self.trouble)(error).map(|()| None))
    }

    /// Holds and does what the step says. An error from here is the user's: a signal handler's, or strict trouble.
    fn stands(&self, step: Result<Step, Failed>) -> PyResult<Stands<'py>> {
        let py = self.target.py();
        let step = step.map_err(failed)?;
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

/// What comes after a call that gave this answer.
pub fn returned(steps: &mut Steps, answer: &Bound<'_, PyAny>) -> Step {
    let text = if steps.wants_text() { text_of(answer) } else { None };
    steps.returned(text.as_ref().and_then(|text| text.to_str().ok()), None)
}

/// The answer if it is a string, or the string `body` of a dict.
fn text_of<'py>(answer: &Bound<'py, PyAny>) -> Option<Bound<'py, PyString>> {
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
