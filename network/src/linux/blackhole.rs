//! An address that nothing answers at: a listener whose queue is full, so that the kernel itself drops what comes. A
//! connection to it begins as every other, and ends by the client's timeout or the system's.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use super::sys::{begin, finish};

/// The listener, and the connections that fill its queue.
#[derive(Debug)]
pub struct Blackhole {
    address: SocketAddr,
    _listener: TcpListener,
    _filling: Vec<TcpStream>,
}

/// A queue of none takes one or two, by the system's release.
const MOST_FILLING: usize = 8;

impl Blackhole {
    /// Makes one.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        // SAFETY: changes how long the queue of a listener of ours is.
        unsafe { libc::listen(listener.as_raw_fd(), 0) };
        let address = listener.local_addr()?;
        let mut filling = Vec::new();
        while filling.len() < MOST_FILLING {
            let stream = begin(address)?;
            let is_there = finish(&stream, 0)?;
            if !is_there {
                return Ok(Self { address, _listener: listener, _filling: filling });
            }
            filling.push(stream);
        }
        Err(io::Error::other("the queue does not fill"))
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}
