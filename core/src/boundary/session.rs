//! One invocation that something was drawn for.

use std::sync::Arc;
use std::time::Instant;

use faultlayer_network::Armed;

use super::Language;
use super::calls::Calls;
use super::guard::guard;
use super::network::Connections;
use super::side::{Failed, Shared, Side};
use crate::decision::{Border, Decision, Outcome, Phase, Step};
use crate::rim::effects::{Effects, Reservations};
use crate::rim::{clock, daemon};
use crate::timestamp::Timestamp;

/// An invocation from its decision to its end, which is [`Session::end`] or the drop: then all that it holds ends.
#[derive(Debug)]
pub struct Session {
    shared: Arc<Shared>,
    /// Boxed: an invocation that nothing is drawn for moves none of it through the guards.
    steps: Option<Box<Steps>>,
}

impl Session {
    pub(super) fn begin(shared: Arc<Shared>, decision: Decision, connections: Option<Reach>) -> Self {
        let decided = clock::instant();
        let steps = Steps { shared: Arc::clone(&shared), decision, decided, begun: None, connections, armed: None };
        Self { shared, steps: Some(Box::new(steps)) }
    }

    /// Asks for a step. In a layer never an error: a panic, in the engine or in what `question` converts, answers the
    /// default ([`Step::RUN`] for a step), is recorded once, and ends the session: every answer after it is the default too.
    ///
    /// # Errors
    /// In a library: it panicked, now or before.
    pub fn ask<T: Default>(&mut self, question: impl FnOnce(&mut Steps) -> T) -> Result<T, Failed> {
        let Some(mut steps) = self.steps.take() else { return self.shared.over() };
        let (answer, steps) = self.shared.run(move || {
            let answer = question(&mut steps);
            (answer, Some(steps))
        })?;
        self.steps = steps;
        Ok(answer)
    }

    /// The invocation is over: gives unused limits back, and ends disk, memory and CPU now, where a language drops its
    /// objects at a time of its own.
    pub fn end(&mut self) {
        let steps = self.steps.take();
        guard(|| drop(steps));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

/// The steps of one invocation. The shim carries out [`Steps::before`], calls the handler if that says `run`, tells how it
/// ended, and carries out the answer to that.
#[derive(Debug)]
pub struct Steps {
    shared: Arc<Shared>,
    decision: Decision,
    decided: Instant,
    /// The first step, and what runs beside the handler from then on.
    begun: Option<(Step, Effects)>,
    /// Where the plan is about connections.
    connections: Option<Reach>,
    /// While the handler runs.
    armed: Option<Armed>,
}

/// The connections that an invocation can hit.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) connections: Arc<Connections>,
    /// It is a scope around invocations rather than one.
    pub(super) background: bool,
}

impl Steps {
    /// Whether the plan wants injections in their invocations' traces: for [`Steps::tell_trace`].
    #[must_use]
    pub fn traces(&self) -> bool {
        self.decision.traces()
    }

    /// The trace header of the one invocation under way, where the client does not put it into the environment; before the
    /// first step.
    pub fn tell_trace(&self, header: Option<String>) {
        daemon::tell(header);
    }

    /// What to do before the handler, or instead of it: to be asked first. `deadline_ms` as in [`super::Call`], where it was
    /// not told there. Asked again, it is the same, and nothing more is recorded.
    pub fn before(&mut self, deadline_ms: Option<i64>) -> Step {
        if let Some((step, _)) = &self.begun {
            return step.clone();
        }
        if let Some(deadline) = deadline_ms {
            self.decision.set_deadline(Timestamp::from_millis(deadline));
        }
        let mut reservations = Reservations::under(self.shared.identity.memory_mb);
        let phase = self.decision.before(&mut reservations);
        let mut step = self.shared.write(phase);
        let effects = reservations.start();
        // Writing the record is part of the delay. A library's is whole: its caller's clock may stand still.
        if self.shared.side == Side::Layer {
            let taken_us = u64::try_from(self.decided.elapsed().as_micros()).unwrap_or(u64::MAX);
            step.delay_us = step.delay_us.saturating_sub(taken_us);
        }
        self.begun = Some((step.clone(), effects));
        if matches!(step.outcome, Outcome::Run) {
            self.arm();
        }
        step
    }

    fn arm(&mut self) {
        let Some(Reach { connections, background }) = &self.connections else { return };
        let calls = self.decision.connections();
        if calls.is_some() || connections.may_overlap() {
            self.armed = Some(connections.arm(&self.shared, calls, *background));
        }
    }

    /// Of a handler that is about to run, after [`Steps::before`]: what its calls have to ask; `None` where no fault waits
    /// for calls. A shim that asks for it carries such faults out; where it does not, they are skipped (`not_supported`).
    pub fn calls(&mut self) -> Option<Calls> {
        Some(Calls::new(Arc::clone(&self.shared), self.decision.calls()?))
    }

    /// The places of a streamed response at which the shim has to ask [`Steps::reached`].
    #[must_use]
    pub fn borders(&self) -> Vec<Border> {
        self.decision.borders()
    }

    /// The stream has reached a border. After an outcome that ends the stream as by a throw, the shim goes on with
    /// [`Steps::failed`]; after a response, which ends it cleanly, with [`Steps::returned`].
    pub fn reached(&mut self, border: usize, now_us: Option<i64>) -> Step {
        let phase = self.decision.reached(border, at(now_us));
        self.shared.write(phase)
    }

    /// Whether [`Steps::returned`] wants the answer's text, which is the answer if it is a string, or the string `body`
    /// of an answer that is an object; on a stream, whether [`Steps::chunk`] wants the next chunk.
    #[must_use]
    pub fn wants_text(&self) -> bool {
        self.decision.wants_text()
    }

    /// A chunk of a streamed response, after any HTTP prelude and as text, is about to go out: `corrupt` says what goes
    /// out instead of it, `response` that its answer replaces this chunk and all that follow, `run` that it goes out.
    pub fn chunk(&mut self, text: &str, now_us: Option<i64>) -> Step {
        let phase = self.decision.chunk(text, at(now_us));
        self.shared.write(phase)
    }

    /// The handler returned; for a stream, its response is complete.
    pub fn returned(&mut self, text: Option<&str>, now_us: Option<i64>) -> Step {
        self.armed = None;
        let phase = self.decision.returned(text, at(now_us));
        self.shared.write(phase)
    }

    /// The handler raised an error of its own.
    pub fn failed(&mut self, now_us: Option<i64>) -> Step {
        self.armed = None;
        let phase = self.decision.failed(at(now_us));
        self.shared.write(phase)
    }

    /// For [`Step::to_json`].
    #[must_use]
    pub fn language(&self) -> Language {
        self.shared.language
    }
}

pub(super) fn at(now_us: Option<i64>) -> Timestamp {
    now_us.map_or_else(clock::now, Timestamp)
}

impl Shared {
    /// Writes the records, then hands out the step: a record stands before its effect.
    fn write(&self, phase: Phase) -> Step {
        self.write_kept();
        for record in &phase.records {
            self.sink.write(&Self::line(record));
        }
        phase.step
    }
}
