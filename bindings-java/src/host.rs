//! Hosts as Java holds them: by address. Owns the way in; what is decided is the engine's.

use std::borrow::Cow;
use std::cell::RefCell;

use faultlayer_core::boundary::{Call, EventInput, Host, Identity, Language, Sink, guard};
use jni::sys::{jarray, jint, jlong, jobjectArray, jstring};

use crate::error;
use crate::event::{Jvm, Room};
use crate::session::Running;

/// Stands for an absent number.
const ABSENT: jlong = jlong::MIN;

const READS_EVENT: jint = 1;
const READS_CLIENT_CONTEXT: jint = 2;

thread_local! {
    /// The record lines of a library's host, until the native call that made them hands them to Java: so nothing here
    /// calls back into the JVM.
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Takes the lines that this thread's call has written.
pub fn lines() -> Vec<String> {
    LINES.try_with(RefCell::take).unwrap_or_default()
}

/// # Safety
/// `handle` is the address of a host that [`layer`] or [`library`] gave out and that is not freed yet.
unsafe fn at<'a>(handle: jlong) -> &'a Host {
    // SAFETY: by the caller.
    unsafe { &*(handle as *const Host) }
}

fn give_out(host: Host) -> jlong {
    Box::into_raw(Box::new(host)) as jlong
}

/// The layer's host, or 0.
pub fn layer() -> jlong {
    guard(
        || {
            error::panicked_at_init();
            0
        },
        || Host::layer(Language::Java).map_or(0, give_out),
    )
}

/// A library's host; 0 and a refusal at `problems[0]` if the plan does not hold.
pub fn library(jvm: Jvm, plan: jstring, identity: jobjectArray) -> Result<jlong, String> {
    let panicked = || Err(r#"{"code":"internal_error","path":"","message":"the engine panicked","problems":[]}"#.to_owned());
    guard(panicked, || {
        let mut fields = jvm.elements(identity).into_iter();
        let mut next = || fields.next().flatten();
        let identity = Identity {
            function_name: next(),
            function_version: next(),
            memory_mb: next().and_then(|size| size.parse().ok()),
            runtime: next(),
        };
        let sink = Sink::Callback(Box::new(|line| {
            let _ = LINES.try_with(|lines| lines.borrow_mut().push(line.to_owned()));
        }));
        let plan = jvm.text(plan, &mut Room::new()).unwrap_or_default().into_owned();
        Host::library(&plan, Language::Java, identity, sink).map(give_out).map_err(|refused| error::refusal(&refused))
    })
}

/// # Safety
/// As [`at`].
pub unsafe fn replace(jvm: Jvm, handle: jlong, plan: jstring) -> Option<String> {
    // SAFETY: by the caller.
    let host = unsafe { at(handle) };
    guard(
        || None,
        || {
            let plan = jvm.text(plan, &mut Room::new()).unwrap_or_default().into_owned();
            host.replace(&plan).err().map(|refused| error::refusal(&refused))
        },
    )
}

/// # Safety
/// As [`at`]; the handle is not used again.
pub unsafe fn free(handle: jlong) {
    // SAFETY: by the caller; the address came from `Box::into_raw`.
    let host = unsafe { Box::from_raw(handle as *mut Host) };
    guard(|| (), || drop(host));
}

/// # Safety
/// As [`at`].
pub unsafe fn reads(handle: jlong) -> jint {
    // SAFETY: by the caller.
    let reads = unsafe { at(handle) }.reads();
    (if reads.event { READS_EVENT } else { 0 }) | (if reads.client_context { READS_CLIENT_CONTEXT } else { 0 })
}

/// What [`decide`] is told of an invocation, as the JVM has it.
pub struct Told {
    pub request_id: jstring,
    pub deadline_ms: jlong,
    pub arn: jstring,
    pub client_context: jstring,
    pub event: jarray,
    pub now_us: jlong,
}

/// A session's address, or 0 if nothing is drawn.
///
/// # Safety
/// As [`at`].
pub unsafe fn decide(jvm: Jvm, handle: jlong, told: &Told) -> jlong {
    // SAFETY: by the caller.
    let host = unsafe { at(handle) };
    let panicked = || {
        error::panicked(host);
        0
    };
    guard(panicked, || {
        let (mut id, mut arn) = (Room::new(), Room::new());
        let client_context = if told.client_context.is_null() {
            None
        } else {
            jvm.text(told.client_context, &mut Room::new()).map(Cow::into_owned)
        };
        let event = jvm.bytes(told.event);
        let session = host.decide(&Call {
            request_id: jvm.text(told.request_id, &mut id).as_deref().unwrap_or_default(),
            deadline_ms: present(told.deadline_ms),
            function_arn: jvm.text(told.arn, &mut arn).as_deref(),
            client_context: client_context.as_deref(),
            event: event.as_deref().map_or(EventInput::Absent, EventInput::Json),
            streaming: false,
            now_us: present(told.now_us),
        });
        session.map_or(0, |session| Running::give_out(session, lines()))
    })
}

/// `None` for the number that stands for it.
pub const fn present(number: jlong) -> Option<i64> {
    if number == ABSENT { None } else { Some(number) }
}
