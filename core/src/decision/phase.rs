//! How the drawn faults of one invocation combine, phase by phase, with a reason for each that does not fire.
//!
//! A fault is *settled* once its fate is certain; its record is made at that moment, in the plan's order.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Running;
use super::draw::Drawn;
use super::engine::Invocation;
use super::outcome::{Outcome, Step};
use super::reason::Reason;
use super::resources::Resources;
use crate::faults::{Corrupt, Kind, Latency, Timeout};
use crate::plan::{Fault, When};
use crate::record::{Action, Record};
use crate::timestamp::Timestamp;

/// The drawn faults of one invocation. Dropping it gives back to the limits what was never settled.
#[derive(Debug)]
pub struct Decision {
    running: Arc<Running>,
    request_id: String,
    started: Timestamp,
    deadline: Option<Timestamp>,
    cold_start: bool,
    streaming: bool,
    /// In the plan's order; `None` once settled.
    drawn: Vec<Option<Drawn>>,
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
    pub(super) fn new(running: Arc<Running>, invocation: &Invocation<'_>, drawn: Vec<Drawn>) -> Self {
        Self {
            running,
            request_id: invocation.request_id.to_owned(),
            started: invocation.now,
            deadline: invocation.deadline,
            cold_start: invocation.cold_start,
            streaming: invocation.streaming,
            drawn: drawn.into_iter().map(Some).collect(),
        }
    }

    /// Before the handler: resource faults as far as `resources` grants them, delays, then the first outcome that stands
    /// instead of the handler.
    pub fn before(&mut self, resources: &mut dyn Resources) -> Phase {
        let stands = |fault: &Fault| fault.when == When::Before;
        let winner = self.first(|fault| stands(fault) && fault.kind.is_outcome());
        let mut pass = self.pass(self.started, winner);
        for slot in 0..pass.decision.drawn.len() {
            let Some(when) = pass.decision.fault(slot).map(|fault| fault.when) else { continue };
            match when {
                When::Before => pass.settle(slot, Some(&mut *resources)),
                _ if winner.is_some() => pass.skip(slot, Reason::HandlerNotRun),
                When::During { .. } if !pass.decision.streaming => pass.skip(slot, Reason::NotStreaming),
                When::During { .. } | When::After => {}
            }
        }
        pass.finish()
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
        let winner = self.fault(border).filter(|fault| waits(fault) && fault.kind.is_outcome()).map(|_| border);
        let mut pass = self.pass(now, winner);
        for slot in 0..pass.decision.drawn.len() {
            let Some(during) = pass.decision.fault(slot).map(waits) else { continue };
            if during && slot == border {
                pass.settle(slot, None);
            } else if during && winner.is_some() {
                pass.skip(slot, Reason::Superseded);
            }
        }
        pass.finish()
    }

    /// Whether a corruption waits for the text of the answer, or of a stream's chunk.
    #[must_use]
    pub fn wants_text(&self) -> bool {
        self.first(|fault| fault.when == When::After && fault.kind.is_outcome()).is_none()
            && self.first(|fault| matches!(fault.kind, Kind::Corrupt(_))).is_some()
    }

