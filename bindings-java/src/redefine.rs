//! A loaded class's bytes, and others in their place, by the JVM's tool interface: a test needs no agent on its command line.
//! Does not own what is changed (the Java side).

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;

use jni_sys::{JNIEnv, jarray, jclass, jint, jobject};

use crate::event::Jvm;
use crate::tools::{CLASS_FILE_LOAD_HOOK, Callbacks, Definition, REDEFINES, Raw, Tools};

/// What is answered where the JVM has no such interface, or does not let it be used; its own numbers are positive.
const NOT_HERE: jint = -1;

/// For the time of one question: while it is there, the JVM tells every class that it loads.
fn held(jvm: Jvm) -> Option<Tools> {
    Tools::of(jvm).filter(|tools| tools.may(&REDEFINES) == 0)
}

thread_local! {
    /// Filled while this thread waits for the bytes of a class.
    static TOLD: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// A class is loaded or, as the one that is asked for, told again, in the thread that asks.
unsafe extern "system" fn class_file_load_hook(
    _tools: Raw,
    _env: *mut JNIEnv,
    again: jclass,
    _loader: jobject,
    _name: *const c_void,
    _domain: jobject,
    length: jint,
    bytes: *const u8,
    _other_length: *mut jint,
    _others: *mut *mut u8,
) {
    let _ = TOLD.try_with(|told| {
        if let (false, Ok(mut told), Ok(length)) = (again.is_null(), told.try_borrow_mut(), usize::try_from(length))
            && let Some(told) = told.as_mut()
        {
            // SAFETY: the JVM hands in that many bytes for as long as this runs.
            told.extend_from_slice(unsafe { std::slice::from_raw_parts(bytes, length) });
        }
    });
}

/// A class's bytes as it is loaded; null where the JVM does not give them out.
pub fn bytes(jvm: Jvm, class: jclass) -> jarray {
    let Some(held) = held(jvm) else { return ptr::null_mut() };
    let callbacks = Callbacks { class_file_load_hook: Some(class_file_load_hook), ..Callbacks::default() };
    TOLD.set(Some(Vec::new()));
    let problem = held.tell(CLASS_FILE_LOAD_HOOK, &callbacks);
    // SAFETY: `held` is an environment that may do so; `class` is a live local reference.
    let problem = problem | unsafe { (held.table().retransform_classes)(held.raw(), 1, &raw const class) };
    match TOLD.take() {
        Some(told) if problem == 0 && !told.is_empty() => jvm.byte_array(&told),
        _ => ptr::null_mut(),
    }
}

/// Puts other bytes in a loaded class's place; 0, or the JVM's number for why not.
pub fn redefine(jvm: Jvm, class: jclass, bytes: jarray) -> jint {
    let (Some(held), Some(bytes)) = (held(jvm), jvm.bytes(bytes)) else { return NOT_HERE };
    let Ok(length) = jint::try_from(bytes.len()) else { return NOT_HERE };
    let definition = Definition { class, length, bytes: bytes.as_ptr() };
    // SAFETY: `held` is an environment that may do so, `class` a live local reference; the JVM checks and copies the bytes.
    unsafe { (held.table().redefine_classes)(held.raw(), 1, &raw const definition) }
}
