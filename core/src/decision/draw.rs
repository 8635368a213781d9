//! Which faults are drawn: window, match, sample, limits, in the plan's order.

use std::cell::OnceCell;

use smallvec::SmallVec;

use super::Running;
use super::calls::Told;
use super::engine::Invocation;
use super::matches::held;
use super::moment::Details;
use super::reason::Reason;
use crate::faults::Role;
use crate::matching::Budget;
use crate::plan::{Expiry, Fault, Plan, SampleBy};
use crate::record::{Action, Record};
use crate::sampling::{Draws, RequestHash};
use crate::timestamp::Timestamp;

/// A fault that hits this invocation, before it is known how it combines with the others.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Its index in the plan.
    pub(super) fault: usize,
    pub(super) sample: f64,
    pub(super) rate: f64,
    /// The stream behind the sample.
    pub(super) draws: Draws,
}

/// Few hit one invocation.
pub(super) type Drawns = SmallVec<[Drawn; 2]>;

impl Drawn {
    /// What became of it.
    pub(super) fn record(
        &self,
        plan: &Plan,
        told: &Told,
        timestamp: Timestamp,
        action: Action,
        reason: Option<Reason>,
        details: Details,
    ) -> Record {
        let (fault, kind) = plan.faults.get(self.fault).map_or(("", ""), |fault| (&fault.id, fault.kind.spec().name));
        Record {
            timestamp,
            experiment: plan.experiment.clone(),
            fault: fault.to_owned(),
            kind,
            action,
            reason,
            request_id: told.request_id.clone(),
            sample: self.sample,
            rate: self.rate,
            details,
            cold_start: told.cold_start,
            namespace: plan.namespace.clone(),
            traced: plan.traces && action == Action::Injected,
        }
    }
}

/// Why a fault is not drawn, with what is known of its sample.
pub(super) struct NotDrawn {
    pub(super) reason: Reason,
    pub(super) sample: Option<f64>,
    pub(super) rate: f64,
}

/// The hashes of one invocation's identity, each taken at most once and only if some fault needs it.
pub(super) struct Hashes<'a> {
    running: &'a Running,
    invocation: &'a Invocation<'a>,
    request: OnceCell<RequestHash>,
    attempt: OnceCell<RequestHash>,
}

impl<'a> Hashes<'a> {
    pub(super) fn new(running: &'a Running, invocation: &'a Invocation<'a>) -> Self {
        Self { running, invocation, request: OnceCell::new(), attempt: OnceCell::new() }
    }

    fn of(&self, sample_by: SampleBy) -> RequestHash {
        let (seed, id) = (self.running.plan.seed, self.invocation.request_id);
        match (sample_by, self.invocation.deadline) {
            (SampleBy::Attempt, Some(deadline)) => {
                *self.attempt.get_or_init(|| RequestHash::of_attempt(seed, id, deadline.0.div_euclid(1000)))
            }
            // Without a deadline there is nothing that could tell attempts apart.
            _ => *self.request.get_or_init(|| self.running.quiet.hash(id)),
        }
    }
}

/// All that is asked before a pattern is.
pub(super) fn hit(plan: &Plan, fault: &Fault, index: usize, hashes: &Hashes<'_>) -> Result<Drawn, NotDrawn> {
    let invocation = hashes.invocation;
    let since_start = since_start(plan, invocation);
    let rate = fault.rate.at(since_start);
    let refuse = |reason, sample| Err(NotDrawn { reason, sample, rate });
    if since_start < 0 {
        return refuse(Reason::NotStarted, None);
    }
    if matches!(plan.expires, Expiry::At(end) if end <= invocation.now) {
        return refuse(Reason::Expired, None);
    }
    if rate <= 0.0 {
        return refuse(Reason::NotSampled, None);
    }
    let mut draws = Draws::new(hashes.of(fault.sample_by), fault.hash);
    let sample = draws.next_draw();
    if sample >= rate {
        return refuse(Reason::NotSampled, Some(sample));
    }
    Ok(Drawn { fault: index, sample, rate, draws })
}

fn since_start(plan: &Plan, invocation: &Invocation<'_>) -> i64 {
    plan.starts_at.map_or(0, |start| invocation.now.micros_since(start))
}

/// All faults that are drawn, each with one taken from its limits.
///
/// All must say yes, so the cheap ones are asked first: an event is only looked at for faults that their sample hits.
/// `calls_alone` leaves out all but faults in calls.
pub(super) fn draw(running: &Running, invocation: &Invocation<'_>, budget: &mut Budget, calls_alone: bool) -> Drawns {
    let (plan, mut drawn) = (&running.plan, Drawns::new());
    let hashes = Hashes::new(running, invocation);
    if !running.chance.met(plan, invocation.now, calls_alone) {
        return drawn;
    }
    let asked = plan.faults.iter().enumerate().filter(|(_, fault)| !calls_alone || fault.role() == Role::Calls);
    let sampled = |index: usize, fault: &Fault| hit(plan, fault, index, &hashes).ok();
    if plan.event_patterns.is_empty() && plan.context_patterns.is_empty() {
        drawn.extend(asked.filter_map(|(index, fault)| sampled(index, fault)));
    } else {
        // What every sample hits need not be sampled before its patterns hold.
        let since_start = since_start(plan, invocation);
        let is_hit = |index: usize, fault: &Fault| fault.rate.at(since_start) >= 1.0 || sampled(index, fault).is_some();
        let mut hit = SmallVec::<[usize; 8]>::new();
        hit.extend(asked.filter_map(|(index, fault)| is_hit(index, fault).then_some(index)));
        if hit.iter().filter_map(|index| plan.faults.get(*index)).any(|fault| fault.matches.asks()) {
            let mut held = held(plan, invocation, hit.iter().copied(), budget).into_iter();
            hit.retain(|_| held.next().flatten() == Some(true));
        }
        drawn.extend(hit.into_iter().filter_map(|index| sampled(index, plan.faults.get(index)?)));
    }
    // A dry run takes nothing; where a limit has no room at all, nothing would be injected either.
    let limits = &running.limits;
    drawn.retain(|drawn| if plan.dry_run { limits.has_room(drawn.fault) } else { limits.take(drawn.fault) });
    drawn
}
