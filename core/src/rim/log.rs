//! The log of a Lambda function: what file descriptor 1 was at init, whatever becomes of that number afterwards.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Dev, FileType, Mode, OFlags, Stat, fstat, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::stdio::stdout;

/// How long a record waits for room in a pipe that nobody reads. After that it is lost, and counted.
const PATIENCE: Duration = Duration::from_millis(50);

/// What a pipe takes at once: as much is never mixed with what others write, and fits where `poll` says that there is room.
const AT_ONCE: usize = 4096;

/// Below are the numbers that programs give to their own.
const LOWEST: i32 = 3;

const UNKNOWN: i64 = i64::MIN;

/// Takes one line at a time.
#[derive(Debug)]
pub struct Log {
    /// Our own, so that a handler may close or redirect its descriptor 1. `None` where the process had none to give.
    own: Option<OwnedFd>,
    /// What it is; a program that closes all numbers it does not know may open something else under ours.
    was: Option<Identity>,
    /// Records that found no room since the last one that did.
    lost: AtomicU64,
    /// When the log was last written, in nanoseconds, if that was our own line.
    written: AtomicI64,
    /// How often this process had written anything by then.
    writes: AtomicU64,
}

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: Dev,
    inode: u64,
    special: Dev,
}

impl Log {
    /// The log as it is now.
    #[must_use]
    pub fn open() -> Self {
        Self::of(stdout())
    }

    fn of(descriptor: BorrowedFd<'_>) -> Self {
        Self {
            own: fcntl_dupfd_cloexec(descriptor, LOWEST).ok(),
            was: fstat(descriptor).ok().map(|stat| Identity::of(&stat)),
            lost: AtomicU64::new(0),
            written: AtomicI64::new(UNKNOWN),
            writes: AtomicU64::new(0),
        }
    }

    /// Writes one line, given without its newline. What finds no room in time is counted in the next line that does: a log
    /// that fails must not become a fault.
    pub fn write(&self, line: &str) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if self.try_write(line, lost).is_none() {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }

    fn try_write(&self, line: &str, lost: u64) -> Option<()> {
        let standard = stdout();
        let descriptor = [self.own.as_ref().map(AsFd::as_fd), Some(standard)]
            .into_iter()
            .flatten()
            .find_map(|descriptor| Some((descriptor, self.as_it_was(descriptor)?)));
        let (descriptor, stat) = descriptor?;
        let mut text = String::with_capacity(line.len() + 32);
        // Text without a newline may stand before it, which the line would be glued to; an empty line harms nobody.
        if !self.ends_with_our_line(&stat) {
            text.push('\n');
        }
        text.push_str(&counting(line, lost));
        text.push('\n');
        self.written.store(UNKNOWN, Ordering::Relaxed);
        write_all(descriptor, text.as_bytes(), FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)?;
        self.written.store(fstat(descriptor).ok().map_or(UNKNOWN, |stat| modified(&stat)), Ordering::Relaxed);
        self.writes.store(writes().unwrap_or_default(), Ordering::Relaxed);
        Some(())
    }

    /// The descriptor's state, if it still is what the log was.
    fn as_it_was(&self, descriptor: BorrowedFd<'_>) -> Option<Stat> {
        fstat(descriptor).ok().filter(|stat| Some(Identity::of(stat)) == self.was)
    }

    /// Whether nobody can have written since our last line. The time alone does not tell, which goes on in steps of some
    /// milliseconds, and a socket's never does.
    fn ends_with_our_line(&self, stat: &Stat) -> bool {
        let written = self.written.load(Ordering::Relaxed);
        written != UNKNOWN && written == modified(stat) && writes() == Some(self.writes.load(Ordering::Relaxed))
    }
}

impl Identity {
    fn of(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino, special: stat.st_rdev }
    }
}

/// The line with the number of those that were lost before it.
fn counting(line: &str, lost: u64) -> String {
    match line.strip_suffix('}') {
        Some(fields) if lost > 0 => format!("{fields},\"lost\":{lost}}}"),
        _ => line.to_owned(),
    }
}

