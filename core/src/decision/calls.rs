//! The faults of one invocation that hit calls of its handler: from the handler's start to its end, call by call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Running;
use super::draw::Drawn;
use super::moment::{Act, Details, Effect, Moment, details};
use super::reason::Reason;
use crate::aws::{Answer, Request, Seen};
use crate::faults::{AwsCall, Kind, Network, Peer};
use crate::matching::Budget;
use crate::plan::{Expiry, Fault};
use crate::record::{Action, Record};
use crate::sampling::{Draws, FaultHash, RequestHash};
use crate::timestamp::Timestamp;

/// The most records that calls hit by one fault write in one invocation; one more counts the rest.
pub const MAX_CALL_RECORDS: u64 = 20;

/// What an invocation's calls ask. Any number of threads may.
#[derive(Debug)]
pub struct Calls {
    running: Arc<Running>,
    told: Told,
    armed: Mutex<Vec<Armed>>,
}

/// What is known of the invocation.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) request_id: String,
    pub(super) started: Timestamp,
    pub(super) deadline: Option<Timestamp>,
    pub(super) cold_start: bool,
}

/// One fault that waits for calls.
#[derive(Debug)]
struct Armed {
    drawn: Drawn,
    /// Behind the delay: one draw for each matching call.
    shares: Draws,
    matched: u64,
    hit: u64,
    /// Why the first of those that matched and were let through was.
    let_through: Option<Reason>,
    over: bool,
}

/// What one call meets.
#[derive(Debug, Default)]
pub struct Met {
    /// Microseconds to hold it.
    pub delay_us: u64,
    /// What stands then instead of AWS's answer.
    pub answer: Option<Answer>,
    /// To be written before.
    pub records: Vec<Record>,
    /// Whether some fault's target takes more than the budget, so that it was let through.
    pub budget_spent: bool,
}

/// What one connection meets, or the resolving of one name.
#[derive(Debug, Default)]
pub struct Reached {
    /// What happens, and for how many microseconds at most, where not until the invocation ends.
    pub hit: Option<(faultlayer_network::Effect, Option<u64>)>,
    /// To be written before.
    pub records: Vec<Record>,
    /// Whether some fault's target takes more than the budget, so that it was let through.
    pub budget_spent: bool,
}

impl Calls {
    pub(super) fn new(running: Arc<Running>, told: Told, drawn: impl Iterator<Item = Drawn>) -> Self {
        let armed = drawn.map(|drawn| {
            let mut shares = drawn.draws.clone();
            shares.next_draw();
            Armed { drawn, shares, matched: 0, hit: 0, let_through: None, over: false }
        });
        Self { told, armed: Mutex::new(armed.collect()), running }
    }

    /// A call is about to go out: every fault that is about it, in the plan's order. Delays add up; the first error stands.
    pub fn met(&self, request: &Request<'_>, now: Timestamp) -> Met {
        let seen = request.seen();
        let (mut met, mut budget) = (Met::default(), Budget::default());
        for armed in lock(&self.armed).iter_mut().filter(|armed| !armed.over) {
            let Some((fault, kind)) = self.of(armed, Kind::aws_call) else { continue };
            if !kind.can_hit(seen.service, seen.operation) || kind.is_target(&seen, &mut budget) != Some(true) {
                continue;
            }
            let superseded = kind.answers() && met.answer.is_some();
            if let Some(act) = self.hit(armed, kind, superseded, met.delay_us, now) {
                self.carry_out(armed, fault, kind, act, request, &seen, now, &mut met);
            }
        }
        met.budget_spent = budget.is_spent();
        if self.running.plan.dry_run {
            (met.delay_us, met.answer) = (0, None);
        }
        met
    }

    /// Whether calls to this service (as a signature names it), by this operation where that is known already, can be hit: by
    /// what the targets name as it is, alone.
    pub fn can_hit(&self, service: &str, operation: Option<&str>) -> bool {
        lock(&self.armed).iter().any(|armed| {
            let kind = self.of(armed, Kind::aws_call);
            kind.is_some_and(|(_, kind)| kind.can_hit(service, operation))
        })
    }

