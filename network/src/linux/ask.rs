//! Whose a connection is, and what becomes of it. A process with one invocation at a time attributes everything to it;
//! where several run, what comes from a thread that armed one of them alone is that one's.

use std::sync::Arc;

use super::state::{Entry, Host, State, is_watched, lock};
use super::sys::this_thread;
use crate::{Hit, Trouble, Watch};

/// An effect, and the invocation that it ends with.
#[derive(Clone, Copy, Debug)]
pub struct Meant {
    pub invocation: u64,
    pub hit: Hit,
}

/// Whose it is.
pub enum Whose {
    Nobodys,
    Ones(Entry),
    Unclear,
}

/// `thread` is where it happens, if that says anything: on the relay's thread everything looks the same.
pub fn whose(state: &State, thread: Option<usize>) -> Whose {
    let (background, own): (Vec<_>, Vec<_>) = state.armed.iter().partition(|entry| entry.background);
    let asked = if own.is_empty() { background } else { own };
    let here: Vec<&Entry> = asked.iter().copied().filter(|entry| Some(entry.thread) == thread).collect();
    match (asked.as_slice(), here.as_slice()) {
        ([], _) => Whose::Nobodys,
        ([one], _) | (_, [one]) => Whose::Ones((*one).clone()),
        _ => Whose::Unclear,
    }
}

/// Tells all who watch.
pub fn tell(trouble: Trouble) {
    watches().iter().for_each(|watch| watch.trouble(trouble));
}

/// Whether anybody watches this host.
pub fn is_named(host: &Host) -> bool {
    watches().iter().any(|watch| watch.names(&host.peer()))
}

fn watches() -> Vec<Arc<dyn Watch>> {
    lock().watches.iter().map(|(_, watch)| Arc::clone(watch)).collect()
}

/// What becomes of a connection that this thread opens, and which invocation was asked.
pub fn opening(host: &Host) -> (Option<u64>, Option<Meant>) {
    asked(|entry| entry.invocation.connection(&host.peer()))
}

/// What becomes of a name that this thread resolves.
pub fn resolving(name: &str) -> Option<Meant> {
    asked(|entry| entry.invocation.resolving(name)).1
}

fn asked(ask: impl FnOnce(&Entry) -> Option<Hit>) -> (Option<u64>, Option<Meant>) {
    if !is_watched() {
        return (None, None);
    }
    let whose = whose(&lock(), Some(this_thread()));
    match whose {
        Whose::Nobodys => (None, None),
        Whose::Unclear => {
            tell(Trouble::Unattributed);
            (None, None)
        }
        Whose::Ones(entry) => {
            let hit = ask(&entry);
            (Some(entry.number), hit.map(|hit| Meant { invocation: entry.number, hit }))
        }
    }
}
