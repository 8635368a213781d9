//! A connection that the process opens: to a host that somebody watches it goes by way of the relay.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::RawFd;

use libc::c_int;

use super::address::{Raw, is_never};
use super::ask::{Meant, is_named, opening, tell};
use super::blackhole::Blackhole;
use super::real;
use super::relay::{Expected, Relay, most_connections};
use super::state::{Host, lock};
use super::sys::{begin, connect_timeout_ms, descriptor_limit, errno, finish, is_blocking, is_fresh, local, take_v4};
use crate::{Effect, Trouble};

/// What the process gets instead of the real call.
pub enum Diverted {
    Done,
    /// With this error number.
    Failed(c_int),
}

/// So long a connection that must not block waits for its host, so that a host that is down refuses it, rather than the
/// relay resetting it later: a round trip within a network.
const PATIENCE_MS: c_int = 3;

/// `None`: to be connected as if nothing were here.
pub fn divert(fd: RawFd, family: c_int, address: SocketAddr) -> Option<Diverted> {
    if is_never(address) {
        return None;
    }
    let host = Host { name: lock().names.of(address.ip()), address };
    if !is_named(&host) || !is_fresh(fd) {
        return None;
    }
    let (asked, meant) = opening(&host);
    match meant.map(|meant| meant.hit.effect) {
        Some(Effect::Refuse) => Some(Diverted::Failed(libc::ECONNREFUSED)),
        Some(Effect::Blackhole) => Some(reach(fd, family, blackhole()?)),
        _ => relayed(fd, family, host, asked, meant),
    }
}

/// By way of the relay.
fn relayed(fd: RawFd, family: c_int, host: Host, asked: Option<u64>, meant: Option<Meant>) -> Option<Diverted> {
    // Descriptors are given out from the lowest: one this high says how few are left.
    let has_room =
        (fd as u64) < descriptor_limit() / 4 * 3 && lock().relay.as_ref().is_none_or(|relay| relay.count() < most_connections());
    if !has_room {
        tell(Trouble::Descriptors);
        return None;
    }
    let port = match relay_port() {
        Ok(port) => port,
        Err(_) => {
            tell(Trouble::Relay);
            return None;
        }
    };
    let timeout_ms = if is_blocking(fd) { connect_timeout_ms(fd) } else { PATIENCE_MS };
    let reached = begin(host.address).and_then(|stream| Ok((finish(&stream, timeout_ms)?, stream)));
    let stream = match reached {
        // A blocking one that takes too long ends as the system ends it.
        Ok((false, _)) if is_blocking(fd) && timeout_ms > 0 => return Some(Diverted::Failed(libc::EINPROGRESS)),
        Ok((_, stream)) => stream,
        Err(error) => return error.raw_os_error().map(Diverted::Failed),
    };
    let diverted = reach(fd, family, (Ipv4Addr::LOCALHOST, port).into());
    if let (Diverted::Done | Diverted::Failed(libc::EINPROGRESS), Some(own)) = (&diverted, local(fd))
        && let Some(relay) = &mut lock().relay
    {
        relay.expect(Expected { port: own.port(), stream, host, asked, meant });
    }
    Some(diverted)
}

fn reach(fd: RawFd, family: c_int, address: SocketAddr) -> Diverted {
    if family == libc::AF_INET6 {
        take_v4(fd);
    }
    let raw = Raw::of(address, family);
    // SAFETY: the process's own socket, as it asked for, and an address of so many bytes.
    if unsafe { real::connect(fd, raw.as_ptr(), raw.len()) } == 0 { Diverted::Done } else { Diverted::Failed(errno()) }
}

fn blackhole() -> Option<SocketAddr> {
    let mut state = lock();
    if state.blackhole.is_none() {
        state.blackhole = Blackhole::open().ok();
    }
    state.blackhole.as_ref().map(Blackhole::address)
}

fn relay_port() -> io::Result<u16> {
    let mut state = lock();
    if state.relay.is_none() {
        state.relay = Some(Relay::start()?);
    }
    state.relay.as_ref().map(Relay::port).ok_or_else(|| io::ErrorKind::NotConnected.into())
}

/// Who is at the other end of a connection that seems to go to `met`, where that is the relay.
pub fn real_peer(fd: RawFd, met: SocketAddr) -> Option<SocketAddr> {
    if !met.ip().is_loopback() {
        return None;
    }
    let own = local(fd)?;
    let state = lock();
    state.relay.as_ref().filter(|relay| relay.port() == met.port())?.host_of(own.port())
}
