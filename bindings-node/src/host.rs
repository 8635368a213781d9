//! The engine as JavaScript holds it: one for the process in the layer, shared by its worker threads, and one for each
//! scope in the library. Does not own any decision (core).
//!
//! JavaScript names a host by a number and calls plain functions: a method of a class costs ten times a plain call's way
//! across, and `decide` is on the way of every invocation.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use faultlayer_core::boundary::{Call, EventInput, Host, Identity, Language, Sink, guard};
use faultlayer_core::matching::{Paths, Projection};
use napi::Result;
use napi::bindgen_prelude::{Object, Unknown};
use napi_derive::napi;

use crate::error::{internal, refused};
use crate::event::{Tree, gathered, project};
use crate::session::Session;

/// The addon is loaded once for a process, however many worker threads load it: limits and counts are the environment's.
static LAYER: OnceLock<Option<Arc<Host>>> = OnceLock::new();

thread_local! {
    /// The hosts of this thread's JavaScript, by number.
    static HOSTS: RefCell<Vec<Option<Slot>>> = const { RefCell::new(Vec::new()) };
}

/// Record lines of a library's host that JavaScript has not fetched yet.
type Lines = Arc<Mutex<Vec<String>>>;

struct Slot {
    host: Arc<Host>,
    /// The ARN by which the last invocation came; it seldom changes, so it does not cross with each call.
    arn: Option<String>,
    lines: Option<Lines>,
    /// What the plan's patterns name of an event.
    paths: Option<Arc<Paths>>,
    tree: Option<Arc<Tree>>,
}

/// Who the function is, for patterns on the context.
#[napi(object)]
pub struct IdentityFields {
    /// As in `checkout`.
    pub function_name: Option<String>,
    /// As in `$LATEST`.
    pub function_version: Option<String>,
    /// In MB.
    pub memory_mb: Option<u32>,
    /// As in `nodejs22.x`.
    pub runtime: Option<String>,
}

/// The layer's host; nothing where nothing can ever fire, which Faultlayer's own record then explains.
#[napi]
pub fn layer() -> Option<u32> {
    let open = || guard(|| None, || Host::layer(Language::Node).map(Arc::new));
    let host = Arc::clone(LAYER.get_or_init(open).as_ref()?);
    enter(Slot::new(host, None))
}

/// A library's host. Its record lines wait for [`drain`].
///
/// # Errors
/// The problems of the plan, as JSON.
#[napi]
pub fn library(plan: String, identity: Option<IdentityFields>) -> Result<u32> {
    let lines = Lines::default();
    let sink = {
        let lines = Arc::clone(&lines);
        Sink::Callback(Box::new(move |line| lock(&lines).push(line.to_owned())))
    };
    let identity = identity.map_or_else(Identity::default, |fields| Identity {
        function_name: fields.function_name,
        function_version: fields.function_version,
        memory_mb: fields.memory_mb,
        runtime: fields.runtime,
    });
    let open = || Host::library(&plan, Language::Node, identity, sink).map_err(|error| refused(&error));
    let host = guard(|| Err(internal()), open)?;
    enter(Slot::new(Arc::new(host), Some(lines))).ok_or_else(internal)
}

/// Puts another plan in force under running invocations.
///
/// # Errors
/// The problems of the plan, as JSON; the old one stays in force.
#[napi]
pub fn replace(number: u32, plan: String) -> Result<()> {
    let Some(host) = with(number, |slot| Arc::clone(&slot.host)) else { return Err(internal()) };
    guard(|| Err(internal()), || host.replace(&plan).map_err(|error| refused(&error)))?;
    with(number, Slot::look_at_plan);
    Ok(())
}

/// What [`decide_reading`] needs beyond an invocation's identity: bit 0 the event, bit 1 the client context. For 0,
/// [`decide`] is enough.
#[napi]
pub fn reads(host: u32) -> u32 {
    with(host, |slot| {
        let reads = slot.host.reads();
        u32::from(reads.event) | u32::from(reads.client_context) << 1
    })
    .unwrap_or_default()
}

/// Tells the ARN of the invocations from now on.
#[napi]
pub fn arn(host: u32, arn: Option<String>) {
    with(host, |slot| slot.arn = arn);
}

/// Decides for one invocation under a plan without patterns. `deadline` is in epoch milliseconds, NaN for none.
/// Nothing where nothing is drawn: call the handler as if nothing were here.
#[napi]
pub fn decide(host: u32, id: String, deadline: f64) -> Option<Session> {
    with(host, |slot| slot.decide(&id, deadline, false)).flatten()
}

/// As [`decide`], for a handler that streams its response.
#[napi]
pub fn decide_streaming(host: u32, id: String, deadline: f64) -> Option<Session> {
    with(host, |slot| slot.decide(&id, deadline, true)).flatten()
}

