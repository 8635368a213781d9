//! One relayed connection: its two sides, and what is done to it.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;

use super::Expected;
use super::pipe::{Pace, Pipe};
use crate::linux::ask::Meant;
use crate::linux::state::Host;
use crate::linux::sys::{Poll, now_us, reset_on_close};
use crate::{Effect, Hit};

const READ: u32 = libc::EPOLLIN as u32;
const WRITE: u32 = libc::EPOLLOUT as u32;
/// Met whether asked for or not.
const GONE: u32 = (libc::EPOLLHUP | libc::EPOLLERR) as u32;
const BROKEN: u32 = libc::EPOLLERR as u32;
/// Of a side that the poll was told to leave.
const UNTOLD: u32 = u32::MAX;

/// A connection of the process and the one to its host.
#[derive(Debug)]
pub struct Connection {
    number: u64,
    process: Side,
    host: Side,
    /// Whether the host has answered.
    is_open: bool,
    ends: (u16, Host),
    up: Pipe,
    down: Pipe,
    /// The invocation that was asked last, and what it said.
    asked: Option<u64>,
    effect: Option<Active>,
    is_asking: bool,
}

#[derive(Debug)]
struct Side {
    stream: TcpStream,
    /// What is asked of the poll.
    asks: u32,
}

#[derive(Clone, Copy, Debug)]
struct Active {
    invocation: u64,
    effect: Effect,
    until_us: u64,
    /// Bytes that came from the host meanwhile.
    came: u64,
}

/// What comes after a look at a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on.
    Stays,
    /// The invocation has to be asked first what becomes of it.
    Ask,
    /// Both sides have ended it.
    Closes,
    /// Both sides are to see it break.
    Breaks,
}

/// What a look needs to know.
pub struct Look<'a> {
    pub poll: &'a Poll,
    pub now_us: u64,
    /// The numbers of the invocations that are armed.
    pub armed: &'a [u64],
    pub room: &'a mut [u8],
}

impl Connection {
    pub fn open(stream: TcpStream, expected: Expected, poll: &Poll, number: u64) -> io::Result<Self> {
        let Expected { port, stream: host, host: end, asked, meant } = expected;
        poll.add(stream.as_raw_fd(), number, READ)?;
        poll.add(host.as_raw_fd(), number | 1, WRITE)?;
        let mut connection = Self {
            number,
            process: Side { stream, asks: READ },
            host: Side { stream: host, asks: WRITE },
            is_open: false,
            ends: (port, end),
            up: Pipe::default(),
            down: Pipe::default(),
            asked,
            effect: None,
            is_asking: false,
        };
        connection.mean(meant);
        Ok(connection)
    }

    /// The process's own port, and where it connected to.
    pub const fn ends(&self) -> (u16, SocketAddr) {
        (self.ends.0, self.ends.1.address)
    }

    pub const fn host(&self) -> &Host {
        &self.ends.1
    }

    /// What an invocation answered.
    pub fn answered(&mut self, invocation: Option<u64>, meant: Option<Meant>) {
        self.asked = invocation;
        self.is_asking = false;
        self.mean(meant);
    }

    fn mean(&mut self, meant: Option<Meant>) {
        self.effect = meant.map(|Meant { invocation, hit: Hit { effect, lasts_us } }| Active {
            invocation,
            effect,
            until_us: lasts_us.map_or(u64::MAX, |lasts| now_us().saturating_add(lasts)),
            came: 0,
        });
    }

    /// When it is to be looked at again, with no event.
    pub fn due_us(&self) -> Option<u64> {
        if self.is_asking {
            return None;
        }
        let until = self.effect.map(|active| active.until_us).filter(|until| *until < u64::MAX);
        if self.is_cut_off() {
            return until;
        }
        // What the poll does not tell any more is read to its end.
        let rest = |side: &Side, pipe: &Pipe| (side.asks == UNTOLD && pipe.takes_more()).then_some(0);
        let (process, host) = (rest(&self.process, &self.up), rest(&self.host, &self.down));
        [self.up.due_us().filter(|_| self.is_open), self.down.due_us(), until, process, host].into_iter().flatten().min()
    }

    fn is_cut_off(&self) -> bool {
        self.effect.is_some_and(|active| active.effect == Effect::Blackhole)
    }

    /// Looks at it: after an event of one side, or without.
    pub fn look(&mut self, event: Option<(bool, u32)>, look: &mut Look<'_>) -> Next {
        if let Some((of_host, event)) = event
            && let Some(next) = self.notice(of_host, event, look.poll)
        {
            return next;
        }
        self.forget_effect(look);
        if self.is_to_ask(look.armed) {
            self.is_asking = true;
            self.ask_poll(look.poll);
            return Next::Ask;
        }
        let next = if self.is_asking { Ok(Next::Stays) } else { self.flow(event, look) };
        let next = next.unwrap_or(Next::Breaks);
        if next == Next::Stays {
            self.ask_poll(look.poll);
        }
        next
    }

