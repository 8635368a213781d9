//! Faults in the connections that a process opens, below every library that opens them: the entries for `connect`,
//! `getaddrinfo`, `getpeername` and `dlopen` in the tables of loaded libraries are pointed here, and connections to hosts
//! that somebody [`watch`]es go through one thread of ours, which copies their bytes. So TLS, pools, non-blocking sockets
//! and event loops stay what they are.
//!
//! It knows nothing of plans: a [`Watch`] says which hosts it is about, an [`Invocation`] that is [`Watching::arm`]ed what
//! becomes of a connection. Whatever goes wrong here means the real call. Nothing of the process is touched before the first
//! watch; what was touched stays so, and is inert without one.

mod api;

pub use api::{Effect, Hit, Invocation, Peer, Trouble, Unavailable, Watch};

/// Whether connections can be hit on this platform: on Linux with GNU's C library, on x86_64 and aarch64.
pub const IS_AVAILABLE: bool =
    cfg!(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")));

#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux {
    pub mod address;
    pub mod ask;
    pub mod blackhole;
    pub mod divert;
    pub mod fork;
    pub mod hooks;
    pub mod names;
    pub mod objects;
    pub mod patch;
    pub mod real;
    pub mod relay;
    pub mod state;
    pub mod sys;
    pub mod watching;
}

#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use linux::{
    sys::background,
    watching::{Armed, Watching, watch},
};

#[cfg(not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod elsewhere;

#[cfg(not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub use elsewhere::{Armed, Watching, background, watch};
