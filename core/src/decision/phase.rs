//! How the drawn faults of one invocation combine, phase by phase, with a reason for each that does not fire. It goes by the
//! kinds' roles alone; what a kind does and what its record says is the kind's own business ([`crate::faults`]).
//!
//! A fault is *settled* once its fate is certain; its record is made at that moment, in the plan's order.

use std::sync::Arc;

use super::Running;
use super::calls::{Calls, Told};
use super::draw::{Drawn, Drawns};
use super::engine::Invocation;
use super::moment::{Act, Details, Effect, Moment};
use super::outcome::{Outcome, Step};
use super::reason::Reason;
use super::resources::Resources;
use crate::faults::Role;
use crate::plan::{Expiry, Fault, When};
use crate::record::{Action, Record};
use crate::timestamp::Timestamp;

/// The drawn faults of one invocation. Dropping it gives back to the limits what was never settled.
#[derive(Debug)]
pub struct Decision {
    running: Arc<Running>,
    told: Told,
    streaming: bool,
    /// In the plan's order; `None` once settled.
    drawn: Vec<Option<Drawn>>,
    /// Once asked for.
    calls: Option<Arc<Calls>>,
    carries: Carries,
}

/// Which faults in calls somebody carries out.
#[derive(Clone, Copy, Debug, Default)]
struct Carries {
    aws_calls: bool,
    network: bool,
}

/// What one point of an invocation brings.
#[derive(Debug)]
pub struct Phase {
    /// What to do.
    pub step: Step,
    /// Of the faults that were settled here, in the plan's order; to be written before the step is carried out.
    pub records: Vec<Record>,
}

/// A place in a streamed response at which a fault waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Border {
    /// To be named when the stream reaches it.
    pub index: usize,
    /// Reached once so many bytes are out.
    pub after_bytes: Option<u64>,
    /// Reached so many milliseconds after the stream began.
    pub after_ms: Option<f64>,
}

/// How the handler ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    Returned,
    Failed,
}

impl Decision {
    pub(super) fn new(running: Arc<Running>, invocation: &Invocation<'_>, drawn: Drawns) -> Self {
        let told = Told {
            request_id: invocation.request_id.to_owned(),
            started: invocation.now,
            deadline: invocation.deadline,
            cold_start: invocation.cold_start,
        };
        let drawn = drawn.into_iter().map(Some).collect();
        Self { running, told, streaming: invocation.streaming, drawn, calls: None, carries: Carries::default() }
    }

    /// The deadline, where it was not told with the invocation: to be known before [`Decision::before`].
    pub const fn set_deadline(&mut self, deadline: Timestamp) {
        self.told.deadline = Some(deadline);
    }

    /// Whether the plan wants injections in their invocations' traces.
    #[must_use]
    pub fn traces(&self) -> bool {
        self.running.plan.traces
    }

    /// Before the handler: resource faults as far as `resources` grants them, delays, then the first outcome that stands
    /// instead of the handler.
    pub fn before(&mut self, resources: &mut dyn Resources) -> Phase {
        let stands = |fault: &Fault| fault.when == When::Before;
        let winner = self.first(|fault| stands(fault) && fault.is_outcome());
        let mut pass = self.pass(self.told.started, winner);
        for slot in 0..pass.decision.drawn.len() {
            let Some((when, role)) = pass.decision.fault(slot).map(|fault| (fault.when, fault.role())) else { continue };
            match when {
                // Of a handler that runs, they wait for its calls.
                When::Before if role == Role::Calls => {
                    if winner.is_some() {
                        pass.skip(slot, Reason::HandlerNotRun);
                    }
                }
                When::Before => pass.settle(slot, None, Some(&mut *resources)),
                _ if winner.is_some() => pass.skip(slot, Reason::HandlerNotRun),
                When::During { .. } if !pass.decision.streaming => pass.skip(slot, Reason::NotStreaming),
                When::During { .. } | When::After => {}
            }
        }
        pass.finish()
    }

    /// What the handler's calls to AWS have to ask from now on, after [`Decision::before`]; `None` where no fault waits for
    /// them. Whoever asks for it says that it carries such faults out.
    pub fn calls(&mut self) -> Option<Arc<Calls>> {
        self.first(|fault| fault.kind.aws_call().is_some())?;
        self.carries.aws_calls = true;
        Some(self.waiting())
    }

    /// What connections have to ask, likewise.
    pub fn connections(&mut self) -> Option<Arc<Calls>> {
        self.first(|fault| fault.kind.network().is_some())?;
        self.carries.network = true;
        Some(self.waiting())
    }

    /// All that waits for calls.
    pub(super) fn waiting(&mut self) -> Arc<Calls> {
        let waiting = (0..self.drawn.len()).filter(|slot| self.fault(*slot).is_some_and(|fault| fault.role() == Role::Calls));
        let drawn: Vec<_> = waiting.filter_map(|slot| self.drawn.get(slot).cloned().flatten()).collect();
        let (running, told) = (&self.running, &self.told);
        let make = || Arc::new(Calls::new(Arc::clone(running), told.clone(), drawn.into_iter()));
        Arc::clone(self.calls.get_or_insert_with(make))
    }

