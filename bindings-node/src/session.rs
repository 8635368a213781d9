//! One invocation that something was drawn for, as JavaScript holds it: steps as JSON, an explicit end.

use faultlayer_core::boundary::{self, Step, guard};
use napi_derive::napi;
use serde_json::json;

use crate::host::whole;

/// What a step is where the engine fails: go on.
const RUN: &str = r#"{"delay_us":0,"outcome":"run"}"#;

/// Between `before` and `close`. Garbage collection is no end: what runs beside the handler ends with `close`.
#[napi]
pub struct Session {
    core: Option<boundary::Session>,
    now_us: Option<i64>,
}

impl Session {
    pub(crate) const fn new(core: boundary::Session) -> Self {
        Self { core: Some(core), now_us: None }
    }

    fn step(&mut self, ask: impl FnOnce(&mut boundary::Session, Option<i64>) -> Step) -> String {
        let now_us = self.now_us;
        guard(
            || RUN.to_owned(),
            || match &mut self.core {
                Some(core) => {
                    let language = core.language();
                    ask(core, now_us).to_json(language)
                }
                None => RUN.to_owned(),
            },
        )
    }
}

#[napi]
impl Session {
    /// What to do before the handler, or instead of it.
    #[napi]
    pub fn before(&mut self) -> String {
        self.step(|core, _| core.before().clone())
    }

    /// The places of a stream at which faults wait: `[{"index", "after_bytes"} | {"index", "after_ms"}]`.
    #[napi]
    pub fn borders(&self) -> String {
        let borders = guard(Vec::new, || self.core.as_ref().map(boundary::Session::borders).unwrap_or_default());
        let form = |border: &boundary::Border| match (border.after_bytes, border.after_ms) {
            (Some(bytes), _) => json!({ "index": border.index, "after_bytes": bytes }),
            (None, ms) => json!({ "index": border.index, "after_ms": ms }),
        };
        serde_json::Value::from_iter(borders.iter().map(form)).to_string()
    }

    /// The stream has reached a border.
    #[napi]
    pub fn reached(&mut self, border: u32) -> String {
        self.step(|core, now_us| core.reached(border as usize, now_us))
    }

    /// Whether `returned` wants the answer's text, or, of a stream, `chunk` the next chunk.
    #[napi]
    pub fn wants_text(&self) -> bool {
        guard(|| false, || self.core.as_ref().is_some_and(boundary::Session::wants_text))
    }

    /// A chunk of a stream, as text, is about to go out.
    #[napi]
    pub fn chunk(&mut self, text: String) -> String {
        self.step(|core, now_us| core.chunk(&text, now_us))
    }

    /// The handler returned.
    #[napi]
    pub fn returned(&mut self, text: Option<String>) -> String {
        self.step(|core, now_us| core.returned(text.as_deref(), now_us))
    }

    /// The handler raised an error of its own.
    #[napi]
    pub fn failed(&mut self) -> String {
        self.step(boundary::Session::failed)
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
        let core = self.core.take();
        guard(|| (), || drop(core));
    }
}
