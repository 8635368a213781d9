//! The mechanics with a face that any language can call, for tests: hosts are watched and invocations armed as plain text
//! says, and what was asked is counted.

#![allow(missing_docs, clippy::allow_attributes, reason = "a harness of tests")]

use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use faultlayer_network::{Armed, Effect, Hit, Invocation, Peer, Trouble, Watch, Watching, watch};

static WATCHING: Mutex<Vec<Watching>> = Mutex::new(Vec::new());
static ARMED: Mutex<Vec<(u64, Armed)>> = Mutex::new(Vec::new());
static ASKED: AtomicU64 = AtomicU64::new(0);
static TROUBLE: AtomicU64 = AtomicU64::new(0);
static LAST: AtomicU64 = AtomicU64::new(0);

/// `HOST[:PORT]`, one a word.
struct Hosts(Vec<(String, Option<u16>)>);

impl Hosts {
    fn read(text: &str) -> Self {
        let host = |word: &str| match word.rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), port.parse().ok()),
            None => (word.to_owned(), None),
        };
        Self(text.split_whitespace().map(host).collect())
    }
}

impl Watch for Hosts {
    fn names(&self, peer: &Peer<'_>) -> bool {
        let address = peer.address.to_string();
        let is = |(host, port): &(String, Option<u16>)| {
            (peer.name == Some(host.as_str()) || *host == address) && port.is_none_or(|port| port == peer.port)
        };
        self.0.iter().any(is)
    }

    fn literal_names(&self) -> Vec<String> {
        self.0.iter().map(|(host, _)| host.clone()).collect()
    }

    fn trouble(&self, trouble: Trouble) {
        TROUBLE.fetch_or(1 << trouble as u64, Ordering::SeqCst);
    }
}

/// One effect on all that is asked, or on so many of it.
struct Everything {
    effect: Option<Hit>,
    left: AtomicU64,
}

impl Everything {
    fn hit(&self) -> Option<Hit> {
        ASKED.fetch_add(1, Ordering::SeqCst);
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        self.effect.filter(|_| left.is_ok())
    }
}

impl Invocation for Everything {
    fn connection(&self, _: &Peer<'_>) -> Option<Hit> {
        self.hit().filter(|hit| !matches!(hit.effect, Effect::NotFound | Effect::NoAnswer { .. }))
    }

    fn resolving(&self, _: &str) -> Option<Hit> {
        let effect = self.effect.filter(|hit| matches!(hit.effect, Effect::NotFound | Effect::NoAnswer { .. }));
        effect.and_then(|_| self.hit())
    }
}

fn text<'a>(raw: *const c_char) -> &'a str {
    // SAFETY: the tests hand in strings.
    unsafe { CStr::from_ptr(raw) }.to_str().unwrap_or_default()
}

#[unsafe(no_mangle)]
pub extern "C" fn harness_watch(hosts: *const c_char) -> c_int {
    let Ok(watching) = watch(Arc::new(Hosts::read(text(hosts)))) else { return 0 };
    WATCHING.lock().unwrap_or_else(PoisonError::into_inner).push(watching);
    1
}

#[unsafe(no_mangle)]
pub extern "C" fn harness_unwatch() {
    WATCHING.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// An effect's name, its number, how long it lasts (0: till the end), how many it hits (0: all). Answers its handle, 0 for
/// what is no effect.
#[unsafe(no_mangle)]
pub extern "C" fn harness_arm(effect: *const c_char, number: u64, lasts_us: u64, hits: u64) -> u64 {
    let effect = match text(effect) {
        "nothing" => None,
        "refuse" => Some(Effect::Refuse),
        "blackhole" => Some(Effect::Blackhole),
        "reset" => Some(Effect::Reset { after_bytes: number }),
        "latency" => Some(Effect::Latency { delay_us: number }),
        "bandwidth" => Some(Effect::Bandwidth { bytes_per_s: number }),
        "not_found" => Some(Effect::NotFound),
        "no_answer" => Some(Effect::NoAnswer { delay_us: number }),
        _ => return 0,
    };
    let effect = effect.map(|effect| Hit { effect, lasts_us: (lasts_us > 0).then_some(lasts_us) });
    let left = AtomicU64::new(if hits == 0 { u64::MAX } else { hits });
    let watching = WATCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(watching) = watching.first() else { return 0 };
    let handle = LAST.fetch_add(1, Ordering::SeqCst) + 1;
    let armed = watching.arm(Arc::new(Everything { effect, left }), false);
    ARMED.lock().unwrap_or_else(PoisonError::into_inner).push((handle, armed));
    handle
}

#[unsafe(no_mangle)]
pub extern "C" fn harness_disarm(handle: u64) {
    ARMED.lock().unwrap_or_else(PoisonError::into_inner).retain(|armed| armed.0 != handle);
}

/// How often an invocation was asked, ever.
#[unsafe(no_mangle)]
pub extern "C" fn harness_asked() -> u64 {
    ASKED.load(Ordering::SeqCst)
}

/// The troubles so far, a bit each.
#[unsafe(no_mangle)]
pub extern "C" fn harness_trouble() -> u64 {
    TROUBLE.load(Ordering::SeqCst)
}
