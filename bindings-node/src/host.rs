//! The engine as JavaScript holds it, whichever side it is of: by a number, for plain functions: a method of a class costs
//! ten times a plain call's way across, and `decide` is on the way of every invocation. Does not own any decision (core).

#![expect(clippy::too_many_arguments, reason = "JavaScript hands over plain values: one for each field of an invocation")]

use std::cell::RefCell;
use std::sync::Arc;

use faultlayer_core::boundary::{Call, DEADLINE_TRIES, EventInput, Host, Layer, Library, Reads, Session as Drawn};
use faultlayer_core::matching::{Patterns, Source};
use napi::bindgen_prelude::{Either, Unknown};
use napi::{Result, sys};
use napi_derive::napi;

use crate::error::{failed, unknown_host};
use crate::event::{Event, Gathered, Tree};
use crate::library::Lines;
use crate::session::Session;

thread_local! {
    /// The hosts of this thread's JavaScript, by number.
    static HOSTS: RefCell<Vec<Option<Slot>>> = const { RefCell::new(Vec::new()) };
}

/// Either side, which a host's number does not tell.
#[derive(Clone)]
pub enum Asked {
    Layer(&'static Layer),
    Library(Arc<Library>),
}

impl Asked {
    /// Never an error of a layer.
    fn ask<T: Default>(&self, question: impl FnOnce(&Host) -> T) -> Result<T> {
        match self {
            Self::Layer(layer) => Ok(layer.ask(question)),
            Self::Library(library) => library.ask(question).map_err(failed),
        }
    }
}

pub struct Slot {
    pub asked: Asked,
    pub lines: Option<Lines>,
    /// The ARN by which the last invocation came; it seldom changes, so it does not cross with each call.
    arn: Option<String>,
    /// The number of the plan that JavaScript has read.
    plan: u64,
    /// What that plan's patterns name of an event.
    patterns: Option<Arc<Patterns>>,
    tree: Option<Tree>,
}

/// What is drawn, or that another plan has come since JavaScript read it: then it reads again, and asks again.
pub type Answer = Option<Either<Session, bool>>;
const STALE: Answer = Some(Either::B(true));

impl Slot {
    pub fn new(asked: Asked, lines: Option<Lines>) -> Self {
        let mut slot = Self { asked, lines, arn: None, plan: 0, patterns: None, tree: None };
        slot.look_at_plan();
        slot
    }

    pub fn look_at_plan(&mut self) -> Reads {
        let looked = self.asked.ask(|host| {
            let asked = host.asked();
            (asked.number(), asked.reads(), asked.event_patterns())
        });
        let (plan, reads, patterns) = looked.unwrap_or_default();
        (self.plan, self.patterns) = (plan, patterns);
        self.tree = self.patterns.as_deref().map(|patterns| Tree::new(patterns.paths()));
        reads
    }

    /// Decides for an invocation under a plan without patterns.
    ///
    /// # Errors
    /// A library's engine failed.
    pub fn decide(&self, id: &str, deadline_ms: Option<i64>, streaming: bool) -> Result<Answer> {
        let call = Call { deadline_ms, function_arn: self.arn.as_deref(), streaming, ..Call::of(id) };
        self.asked.ask(|host| decided(host, self.plan, &call)).map(answer)
    }

    /// Whether nothing is drawn for an invocation, as its id alone can tell; then it is counted.
    pub fn is_quiet(&self, id: &str) -> bool {
        self.asked.ask(|host| host.is_quiet(id)).unwrap_or_default()
    }

