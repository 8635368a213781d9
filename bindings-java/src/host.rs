//! The engine as Java holds it, whichever side it is of: by address. Owns the way in; what is decided is the engine's.

use std::borrow::Cow;

use faultlayer_core::boundary::{Call, EventInput, Failed, Host, Layer, Library, Reads, Session, Wide};
use jni_sys::{jint, jlong, jobject, jstring};

use crate::error::FAILED;
use crate::event::{Jvm, Room};
use crate::library::lines;
use crate::session::Running;

/// Stands for an absent number.
const ABSENT: jlong = jlong::MIN;

/// Another plan has come, which reads more than was told.
const STALE: jlong = -2;

const READS_EVENT: jint = 1;
const READS_CLIENT_CONTEXT: jint = 2;
const READS_DEADLINE: jint = 4;
const READS_ARN: jint = 8;

/// Either side, which an address does not tell.
pub enum Asked {
    Layer(Layer),
    Library(Library),
}

impl Asked {
    /// Its address.
    pub fn give_out(self) -> jlong {
        Box::into_raw(Box::new(self)) as jlong
    }

    /// Never an error of a layer.
    fn ask<T: Default>(&self, question: impl FnOnce(&Host) -> T) -> Result<T, Failed> {
        match self {
            Self::Layer(layer) => Ok(layer.ask(question)),
            Self::Library(library) => library.ask(question),
        }
    }
}

/// # Safety
/// `handle` is an address that [`Asked::give_out`] made and that is not freed yet.
pub unsafe fn at<'a>(handle: jlong) -> &'a Asked {
    // SAFETY: by the caller.
    unsafe { &*(handle as *const Asked) }
}

/// # Safety
/// As [`at`]; the handle is not used again.
pub unsafe fn free(handle: jlong) {
    // SAFETY: by the caller; the address came from `Box::into_raw`.
    drop(unsafe { Box::from_raw(handle as *mut Asked) });
}

/// # Safety
/// As [`at`].
pub unsafe fn reads(handle: jlong) -> jint {
    // SAFETY: by the caller.
    bits(unsafe { at(handle) }.ask(Host::reads).unwrap_or_default())
}

fn bits(reads: Reads) -> jint {
    let bits = [
        (reads.event, READS_EVENT),
        (reads.client_context, READS_CLIENT_CONTEXT),
        (reads.deadline, READS_DEADLINE),
        (reads.function_arn, READS_ARN),
    ];
    bits.into_iter().filter_map(|(is_read, bit)| is_read.then_some(bit)).sum()
}

/// Whether the plan in force has faults in calls to AWS: without any, nobody need look at them.
///
/// # Safety
/// As [`at`].
pub unsafe fn hits_calls(handle: jlong) -> bool {
    // SAFETY: by the caller.
    unsafe { at(handle) }.ask(Host::hits_aws_calls).unwrap_or_default()
}

/// Whether it has faults in connections, and this platform lets them.
///
/// # Safety
/// As [`at`].
pub unsafe fn hits_connections(handle: jlong) -> bool {
    // SAFETY: by the caller.
    unsafe { at(handle) }.ask(Host::hits_connections).unwrap_or_default()
}

/// A call to AWS was made by a thread that the plan is not in force for.
///
/// # Safety
/// As [`at`].
pub unsafe fn called_elsewhere(handle: jlong) {
    // SAFETY: by the caller. A panic has nobody here to tell it to; the next question meets it.
    let _ = unsafe { at(handle) }.ask(Host::called_elsewhere);
}

/// As [`decide`], for code that makes calls and has no steps around it: only faults in calls are drawn.
///
/// # Safety
/// As [`at`].
pub unsafe fn decide_calls(jvm: Jvm, handle: jlong, request_id: jstring) -> jlong {
    // SAFETY: by the caller.
    given_out(unsafe { at(handle) }.ask(|host| {
        let mut id = Room::new();
        host.decide_calls(&Call::of(jvm.text(request_id, &mut id).as_deref().unwrap_or_default()))
    }))
}

fn given_out(drawn: Result<Option<Session>, Failed>) -> jlong {
    match drawn {
        Ok(None) => 0,
        Ok(Some(session)) => Running::give_out(session, lines()),
        Err(Failed) => FAILED,
    }
}

/// Whether nothing is drawn for an invocation, as its id alone can tell; else [`decide`] tells. `length` is the id's.
///
/// # Safety
/// As [`at`].
pub unsafe fn is_quiet(jvm: Jvm, handle: jlong, request_id: jstring, length: jint) -> bool {
    let mut room = Wide::new();
    let Some(id) = jvm.plain(request_id, length, &mut room) else { return false };
    // SAFETY: by the caller.
    unsafe { at(handle) }.ask(|host| host.is_quiet(id)).unwrap_or_default()
}

/// Whether [`is_quiet`] is worth asking.
///
/// # Safety
/// As [`at`].
pub unsafe fn id_tells(handle: jlong) -> bool {
    // SAFETY: by the caller.
    unsafe { at(handle) }.ask(Host::id_tells).unwrap_or_default()
}

/// What [`decide`] is told of an invocation, as the JVM has it.
pub struct Told {
    pub request_id: jstring,
    pub deadline_ms: jlong,
    pub arn: jstring,
    pub client_context: jstring,
    /// What [`Jvm::event`] takes.
    pub event: jobject,
    pub now_us: jlong,
    /// By which [`reads`] this was gathered.
    pub reads: jint,
}

/// A session's address, 0 if nothing is drawn, [`STALE`], or [`FAILED`].
///
/// # Safety
/// As [`at`].
pub unsafe fn decide(jvm: Jvm, handle: jlong, told: &Told) -> jlong {
    // SAFETY: by the caller.
    let drawn = unsafe { at(handle) }.ask(|host| {
        let asked = host.asked();
        if bits(asked.reads()) & !told.reads != 0 {
            return Decided::Stale;
        }
        let (mut id, mut arn) = (Room::new(), Room::new());
        let client_context = if told.client_context.is_null() {
            None
        } else {
            jvm.text(told.client_context, &mut Room::new()).map(Cow::into_owned)
        };
        let event = jvm.event(told.event);
        Decided::By(asked.decide(&Call {
            request_id: jvm.text(told.request_id, &mut id).as_deref().unwrap_or_default(),
            deadline_ms: present(told.deadline_ms),
            function_arn: jvm.text(told.arn, &mut arn).as_deref(),
            client_context: client_context.as_deref(),
            event: event.as_ref().map_or(EventInput::Absent, |event| EventInput::Source(event)),
            streaming: false,
            now_us: present(told.now_us),
        }))
    });
    match drawn {
        Ok(Decided::By(drawn)) => given_out(Ok(drawn)),
        Ok(Decided::Stale) => STALE,
        Err(failed) => given_out(Err(failed)),
    }
}

enum Decided {
    By(Option<Session>),
    Stale,
}

impl Default for Decided {
    fn default() -> Self {
        Self::By(None)
    }
}

/// `None` for the number that stands for it.
pub const fn present(number: jlong) -> Option<i64> {
    if number == ABSENT { None } else { Some(number) }
}
