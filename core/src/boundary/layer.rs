//! The engine in a layer, where everything fails open: whatever is wrong with the plan or with us, the function runs
//! untouched and Faultlayer's own record says why.

use super::guard::guard;
use super::host::Host;
use super::language::Language;
use super::live::Live;
use super::side::{Shared, Side};
use crate::plan::{Expiry, Plan};
use crate::record::OwnReason;
use crate::rim::clock;
use crate::rim::environment::{self, Identity};
use crate::rim::sink::Sink;
use crate::rim::source::{Place, Source};
use crate::variables::{DISABLED, PLAN, REFRESH};

/// One for an execution environment. Safe under any number of threads.
#[derive(Debug)]
pub struct Layer(Host);

impl Layer {
    /// From this process's environment. `None` means that nothing can ever fire: hand the client the original function itself.
    #[must_use]
    pub fn open(language: Language) -> Option<Self> {
        Self::begin(language).or_else(|| {
            let shared = shared(language)?;
            match guard(|| plan(&text(&shared)?, &shared)) {
                Some(plan) => Some(Self(Host::new(plan?, shared))),
                None => {
                    shared.report("the engine panicked at init, nothing is injected");
                    None
                }
            }
        })
    }

    /// The same where the plan comes from a place that is read again and again: the first reading has begun when this returns,
    /// and [`Layer::settle`] waits for it. `None`, with nothing said, where it does not. For a shim whose [`Layer::open`] stands
    /// behind the import of the function's code, beside which this reading is to be.
    #[must_use]
    pub fn begin(language: Language) -> Option<Self> {
        let place = guard(place).flatten()?;
        let refresh = environment::variable(REFRESH).filter(|value| !value.is_empty());
        let live = |plans, shared| Live::new(place, refresh.as_deref(), plans, shared);
        Some(Self(Host::live(shared(language)?, live)))
    }

    /// The end of init: waits for the first plan of a place, for at most 200 ms from [`Layer::open`] on.
    pub fn settle(&self) {
        if let Some(live) = self.0.source() {
            guard(|| live.settle());
        }
    }

    /// Reads a plan that comes from a place anew, and waits for it as [`Layer::settle`] does: after the restore of a snapshot.
    pub fn refresh(&self) {
        if let Some(live) = self.0.source() {
            guard(|| live.again());
        }
    }

    /// Asks the engine. A panic, in the engine or in what `question` reads of the language's objects, ends here: then the
    /// answer is the default, and one record says so.
    pub fn ask<T: Default>(&self, question: impl FnOnce(&Host) -> T) -> T {
        self.0.guarded(question).unwrap_or_default()
    }

    /// Writes Faultlayer's own record of trouble in the shim, once an environment.
    pub fn report(&self, message: &str) {
        self.0.shared().report(message);
    }

    /// Writes Faultlayer's own record of a runtime client that a shim does not know, once an environment.
    pub fn report_client(&self, message: &str) {
        guard(|| self.0.shared().tell(OwnReason::ClientUnknown, message));
    }
}

fn shared(language: Language) -> Option<Shared> {
    guard(|| Shared::new(Side::Layer, language, Sink::log(), Identity::from_environment()))
}

fn is_disabled() -> bool {
    environment::is_disabled(environment::variable(DISABLED).as_deref())
}

/// Where the plan comes from, if it does not stand in the variable itself.
fn place() -> Option<Place> {
    match Source::of(&environment::variable(PLAN).filter(|_| !is_disabled())?, environment::variable) {
        Ok(Source::Place(place)) => Some(place),
        _ => None,
    }
}

