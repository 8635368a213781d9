//! What of the system is asked for by hand, each in a form that cannot be held wrongly.

use std::io;
use std::mem::{size_of, size_of_val};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_int, c_void, socklen_t};

use super::address::{Raw, read};
use super::real;

/// An option of a socket.
pub fn option(fd: RawFd, level: c_int, name: c_int) -> Option<c_int> {
    let (mut value, mut len) = (0_i32, size_of::<c_int>() as socklen_t);
    // SAFETY: the value has as many bytes as `len` says.
    let asked = unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut len) };
    (asked == 0).then_some(value)
}

fn set<T>(fd: RawFd, level: c_int, name: c_int, value: &T) {
    // SAFETY: the value has as many bytes as are told. Where it cannot be set, the socket works without.
    unsafe { libc::setsockopt(fd, level, name, std::ptr::from_ref(value).cast(), size_of_val(value) as socklen_t) };
}

/// Takes v4 addresses on a v6 socket too.
pub fn take_v4(fd: RawFd) {
    set(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, &0_i32);
}

/// Closing it resets the connection.
pub fn reset_on_close(stream: &TcpStream) {
    set(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, &libc::linger { l_onoff: 1, l_linger: 0 });
}

/// Finds out, within about a minute and a half, that the other end of a half-closed connection has gone altogether.
pub fn probe(stream: &TcpStream) {
    let fd = stream.as_raw_fd();
    set(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, &1_i32);
    set(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, &60_i32);
    set(fd, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, &10_i32);
    set(fd, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, &3_i32);
}

/// Whether it is a stream socket that nothing was asked of yet: not connected, connecting, listening or bound.
pub fn is_fresh(fd: RawFd) -> bool {
    if option(fd, libc::SOL_SOCKET, libc::SO_TYPE) != Some(libc::SOCK_STREAM) {
        return false;
    }
    // The first byte of `tcp_info` is the state; TCP_CLOSE is 7.
    let (mut state, mut len) = (0_u8, 1 as socklen_t);
    // SAFETY: one byte is asked for.
    let asked = unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut state).cast(), &raw mut len) };
    asked == 0 && state == 7 && local(fd).is_some_and(|local| local.port() == 0 && local.ip().is_unspecified())
}

/// A socket's own address.
pub fn local(fd: RawFd) -> Option<SocketAddr> {
    // SAFETY: all zeros is a valid `sockaddr_storage`.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut len = size_of_val(&storage) as socklen_t;
    // SAFETY: there is room for every kind of address, and so much was written as `len` says.
    unsafe {
        let asked = libc::getsockname(fd, (&raw mut storage).cast(), &raw mut len);
        if asked == 0 { read((&raw const storage).cast(), len).map(|(_, address)| address) } else { None }
    }
}

pub fn is_blocking(fd: RawFd) -> bool {
    // SAFETY: asks for flags alone.
    unsafe { libc::fcntl(fd, libc::F_GETFL) & libc::O_NONBLOCK == 0 }
}

/// How long a blocking `connect` waits, in milliseconds; -1 for ever.
pub fn connect_timeout_ms(fd: RawFd) -> c_int {
    let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut len = size_of_val(&time) as socklen_t;
    // SAFETY: there is room for a `timeval`.
    let asked = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, (&raw mut time).cast(), &raw mut len) };
    let ms = time.tv_sec.saturating_mul(1000).saturating_add(time.tv_usec / 1000);
    if asked == 0 && ms > 0 { ms.try_into().unwrap_or(c_int::MAX) } else { -1 }
}