    /// The services and operations of which calls can be hit; all of a service's without an operation. `None` where some
    /// target does not name its services as they are.
    pub fn named(&self) -> Option<Vec<(String, Option<String>)>> {
        let mut all = Vec::new();
        for armed in lock(&self.armed).iter() {
            if let Some((_, kind)) = self.of(armed, Kind::aws_call) {
                all.extend(kind.named()?.map(|(service, operation)| (service.to_owned(), operation.map(str::to_owned))));
            }
        }
        Some(all)
    }

    /// A connection is opened, or one that is open is used for the first time, or a name is resolved, which has no address:
    /// the first fault in the plan's order that hits it stands.
    pub fn reached(&self, peer: &Peer<'_>, now: Timestamp) -> Reached {
        let (mut reached, mut budget) = (Reached::default(), Budget::default());
        for armed in lock(&self.armed).iter_mut().filter(|armed| !armed.over) {
            let Some((_, kind)) = self.of(armed, Kind::network) else { continue };
            if kind.resolves() != peer.address.is_none() || kind.is_target(peer, &mut budget) != Some(true) {
                continue;
            }
            let Some(act) = self.hit(armed, kind, reached.hit.is_some(), 0, now) else { continue };
            if armed.hit <= MAX_CALL_RECORDS {
                let mut said = details([("host", peer.host().into())]);
                if let Some(port) = peer.port {
                    said.extend(details([("port", port.into())]));
                }
                said.extend(act.details);
                reached.records.push(self.record(armed, self.action(), None, said, now));
            }
            reached.hit = Some(self.lasting(armed, kind, act.effect, now));
        }
        reached.budget_spent = budget.is_spent();
        if self.running.plan.dry_run {
            reached.hit = None;
        }
        reached
    }

    /// An effect, and how long it may last: as long as a delay might that begins now.
    fn lasting(&self, armed: &Armed, kind: &Network, held: Effect, now: Timestamp) -> (faultlayer_network::Effect, Option<u64>) {
        let delay_us = if let Effect::Hold(micros) = held { micros } else { 0 };
        let moment = self.moment(armed, now);
        let effect = kind.effect(delay_us);
        let most = match effect {
            // What is cut off or refused takes the time that its client gives it.
            faultlayer_network::Effect::Blackhole | faultlayer_network::Effect::Refuse => moment.cut_at_expiry(u64::MAX),
            _ => moment.cut(u64::MAX),
        };
        (effect, most.by.map(|_| most.micros))
    }

    /// Whether this call, which matches, is hit, with one taken from the limits: the first of an invocation has the one of
    /// the draw. Counts it either way.
    fn hit(&self, armed: &mut Armed, kind: &dyn Kind, superseded: bool, held_us: u64, now: Timestamp) -> Option<Act> {
        armed.matched += 1;
        match self.chosen(armed, kind, superseded, held_us, now) {
            Ok(act) => {
                armed.hit += 1;
                Some(act)
            }
            Err(reason) => {
                armed.let_through.get_or_insert(reason);
                None
            }
        }
    }

    fn chosen(&self, armed: &mut Armed, kind: &dyn Kind, superseded: bool, held_us: u64, now: Timestamp) -> Result<Act, Reason> {
        let plan = &self.running.plan;
        if !kind.target().is_some_and(|target| target.chooses(armed.matched, &mut armed.shares)) {
            return Err(Reason::NotChosen);
        }
        if matches!(plan.expires, Expiry::At(end) if end <= now) {
            return Err(Reason::Expired);
        }
        if superseded {
            return Err(Reason::Superseded);
        }
        let mut moment = self.moment(armed, now);
        moment.held_us = held_us;
        let act = kind.act(&mut moment)?;
        if armed.hit > 0 && !plan.dry_run && !self.running.limits.take(armed.drawn.fault) {
            return Err(Reason::LimitReached);
        }
        Ok(act)
    }