    /// What an event says by itself.
    fn notice(&mut self, of_host: bool, event: u32, poll: &Poll) -> Option<Next> {
        if of_host && !self.is_open {
            if event & GONE != 0 {
                return Some(Next::Breaks);
            }
            self.is_open = event & WRITE != 0;
        }
        let is_cut_off = self.is_cut_off();
        let side = if of_host { &mut self.host } else { &mut self.process };
        if event & GONE != 0 && side.asks & READ == 0 {
            // Nobody reads, so that reading cannot tell; of a host that is cut off the process sees nothing.
            if !(of_host && is_cut_off) && (event & BROKEN != 0 || is_cut_off) {
                return Some(Next::Breaks);
            }
            // It would be told again and again.
            poll.remove(side.stream.as_raw_fd());
            side.asks = UNTOLD;
        }
        None
    }

    /// An effect ends with its invocation, or before.
    fn forget_effect(&mut self, look: &Look<'_>) {
        let ended = |active: &Active| active.until_us <= look.now_us || !look.armed.contains(&active.invocation);
        if self.effect.as_ref().is_some_and(ended) {
            self.effect = None;
            self.up.release();
            self.down.release();
        }
    }

    /// An invocation is asked when the process first sends in it.
    fn is_to_ask(&self, armed: &[u64]) -> bool {
        let was_asked = self.asked.is_some_and(|asked| armed.contains(&asked));
        !armed.is_empty() && !was_asked && !self.is_asking && has_bytes(&self.process.stream)
    }

    fn flow(&mut self, event: Option<(bool, u32)>, look: &mut Look<'_>) -> io::Result<Next> {
        let now_us = look.now_us;
        // The poll tells of the other side by itself.
        let reads = |host: bool| event.is_none_or(|(of_host, event)| of_host == host && event & (READ | GONE) != 0);
        let plain = Pace { now_us, delay_us: 0, until_us: u64::MAX, bytes_per_s: None, left: None, reads: false };
        let (mut up, mut down) = (Pace { reads: reads(false), ..plain }, Pace { reads: reads(true), ..plain });
        if let Some(Active { effect, until_us, came, .. }) = self.effect {
            match effect {
                Effect::Blackhole => return Ok(Next::Stays),
                Effect::Refuse => return Ok(Next::Breaks),
                Effect::Reset { after_bytes } => {
                    if after_bytes == 0 && (has_bytes(&self.process.stream) || has_bytes(&self.host.stream)) {
                        return Ok(Next::Breaks);
                    }
                    down.left = Some(after_bytes.saturating_sub(came));
                }
                Effect::Latency { delay_us } => (up.delay_us, up.until_us) = (delay_us, until_us),
                Effect::Bandwidth { bytes_per_s } => {
                    (up.bytes_per_s, down.bytes_per_s) = (Some(bytes_per_s.max(1)), Some(bytes_per_s.max(1)));
                }
                Effect::NotFound | Effect::NoAnswer { .. } => {}
            }
        }
        let (process, host) = (&mut self.process.stream, &mut self.host.stream);
        self.up.flow(process, host, self.is_open, up, look.room)?;
        if self.is_open {
            let came = self.down.flow(host, process, true, down, look.room)?;
            if let Some(Active { effect: Effect::Reset { after_bytes }, came: before, .. }) = &mut self.effect {
                *before += came;
                if *after_bytes > 0 && *before >= *after_bytes {
                    return Ok(Next::Breaks);
                }
            }
        }
        Ok(if self.up.over && self.down.over { Next::Closes } else { Next::Stays })
    }

    /// Asks the poll for what can be used, where that is not what it tells already.
    fn ask_poll(&mut self, poll: &Poll) {
        let holds = self.is_asking || self.is_cut_off();
        let ask = |from: &Pipe, to: &Pipe| {
            let read = if from.takes_more() && !holds { READ } else { 0 };
            read | if to.is_full && !holds { WRITE } else { 0 }
        };
        let process = ask(&self.up, &self.down);
        let host = if self.is_open { ask(&self.down, &self.up) } else { WRITE };
        for (side, number, asks) in [(&mut self.process, self.number, process), (&mut self.host, self.number | 1, host)] {
            // What is gone is not asked any more.
            if side.asks != asks && side.asks != UNTOLD && poll.change(side.stream.as_raw_fd(), number, asks).is_ok() {
                side.asks = asks;
            }
        }
    }

    /// Lets both sides see that it broke.
    pub fn break_up(self) {
        reset_on_close(&self.process.stream);
        reset_on_close(&self.host.stream);
    }
}

fn has_bytes(stream: &TcpStream) -> bool {
    matches!(stream.peek(&mut [0]), Ok(1..))
}
