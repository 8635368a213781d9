//! The library's engines: one for each scope. Record lines wait here until the native call that made them hands them to
//! Java, so that nothing calls back into the JVM.

use std::cell::RefCell;

use faultlayer_core::boundary::{Host, Identity, Language, Library, Sink};
use jni_sys::{jlong, jobjectArray, jstring};

use crate::error::refusal;
use crate::event::{Jvm, Room};
use crate::host::{Asked, at};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Takes the lines that this thread's call has written.
pub fn lines() -> Vec<String> {
    LINES.try_with(RefCell::take).unwrap_or_default()
}

/// A library's host, or the refusal of its plan.
pub fn library(jvm: Jvm, plan: jstring, identity: jobjectArray) -> Result<jlong, String> {
    let mut fields = jvm.elements(identity).into_iter();
    let mut next = || fields.next().flatten();
    let identity = Identity {
        function_name: next(),
        function_version: next(),
        memory_mb: next().and_then(|size| size.parse().ok()),
        runtime: next(),
    };
    let sink = Sink::callback(|line| {
        let _ = LINES.try_with(|lines| lines.borrow_mut().push(line.to_owned()));
    });
    let library = Library::open(&text(jvm, plan), Language::Java, identity, sink).map_err(|refused| refusal(&refused))?;
    Ok(Asked::Library(library).give_out())
}

/// The refusal of another plan; nothing where it is in force now, or where the host is a layer's.
///
/// # Safety
/// As [`at`].
pub unsafe fn replace(jvm: Jvm, handle: jlong, plan: jstring) -> Option<String> {
    // SAFETY: by the caller.
    let Asked::Library(library) = (unsafe { at(handle) }) else { return None };
    library.replace(&text(jvm, plan)).err().map(|refused| refusal(&refused))
}

/// The faults that never had a chance to fire, each followed by why; null where the engine failed.
///
/// # Safety
/// As [`at`].
pub unsafe fn no_chance(jvm: Jvm, handle: jlong) -> jobjectArray {
    // SAFETY: by the caller.
    let Asked::Library(library) = (unsafe { at(handle) }) else { return std::ptr::null_mut() };
    let Ok(missed) = library.ask(Host::no_chance) else { return std::ptr::null_mut() };
    let pairs: Vec<_> = missed.iter().flat_map(|one| [Some(one.fault.as_str()), Some(one.reason.name())]).collect();
    jvm.strings(pairs.into_iter())
}

fn text(jvm: Jvm, string: jstring) -> String {
    jvm.text(string, &mut Room::new()).unwrap_or_default().into_owned()
}