    /// The places of a streamed response at which faults still wait, in the plan's order.
    #[must_use]
    pub fn borders(&self) -> Vec<Border> {
        let border = |slot| match self.fault(slot)?.when {
            When::During { after_bytes, after_ms } => Some(Border { index: slot, after_bytes, after_ms }),
            _ => None,
        };
        (0..self.drawn.len()).filter_map(border).collect()
    }

    /// The stream has reached a border: a delay, or the outcome that ends the stream. Reaching one that waits no more
    /// does nothing.
    pub fn reached(&mut self, border: usize, now: Timestamp) -> Phase {
        let waits = |fault: &Fault| matches!(fault.when, When::During { .. });
        let outcome = self.fault(border).is_some_and(|fault| waits(fault) && fault.is_outcome());
        let winner = (outcome && !self.is_over(now)).then_some(border);
        let mut pass = self.pass(now, winner);
        for slot in 0..pass.decision.drawn.len() {
            let Some(during) = pass.decision.fault(slot).map(waits) else { continue };
            if during && slot == border {
                pass.settle(slot, None, None);
            } else if during && winner.is_some() {
                pass.skip(slot, Reason::Superseded);
            }
        }
        pass.finish()
    }

    /// Whether a corruption waits for the text of the answer, or of a stream's chunk.
    #[must_use]
    pub fn wants_text(&self) -> bool {
        self.first(|fault| fault.when == When::After && fault.is_outcome()).is_none()
            && self.first(|fault| fault.role() == Role::Corruption).is_some()
    }

    /// A chunk of a streamed response is about to go out: the first with text that a corruption waits for is damaged, or
    /// the rest of the stream replaced. Where an outcome after the handler waits, nothing happens.
    pub fn chunk(&mut self, text: &str, now: Timestamp) -> Phase {
        let wanted = self.wants_text() && !text.is_empty();
        let mut pass = self.pass(now, None);
        for slot in 0..if wanted { pass.decision.drawn.len() } else { 0 } {
            if pass.decision.fault(slot).is_some_and(|fault| fault.role() == Role::Corruption) {
                pass.settle(slot, Some(text), None);
            }
        }
        pass.finish()
    }

    /// The handler returned; for a stream, its response is complete. `text` is the answer if that is a string, or the
    /// string `body` of an answer that is an object.
    pub fn returned(&mut self, text: Option<&str>, now: Timestamp) -> Phase {
        self.after(Handler::Returned, text, now)
    }

    /// The handler raised its own error, which stands; only a process that ends or hangs goes beyond it.
    pub fn failed(&mut self, now: Timestamp) -> Phase {
        self.after(Handler::Failed, None, now)
    }

    fn after(&mut self, handler: Handler, text: Option<&str>, now: Timestamp) -> Phase {
        let streamed = self.streaming && handler == Handler::Returned;
        let hindrance = |fault: &Fault| match fault.role() {
            Role::Error | Role::Answer | Role::Corruption if handler == Handler::Failed => Some(Reason::HandlerFailed),
            Role::Answer if streamed => Some(Reason::AlreadyStreamed),
            _ => None,
        };
        let stands = |fault: &Fault| fault.when == When::After && fault.is_outcome() && hindrance(fault).is_none();
        let winner = if self.is_over(now) { None } else { self.first(stands) };
        let mut pass = self.pass(now, winner);
        for slot in 0..pass.decision.drawn.len() {
            let Some(fault) = pass.decision.fault(slot) else { continue };
            let reason = match fault.when {
                When::During { .. } => Some(Reason::StreamEnded),
                When::Before | When::After => hindrance(fault),
            };
            match (reason, fault.role()) {
                (Some(reason), _) => pass.skip(slot, reason),
                (None, Role::Calls) => pass.close(slot),
                (None, Role::Corruption) if winner.is_some() => pass.skip(slot, Reason::Superseded),
                // Of a stream, every chunk that could be damaged is out.
                (None, Role::Corruption) if streamed => pass.skip(slot, Reason::NothingToCorrupt),
                (None, _) => pass.settle(slot, text, None),
            }
        }
        pass.finish()
    }

    /// The unsettled fault in a slot.
    fn fault(&self, slot: usize) -> Option<&Fault> {
        let drawn = self.drawn.get(slot)?.as_ref()?;
        self.running.plan.faults.get(drawn.fault)
    }

    fn first(&self, wanted: impl Fn(&Fault) -> bool) -> Option<usize> {
        (0..self.drawn.len()).find(|slot| self.fault(*slot).is_some_and(&wanted))
    }

    /// Whether the plan has ended: then nothing fires that was drawn before.
    fn is_over(&self, now: Timestamp) -> bool {
        matches!(self.running.plan.expires, Expiry::At(end) if end <= now)
    }

