//! A forked child has neither the relay's thread nor its parent's invocations: it forgets both, with their descriptors, and
//! is inert until it arms invocations itself. Connections that it inherited stay its parent's relay's.

use std::sync::Once;

use libc::{c_int, c_void};

use super::state::{Guard, lock};

unsafe extern "C" {
    /// What `pthread_atfork` calls, and in all releases of the C library a symbol that can be linked to.
    fn __register_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
        library: *mut c_void,
    ) -> c_int;
}

/// Once a process: for all its forks from now on.
pub fn prepare() {
    static ONCE: Once = Once::new();
    // SAFETY: the functions stay, since the library is pinned.
    ONCE.call_once(|| unsafe {
        __register_atfork(Some(before), Some(in_parent), Some(in_child), std::ptr::null_mut());
    });
}

unsafe extern "C" fn before() {
    lock().keep();
}

unsafe extern "C" fn in_parent() {
    // SAFETY: `before` ran on this thread.
    drop(unsafe { Guard::kept() });
}

unsafe extern "C" fn in_child() {
    // SAFETY: `before` ran on this thread, the only one that is left.
    let mut state = unsafe { Guard::kept() };
    state.relay = None;
    state.blackhole = None;
    // What they hold may need locks of threads that are gone: forgotten, not dropped.
    std::mem::forget(std::mem::take(&mut state.armed));
}
