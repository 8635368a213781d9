//! What is told to this crate, and what it asks.

use std::fmt;
use std::net::IpAddr;

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer<'a> {
    /// The name that the process resolved last to this address, in lower case; `None` where it resolved none.
    pub name: Option<&'a str>,
    /// Where it connects to, with a v4 address in v6 written as v4.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Whether it is a loopback or link-local address, which no pattern may cover: only what names the host exactly.
    pub exactly: bool,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is refused. One that was open before is reset.
    Refuse,
    /// Nothing gets through any more, in either direction, nor does anything come back.
    Blackhole,
    /// It is reset once so many bytes came from the host; with 0, once either side sends.
    Reset {
        /// Bytes that still get through.
        after_bytes: u64,
    },
    /// What the process sends reaches the host so much later.
    Latency {
        /// Microseconds.
        delay_us: u64,
    },
    /// So much gets through, in each direction.
    Bandwidth {
        /// Bytes in a second, from 1.
        bytes_per_s: u64,
    },
    /// Of a name: it does not exist.
    NotFound,
    /// Of a name: nobody answers for so long, then resolving is given up.
    NoAnswer {
        /// Microseconds.
        delay_us: u64,
    },
}

/// An effect on one connection, or on the resolving of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What happens.
    pub effect: Effect,
    /// For how many microseconds from now at most; without, until its invocation ends.
    pub lasts_us: Option<u64>,
}

/// Which hosts may ever be hit. Asked from any thread of the process, never with a lock of this crate held; to be quick.
pub trait Watch: Send + Sync {
    /// Whether connections to it are to go through the relay, so that they can be hit now or in a later invocation.
    fn names(&self, peer: &Peer<'_>) -> bool;

    /// Names to be resolved beside the process, for clients that resolve by themselves.
    fn literal_names(&self) -> Vec<String>;

    /// Something kept a connection from being hit.
    fn trouble(&self, trouble: Trouble);
}

/// What one invocation does to the connections that are attributed to it. Asked as a [`Watch`] is.
pub trait Invocation: Send + Sync {
    /// A connection is opened, or one that is open is sent on for the first time in this invocation.
    fn connection(&self, peer: &Peer<'_>) -> Option<Hit>;

    /// A name is resolved: in lower case, as it was asked for.
    fn resolving(&self, name: &str) -> Option<Hit>;
}

/// What kept connections from being hit; each goes on as without this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No loaded library has an entry for `connect`: nothing here can be reached.
    NothingToPatch,
    /// The process has too few file descriptors left, or too many connections are relayed already.
    Descriptors,
    /// The relay could not be started.
    Relay,
    /// Several invocations run at once, and the connection could be any one's.
    Unattributed,
}

/// Not on this platform: connections can be hit on Linux with GNU's C library, on x86_64 and aarch64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not on this platform")
    }
}

impl std::error::Error for Unavailable {}