    fn moment<'a>(&self, armed: &'a Armed, now: Timestamp) -> Moment<'a> {
        Moment::new(&self.running.plan, &armed.drawn.draws, self.told.started, now, self.told.deadline)
    }

    #[expect(clippy::too_many_arguments, reason = "one call with all that is known of it")]
    fn carry_out(
        &self,
        armed: &Armed,
        fault: &Fault,
        kind: &AwsCall,
        act: Act,
        request: &Request<'_>,
        seen: &Seen<'_>,
        now: Timestamp,
        met: &mut Met,
    ) {
        let id = self.answer_id(fault.hash, armed.hit);
        let answer = kind.answer(request, seen, &id);
        if armed.hit <= MAX_CALL_RECORDS {
            let mut said = details([("service", seen.service.into())]);
            if let Some(operation) = seen.operation {
                said.extend(details([("operation", operation.into())]));
            }
            if let Some(attempt) = seen.attempt {
                said.extend(details([("attempt", attempt.into())]));
            }
            said.extend(act.details);
            if let Some(answer) = &answer {
                said.extend(details([("status", answer.status.into())]));
            }
            met.records.push(self.record(armed, self.action(), None, said, now));
        }
        if let Effect::Hold(micros) = act.effect {
            met.delay_us += micros;
        }
        met.answer = met.answer.take().or(answer);
    }

    /// What stands as the request's id in an answer of ours: the same in each run, and nobody's else.
    fn answer_id(&self, fault: FaultHash, hit: u64) -> String {
        let mut draws = Draws::new(RequestHash::of_request(hit, &self.told.request_id), fault);
        format!("faultlayer-{:013x}", draws.next_whole())
    }

    /// The faults that wait, by their place in the plan.
    pub(super) fn faults(&self) -> Vec<usize> {
        lock(&self.armed).iter().map(|armed| armed.drawn.fault).collect()
    }

    /// The invocation has ended for this fault: the records of what was not told call by call, and whether any was hit.
    pub(super) fn close(&self, fault: usize, now: Timestamp) -> (Vec<Record>, bool) {
        let mut all = lock(&self.armed);
        let Some(armed) = all.iter_mut().find(|armed| armed.drawn.fault == fault) else { return (Vec::new(), false) };
        let Some(kind) = self.running.plan.faults.get(fault).map(|fault| &fault.kind) else { return (Vec::new(), false) };
        armed.over = true;
        let mut records = Vec::new();
        let mut tell = |action, reason, calls: u64| {
            let mut said = kind.details(&armed.drawn.draws);
            if calls > 0 {
                said.extend(details([("calls", calls.into())]));
            }
            records.push(self.record(armed, action, reason, said, now));
        };
        if armed.matched == 0 {
            tell(Action::Skipped, Some(Reason::NoCall), 0);
        }
        if armed.hit > MAX_CALL_RECORDS {
            tell(self.action(), None, armed.hit - MAX_CALL_RECORDS);
        }
        if armed.let_through.is_some() {
            tell(Action::Skipped, armed.let_through, armed.matched - armed.hit);
        }
        (records, armed.hit > 0)
    }

    /// Nothing waits any more: whether any call was hit by this fault.
    pub(super) fn abandon(&self, fault: usize) -> bool {
        let mut all = lock(&self.armed);
        all.iter_mut().find(|armed| armed.drawn.fault == fault).is_some_and(|armed| {
            armed.over = true;
            armed.hit > 0
        })
    }

    /// The fault, where its kind is of one sort.
    fn of<'a, T>(&'a self, armed: &Armed, sort: fn(&'a dyn Kind) -> Option<&'a T>) -> Option<(&'a Fault, &'a T)> {
        let fault = self.running.plan.faults.get(armed.drawn.fault)?;
        Some((fault, sort(&*fault.kind)?))
    }

    fn action(&self) -> Action {
        if self.running.plan.dry_run { Action::DryRun } else { Action::Injected }
    }

    fn record(&self, armed: &Armed, action: Action, reason: Option<Reason>, details: Details, now: Timestamp) -> Record {
        armed.drawn.record(&self.running.plan, &self.told, now, action, reason, details)
    }
}

fn lock(armed: &Mutex<Vec<Armed>>) -> MutexGuard<'_, Vec<Armed>> {
    armed.lock().unwrap_or_else(PoisonError::into_inner)
}