/// The plan's text; why there is none, the record says.
fn text(shared: &Shared) -> Option<String> {
    if is_disabled() {
        shared.tell(OwnReason::Disabled, "FAULTLAYER_DISABLED is set, no faults will be injected");
        return None;
    }
    let Some(value) = environment::variable(PLAN).filter(|value| !value.trim().is_empty()) else {
        shared.tell(OwnReason::PlanMissing, "FAULTLAYER_PLAN is not set, no faults will be injected");
        return None;
    };
    match Source::of(&value, environment::variable) {
        Ok(Source::Plan(text)) => Some(text),
        // There is a layer under it already.
        Ok(Source::Place(_)) => None,
        Err(message) => {
            shared.tell(OwnReason::PlanSourceUnknown, &message);
            None
        }
    }
}

/// The plan, if it can ever fire; why it cannot, the record says.
fn plan(text: &str, shared: &Shared) -> Option<Plan> {
    let plan = Plan::parse_to_run(text);
    let plan = plan.map_err(|error| shared.tell(OwnReason::of(&error), &error.to_string())).ok()?;
    let now = clock::now();
    if let Expiry::At(end) = plan.expires
        && end <= now
    {
        shared.tell(OwnReason::PlanExpired, &format!("the plan expired at {}, no faults will be injected", end.to_rfc3339()));
        return None;
    }
    plan.can_ever_fire(now).then_some(plan)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{Host, Layer, Shared, Side};
    use crate::boundary::{Call, Identity, Language, Library, Session, Sink, hold_us};
    use crate::decision::{Outcome, Step};
    use crate::plan::Plan;

    const SLOW: &str = r#"{"version":1,"expires_at":"never","faults":[{"id":"slow","kind":"latency","rate":1,"delay_ms":5}]}"#;

    /// A layer under a plan that holds each call for 5 ms, and the lines it writes.
    fn layer() -> (Layer, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&lines);
        let sink = Sink::callback(move |line| taken.lock().unwrap().push(line.to_owned()));
        let shared = Shared::new(Side::Layer, Language::Python, sink, Identity::default());
        (Layer(Host::new(Plan::parse_to_run(SLOW).unwrap(), shared)), lines)
    }

    fn boom<T>() -> T {
        if std::hint::black_box(true) {
            panic!("boom")
        }
        unreachable!()
    }

    fn drawn(layer: &Layer) -> Session {
        layer.ask(|host| host.decide(&Call::of("one"))).unwrap()
    }

    #[test]
    fn a_panic_while_an_invocation_is_decided_draws_nothing_and_is_recorded_once() {
        let (layer, lines) = layer();
        for _ in 0..3 {
            assert!(layer.ask(|_| boom::<Option<Session>>()).is_none());
        }
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains(r#""reason":"internal_error","message":"the engine panicked, the function runs untouched""#));
        drop(lines);
        assert!(layer.ask(|host| host.decide(&Call::of("one"))).is_some());
    }

    #[test]
    fn what_we_take_is_part_of_the_delay_in_a_layer_and_comes_on_top_in_a_library() {
        let delay_us = |mut session: Session| {
            hold_us(2_000);
            session.ask(|steps| steps.before(None)).unwrap().delay_us
        };
        assert!(delay_us(drawn(&layer().0)) <= 3_000);
        let library = Library::open(SLOW, Language::Python, Identity::default(), Sink::callback(|_| {})).unwrap();
        assert_eq!(delay_us(library.ask(|host| host.decide(&Call::of("one"))).unwrap().unwrap()), 5_000);
    }

    #[test]
    fn after_a_panic_in_a_step_nothing_more_happens_to_that_invocation() {
        let (layer, lines) = layer();
        let mut session = drawn(&layer);
        assert_ne!(session.ask(|steps| steps.before(None)).unwrap().delay_us, 0);
        assert!(matches!(session.ask(|_| boom::<Step>()).unwrap().outcome, Outcome::Run));
        let step = session.ask(|steps| steps.before(None)).unwrap();
        assert_eq!((step.delay_us, matches!(step.outcome, Outcome::Run)), (0, true));
        // The fault's own record came first, with its step.
        assert_eq!(lines.lock().unwrap().len(), 2);
    }
}