/// Begins a connection that does not block.
///
/// # Errors
/// It failed at once.
pub fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: makes a socket, which is then owned here alone.
    let socket = unsafe {
        let fd = libc::socket(family, libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    let raw = Raw::of(address, family);
    // SAFETY: the address has as many bytes as are told.
    if unsafe { real::connect(socket.as_raw_fd(), raw.as_ptr(), raw.len()) } != 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINPROGRESS) {
            return Err(error);
        }
    }
    let stream = TcpStream::from(socket);
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Waits until a connection that was begun is there: `false` where it is not yet, or a signal came.
///
/// # Errors
/// The connection failed, in its own way.
pub fn finish(stream: &TcpStream, timeout_ms: c_int) -> io::Result<bool> {
    let mut asked = libc::pollfd { fd: stream.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one `pollfd`.
    if unsafe { libc::poll(&raw mut asked, 1, timeout_ms) } <= 0 {
        return Ok(false);
    }
    match stream.take_error()? {
        Some(error) => Err(error),
        None => Ok(true),
    }
}

/// Events of many descriptors; each is known by a number of the caller's.
#[derive(Debug)]
pub struct Poll(OwnedFd);

impl Poll {
    pub fn new() -> io::Result<Self> {
        // SAFETY: makes a descriptor, which is then owned here alone.
        unsafe {
            let fd = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(Self(OwnedFd::from_raw_fd(fd))) }
        }
    }

    /// Watches a descriptor; `ask` is of EPOLLIN and EPOLLOUT.
    pub fn add(&self, fd: RawFd, number: u64, ask: u32) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, number, ask)
    }

    pub fn change(&self, fd: RawFd, number: u64, ask: u32) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, number, ask)
    }

    /// Watches it no more.
    pub fn remove(&self, fd: RawFd) {
        let _ = self.control(libc::EPOLL_CTL_DEL, fd, 0, 0);
    }

    fn control(&self, what: c_int, fd: RawFd, number: u64, ask: u32) -> io::Result<()> {
        let mut event = libc::epoll_event { events: ask, u64: number };
        // SAFETY: the event is read during the call alone.
        let done = unsafe { libc::epoll_ctl(self.0.as_raw_fd(), what, fd, &raw mut event) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl AsRawFd for Poll {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Waits for events of a [`Poll`]'s descriptor, at most so many milliseconds (-1: for ever): number and kind of each.
pub fn wait(poll: RawFd, into: &mut Vec<(u64, u32)>, timeout_ms: c_int) -> io::Result<()> {
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
    into.clear();
    // SAFETY: there is room for as many as are told.
    let met = unsafe { libc::epoll_wait(poll, events.as_mut_ptr(), events.len() as c_int, timeout_ms) };
    if met < 0 {
        return Err(io::Error::last_os_error());
    }
    into.extend(events.iter().take(met as usize).map(|event| (event.u64, event.events)));
    Ok(())
}

/// Wakes a thread that waits for events.
#[derive(Debug)]
pub struct Bell(OwnedFd);

impl Bell {
    pub fn new() -> io::Result<Self> {
        // SAFETY: makes a descriptor, which is then owned here alone.
        unsafe {
            let fd = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
            if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(Self(OwnedFd::from_raw_fd(fd))) }
        }
    }

    pub fn ring(&self) {
        let one = 1_u64;
        // SAFETY: eight bytes, as an eventfd takes them. It can only be full, and then it rings already.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast::<c_void>(), 8) };
    }

    pub fn silence(&self) {
        let mut count = 0_u64;
        // SAFETY: room for eight bytes.
        unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast::<c_void>(), 8) };
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// How many descriptors the process may have.
pub fn descriptor_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: there is room for the limits.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0 { limit.rlim_cur } else { 0 }
}

/// What this crate's own threads need.
const STACK: usize = 256 << 10;

/// Runs a thread that no signal of the process is handled in. `false` where it could not be started.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> bool {
    background(name, STACK, Box::new(body))
}

/// Runs a thread beside the process's own, on a stack of so many bytes: no signal of the process is handled in it. `false` where
/// it could not be started.
#[must_use]
pub fn background(name: &str, stack: usize, body: Box<dyn FnOnce() + Send>) -> bool {
    // SAFETY: the masks are filled before they are read; the thread inherits the full one.
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(stack).spawn(body);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        thread.is_ok()
    }
}

pub fn errno() -> c_int {
    // SAFETY: the thread's own.
    unsafe { *libc::__errno_location() }
}

pub fn set_errno(code: c_int) {
    // SAFETY: the thread's own.
    unsafe { *libc::__errno_location() = code }
}

/// This thread, for as long as it lives.
pub fn this_thread() -> usize {
    // SAFETY: asks for a number alone.
    unsafe { libc::pthread_self() as usize }
}

/// Microseconds of the monotonic clock.
pub fn now_us() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: there is room for a time.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64).saturating_mul(1_000_000).saturating_add(time.tv_nsec as u64 / 1000)
}
