//! The JVM's tool interface (JVMTI 1.2), which any native library may ask for: no agent has to be on the command line. Owns its
//! table and an environment of it; what is asked is [`redefine`](crate::redefine)'s and [`watching`](crate::watching)'s.

use std::ffi::{c_char, c_void};
use std::ptr;

use jni_sys::{JNI_OK, JNIEnv, JavaVM, jclass, jint, jobject};

use crate::event::Jvm;

const VERSION: jint = 0x3001_0200;
const ENABLE: jint = 1;
const DISABLE: jint = 0;
pub const CLASS_FILE_LOAD_HOOK: jint = 54;
pub const CLASS_PREPARE: jint = 56;

/// `can_redefine_classes` is the interface's capability 9, `can_retransform_classes` 37.
pub static REDEFINES: [u32; 4] = [1 << 9, 1 << 5, 0, 0];

pub type Raw = *mut *const Table;

/// The interface's functions, each at the place that its documentation numbers it by.
#[repr(C)]
pub struct Table {
    before_2: [usize; 1],
    set_event_notification_mode: unsafe extern "C" fn(Raw, jint, jint, jobject, ...) -> jint,
    before_47: [usize; 44],
    deallocate: unsafe extern "system" fn(Raw, *mut c_char) -> jint,
    get_class_signature: unsafe extern "system" fn(Raw, jclass, *mut *mut c_char, *mut *mut c_char) -> jint,
    before_87: [usize; 38],
    pub redefine_classes: unsafe extern "system" fn(Raw, jint, *const Definition) -> jint,
    before_122: [usize; 34],
    set_event_callbacks: unsafe extern "system" fn(Raw, *const Callbacks, jint) -> jint,
    before_127: [usize; 4],
    dispose_environment: unsafe extern "system" fn(Raw) -> jint,
    before_142: [usize; 14],
    add_capabilities: unsafe extern "system" fn(Raw, *const [u32; 4]) -> jint,
    before_152: [usize; 9],
    pub retransform_classes: unsafe extern "system" fn(Raw, jint, *const jclass) -> jint,
}

#[repr(C)]
pub struct Definition {
    pub class: jclass,
    pub length: jint,
    pub bytes: *const u8,
}

/// The interface takes the first few.
#[repr(C)]
#[derive(Default)]
pub struct Callbacks {
    pub before_54: [usize; 4],
    pub class_file_load_hook: Option<ClassFileLoadHook>,
    pub class_load: usize,
    pub class_prepare: Option<ClassPrepare>,
}

pub type ClassFileLoadHook = unsafe extern "system" fn(
    Raw,
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

pub type ClassPrepare = unsafe extern "system" fn(Raw, *mut JNIEnv, jobject, jclass);

/// An environment of the interface, which ends with it.
pub struct Tools(Raw);

impl Tools {
    /// None where the JVM has no such interface, or does not let it be used.
    pub fn of(jvm: Jvm) -> Option<Self> {
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
        Some(Self(tools.cast()))
    }

    pub const fn raw(&self) -> Raw {
        self.0
    }

    pub const fn table(&self) -> &Table {
        // SAFETY: the environment begins with the address of the JVM's table, which stays.
        unsafe { &**self.0 }
    }

    /// 0, or the JVM's number for why not, as everywhere here.
    pub fn may(&self, capabilities: &[u32; 4]) -> jint {
        // SAFETY: `self.0` is a live environment; the JVM reads the four words.
        unsafe { (self.table().add_capabilities)(self.0, &raw const *capabilities) }
    }

    /// Has the JVM tell of an event, in every thread.
    pub fn tell(&self, event: jint, callbacks: &Callbacks) -> jint {
        let size = jint::try_from(size_of::<Callbacks>()).unwrap_or_default();
        // SAFETY: `self.0` is a live environment; the JVM copies the callbacks, whose functions have the types that it calls
        // them by.
        unsafe {
            (self.table().set_event_callbacks)(self.0, &raw const *callbacks, size)
                | (self.table().set_event_notification_mode)(self.0, ENABLE, event, ptr::null_mut())
        }
    }

    /// For the life of the process.
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        // SAFETY: made by `of`, not used again.
        unsafe { (self.table().dispose_environment)(self.0) };
    }
}

/// Has the JVM tell no more of an event.
///
/// # Safety
/// `tools` is a live environment.
pub unsafe fn tell_no_more(tools: Raw, event: jint) {
    // SAFETY: the caller's.
    unsafe { ((**tools).set_event_notification_mode)(tools, DISABLE, event, ptr::null_mut()) };
}

/// What `read` makes of a class's name as the JVM writes types, `Ljava/lang/String;`; none where the JVM does not say it.
///
/// # Safety
/// `tools` is a live environment, `class` a live local reference.
pub unsafe fn with_signature<T>(tools: Raw, class: jclass, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut signature: *mut c_char = ptr::null_mut();
    // SAFETY: the caller's; the JVM fills the signature, a text that ends with a zero and is to be given back.
    unsafe {
        if ((**tools).get_class_signature)(tools, class, &raw mut signature, ptr::null_mut()) != 0 || signature.is_null() {
            return None;
        }
        let said = read(std::ffi::CStr::from_ptr(signature).to_bytes());
        ((**tools).deallocate)(tools, signature);
        Some(said)
    }
}
