//! One invocation that something was drawn for, as JavaScript holds it: steps as JSON, an explicit end.

use faultlayer_core::boundary::{self, Border, Language, Step, Steps};
use napi::Result;
use napi_derive::napi;
use serde_json::json;

use crate::calls;
use crate::error::failed;
use crate::host::whole;

/// Between `before` and `close`. Garbage collection is no end: what runs beside the handler ends with `close`.
#[napi]
pub struct Session {
    /// Until `close`.
    core: Option<boundary::Session>,
    now_us: Option<i64>,
    deadline_ms: Option<i64>,
    /// What its calls ask, once asked for.
    calls: Option<u32>,
}

impl Session {
    pub(crate) const fn new(core: boundary::Session) -> Self {
        Self { core: Some(core), now_us: None, deadline_ms: None, calls: None }
    }

    /// Nothing where the invocation is over, or a layer's engine failed.
    fn ask<T>(&mut self, question: impl FnOnce(&mut Steps, Option<i64>) -> T) -> Result<Option<T>> {
        let now_us = self.now_us;
        let Some(core) = &mut self.core else { return Ok(None) };
        core.ask(|steps| Some(question(steps, now_us))).map_err(failed)
    }

    fn step(&mut self, question: impl FnOnce(&mut Steps, Option<i64>) -> Step) -> Result<String> {
        let step = self.ask(|steps, now_us| question(steps, now_us).to_json(Language::Node))?;
        Ok(step.unwrap_or_else(|| Step::RUN.to_json(Language::Node)))
    }
}

/// Where the engine fails, a layer's steps say to go on; a library's throw.
#[napi]
impl Session {
    /// What to do before the handler, or instead of it.
    #[napi]
    pub fn before(&mut self) -> Result<String> {
        let deadline_ms = self.deadline_ms;
        self.step(|steps, _| steps.before(deadline_ms))
    }

    /// The number by which the handler's calls ask (`met`), from now on until `close`; nothing where no fault waits for calls.
    #[napi]
    pub fn calls(&mut self) -> Result<Option<u32>> {
        self.calls = self.ask(|steps, _| steps.calls())?.flatten().map(calls::enter);
        Ok(self.calls)
    }

    /// The places of a stream at which faults wait: `[{"index", "after_bytes"} | {"index", "after_ms"}]`.
    #[napi]
    pub fn borders(&mut self) -> Result<String> {
        let form = |border: &Border| match (border.after_bytes, border.after_ms) {
            (Some(bytes), _) => json!({ "index": border.index, "after_bytes": bytes }),
            (None, ms) => json!({ "index": border.index, "after_ms": ms }),
        };
        let borders = self.ask(|steps, _| serde_json::Value::from_iter(steps.borders().iter().map(form)).to_string())?;
        Ok(borders.unwrap_or_else(|| "[]".to_owned()))
    }

    /// The stream has reached a border.
    #[napi]
    pub fn reached(&mut self, border: u32) -> Result<String> {
        self.step(|steps, now_us| steps.reached(border as usize, now_us))
    }

    /// Whether `returned` wants the answer's text, or, of a stream, `chunk` the next chunk.
    #[napi]
    pub fn wants_text(&mut self) -> Result<bool> {
        Ok(self.ask(|steps, _| steps.wants_text())?.unwrap_or_default())
    }

    /// A chunk of a stream, as text, is about to go out.
    #[napi]
    pub fn chunk(&mut self, text: String) -> Result<String> {
        self.step(|steps, now_us| steps.chunk(&text, now_us))
    }

    /// The handler returned.
    #[napi]
    pub fn returned(&mut self, text: Option<String>) -> Result<String> {
        self.step(|steps, now_us| steps.returned(text.as_deref(), now_us))
    }

    /// The handler raised an error of its own.
    #[napi]
    pub fn failed(&mut self) -> Result<String> {
        self.step(Steps::failed)
    }

    /// The deadline in epoch milliseconds, before the first step, where the question did not tell it.
    #[napi]
    pub fn due(&mut self, deadline: f64) {
        self.deadline_ms = whole(deadline);
    }

    /// Sets the time of what follows, in epoch microseconds; the vectors pass it.
    #[napi]
    pub fn at(&mut self, now_us: f64) {
        self.now_us = whole(now_us);
    }

    /// Whether the invocation is over.
    #[napi]
    pub fn closed(&self) -> bool {
        self.core.is_none()
    }

    /// Ends the invocation and all that runs beside it.
    #[napi]
    pub fn close(&mut self) {
        self.core = None;
        self.forget_calls();
    }
}

impl Session {
    fn forget_calls(&mut self) {
        self.calls.take().into_iter().for_each(calls::leave);
    }
}

/// What nobody closed.
impl Drop for Session {
    fn drop(&mut self) {
        self.forget_calls();
    }
}
