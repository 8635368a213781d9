//! All that this crate remembers, under one lock that is held over a fork. Nobody else's code runs under it.

use std::cell::UnsafeCell;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::address::is_near;
use super::blackhole::Blackhole;
use super::names::Names;
use super::objects::Objects;
use super::relay::Relay;
use crate::{Invocation, Peer, Watch};

/// What is remembered.
pub struct State {
    /// By numbers of their own, as everything here.
    pub watches: Vec<(u64, Arc<dyn Watch>)>,
    pub armed: Vec<Entry>,
    pub names: Names,
    pub relay: Option<Relay>,
    pub blackhole: Option<Blackhole>,
    pub objects: Objects,
    /// When the watches' names were resolved last.
    pub resolved_us: u64,
    last: u64,
}

/// An armed invocation.
#[derive(Clone)]
pub struct Entry {
    pub number: u64,
    /// Where it was armed.
    pub thread: usize,
    /// Whose connections are those that no other invocation's are.
    pub background: bool,
    pub invocation: Arc<dyn Invocation>,
}

/// The other end of a connection, as it is kept.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: Option<Arc<str>>,
    pub address: SocketAddr,
}

impl Host {
    pub fn peer(&self) -> Peer<'_> {
        let (address, port) = (self.address.ip(), self.address.port());
        Peer { name: self.name.as_deref(), address, port, exactly: is_near(address) }
    }
}

impl State {
    const fn new() -> Self {
        Self {
            watches: Vec::new(),
            armed: Vec::new(),
            names: Names::new(),
            relay: None,
            blackhole: None,
            objects: Objects::new(),
            resolved_us: 0,
            last: 0,
        }
    }

    /// A number that nothing has yet.
    pub const fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Whether this invocation is still armed.
    pub fn is_armed(&self, number: u64) -> bool {
        self.armed.iter().any(|entry| entry.number == number)
    }
}

/// Whether anybody watches: without, every hook is the real call.
static WATCHED: AtomicBool = AtomicBool::new(false);

pub fn is_watched() -> bool {
    WATCHED.load(Ordering::Relaxed)
}

pub fn set_watched(watched: bool) {
    WATCHED.store(watched, Ordering::Relaxed);
}

struct Lock {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    state: UnsafeCell<State>,
}

// SAFETY: the state is reached through the mutex alone.
unsafe impl Sync for Lock {}

static LOCK: Lock = Lock { mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER), state: UnsafeCell::new(State::new()) };

/// Until it is dropped, the state is its holder's alone.
pub struct Guard(());

/// Waits for the state.
pub fn lock() -> Guard {
    // SAFETY: the mutex is initialised, and not held by this thread: nobody else's code runs under it.
    unsafe { libc::pthread_mutex_lock(LOCK.mutex.get()) };
    Guard(())
}

impl Guard {
    /// Keeps the state locked over a fork.
    pub const fn keep(self) {
        std::mem::forget(self);
    }

    /// What [`Guard::keep`] kept, in either process.
    ///
    /// # Safety
    /// It is this thread that kept it.
    pub const unsafe fn kept() -> Self {
        Self(())
    }
}

impl Deref for Guard {
    type Target = State;

    fn deref(&self) -> &State {
        // SAFETY: the mutex is held.
        unsafe { &*LOCK.state.get() }
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut State {
        // SAFETY: the mutex is held, and the borrow is the guard's.
        unsafe { &mut *LOCK.state.get() }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: it is held by this thread.
        unsafe { libc::pthread_mutex_unlock(LOCK.mutex.get()) };
    }
}