/// The paths that the plan's patterns name, names joined by dots: what [`decide_gathered`] wants the leaves of.
#[napi]
pub fn paths(host: u32) -> Vec<String> {
    with(host, |slot| slot.paths.as_ref().map(|paths| paths.iter().collect())).flatten().unwrap_or_default()
}

/// As [`decide`], for a plan with patterns: reads what they name of `event`, and `client_context` as JSON text. `now_us` is
/// the time in epoch microseconds; NaN lets the engine read the clock.
#[napi]
pub fn decide_reading(
    host: u32,
    id: String,
    deadline: f64,
    streaming: bool,
    event: Unknown<'_>,
    client_context: Option<String>,
    now_us: f64,
) -> Option<Session> {
    let asked = Asked { id: &id, deadline, streaming, client_context: client_context.as_deref(), now_us };
    decide_with(host, &asked, |paths, _| project(paths, event))
}

/// As [`decide_reading`], with the leaves of the event that JavaScript gathered, in the order of [`paths`].
#[napi]
pub fn decide_gathered(
    host: u32,
    id: String,
    deadline: f64,
    streaming: bool,
    leaves: Object<'_>,
    client_context: Option<String>,
) -> Option<Session> {
    let asked = Asked { id: &id, deadline, streaming, client_context: client_context.as_deref(), now_us: f64::NAN };
    decide_with(host, &asked, |paths, tree| gathered(paths, tree, &leaves))
}

struct Asked<'a> {
    id: &'a str,
    deadline: f64,
    streaming: bool,
    client_context: Option<&'a str>,
    now_us: f64,
}

/// Decides, and has the event read only if anything looks at it.
fn decide_with(host: u32, asked: &Asked<'_>, read: impl FnOnce(&Arc<Paths>, &Tree) -> Projection) -> Option<Session> {
    // Reading an object may run the function's own code (a getter), which may come back here: nothing is borrowed then.
    let (core, arn, paths) =
        with(host, |slot| (Arc::clone(&slot.host), slot.arn.clone(), slot.paths.clone().zip(slot.tree.clone())))?;
    let decide = || {
        let mut call = Call {
            request_id: asked.id,
            deadline_ms: whole(asked.deadline),
            function_arn: arn.as_deref(),
            client_context: asked.client_context,
            event: EventInput::Absent,
            streaming: asked.streaming,
            now_us: Some(whole(asked.now_us).unwrap_or_else(|| core.now_us())),
        };
        let read = paths.filter(|_| core.looks_at_event(&call)).map(|(paths, tree)| read(&paths, &tree));
        call.event = read.as_ref().map_or(EventInput::Absent, EventInput::Projection);
        core.decide(&call)
    };
    guard(|| None, decide).map(Session::new)
}

/// The lines of records since the last call, if there are any.
#[napi]
pub fn drain(host: u32) -> Option<Vec<String>> {
    with(host, |slot| {
        let lines = std::mem::take(&mut *lock(slot.lines.as_ref()?));
        (!lines.is_empty()).then_some(lines)
    })
    .flatten()
}

/// Forgets a host. Its sessions live on.
#[napi]
pub fn release(host: u32) {
    HOSTS.with_borrow_mut(|hosts| hosts.get_mut(host as usize).and_then(Option::take));
}

impl Slot {
    fn new(host: Arc<Host>, lines: Option<Lines>) -> Self {
        let mut slot = Self { host, arn: None, lines, paths: None, tree: None };
        slot.look_at_plan();
        slot
    }

    fn look_at_plan(&mut self) {
        self.paths = self.host.event_paths();
        self.tree = self.paths.as_deref().map(|paths| Arc::new(Tree::new(paths)));
    }

    fn decide(&self, id: &str, deadline: f64, streaming: bool) -> Option<Session> {
        let call = Call {
            request_id: id,
            deadline_ms: whole(deadline),
            function_arn: self.arn.as_deref(),
            client_context: None,
            event: EventInput::Absent,
            streaming,
            now_us: None,
        };
        guard(|| None, || self.host.decide(&call)).map(Session::new)
    }
}

/// A time as JavaScript has it; NaN is none.
#[expect(clippy::cast_possible_truncation, reason = "epoch microseconds are below 2^53; a cast saturates")]
pub fn whole(time: f64) -> Option<i64> {
    time.is_finite().then_some(time as i64)
}

fn enter(slot: Slot) -> Option<u32> {
    HOSTS.with_borrow_mut(|hosts| {
        let free = hosts.iter().position(Option::is_none);
        let at = free.unwrap_or(hosts.len());
        match hosts.get_mut(at) {
            Some(place) => *place = Some(slot),
            None => hosts.push(Some(slot)),
        }
        u32::try_from(at).ok()
    })
}

fn with<T>(host: u32, work: impl FnOnce(&mut Slot) -> T) -> Option<T> {
    HOSTS.with_borrow_mut(|hosts| Some(work(hosts.get_mut(host as usize)?.as_mut()?)))
}

fn lock(lines: &Lines) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
