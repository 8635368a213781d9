//! One GET on loopback: plain HTTP/1.1, within bounds of size and time, whatever the other side does. Each has a connection of
//! its own, since one from before a freeze or a fork is worth nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::text::printable;

/// How long an answer may take, from connecting to its last byte.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// The most bytes of a body.
pub const LARGEST_BODY: usize = 1 << 20;
/// The most bytes around it: status, headers, sizes of chunks.
const LARGEST_HEAD: usize = 64 << 10;
/// So much of what an answer says about trouble is told on.
const SAID: usize = 160;

/// The body of what `path` answers with 200. `headers` are whole lines with their ends.
///
/// # Errors
/// What is wrong with the other side, in words that follow where it is.
pub fn get(port: u16, path: &str, headers: &str) -> Result<Vec<u8>, String> {
    let mut incoming = Incoming::connect(port)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n{headers}Connection: close\r\n\r\n");
    incoming.stream.write_all(request.as_bytes()).map_err(|error| told(&error))?;
    let mut head = incoming.head()?;
    while (100..200).contains(&head.status) && head.status != 101 {
        head = incoming.head()?;
    }
    let body = incoming.body(&head);
    if head.status == 200 {
        return body;
    }
    let said: String = String::from_utf8_lossy(&body.unwrap_or_default()).trim().chars().take(SAID).collect();
    let said = if said.is_empty() { said } else { format!(": {}", printable(&said)) };
    Err(format!("it answered {}{said}", head.status))
}

struct Head {
    status: u16,
    length: Option<usize>,
    is_chunked: bool,
}

/// What comes in, kept from its first byte on.
struct Incoming {
    stream: TcpStream,
    until: Instant,
    bytes: Vec<u8>,
    /// What of it is read.
    at: usize,
}

impl Incoming {
    #[expect(clippy::disallowed_methods, reason = "patience goes by the monotonic clock")]
    fn connect(port: u16) -> Result<Self, String> {
        let until = Instant::now() + PATIENCE;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| told(&error))?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(|error| told(&error))?;
        Ok(Self { stream, until, bytes: Vec::new(), at: 0 })
    }

    /// Waits for more; false at the end.
    #[expect(clippy::disallowed_methods, reason = "patience goes by the monotonic clock")]
    fn more(&mut self) -> Result<bool, String> {
        if self.bytes.len() > LARGEST_BODY + LARGEST_HEAD {
            return Err(too_large());
        }
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(too_slow());
            }
            self.stream.set_read_timeout(Some(left)).map_err(|error| told(&error))?;
            let mut room = [0; 4096];
            match self.stream.read(&mut room) {
                Ok(count) => {
                    self.bytes.extend_from_slice(room.get(..count).unwrap_or_default());
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(told(&error)),
            }
        }
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<String, String> {
        let mut from = self.at;
        loop {
            let unread = self.bytes.get(from..).unwrap_or_default();
            if let Some(length) = unread.iter().position(|byte| *byte == b'\n') {
                let line = self.bytes.get(self.at..from + length).unwrap_or_default();
                let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
                self.at = from + length + 1;
                return Ok(line);
            }
            from = self.bytes.len();
            if from - self.at > LARGEST_HEAD {
                return Err(no_http());
            }
            if !self.more()? {
                return Err(cut_short());
            }
        }
    }

    fn head(&mut self) -> Result<Head, String> {
        let first = self.line()?;
        let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        let mut head = Head { status: status.ok_or_else(no_http)?, length: None, is_chunked: false };
        for _ in 0..200 {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(head);
            }
            let (name, value) = line.split_once(':').ok_or_else(no_http)?;
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.trim().parse().map_err(|_| no_http())?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.is_chunked = value.trim().eq_ignore_ascii_case("chunked");
                if !head.is_chunked {
                    return Err(no_http());
                }
            }
        }
        Err(no_http())
    }

    fn body(&mut self, head: &Head) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        if head.is_chunked {
            loop {
                let line = self.line()?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16).map_err(|_| no_http())?;
                if size == 0 {
                    return Ok(body);
                }
                self.take(size, &mut body)?;
                if !self.line()?.is_empty() {
                    return Err(no_http());
                }
            }
        } else if let Some(length) = head.length {
            self.take(length, &mut body)?;
        } else {
            while self.more()? {}
            body.extend_from_slice(self.bytes.get(self.at..).unwrap_or_default());
            if body.len() > LARGEST_BODY {
                return Err(too_large());
            }
        }
        Ok(body)
    }

    /// So many bytes, behind those that `body` has.
    fn take(&mut self, length: usize, body: &mut Vec<u8>) -> Result<(), String> {
        if length > LARGEST_BODY - body.len() {
            return Err(too_large());
        }
        while self.bytes.len() - self.at < length {
            if !self.more()? {
                return Err(cut_short());
            }
        }
        body.extend_from_slice(self.bytes.get(self.at..self.at + length).unwrap_or_default());
        self.at += length;
        Ok(())
    }
}