    /// A chunk of a streamed response is about to go out: the first with text that a corruption waits for is damaged, or
    /// the rest of the stream replaced. Where an outcome after the handler waits, nothing happens.
    pub fn chunk(&mut self, text: &str, now: Timestamp) -> Phase {
        let wanted = self.wants_text() && !text.is_empty();
        let mut pass = self.pass(now, None);
        for slot in 0..if wanted { pass.decision.drawn.len() } else { 0 } {
            if pass.decision.fault(slot).is_some_and(|fault| matches!(fault.kind, Kind::Corrupt(_))) {
                pass.corrupt(slot, Some(text));
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
        let hindrance = |kind: &Kind| match kind {
            Kind::Error(_) | Kind::Response(_) | Kind::Corrupt(_) if handler == Handler::Failed => Some(Reason::HandlerFailed),
            Kind::Response(_) if streamed => Some(Reason::AlreadyStreamed),
            _ => None,
        };
        let winner = self.first(|fault| fault.when == When::After && fault.kind.is_outcome() && hindrance(&fault.kind).is_none());
        let mut pass = self.pass(now, winner);
        for slot in 0..pass.decision.drawn.len() {
            let Some(fault) = pass.decision.fault(slot) else { continue };
            let reason = match fault.when {
                When::During { .. } => Some(Reason::StreamEnded),
                When::Before | When::After => hindrance(&fault.kind),
            };
            match (reason, &fault.kind) {
                (Some(reason), _) => pass.skip(slot, reason),
                (None, Kind::Corrupt(_)) if winner.is_some() => pass.skip(slot, Reason::Superseded),
                // Of a stream, every chunk that could be damaged is out.
                (None, Kind::Corrupt(_)) if streamed => pass.skip(slot, Reason::NothingToCorrupt),
                (None, Kind::Corrupt(_)) => pass.corrupt(slot, text),
                (None, _) => pass.settle(slot, None),
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

    fn pass(&mut self, now: Timestamp, winner: Option<usize>) -> Pass<'_> {
        let ends_in_timeout =
            winner.and_then(|slot| self.fault(slot)).is_some_and(|fault| matches!(fault.kind, Kind::Timeout(_)));
        Pass {
            decision: self,
            now,
            winner,
            ends_in_timeout,
            held_us: 0,
            corrupted: false,
            outcome: Outcome::Run,
            records: Vec::new(),
        }
    }
}

impl Drop for Decision {
    fn drop(&mut self) {
        if !self.running.plan.dry_run {
            for drawn in self.drawn.iter().flatten() {
                self.running.limits.give_back(drawn.fault);
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
    /// Then delays are pointless.
    ends_in_timeout: bool,
    held_us: u64,
    /// The answer is damaged already.
    corrupted: bool,
    outcome: Outcome,
    records: Vec<Record>,
}

impl Pass<'_> {
    /// Injects the fault, or skips it where another outcome of this phase stands.
    fn settle(&mut self, slot: usize, resources: Option<&mut dyn Resources>) {
        let superseded = match self.decision.fault(slot) {
            None => return,
            Some(fault) if fault.kind.is_outcome() => self.winner != Some(slot),
            Some(fault) => self.ends_in_timeout && matches!(fault.kind, Kind::Latency(_)),
        };
        if superseded {
            return self.skip(slot, Reason::Superseded);
        }
        let running = Arc::clone(&self.decision.running);
        let Some(drawn) = self.decision.drawn.get(slot).and_then(Option::as_ref) else { return };
        let Some(fault) = running.plan.faults.get(drawn.fault) else { return };
        let outcome = match &fault.kind {
            Kind::Latency(latency) => {
                let asked_us = asked(latency, drawn);
                let delay_us = asked_us.min(self.room_us());
                if delay_us == 0 && asked_us > 0 {
                    return self.skip(slot, Reason::DeadlineMargin);
                }
                self.held_us += delay_us;
                let mut details = delay_details(delay_us);
                if delay_us < asked_us {
                    details.insert("asked_ms".into(), millis(asked_us));
                }
                return self.inject(slot, details, None);
            }
            Kind::Error(error) => Outcome::Error {
                type_name: error.type_name.clone(),
                message: error.message.clone(),
                properties: error.properties.clone(),
            },
            Kind::Response(response) => Outcome::Response { answer: response.answer.clone(), http: response.status.is_some() },
            Kind::Exit(exit) => Outcome::Exit { code: exit.code },
            Kind::Timeout(_) => Outcome::Timeout {
                hold_us: Timeout::hold_us(self.now, self.decision.deadline),
                message: Timeout::message(self.decision.started, self.decision.deadline),
            },
            Kind::Corrupt(_) => return,
            kind @ (Kind::Disk(_) | Kind::Memory(_) | Kind::Cpu(_)) => {
                let granted = match resources.filter(|_| !running.plan.dry_run) {
                    Some(resources) => resources.grant(kind),
                    None => Ok(None),
                };
                return match granted {
                    Ok(granted_mib) => self.inject(slot, resource_details(kind, granted_mib), None),
                    Err(reason) => self.skip(slot, reason),
                };
            }
        };
        self.inject(slot, details(&fault.kind, drawn), Some(outcome));
    }

    /// Damages the answer, unless another corruption did.
    fn corrupt(&mut self, slot: usize, text: Option<&str>) {
        let running = Arc::clone(&self.decision.running);
        let Some(drawn) = self.decision.drawn.get(slot).and_then(Option::as_ref) else { return };
        let Some(Kind::Corrupt(corrupt)) = running.plan.faults.get(drawn.fault).map(|fault| &fault.kind) else { return };
        if self.corrupted {
            return self.skip(slot, Reason::Superseded);
        }
        let outcome = match &corrupt.body {
            Some(body) => Some(Outcome::Response { answer: body.clone(), http: false }),
            None => text.and_then(|text| Corrupt::mangle(text, drawn.draws.clone())).map(|text| Outcome::Corrupt { text }),
        };
        match outcome {
            Some(outcome) => {
                self.corrupted = true;
                self.inject(slot, Map::new(), Some(outcome));
            }
            None => self.skip(slot, Reason::NothingToCorrupt),
        }
    }

    /// What a delay may still take before the deadline's margin.
    fn room_us(&self) -> u64 {
        let Some(deadline) = self.decision.deadline else { return u64::MAX };
        let margin = self.decision.running.plan.limits.deadline_margin_us;
        let room = deadline.micros_since(self.now).saturating_sub(margin);
        u64::try_from(room).unwrap_or(0).saturating_sub(self.held_us)
    }

    fn inject(&mut self, slot: usize, details: Map<String, Value>, outcome: Option<Outcome>) {
        let dry_run = self.decision.running.plan.dry_run;
        if let Some(outcome) = outcome.filter(|_| !dry_run) {
            self.outcome = outcome;
        }
        let action = if dry_run { Action::DryRun } else { Action::Injected };
        self.record(slot, action, None, details);
    }

    fn skip(&mut self, slot: usize, reason: Reason) {
        let running = Arc::clone(&self.decision.running);
        let Some(drawn) = self.decision.drawn.get(slot).and_then(Option::as_ref) else { return };
        let Some(fault) = running.plan.faults.get(drawn.fault) else { return };
        if !running.plan.dry_run {
            running.limits.give_back(drawn.fault);
        }
        self.record(slot, Action::Skipped, Some(reason), details(&fault.kind, drawn));
    }

    fn record(&mut self, slot: usize, action: Action, reason: Option<Reason>, details: Map<String, Value>) {
        let Some(drawn) = self.decision.drawn.get_mut(slot).and_then(Option::take) else { return };
        let plan = &self.decision.running.plan;
        let Some(fault) = plan.faults.get(drawn.fault) else { return };
        self.records.push(Record {
            timestamp: self.now,
            experiment: plan.experiment.clone(),
            fault: fault.id.clone(),
            kind: fault.kind.name(),
            action,
            reason,
            request_id: self.decision.request_id.clone(),
            sample: drawn.sample,
            rate: drawn.rate,
            details,
            cold_start: self.decision.cold_start,
        });
    }

    fn finish(self) -> Phase {
        let dry_run = self.decision.running.plan.dry_run;
        let delay_us = if dry_run { 0 } else { self.held_us };
        Phase { step: Step { delay_us, outcome: self.outcome }, records: self.records }
    }
}

/// The delay that draw 1 gives.
fn asked(latency: &Latency, drawn: &Drawn) -> u64 {
    latency.delay.at(drawn.draws.clone().next_draw())
}

fn delay_details(delay_us: u64) -> Map<String, Value> {
    Map::from_iter([("delay_ms".to_owned(), millis(delay_us))])
}

#[expect(clippy::cast_precision_loss, reason = "delays are far below 2^53 microseconds")]
fn millis(micros: u64) -> Value {
    Value::from(micros as f64 / 1000.0)
}

/// The fields that a record has for its kind, whether the fault was injected or not.
fn details(kind: &Kind, drawn: &Drawn) -> Map<String, Value> {
    match kind {
        Kind::Latency(latency) => delay_details(asked(latency, drawn)),
        Kind::Error(error) => {
            let type_name = serde_json::to_value(&error.type_name).unwrap_or(Value::Null);
            Map::from_iter([("type".to_owned(), type_name)])
        }
        Kind::Response(response) => {
            response.status.map(|status| ("status".to_owned(), Value::from(status))).into_iter().collect()
        }
        Kind::Exit(exit) => Map::from_iter([("code".to_owned(), Value::from(exit.code))]),
        Kind::Timeout(_) | Kind::Corrupt(_) => Map::new(),
        Kind::Disk(_) | Kind::Memory(_) | Kind::Cpu(_) => resource_details(kind, None),
    }
}

/// What is occupied: as much as was granted, and what was asked for where that is more.
fn resource_details(kind: &Kind, granted_mib: Option<u64>) -> Map<String, Value> {
    let asked_mib = match kind {
        Kind::Disk(disk) => disk.size_mib,
        Kind::Memory(memory) => memory.size_mib,
        Kind::Cpu(cpu) => {
            let duration = ("duration_ms".to_owned(), Value::from(cpu.duration_ms));
            return Map::from_iter([duration, ("threads".to_owned(), Value::from(cpu.threads))]);
        }
        _ => return Map::new(),
    };
    let size_mib = granted_mib.unwrap_or(asked_mib);
    let mut details = Map::from_iter([("size_mib".to_owned(), Value::from(size_mib))]);
    if size_mib < asked_mib {
        details.insert("asked_mib".into(), Value::from(asked_mib));
    }
    details
}