    /// As [`Slot::decide`], with what its patterns name: the client context as JSON text, and the leaves that JavaScript gathered
    /// of the event.
    ///
    /// # Errors
    /// A library's engine failed.
    pub fn decide_gathered(
        &self,
        id: &str,
        deadline_ms: Option<i64>,
        streaming: bool,
        client_context: Option<&str>,
        env: sys::napi_env,
        leaves: &[sys::napi_value],
    ) -> Result<Answer> {
        let (Some(patterns), Some(tree)) = (&self.patterns, &self.tree) else { return Err(unknown_host()) };
        let event = Gathered { patterns, tree, env, leaves };
        let (event, function_arn) = (EventInput::Source(&event), self.arn.as_deref());
        let call = Call { deadline_ms, function_arn, client_context, event, streaming, ..Call::of(id) };
        self.asked.ask(|host| decided(host, self.plan, &call)).map(answer)
    }
}

/// How often JavaScript asks for the time left at most, until the clock stands still around the question.
#[napi]
pub fn deadline_tries() -> u32 {
    DEADLINE_TRIES
}

/// What [`decide_reading`] needs beyond an invocation's id: bit 0 the event, bit 1 the client context, bit 2 the deadline,
/// which can wait for [`Session::due`] otherwise, bit 3 the ARN. Without the first two, an [`asker`](crate::asking::asker) is
/// enough. It is the plan in force that is read here; what else is asked of a host is of this one.
#[napi]
pub fn reads(host: u32) -> u32 {
    let reads = with(host, Slot::look_at_plan).unwrap_or_default();
    let bits = [reads.event, reads.client_context, reads.deadline, reads.function_arn];
    bits.into_iter().rev().fold(0, |bits, bit| bits << 1 | u32::from(bit))
}

/// Whether the plan in force has faults in calls to AWS: without any, nobody need look at them.
#[napi]
pub fn hits_aws_calls(host: u32) -> bool {
    with(host, |slot| slot.asked.ask(Host::hits_aws_calls).unwrap_or_default()).unwrap_or_default()
}

/// Whether an id alone can tell of any invocation that nothing is drawn for it.
#[napi]
pub fn id_tells(host: u32) -> bool {
    with(host, |slot| slot.asked.ask(Host::id_tells).unwrap_or_default()).unwrap_or_default()
}

/// Whether it has faults in connections, and this platform lets them: nobody tells when code opens one.
#[napi]
pub fn hits_connections(host: u32) -> bool {
    with(host, |slot| slot.asked.ask(Host::hits_connections).unwrap_or_default()).unwrap_or_default()
}

/// Decides for code that makes calls and has no call of its own around it: only faults in calls are drawn.
///
/// # Errors
/// A library's engine failed.
#[napi]
pub fn decide_calls(host: u32, id: String) -> Result<Option<Session>> {
    let drawn = with(host, |slot| slot.asked.ask(|host| host.decide_calls(&Call::of(&id))));
    drawn.unwrap_or_else(|| Err(unknown_host())).map(session)
}

/// Whether another plan can come at any time, which deciding then says: what is needed for any plan has to be there.
#[napi]
pub fn is_live(host: u32) -> bool {
    with(host, |slot| slot.asked.ask(Host::is_live).unwrap_or_default()).unwrap_or_default()
}

/// The end of init: waits a little for the first plan, where it comes from elsewhere.
#[napi]
pub fn settle(host: u32) {
    if let Some(Asked::Layer(layer)) = with(host, |slot| slot.asked.clone()) {
        layer.settle();
    }
}

/// Tells the ARN of the invocations from now on.
#[napi]
pub fn arn(host: u32, arn: Option<String>) {
    with(host, |slot| slot.arn = arn);
}

/// Decides by the plan that JavaScript has read, if that is in force.
fn decided(host: &Host, plan: u64, call: &Call<'_>) -> Decided {
    let asked = host.asked();
    if host.is_live() && asked.number() != plan { Decided::Stale } else { Decided::By(asked.decide(call)) }
}

enum Decided {
    By(Option<Drawn>),
    Stale,
}

impl Default for Decided {
    fn default() -> Self {
        Self::By(None)
    }
}

fn answer(decided: Decided) -> Answer {
    match decided {
        Decided::By(drawn) => session(drawn).map(Either::A),
        Decided::Stale => STALE,
    }
}

/// The paths that the plan's patterns name, names joined by dots: what a [`gathered_asker`](crate::asking::gathered_asker)
/// wants the leaves of.
#[napi]
pub fn paths(host: u32) -> Vec<String> {
    with(host, |slot| slot.patterns.as_ref().map(|patterns| patterns.paths().iter().collect())).flatten().unwrap_or_default()
}

/// As a [`gathered_asker`](crate::asking::gathered_asker), for any event: reads what the patterns name of it. `now_us` is the
/// time in epoch microseconds; NaN lets the engine read the clock. `take` and `room` as `lib/gather.cjs` makes them.
///
/// # Errors
/// A library's engine failed.
#[napi]
pub fn decide_reading(
    host: u32,
    id: String,
    deadline: f64,
    streaming: bool,
    event: Unknown<'_>,
    client_context: Option<String>,
    now_us: f64,
    take: Option<Unknown<'_>>,
    room: Option<Unknown<'_>>,
) -> Result<Answer> {
    let told = Told { id: &id, deadline, streaming, client_context: client_context.as_deref(), now_us };
    decide_with(host, &told, &Event::new(event, take.zip(room)))
}

struct Told<'a> {
    id: &'a str,
    deadline: f64,
    streaming: bool,
    client_context: Option<&'a str>,
    now_us: f64,
}

/// Decides, and has the event read only if anything looks at it.
fn decide_with(host: u32, told: &Told<'_>, event: &dyn Source) -> Result<Answer> {
    // Reading an object may run the function's own code (a getter), which may come back here: nothing is borrowed then.
    let (asked, arn, plan) = with(host, |slot| (slot.asked.clone(), slot.arn.clone(), slot.plan)).ok_or_else(unknown_host)?;
    let drawn = asked.ask(|host| {
        decided(
            host,
            plan,
            &Call {
                deadline_ms: whole(told.deadline),
                function_arn: arn.as_deref(),
                client_context: told.client_context,
                event: EventInput::Source(event),
                streaming: told.streaming,
                now_us: whole(told.now_us),
                ..Call::of(told.id)
            },
        )
    });
    drawn.map(answer)
}

fn session(drawn: Option<Drawn>) -> Option<Session> {
    drawn.map(Session::new)
}

/// Forgets a host. Its sessions live on.
#[napi]
pub fn release(host: u32) {
    HOSTS.with_borrow_mut(|hosts| hosts.get_mut(host as usize).and_then(Option::take));
}

/// A time as JavaScript has it; NaN is none.
#[expect(clippy::cast_possible_truncation, reason = "epoch microseconds are below 2^53; a cast saturates")]
pub fn whole(time: f64) -> Option<i64> {
    time.is_finite().then_some(time as i64)
}

/// The number that a host gets.
///
/// # Errors
/// There are more than anybody can count.
pub fn enter(slot: Slot) -> Result<u32> {
    HOSTS.with_borrow_mut(|hosts| {
        let free = hosts.iter().position(Option::is_none);
        let at = free.unwrap_or(hosts.len());
        match hosts.get_mut(at) {
            Some(place) => *place = Some(slot),
            None => hosts.push(Some(slot)),
        }
        u32::try_from(at).map_err(|_| unknown_host())
    })
}

pub fn with<T>(host: u32, work: impl FnOnce(&mut Slot) -> T) -> Option<T> {
    HOSTS.with_borrow_mut(|hosts| Some(work(hosts.get_mut(host as usize)?.as_mut()?)))
}
