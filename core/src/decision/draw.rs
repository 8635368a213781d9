//! Which faults are drawn: window, match, sample, limits, in the plan's order.

use std::cell::OnceCell;

use super::Running;
use super::engine::Invocation;
use super::matches::Subject;
use super::reason::Reason;
use crate::plan::{Expiry, Fault, Plan, SampleBy};
use crate::sampling::{Draws, RequestHash};

/// A fault that hits this invocation, before it is known how it combines with the others.
#[derive(Debug)]
pub(super) struct Drawn {
    /// Its index in the plan.
    pub(super) fault: usize,
    pub(super) sample: f64,
    pub(super) rate: f64,
    /// The stream behind the sample.
    pub(super) draws: Draws,
}

/// Why a fault is not drawn, with what is known of its sample.
pub(super) struct NotDrawn {
    pub(super) reason: Reason,
    pub(super) sample: Option<f64>,
    pub(super) rate: f64,
}

/// The hashes of one invocation's identity, each taken at most once and only if some fault needs it.
pub(super) struct Hashes<'a> {
    plan: &'a Plan,
    invocation: &'a Invocation<'a>,
    request: OnceCell<RequestHash>,
    attempt: OnceCell<RequestHash>,
}

impl<'a> Hashes<'a> {
    pub(super) fn new(plan: &'a Plan, invocation: &'a Invocation<'a>) -> Self {
        Self { plan, invocation, request: OnceCell::new(), attempt: OnceCell::new() }
    }

    fn of(&self, sample_by: SampleBy) -> RequestHash {
        let (seed, id) = (self.plan.seed, self.invocation.request_id);
        match (sample_by, self.invocation.deadline) {
            (SampleBy::Attempt, Some(deadline)) => {
                *self.attempt.get_or_init(|| RequestHash::of_attempt(seed, id, deadline.0.div_euclid(1000)))
            }
            // Without a deadline there is nothing that could tell attempts apart.
            _ => *self.request.get_or_init(|| RequestHash::of_request(seed, id)),
        }
    }
}

/// Whether one fault is drawn. Takes nothing from the limits; the caller does, once this says yes.
///
/// All must say yes, so the cheap ones are asked first: an event is only looked at for a fault that its sample hits.
pub(super) fn sample(
    plan: &Plan,
    fault: &Fault,
    index: usize,
    hashes: &Hashes<'_>,
    subject: &Subject<'_>,
) -> Result<Drawn, NotDrawn> {
    let hit = hit(plan, fault, index, hashes)?;
    if !subject.matches(fault) {
        return Err(NotDrawn { reason: Reason::NotMatched, sample: Some(hit.sample), rate: hit.rate });
    }
    Ok(hit)
}

/// Whether some fault that looks at the event is hit by its sample. If not, the event need not be read: nothing would look
/// at it.
pub(super) fn looks_at_event(running: &Running, invocation: &Invocation<'_>) -> bool {
    let plan = &running.plan;
    let hashes = Hashes::new(plan, invocation);
    let hit = |(index, fault): (usize, &Fault)| fault.matches.event.is_some() && hit(plan, fault, index, &hashes).is_ok();
    plan.is_open(invocation.now) && plan.faults.iter().enumerate().any(hit)
}

/// All that is asked before a pattern is.
fn hit(plan: &Plan, fault: &Fault, index: usize, hashes: &Hashes<'_>) -> Result<Drawn, NotDrawn> {
    let invocation = hashes.invocation;
    let since_start = plan.starts_at.map_or(0, |start| invocation.now.micros_since(start));
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

/// All faults that are drawn, each with one taken from its limits.
pub(super) fn draw(running: &Running, invocation: &Invocation<'_>) -> Vec<Drawn> {
    let plan = &running.plan;
    if !running.chance.met(plan, invocation.now) {
        return Vec::new();
    }
    let (hashes, subject) = (Hashes::new(plan, invocation), Subject::new(plan, invocation));
    let mut drawn = Vec::new();
    for (index, fault) in plan.faults.iter().enumerate() {
        let Ok(fault) = sample(plan, fault, index, &hashes, &subject) else { continue };
        // A dry run takes nothing; where a limit has no room at all, nothing would be injected either.
        if if plan.dry_run { running.limits.has_room(index) } else { running.limits.take(index) } {
            drawn.push(fault);
        }
    }
    drawn
}