fn told(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => too_slow(),
        _ => error.to_string(),
    }
}

fn too_slow() -> String {
    format!("it did not answer within {} s", PATIENCE.as_secs())
}

fn too_large() -> String {
    format!("it answers more than {LARGEST_BODY} bytes")
}

fn no_http() -> String {
    "what it answers is no HTTP".into()
}

fn cut_short() -> String {
    "it closed the connection in the midst of its answer".into()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::{LARGEST_BODY, get};

    /// What a server that answers like this is told to have said.
    fn asked(answer: impl FnOnce(TcpStream) + Send + 'static) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::Builder::new().spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            answer(stream);
            String::from_utf8(request).unwrap()
        });
        let got = get(port, "/a?b=%2F", "X-Own: 1\r\n");
        let request = server.unwrap().join().unwrap();
        assert_eq!(request, format!("GET /a?b=%2F HTTP/1.1\r\nHost: localhost:{port}\r\nX-Own: 1\r\nConnection: close\r\n\r\n"));
        got.map(|body| String::from_utf8(body).unwrap())
    }

    /// The same, of ready bytes.
    fn said(answer: &str) -> Result<String, String> {
        let answer = answer.to_owned();
        asked(move |mut stream| {
            // The other side may have had enough.
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    #[test]
    fn a_body_ends_by_its_length_its_chunks_or_the_end_of_the_connection() {
        assert_eq!(said("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd").unwrap(), "abc");
        assert_eq!(said("HTTP/1.0 200\r\n\r\nabcd").unwrap(), "abcd");
        let chunked =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n";
        assert_eq!(said(chunked).unwrap(), "abc0123456789");
        assert_eq!(said("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap(), "");
    }

    #[test]
    fn a_server_that_stays_open_behind_its_answer_is_not_waited_for() {
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let got = asked(move |mut stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").unwrap();
            // Ends where the other side has hung up.
            let _ = stream.read(&mut [0]);
            drop(wait);
        });
        assert_eq!(got.unwrap(), "x");
        assert!(done.send(()).is_err());
    }

    #[test]
    fn what_is_no_such_answer_is_told() {
        assert_eq!(said("HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\n no\n").unwrap_err(), "it answered 500: no");
        assert_eq!(said("HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n").unwrap_err(), "it answered 204");
        assert_eq!(said("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").unwrap_err(), super::cut_short());
        assert_eq!(said("").unwrap_err(), super::cut_short());
        for garbage in ["SSH-2.0-x\r\n", "HTTP/1.1 x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"] {
            assert_eq!(said(garbage).unwrap_err(), super::no_http(), "{garbage}");
        }
        assert_eq!(said("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").unwrap_err(), super::no_http());
    }

    #[test]
    fn an_answer_that_is_too_large_is_not_taken_in() {
        let large = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", LARGEST_BODY + 1);
        assert_eq!(said(&large).unwrap_err(), super::too_large());
        let endless = |start: &'static str, again: &'static str| {
            asked(move |mut stream| {
                let _ = stream.write_all(start.as_bytes());
                let again = again.repeat(1000);
                while stream.write_all(again.as_bytes()).is_ok() {}
            })
        };
        assert_eq!(endless("HTTP/1.1 200 OK\r\n\r\n", "body").unwrap_err(), super::too_large());
        assert_eq!(endless("", "x").unwrap_err(), super::no_http());
        assert_eq!(endless("HTTP/1.1 200 OK\r\n", "a: b\r\n").unwrap_err(), super::no_http());
        let sizes = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(endless(sizes, "1\r\nx\r\n").unwrap_err(), super::too_large());
    }

    #[test]
    fn nobody_there_is_told() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(get(port, "/", "").unwrap_err().contains("refused"));
    }
}