#[expect(clippy::useless_conversion, reason = "the fields' widths differ between platforms")]
fn modified(stat: &Stat) -> i64 {
    let (seconds, nanos) = (i64::from(stat.st_mtime), i64::try_from(stat.st_mtime_nsec).unwrap_or_default());
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// How often this process has written anything, where the kernel counts it.
fn writes() -> Option<u64> {
    let file = open("/proc/self/io", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut text = [0; 512];
    let length = rustix::io::read(&file, &mut text).ok()?;
    let text = std::str::from_utf8(text.get(..length)?).ok()?;
    text.lines().find_map(|line| line.strip_prefix("syscw: "))?.parse().ok()
}

/// Writes all of it, or gives up once it has waited too long. Whether the descriptor blocks is not ours to say, as its state
/// is shared with the function, so nothing is written that there is no room for.
#[expect(clippy::disallowed_methods, reason = "patience goes by the monotonic clock")]
fn write_all(descriptor: BorrowedFd<'_>, mut bytes: &[u8], is_pipe: bool) -> Option<()> {
    let end = Instant::now() + PATIENCE;
    while !bytes.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        let patience = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
        let mut ready = [PollFd::new(&descriptor, PollFlags::OUT)];
        match poll(&mut ready, Some(&patience)) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return None,
        }
        let chunk = if is_pipe { bytes.get(..AT_ONCE).unwrap_or(bytes) } else { bytes };
        match rustix::io::write(descriptor, chunk) {
            Ok(written) => bytes = bytes.get(written..)?,
            Err(Errno::INTR) => {}
            // A pipe that does not block can have less room than a whole chunk.
            Err(Errno::AGAIN) if left.is_zero() => return None,
            Err(Errno::AGAIN) => std::thread::yield_now(),
            Err(_) => return None,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, Read, Write, pipe};
    use std::os::fd::AsFd;

    use rustix::fs::{OFlags, fcntl_setfl};

    use super::{AT_ONCE, Log};

    /// A log that is a pipe, the function's end of it, and the other one.
    fn piped() -> (Log, std::io::PipeWriter, PipeReader) {
        let (reader, writer) = pipe().unwrap();
        (Log::of(writer.as_fd()), writer, reader)
    }

    /// All that was written, once both writers are gone.
    fn read(log: Log, writer: std::io::PipeWriter, mut reader: PipeReader) -> String {
        drop((log, writer));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    /// Leaves no room in a pipe, and says how much is in it.
    fn fill(writer: &mut std::io::PipeWriter) -> usize {
        fcntl_setfl(&*writer, OFlags::NONBLOCK).unwrap();
        let mut filled = 0;
        while let Ok(written) = writer.write(&[b'.'; AT_ONCE]) {
            filled += written;
        }
        filled
    }

    #[test]
    fn a_record_never_stands_behind_text_of_the_function() {
        let (log, mut writer, reader) = piped();
        log.write("{\"a\":1}");
        writer.write_all(b"no newline").unwrap();
        log.write("{\"a\":2}");
        writer.write_all(b"a line\n").unwrap();
        log.write("{\"a\":3}");
        let text = read(log, writer, reader);
        assert_eq!(text.replace("\n\n", "\n"), "\n{\"a\":1}\nno newline\n{\"a\":2}\na line\n{\"a\":3}\n");
    }

    #[test]
    fn what_a_full_pipe_has_no_room_for_is_counted_in_the_next_record() {
        for blocks in [true, false] {
            let (log, mut writer, mut reader) = piped();
            let filled = fill(&mut writer);
            if blocks {
                fcntl_setfl(&writer, OFlags::empty()).unwrap();
            }
            log.write("{\"a\":1}");
            log.write("{\"a\":2}");
            reader.read_exact(&mut vec![0; filled]).unwrap();
            log.write("{\"a\":3}");
            log.write("{\"a\":4}");
            let text = read(log, writer, reader);
            assert_eq!(text.trim_start().replace("\n\n", "\n"), "{\"a\":3,\"lost\":2}\n{\"a\":4}\n");
        }
    }

    #[test]
    fn a_record_longer_than_a_pipe_takes_at_once_arrives_whole() {
        let (log, writer, reader) = piped();
        let line = format!("{{\"a\":\"{}\"}}", "x".repeat(AT_ONCE * 9));
        log.write(&line);
        assert_eq!(read(log, writer, reader).trim(), line);
    }

    #[test]
    fn what_was_opened_under_its_number_gets_no_record() {
        let (mut log, writer, reader) = piped();
        let (mut others, other) = pipe().unwrap();
        // As where a program closes every descriptor it does not know, and opens files of its own.
        rustix::io::dup2(&other, log.own.as_mut().unwrap()).unwrap();
        drop(other);
        log.write("{\"a\":1}");
        assert_eq!(log.lost.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert_eq!(read(log, writer, reader), "");
        let mut text = String::new();
        others.read_to_string(&mut text).unwrap();
        assert_eq!(text, "");
    }
}
