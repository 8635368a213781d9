//! The C library's own functions. What this library's table holds for them need not be theirs: a program that is loaded at a
//! fixed place gives everybody the address of its own entry for a function whose address it takes, and that entry leads here.

use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{addrinfo, c_int, c_void, sockaddr, socklen_t};

type Connect = unsafe extern "C" fn(c_int, *const sockaddr, socklen_t) -> c_int;
type Resolve = unsafe extern "C" fn(*const c_char, *const c_char, *const addrinfo, *mut *mut addrinfo) -> c_int;
type PeerName = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;
type Open = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;

static CONNECT: AtomicUsize = AtomicUsize::new(0);
static RESOLVE: AtomicUsize = AtomicUsize::new(0);
static PEER_NAME: AtomicUsize = AtomicUsize::new(0);
/// For the code that goes on to it without a call.
pub static DLOPEN: AtomicUsize = AtomicUsize::new(0);

/// Looks for them; to be done before anything is patched. `false` where one is not found.
pub fn find() -> bool {
    let wanted = [(c"connect", &CONNECT), (c"getaddrinfo", &RESOLVE), (c"getpeername", &PEER_NAME), (c"dlopen", &DLOPEN)];
    wanted.into_iter().all(|(name, place)| {
        // Of older releases `dlopen` has a library of its own.
        let found = [c"libc.so.6", c"libdl.so.2"].into_iter().find_map(|library| address(library, name));
        place.store(found.unwrap_or_default(), Ordering::Release);
        found.is_some()
    })
}

fn address(library: &CStr, name: &CStr) -> Option<usize> {
    // SAFETY: asks for a library that is loaded, if it is, and a name in it; the handle is kept, as the library is.
    let found = unsafe {
        let handle = libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD);
        if handle.is_null() {
            return None;
        }
        libc::dlsym(handle, name.as_ptr())
    };
    (!found.is_null()).then_some(found as usize)
}

/// # Safety
/// As the C library's.
pub unsafe fn connect(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
    // SAFETY: it was found before anything could call here, and has this type.
    unsafe { std::mem::transmute::<usize, Connect>(CONNECT.load(Ordering::Acquire))(fd, address, len) }
}

/// # Safety
/// As the C library's.
pub unsafe fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    found: *mut *mut addrinfo,
) -> c_int {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, Resolve>(RESOLVE.load(Ordering::Acquire))(node, service, hints, found) }
}

/// # Safety
/// As the C library's.
pub unsafe fn getpeername(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, PeerName>(PEER_NAME.load(Ordering::Acquire))(fd, address, len) }
}

/// # Safety
/// As the C library's.
pub unsafe fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, Open>(DLOPEN.load(Ordering::Acquire))(name, flags) }
}
