//! Sessions as Java holds them, and steps as it takes them: `{outcome, delay in µs, first, second, record…}`. Owns that
//! form; decides nothing.

use std::borrow::Cow;

use faultlayer_core::boundary::{Failed, Language, Outcome, Session, Step, Steps};
use jni_sys::{jarray, jlong, jobjectArray};

use crate::answer::Found;
use crate::calls;
use crate::event::Jvm;
use crate::host::present;
use crate::library::lines;

/// Where the client has the invocation's trace header.
const TRACE_HEADER: &str = "com.amazonaws.xray.traceHeader";

/// One invocation that something was drawn for. Java uses it from one thread at a time.
pub struct Running {
    session: Session,
    /// The records of the decision, handed out with the first step.
    lines: Vec<String>,
    /// The number by which its handler's calls ask; 0 before anyone asked for it, and where none waits for calls.
    calls: jlong,
}

impl Drop for Running {
    fn drop(&mut self) {
        calls::leave(self.calls);
    }
}

impl Running {
    /// Its address.
    pub fn give_out(session: Session, lines: Vec<String>) -> jlong {
        Box::into_raw(Box::new(Self { session, lines, calls: 0 })) as jlong
    }

    /// # Safety
    /// `handle` is an address that [`Running::give_out`] made and that has not ended, and no other thread uses it.
    unsafe fn at<'a>(handle: jlong) -> &'a mut Self {
        // SAFETY: by the caller.
        unsafe { &mut *(handle as *mut Self) }
    }

    /// A step as Java takes it. Null where a library's engine failed, and where the JVM has no room for it.
    fn step(&mut self, jvm: Jvm, question: impl FnOnce(&mut Steps) -> Step) -> jobjectArray {
        let earlier = std::mem::take(&mut self.lines);
        match self.session.ask(|steps| (question(steps), lines())) {
            Ok((step, lines)) => hand_out(jvm, &step, earlier.iter().chain(&lines)),
            Err(Failed) => std::ptr::null_mut(),
        }
    }
}

/// # Safety
/// As [`Running::at`].
pub unsafe fn before(jvm: Jvm, handle: jlong, deadline_ms: jlong) -> jobjectArray {
    // SAFETY: by the caller.
    unsafe { Running::at(handle) }.step(jvm, |steps| {
        if steps.traces() {
            steps.tell_trace(jvm.property(TRACE_HEADER));
        }
        steps.before(present(deadline_ms))
    })
}

/// The number by which the handler's calls ask from now on, until the session's end; 0 where no fault waits for calls.
///
/// # Safety
/// As [`Running::at`].
pub unsafe fn calls(handle: jlong) -> jlong {
    // SAFETY: by the caller.
    let running = unsafe { Running::at(handle) };
    if let Ok(Some(calls)) = running.session.ask(Steps::calls) {
        running.calls = calls::enter(calls);
    }
    running.calls
}

/// # Safety
/// As [`Running::at`].
pub unsafe fn wants_text(handle: jlong) -> bool {
    // SAFETY: by the caller.
    unsafe { Running::at(handle) }.session.ask(|steps| steps.wants_text()).unwrap_or_default()
}

/// A corruption comes back as the whole answer, with the other text in the place of its own.
///
/// # Safety
/// As [`Running::at`].
pub unsafe fn returned(jvm: Jvm, handle: jlong, answer: jarray, now_us: jlong) -> jobjectArray {
    // SAFETY: by the caller.
    unsafe { Running::at(handle) }.step(jvm, |steps| {
        let answer = jvm.bytes(answer).unwrap_or_default();
        let found = Found::of(&answer);
        let mut step = steps.returned(found.as_ref().map(|found| found.text.as_str()), present(now_us));
        if let Outcome::Corrupt { text } = &mut step.outcome {
            match found.and_then(|found| found.splice(&answer, text)) {
                Some(other) => *text = other,
                None => step.outcome = Outcome::Run,
            }
        }
        step
    })
}

/// # Safety
/// As [`Running::at`].
pub unsafe fn failed(jvm: Jvm, handle: jlong, now_us: jlong) -> jobjectArray {
    // SAFETY: by the caller.
    unsafe { Running::at(handle) }.step(jvm, |steps| steps.failed(present(now_us)))
}

/// # Safety
/// As [`Running::at`]; the handle is not used again.
pub unsafe fn end(handle: jlong) {
    // SAFETY: by the caller; the address came from `Box::into_raw`.
    drop(unsafe { Box::from_raw(handle as *mut Running) });
}

fn hand_out<'a>(jvm: Jvm, step: &Step, lines: impl Iterator<Item = &'a String>) -> jobjectArray {
    let (outcome, first, second): (_, Option<Cow<'_, str>>, Option<&str>) = match &step.outcome {
        Outcome::Run => ("0", None, None),
        Outcome::Error { type_name, message, .. } => ("1", Some(type_name.of(Language::Java).into()), Some(message)),
        Outcome::Response { answer, .. } => ("2", Some(answer.get().into()), None),
        Outcome::Exit { code } => ("3", Some(code.to_string().into()), None),
        Outcome::Timeout { hold_us, message } => ("4", Some(hold_us.to_string().into()), Some(message)),
        Outcome::Corrupt { text } => ("5", Some(text.into()), None),
    };
    let delay = step.delay_us.to_string();
    let head = [Some(outcome), Some(&delay), first.as_deref(), second];
    let all: Vec<Option<&str>> = head.into_iter().chain(lines.map(|line| Some(line.as_str()))).collect();
    jvm.strings(all.into_iter())
}
