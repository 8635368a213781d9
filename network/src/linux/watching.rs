//! Beginning and ending to watch, and to hit.

use std::ffi::CString;
use std::sync::Arc;

use super::ask::tell;
use super::hooks::{addresses, patch_new, pin};
use super::names::comparable;
use super::real;
use super::state::{Entry, is_watched, lock, set_watched};
use super::sys::{now_us, spawn, this_thread};
use crate::{Invocation, Trouble, Unavailable, Watch};

/// As long as it is held, hosts are watched.
#[derive(Debug)]
pub struct Watching(u64);

/// As long as it is held, an invocation is asked what becomes of connections.
#[derive(Debug)]
pub struct Armed(u64);

/// Names of watches are resolved anew after so long, by the next invocation that is armed.
const FRESH_US: u64 = 30_000_000;
/// So many names at most are resolved beside the process.
const MOST_NAMES: usize = 32;

/// Watches connections. The first time, the tables of the libraries that are loaded are changed, for good.
///
/// # Errors
/// Never here; elsewhere always.
pub fn watch(watch: Arc<dyn Watch>) -> Result<Watching, Unavailable> {
    let is_reached = pin();
    let number = {
        let mut state = lock();
        let number = state.number();
        state.watches.push((number, Arc::clone(&watch)));
        state.resolved_us = now_us();
        number
    };
    set_watched(is_reached);
    if !is_reached || !patch_new() {
        tell(Trouble::NothingToPatch);
    }
    resolve(&[watch]);
    Ok(Watching(number))
}

impl Watching {
    /// From now until it is dropped, the invocation is asked about connections to the hosts that are watched. One in the
    /// `background` is asked where no other is armed.
    #[must_use]
    pub fn arm(&self, invocation: Arc<dyn Invocation>, background: bool) -> Armed {
        if is_watched() {
            patch_new();
        }
        let number = {
            let mut state = lock();
            let number = state.number();
            state.armed.push(Entry { number, thread: this_thread(), background, invocation });
            number
        };
        resolve_again();
        Armed(number)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut state = lock();
        let ended: Vec<_> = state.watches.extract_if(.., |watch| watch.0 == self.0).collect();
        set_watched(is_watched() && !state.watches.is_empty());
        drop(state);
        // Not under the lock: they are somebody else's.
        drop(ended);
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        let mut state = lock();
        let ended: Vec<_> = state.armed.extract_if(.., |entry| entry.number == self.0).collect();
        if let Some(relay) = &state.relay {
            relay.wake();
        }
        drop(state);
        drop(ended);
    }
}

/// Resolves the names that watches have anew, where that was long ago.
fn resolve_again() {
    let watches: Vec<_> = {
        let mut state = lock();
        let now = now_us();
        if now.saturating_sub(state.resolved_us) < FRESH_US {
            return;
        }
        state.resolved_us = now;
        state.watches.iter().map(|(_, watch)| Arc::clone(watch)).collect()
    };
    resolve(&watches);
}

/// Resolves the names that watches have, on a thread of its own: for clients that resolve by themselves.
fn resolve(watches: &[Arc<dyn Watch>]) {
    let mut names: Vec<String> = watches.iter().flat_map(|watch| watch.literal_names()).collect();
    names.sort();
    names.dedup();
    names.truncate(MOST_NAMES);
    if !names.is_empty() {
        spawn("faultlayer-name", move || names.iter().for_each(|name| learn(name)));
    }
}

fn learn(name: &str) {
    let (Ok(node), known) = (CString::new(name), comparable(name)) else { return };
    let mut found = std::ptr::null_mut();
    // SAFETY: asks as everybody may; the list that comes back is freed here.
    unsafe {
        if real::getaddrinfo(node.as_ptr(), std::ptr::null(), std::ptr::null(), &raw mut found) == 0 {
            let found_addresses = addresses(found);
            libc::freeaddrinfo(found);
            let mut state = lock();
            found_addresses.into_iter().for_each(|address| state.names.learn_beside(&known, address));
        }
    }
}
