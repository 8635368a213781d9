//! The relay: one thread that copies the bytes of all connections to watched hosts.

mod connection;
mod pipe;
mod thread;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use connection::Connection;

use super::ask::Meant;
use super::state::Host;
use super::sys::{Bell, Poll, descriptor_limit, now_us, probe};

/// The relay, as its thread and those who connect share it.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    listener: TcpListener,
    poll: Poll,
    bell: Bell,
    connections: BTreeMap<u64, Connection>,
    last: u64,
    /// Connections of which one half is known: the process's, or what it is to be.
    expected: Vec<(u64, Expected)>,
    accepted: Vec<(u64, u16, TcpStream)>,
}

/// A connection that the process is making to the relay.
#[derive(Debug)]
pub struct Expected {
    /// Its own port.
    pub port: u16,
    /// The connection to the host, which may still be under way.
    pub stream: TcpStream,
    pub host: Host,
    /// The invocation that was asked about it already.
    pub asked: Option<u64>,
    pub meant: Option<Meant>,
}

/// Numbers of descriptors that are no connection's.
const LISTENER: u64 = 0;
const BELL: u64 = 1;
/// Halves that find no other within so long belong to nobody.
const LOST_US: u64 = 10_000_000;

/// How many connections are relayed at most: each takes two descriptors beside the process's own.
pub fn most_connections() -> usize {
    usize::try_from(descriptor_limit() / 4).unwrap_or(0).min(512)
}

impl Relay {
    /// Opens it and starts its thread.
    ///
    /// # Errors
    /// The system refuses a descriptor or the thread.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        // SAFETY: changes how long the queue of a listener of ours is.
        unsafe { libc::listen(listener.as_raw_fd(), 4096) };
        let (port, poll, bell) = (listener.local_addr()?.port(), Poll::new()?, Bell::new()?);
        poll.add(listener.as_raw_fd(), LISTENER, libc::EPOLLIN as u32)?;
        poll.add(bell.as_raw_fd(), BELL, libc::EPOLLIN as u32)?;
        if !thread::start(poll.as_raw_fd()) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        Ok(Self {
            port,
            listener,
            poll,
            bell,
            connections: BTreeMap::new(),
            last: BELL,
            expected: Vec::new(),
            accepted: Vec::new(),
        })
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.connections.len() + self.expected.len()
    }

    /// Has the thread look again.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// A connection of the process is on its way here. Most often it has arrived already, and takes its descriptor before
    /// the process can take the last one.
    pub fn expect(&mut self, expected: Expected) {
        let now = now_us();
        self.expected.push((now, expected));
        self.accept();
        self.join(now);
    }

    /// Where a connection goes to, by its own port.
    pub fn host_of(&self, port: u16) -> Option<SocketAddr> {
        let expected = self.expected.iter().map(|(_, expected)| (expected.port, expected.host.address));
        let mut known = self.connections.values().map(Connection::ends).chain(expected);
        known.find(|known| known.0 == port).map(|known| known.1)
    }

    fn accept(&mut self) {
        while let Ok((stream, from)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                let _ = stream.set_nodelay(true);
                probe(&stream);
                self.accepted.push((now_us(), from.port(), stream));
            }
        }
    }

    /// Joins the halves that are both known now. The poll tells the thread of each, once its host is there.
    fn join(&mut self, now: u64) {
        for (since, expected) in std::mem::take(&mut self.expected) {
            let Some(at) = self.accepted.iter().position(|accepted| accepted.1 == expected.port) else {
                if now.saturating_sub(since) < LOST_US {
                    self.expected.push((since, expected));
                }
                continue;
            };
            let (_, _, stream) = self.accepted.swap_remove(at);
            // Two numbers a connection: the even one is the process's side.
            self.last = (self.last + 2) & !1;
            let number = self.last;
            if let Ok(connection) = Connection::open(stream, expected, &self.poll, number) {
                self.connections.insert(number, connection);
            }
        }
        self.accepted.retain(|(since, _, _)| now.saturating_sub(*since) < LOST_US);
    }
}
