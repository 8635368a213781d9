//! A loaded class's bytes, and others in their place, by the JVM's tool interface (JVMTI 1.2), which any native library may
//! ask for: a test needs no agent on its command line. Does not own what is changed (the Java side).

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;

use jni_sys::{JNI_OK, JNIEnv, JavaVM, jarray, jclass, jint, jobject};

use crate::event::Jvm;

const VERSION: jint = 0x3001_0200;
const CLASS_FILE_LOAD_HOOK: jint = 54;
const ENABLE: jint = 1;

/// `can_redefine_classes` is the interface's capability 9, `can_retransform_classes` 37.
static CAPABILITIES: [u32; 4] = [1 << 9, 1 << 5, 0, 0];

/// What is answered where the JVM has no such interface, or does not let it be used; its own numbers are positive.
const NOT_HERE: jint = -1;

type Tools = *const Table;

/// The interface's functions, each at the place that its documentation numbers it by.
#[repr(C)]
struct Table {
    before_2: [usize; 1],
    set_event_notification_mode: unsafe extern "C" fn(*mut Tools, jint, jint, jobject, ...) -> jint,
    before_87: [usize; 84],
    redefine_classes: unsafe extern "system" fn(*mut Tools, jint, *const Definition) -> jint,
    before_122: [usize; 34],
    set_event_callbacks: unsafe extern "system" fn(*mut Tools, *const Callbacks, jint) -> jint,
    before_127: [usize; 4],
    dispose_environment: unsafe extern "system" fn(*mut Tools) -> jint,
    before_142: [usize; 14],
    add_capabilities: unsafe extern "system" fn(*mut Tools, *const [u32; 4]) -> jint,
    before_152: [usize; 9],
    retransform_classes: unsafe extern "system" fn(*mut Tools, jint, *const jclass) -> jint,
}

#[repr(C)]
struct Definition {
    class: jclass,
    length: jint,
    bytes: *const u8,
}

/// The interface takes the first few, of which the last is wanted.
#[repr(C)]
struct Callbacks {
    others: [usize; 4],
    class_file_load_hook: ClassFileLoadHook,
}

type ClassFileLoadHook = unsafe extern "system" fn(
    *mut Tools,
    *mut JNIEnv,
    jclass,
    jobject,
    *const c_void,
    jobject,
    jint,
    *const u8,
    *mut jint,
    *mut *mut u8,
);

/// For the time of one question: while it is there, the JVM tells every class that it loads.
struct Held(*mut Tools);

impl Held {
    fn of(jvm: Jvm) -> Option<Self> {
        let env = jvm.raw();
        let mut vm: *mut JavaVM = ptr::null_mut();
        let mut tools: *mut c_void = ptr::null_mut();
        // SAFETY: `env` is the running thread's environment; the JVM fills both, and says so.
        unsafe {
            if ((**env).v1_2.GetJavaVM)(env, &raw mut vm) != JNI_OK || ((**vm).v1_2.GetEnv)(vm, &raw mut tools, VERSION) != JNI_OK
            {
                return None;
            }
        }
        let held = Self(tools.cast());
        // SAFETY: the JVM has just made this environment, which ends with `held`.
        (unsafe { (held.table().add_capabilities)(held.0, &raw const CAPABILITIES) } == 0).then_some(held)
    }

    const fn table(&self) -> &Table {
        // SAFETY: the environment begins with the address of the JVM's table, which stays.
        unsafe { &**self.0 }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: made by `of`, not used again.
        unsafe { (self.table().dispose_environment)(self.0) };
    }
}

thread_local! {
    /// Filled while this thread waits for the bytes of a class.
    static TOLD: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// A class is loaded or, as the one that is asked for, told again, in the thread that asks.
unsafe extern "system" fn class_file_load_hook(
    _tools: *mut Tools,
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
    let Some(held) = Held::of(jvm) else { return ptr::null_mut() };
    let callbacks = Callbacks { others: [0; 4], class_file_load_hook };
    let size = jint::try_from(size_of::<Callbacks>()).unwrap_or_default();
    TOLD.set(Some(Vec::new()));
    // SAFETY: `held` is an environment that may do all this; the JVM copies the callbacks, whose functions have the types that
    // it calls them by; `class` is a live local reference.
    let problem = unsafe {
        (held.table().set_event_callbacks)(held.0, &raw const callbacks, size)
            | (held.table().set_event_notification_mode)(held.0, ENABLE, CLASS_FILE_LOAD_HOOK, ptr::null_mut())
            | (held.table().retransform_classes)(held.0, 1, &raw const class)
    };
    match TOLD.take() {
        Some(told) if problem == 0 && !told.is_empty() => jvm.byte_array(&told),
        _ => ptr::null_mut(),
    }
}

/// Puts other bytes in a loaded class's place; 0, or the JVM's number for why not.
pub fn redefine(jvm: Jvm, class: jclass, bytes: jarray) -> jint {
    let (Some(held), Some(bytes)) = (Held::of(jvm), jvm.bytes(bytes)) else { return NOT_HERE };
    let Ok(length) = jint::try_from(bytes.len()) else { return NOT_HERE };
    let definition = Definition { class, length, bytes: bytes.as_ptr() };
    // SAFETY: `held` is an environment that may do so, `class` a live local reference; the JVM checks and copies the bytes.
    unsafe { (held.table().redefine_classes)(held.0, 1, &raw const definition) }
}
