//! One direction of a connection: bytes on their way from one side to the other.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

/// So many bytes are held back at most in one direction; then the sender waits, as it does for a slow network.
pub const MOST_HELD: usize = 256 << 10;
/// So many reads in one turn at most, so that no connection keeps others waiting.
const MOST_READS: usize = 8;
/// A slow connection sends at least so often.
const TICK_US: u64 = 10_000;

/// Bytes of one direction.
#[derive(Debug, Default)]
pub struct Pipe {
    held: VecDeque<Chunk>,
    bytes: usize,
    /// The sender has sent all.
    pub ended: bool,
    /// The receiver was told so.
    pub over: bool,
    /// The receiver takes no more for now.
    pub is_full: bool,
    /// When the next bytes of a slow connection may go, where some wait.
    paced_us: u64,
}

#[derive(Debug)]
struct Chunk {
    due_us: u64,
    bytes: Vec<u8>,
    sent: usize,
}

/// How bytes go through.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub now_us: u64,
    /// So much later.
    pub delay_us: u64,
    /// Not later than then.
    pub until_us: u64,
    /// In a second.
    pub bytes_per_s: Option<u64>,
    /// So many more at most.
    pub left: Option<u64>,
    /// Whether the sender may have sent something.
    pub reads: bool,
}

impl Pipe {
    /// Whether the sender may send on.
    pub const fn takes_more(&self) -> bool {
        !self.ended && self.bytes < MOST_HELD
    }

    /// Nothing of it is held back any more.
    pub fn release(&mut self) {
        self.held.iter_mut().for_each(|chunk| chunk.due_us = 0);
        self.paced_us = 0;
    }

    /// When it is to be looked at again, with nothing new from either side.
    pub fn due_us(&self) -> Option<u64> {
        if self.is_full { None } else { self.held.front().map(|chunk| chunk.due_us.max(self.paced_us)) }
    }

    /// Moves what can be moved; answers how many bytes came from the sender. Without `is_open`, the receiver is not there
    /// yet.
    ///
    /// # Errors
    /// Either side's, which is the end of the connection.
    pub fn flow(
        &mut self,
        from: &mut TcpStream,
        to: &mut TcpStream,
        is_open: bool,
        pace: Pace,
        room: &mut [u8],
    ) -> io::Result<u64> {
        let mut came = 0_u64;
        if is_open {
            self.send(to, pace)?;
        }
        for _ in 0..MOST_READS {
            let most = pace.left.map_or(room.len(), |left| room.len().min(usize::try_from(left - came).unwrap_or(usize::MAX)));
            let Some(part) = room.get_mut(..most).filter(|part| pace.reads && self.takes_more() && !part.is_empty()) else {
                break;
            };
            match from.read(part) {
                Ok(0) => self.ended = true,
                Ok(read) => {
                    came += read as u64;
                    self.pass(to, is_open, pace, part.get(..read).unwrap_or_default())?;
                    // Most often that was all.
                    if read < most {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.ended && self.held.is_empty() && is_open && !self.over {
            self.over = true;
            // It may be gone already, which its own side says.
            let _ = to.shutdown(Shutdown::Write);
        }
        Ok(came)
    }

    /// Bytes that just came.
    fn pass(&mut self, to: &mut TcpStream, is_open: bool, pace: Pace, bytes: &[u8]) -> io::Result<()> {
        let mut sent = 0;
        if is_open && self.held.is_empty() && pace.delay_us == 0 && pace.bytes_per_s.is_none() {
            sent = self.write(to, bytes)?;
        }
        let rest = bytes.get(sent..).unwrap_or_default();
        if !rest.is_empty() {
            self.bytes += rest.len();
            let due_us = if pace.delay_us == 0 { 0 } else { pace.now_us.saturating_add(pace.delay_us).min(pace.until_us) };
            self.held.push_back(Chunk { due_us, bytes: rest.to_vec(), sent: 0 });
            if is_open {
                self.send(to, pace)?;
            }
        }
        Ok(())
    }

    /// What is held and due.
    fn send(&mut self, to: &mut TcpStream, pace: Pace) -> io::Result<()> {
        self.is_full = false;
        while let Some(mut chunk) = self.held.pop_front() {
            let before = chunk.sent;
            let done = self.send_of(&mut chunk, to, pace);
            self.bytes -= chunk.sent - before;
            if chunk.sent < chunk.bytes.len() {
                self.held.push_front(chunk);
            }
            if !done? {
                break;
            }
        }
        Ok(())
    }

    /// Whether all of a chunk is sent.
    fn send_of(&mut self, chunk: &mut Chunk, to: &mut TcpStream, pace: Pace) -> io::Result<bool> {
        if chunk.due_us > pace.now_us {
            return Ok(false);
        }
        let bytes = chunk.bytes.get(chunk.sent..).unwrap_or_default();
        let Some(bytes_per_s) = pace.bytes_per_s else {
            chunk.sent += self.write(to, bytes)?;
            return Ok(chunk.sent == chunk.bytes.len());
        };
        if self.paced_us > pace.now_us {
            return Ok(false);
        }
        let most = usize::try_from(bytes_per_s.saturating_mul(TICK_US) / 1_000_000).unwrap_or(usize::MAX).max(1);
        let sent = self.write(to, bytes.get(..most).unwrap_or(bytes))?;
        chunk.sent += sent;
        // What waited for longer than a tick is not made up for.
        let since = self.paced_us.max(pace.now_us.saturating_sub(TICK_US));
        self.paced_us = since + (sent as u64).saturating_mul(1_000_000) / bytes_per_s;
        Ok(chunk.sent == chunk.bytes.len())
    }

    fn write(&mut self, to: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        let mut sent = 0;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            match to.write(rest) {
                Ok(written) => sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_full = true;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }
}
