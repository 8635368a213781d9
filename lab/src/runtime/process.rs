//! The launcher seen from the lab: starting processes in an environment, their log, how they end.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};

use super::error::LabError;
use super::launcher::{ARGUMENT, Notice, Order};
use super::report;
use super::view::View;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// How long the end of an environment is waited for where nobody can be told that it failed.
const LONGEST_END_MS: u32 = 2000;

/// One environment's launcher. Dropping it ends everything below it.
pub struct Launcher {
    child: Child,
    /// Gone once the launcher is told to end.
    orders: Option<OwnedWriteHalf>,
    /// How the runtime's processes ended.
    pub ends: Ends,
    /// Standard output and error of everything in the environment, in the order in which it was written.
    pub log: Log,
}

impl Launcher {
    /// Starts a launcher that shows its processes the file system `view`, or the machine's own.
    pub async fn start(executable: &Path, view: Option<View>) -> Result<Launcher, LabError> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(failed)?;
        let (reader, writer) = std::io::pipe().map_err(failed)?;
        let mut command = Command::new(executable);
        command
            .arg(ARGUMENT)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(writer.try_clone().map_err(failed)?))
            .stderr(Stdio::from(writer))
            // A Ctrl-C is the lab's to answer: it must not reach the function by way of the terminal.
            .process_group(0);
        let child = command.spawn().map_err(failed)?;
        drop(command);
        ours.set_nonblocking(true).map_err(failed)?;
        let (notices, orders) = UnixStream::from_std(ours).map_err(failed)?.into_split();
        let log = Log::new(pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(failed)?);
        let mut launcher = Launcher { child, orders: Some(orders), ends: Ends(BufReader::new(notices).lines()), log };
        launcher.order(&Order::Enter(view)).await?;
        Ok(launcher)
    }

    /// Starts the runtime's process.
    pub async fn run(
        &mut self,
        program: PathBuf,
        arguments: Vec<String>,
        variables: BTreeMap<String, String>,
        folder: PathBuf,
    ) -> Result<(), LabError> {
        self.order(&Order::Start { program, arguments, variables, folder }).await
    }

    /// Kills the runtime's process and all that it started, and waits until they are gone.
    pub async fn kill(&mut self) -> Result<Exit, LabError> {
        self.order(&Order::Kill).await?;
        self.ends.next().await
    }

    /// The launcher's own process: what runs in the environment is below it.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends everything and waits until it is gone.
    pub async fn end(mut self) {
        self.orders = None;
        let _ = self.child.wait().await;
    }

    async fn order(&mut self, order: &Order) -> Result<(), LabError> {
        let mut line = serde_json::to_vec(order).map_err(|error| LabError::new(error.to_string()))?;
        line.push(b'\n');
        match &mut self.orders {
            Some(orders) => orders.write_all(&line).await.map_err(failed),
            None => Err(LabError::new("the environment has ended")),
        }
    }
}

impl Drop for Launcher {
    /// Closing the socket ends all; this waits until it has, which takes some milliseconds, so that nothing outlives who drops it.
    fn drop(&mut self) {
        self.orders = None;
        for _ in 0..LONGEST_END_MS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// How the runtime's processes ended, one after the other.
pub struct Ends(Lines<BufReader<OwnedReadHalf>>);

impl Ends {
    /// Waits until the runtime's process has ended.
    pub async fn next(&mut self) -> Result<Exit, LabError> {
        match self.0.next_line().await {
            Ok(Some(line)) => match serde_json::from_str(&line) {
                Ok(Notice::Exited(code)) => Ok(Exit::Code(code)),
                Ok(Notice::Signalled(signal)) => Ok(Exit::Signal(signal)),
                Ok(Notice::Failed(reason)) => Err(LabError::new(reason)),
                Err(error) => Err(LabError::new(format!("the launcher said `{line}`: {error}"))),
            },
            Ok(None) => Err(LabError::new("the launcher of the environment was killed")),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: std::io::Error) -> LabError {
    LabError::new(format!("cannot start an environment: {error}"))
}

/// What the processes have written, cut into lines.
pub struct Log {
    pipe: pipe::Receiver,
    /// What is read at once; kept, since it is asked several times an invocation.
    read: Box<[u8]>,
    begun: Vec<u8>,
    /// Each with the time it was read at, in milliseconds since 1970.
    lines: Vec<(i64, String)>,
}

/// A line longer than this is cut: a function that writes without end must not fill the lab's memory.
const LONGEST_LINE: usize = 1 << 20;

impl Log {
    fn new(pipe: pipe::Receiver) -> Log {
        Log { pipe, read: vec![0; 65536].into_boxed_slice(), begun: Vec::new(), lines: Vec::new() }
    }

    /// Waits until there is something to read.
    pub async fn readable(&self) {
        if self.pipe.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Takes in what has been written until now.
    pub fn drain(&mut self) {
        let mut read = std::mem::take(&mut self.read);
        while let Ok(count @ 1..) = self.pipe.try_read(&mut read) {
            for part in read.get(..count).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
                self.begun.extend_from_slice(part);
                if part.ends_with(b"\n") || self.begun.len() > LONGEST_LINE {
                    self.finish_line();
                }
            }
        }
        self.read = read;
    }

    /// Puts a line of the platform's own after what has been written until now.
    pub fn say(&mut self, line: String) {
        self.drain();
        if !self.begun.is_empty() {
            self.finish_line();
        }
        self.lines.push((report::now_ms(), line));
    }

    /// All lines since the last call.
    pub fn take(&mut self) -> Vec<(i64, String)> {
        self.drain();
        std::mem::take(&mut self.lines)
    }

    fn finish_line(&mut self) {
        let line = String::from_utf8_lossy(&self.begun).trim_end_matches(['\n', '\r']).to_owned();
        self.begun.clear();
        self.lines.push((report::now_ms(), line));
    }
}
