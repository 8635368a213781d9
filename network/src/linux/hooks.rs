//! What the entries are pointed to: the C library's functions, with ours before or behind them. Whatever of ours fails,
//! the real call is made.

use std::arch::global_asm;
use std::ffi::{CStr, c_char};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{addrinfo, c_int, c_void, sockaddr, socklen_t};

use super::address::{Raw, read};
use super::divert::{Diverted, divert, real_peer};
use super::names::comparable;
use super::patch::Replacement;
use super::state::{is_watched, lock};
use super::sys::{errno, now_us, set_errno};
use super::{ask, fork, real};
use crate::Effect;

/// By the names that libraries know them by.
pub fn replacements() -> [Replacement; 4] {
    [
        (c"connect", connect as *const () as usize),
        (c"getaddrinfo", resolve as *const () as usize),
        (c"getpeername", peer_name as *const () as usize),
        (c"dlopen", faultlayer_network_dlopen as *const () as usize),
    ]
}

/// Keeps this library loaded for good: entries of others point into it. `false` where nothing can be pointed here, since
/// the real functions are not to be found.
pub fn pin() -> bool {
    if !real::find() {
        return false;
    }
    // SAFETY: asks where a function of ours lives, and loads that once more, so that it is never unloaded.
    unsafe {
        let mut here: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(pin as *const c_void, &raw mut here) != 0 && !here.dli_fname.is_null() {
            libc::dlopen(here.dli_fname, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
        }
    }
    fork::prepare();
    true
}

fn guarded<T>(part: impl FnOnce() -> Option<T>) -> Option<T> {
    let before = errno();
    let done = catch_unwind(AssertUnwindSafe(part)).ok().flatten();
    set_errno(before);
    done
}

unsafe extern "C" fn connect(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
    if is_watched() {
        // SAFETY: the caller's promise to the C library.
        match guarded(|| unsafe { read(address, len) }.and_then(|(family, address)| divert(fd, family, address))) {
            Some(Diverted::Done) => return 0,
            Some(Diverted::Failed(code)) => {
                set_errno(code);
                return -1;
            }
            None => {}
        }
    }
    // SAFETY: as it was asked for.
    unsafe { real::connect(fd, address, len) }
}

unsafe extern "C" fn peer_name(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int {
    if !is_watched() || address.is_null() || len.is_null() {
        // SAFETY: as it was asked for.
        return unsafe { real::getpeername(fd, address, len) };
    }
    // SAFETY: as it was asked for; what comes back is an address of so many bytes as there was room for.
    unsafe {
        let room = *len;
        let done = real::getpeername(fd, address, len);
        if done == 0
            && *len <= room
            && let Some((family, met)) = read(address, *len)
            && let Some(real) = guarded(|| real_peer(fd, met))
        {
            *len = room;
            Raw::of(real, family).write(address, len);
        }
        done
    }
}

unsafe extern "C" fn resolve(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    found: *mut *mut addrinfo,
) -> c_int {
    let name = if node.is_null() || !is_watched() {
        None
    } else {
        // SAFETY: the caller's promise to the C library.
        unsafe { CStr::from_ptr(node) }.to_str().ok().filter(|name| name.parse::<IpAddr>().is_err()).map(comparable)
    };
    if let Some(code) = name.as_ref().and_then(|name| guarded(|| unresolved(name))) {
        return code;
    }
    // SAFETY: as it was asked for; where it succeeds, there is a list of addresses.
    unsafe {
        let code = real::getaddrinfo(node, service, hints, found);
        if let (0, Some(name)) = (code, name) {
            guarded(|| {
                let mut state = lock();
                for address in addresses(*found) {
                    state.names.learn(&name, address);
                }
                Some(())
            });
        }
        code
    }
}

/// The code of a name that is not to be resolved.
fn unresolved(name: &str) -> Option<c_int> {
    let meant = ask::resolving(name)?;
    match meant.hit.effect {
        Effect::NotFound => Some(libc::EAI_NONAME),
        Effect::NoAnswer { delay_us } => {
            let end = now_us().saturating_add(delay_us.min(meant.hit.lasts_us.unwrap_or(u64::MAX)));
            loop {
                let left = end.saturating_sub(now_us());
                if left == 0 || !lock().is_armed(meant.invocation) {
                    return Some(libc::EAI_AGAIN);
                }
                std::thread::sleep(std::time::Duration::from_micros(left.min(5_000)));
            }
        }
        _ => None,
    }
}

/// The addresses of a list.
///
/// # Safety
/// It is one that the C library made.
pub unsafe fn addresses(mut list: *const addrinfo) -> Vec<IpAddr> {
    let mut all = Vec::new();
    while !list.is_null() {
        // SAFETY: by the caller's promise; each entry has its address and the next one.
        unsafe {
            if let Some((_, address)) = read((*list).ai_addr, (*list).ai_addrlen) {
                all.push(address.ip());
            }
            list = (*list).ai_next;
        }
    }
    all.dedup();
    all
}

/// How many threads are loading through us: what another one is just loading must not be touched.
static LOADING: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    /// `dlopen`. Where a library is looked for by its bare name depends on who calls: such a call goes on to the C
    /// library with its own return address, and what it loads is found the next time.
    fn faultlayer_network_dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
}

/// Whether a library is named by its path: then it is the same whoever asks.
unsafe extern "C" fn has_path(name: *const c_char) -> c_int {
    if name.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise to the C library.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    c_int::from(name.contains(&b'/') && !name.contains(&b'$'))
}

unsafe extern "C" fn open_path(name: *const c_char, flags: c_int) -> *mut c_void {
    LOADING.fetch_add(1, Ordering::SeqCst);
    // SAFETY: as it was asked for.
    let opened = unsafe { real::dlopen(name, flags) };
    LOADING.fetch_sub(1, Ordering::SeqCst);
    if !opened.is_null() && is_watched() {
        patch_new();
    }
    opened
}

/// Patches what was loaded since the last time. Whoever loads last does it for all.
pub fn patch_new() -> bool {
    if LOADING.load(Ordering::SeqCst) > 0 {
        return true;
    }
    guarded(|| Some(lock().objects.patch_new())).unwrap_or_default()
}

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl faultlayer_network_dlopen",
    ".hidden faultlayer_network_dlopen",
    ".type faultlayer_network_dlopen, @function",
    "faultlayer_network_dlopen:",
    "endbr64",
    "push rdi",
    "push rsi",
    "sub rsp, 8",
    "call {has_path}",
    "add rsp, 8",
    "pop rsi",
    "pop rdi",
    "test eax, eax",
    "jz 2f",
    "jmp {open_path}",
    "2: jmp qword ptr [rip + {real}]",
    has_path = sym has_path,
    open_path = sym open_path,
    real = sym real::DLOPEN,
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl faultlayer_network_dlopen",
    ".hidden faultlayer_network_dlopen",
    ".type faultlayer_network_dlopen, @function",
    "faultlayer_network_dlopen:",
    "hint #34",
    "stp x29, x30, [sp, #-32]!",
    "mov x29, sp",
    "stp x0, x1, [sp, #16]",
    "bl {has_path}",
    "mov w9, w0",
    "ldp x0, x1, [sp, #16]",
    "ldp x29, x30, [sp], #32",
    "cbz w9, 2f",
    "b {open_path}",
    "2: adrp x16, {real}",
    "ldr x16, [x16, #:lo12:{real}]",
    "br x16",
    has_path = sym has_path,
    open_path = sym open_path,
    real = sym real::DLOPEN,
);