    fn pass(&mut self, now: Timestamp, winner: Option<usize>) -> Pass<'_> {
        let hangs = winner.and_then(|slot| self.fault(slot)).is_some_and(|fault| fault.role() == Role::Hang);
        Pass { decision: self, now, winner, hangs, held_us: 0, corrupted: false, outcome: Outcome::Run, records: Vec::new() }
    }
}

impl Drop for Decision {
    fn drop(&mut self) {
        if !self.running.plan.dry_run {
            for drawn in self.drawn.iter().flatten() {
                let used = self.calls.as_ref().is_some_and(|calls| calls.abandon(drawn.fault));
                if !used {
                    self.running.limits.give_back(drawn.fault);
                }
            }
        }
    }
}

/// One walk over the drawn faults at one moment.
struct Pass<'a> {
    decision: &'a mut Decision,
    now: Timestamp,
    /// The outcome that stands; later ones are superseded.
    winner: Option<usize>,
    /// It outlasts every delay.
    hangs: bool,
    held_us: u64,
    /// The answer is damaged already.
    corrupted: bool,
    outcome: Outcome,
    records: Vec<Record>,
}

impl Pass<'_> {
    /// Lets the fault act, or skips it where another one of this phase stands in its way.
    fn settle(&mut self, slot: usize, text: Option<&str>, resources: Option<&mut dyn Resources>) {
        let running = Arc::clone(&self.decision.running);
        let Some(drawn) = self.decision.drawn.get(slot).and_then(Option::as_ref) else { return };
        let Some(fault) = running.plan.faults.get(drawn.fault) else { return };
        if self.decision.is_over(self.now) {
            return self.skip(slot, Reason::Expired);
        }
        let superseded = match fault.role() {
            Role::Delay => self.hangs,
            Role::Corruption => self.corrupted,
            Role::Resource | Role::Calls => false,
            Role::Error | Role::Answer | Role::End | Role::Hang => self.winner != Some(slot),
        };
        if superseded {
            return self.skip(slot, Reason::Superseded);
        }
        let told = &self.decision.told;
        let mut moment = Moment::new(&running.plan, &drawn.draws, told.started, self.now, told.deadline);
        moment.text = text;
        moment.held_us = self.held_us;
        moment.resources = match resources {
            Some(resources) if !running.plan.dry_run => Some(resources),
            _ => None,
        };
        match fault.kind.act(&mut moment) {
            Ok(act) => self.inject(slot, fault.role(), act),
            Err(reason) => self.skip(slot, reason),
        }
    }

    fn inject(&mut self, slot: usize, role: Role, act: Act) {
        let dry_run = self.decision.running.plan.dry_run;
        self.corrupted |= role == Role::Corruption;
        match act.effect {
            Effect::Hold(micros) => self.held_us += micros,
            Effect::Instead(outcome) if !dry_run => self.outcome = outcome,
            Effect::Instead(_) | Effect::Beside => {}
        }
        let action = if dry_run { Action::DryRun } else { Action::Injected };
        self.record(slot, action, None, act.details);
    }

    fn skip(&mut self, slot: usize, reason: Reason) {
        let running = Arc::clone(&self.decision.running);
        let Some(drawn) = self.decision.drawn.get(slot).and_then(Option::as_ref) else { return };
        let Some(fault) = running.plan.faults.get(drawn.fault) else { return };
        if !running.plan.dry_run {
            running.limits.give_back(drawn.fault);
        }
        self.record(slot, Action::Skipped, Some(reason), fault.kind.details(&drawn.draws));
    }

    /// The handler makes no more calls.
    fn close(&mut self, slot: usize) {
        let carries = self.decision.carries;
        let is_network = self.decision.fault(slot).is_some_and(|fault| fault.kind.network().is_some());
        let calls = self.decision.calls.clone().filter(|_| if is_network { carries.network } else { carries.aws_calls });
        let Some(calls) = calls else { return self.skip(slot, Reason::NotSupported) };
        let Some(drawn) = self.decision.drawn.get_mut(slot).and_then(Option::take) else { return };
        let (records, used) = calls.close(drawn.fault, self.now);
        self.records.extend(records);
        let running = &self.decision.running;
        if !used && !running.plan.dry_run {
            running.limits.give_back(drawn.fault);
        }
    }

    fn record(&mut self, slot: usize, action: Action, reason: Option<Reason>, details: Details) {
        let Some(drawn) = self.decision.drawn.get_mut(slot).and_then(Option::take) else { return };
        let (plan, told) = (&self.decision.running.plan, &self.decision.told);
        self.records.push(drawn.record(plan, told, self.now, action, reason, details));
    }

    fn finish(self) -> Phase {
        let dry_run = self.decision.running.plan.dry_run;
        let delay_us = if dry_run { 0 } else { self.held_us };
        Phase { step: Step { delay_us, outcome: self.outcome }, records: self.records }
    }
}
