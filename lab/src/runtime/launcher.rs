//! The process between the lab and a function's processes: one for each environment, for as long as the environment lives.
//!
//! It is the lab's own executable, started again. It makes the environment's view of the file system, starts the runtime's process as often
//! as it is told, reports how each one ended, and adopts whatever that process leaves behind. Its standard input is a socket to the lab:
//! when that closes, however the lab ended, everything below the launcher is killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::namespace;
use super::processes::descendants;
use super::view::View;

/// The first argument that turns the command into a launcher.
pub const ARGUMENT: &str = "__environment";

/// What the lab tells the launcher, one JSON document a line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// First of all: the file system to make, if one can be made here.
    Enter(Option<View>),
    /// Start the runtime's process.
    Start { program: PathBuf, arguments: Vec<String>, variables: BTreeMap<String, String>, folder: PathBuf },
    /// Kill it, and all that it started.
    Kill,
}

/// What the launcher tells the lab.
#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum Notice {
    /// It could not be done, and why.
    Failed(String),
    /// The runtime's process has ended with this exit status, and nothing that it started is left.
    Exited(i32),
    /// It was ended by this signal.
    Signalled(i32),
}

/// Acts as the launcher if this process was started as one, and says how it ended. To be called before the process has any thread.
pub fn entered() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(ARGUMENT) {
        return None;
    }
    Some(match arguments.next().as_deref() {
        Some("probe") => match namespace::probe() {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                println!("{reason}");
                ExitCode::FAILURE
            }
        },
        _ => match serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("faultlayer: the launcher failed: {error}");
                ExitCode::FAILURE
            }
        },
    })
}

fn serve() -> std::io::Result<()> {
    let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let answers = Arc::new(Mutex::new(socket.try_clone()?));
    // Elsewhere what a function leaves behind is adopted by the system, and not found here.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    // As in Lambda: no core files, 1024 open files.
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    let _ = setrlimit(Resource::RLIMIT_NOFILE, 1024, 1024);
    for line in BufReader::new(socket).lines() {
        // A lab that is gone reads as an error or as the end.
        let Ok(line) = line else { break };
        match serde_json::from_str(&line)? {
            Order::Enter(view) => {
                if let Some(Err(reason)) = view.map(|view| namespace::enter(&view)) {
                    tell(&answers, &Notice::Failed(reason));
                }
            }
            Order::Start { program, arguments, variables, folder } => {
                let mut command = Command::new(&program);
                command.args(arguments).env_clear().envs(variables).current_dir(folder).stdin(Stdio::null());
                match command.spawn() {
                    Ok(child) => {
                        let answers = Arc::clone(&answers);
                        std::thread::spawn(move || collect(child.id(), &answers));
                    }
                    Err(error) => tell(&answers, &Notice::Failed(format!("cannot start `{}`: {error}", program.display()))),
                }
            }
            Order::Kill => kill_all(),
        }
    }
    kill_all();
    Ok(())
}

fn tell(answers: &Mutex<UnixStream>, notice: &Notice) {
    if let (Ok(mut socket), Ok(mut line)) = (answers.lock(), serde_json::to_vec(notice)) {
        line.push(b'\n');
        // A lab that is gone needs no answer.
        let _ = socket.write_all(&line);
    }
}

/// Waits for the runtime's process, ends what it left behind, and reports.
fn collect(pid: u32, answers: &Mutex<UnixStream>) {
    let mut notice = Notice::Exited(0);
    loop {
        match waitpid(None::<Pid>, None) {
            Ok(WaitStatus::Exited(ended, code)) if ended.as_raw().unsigned_abs() == pid => {
                notice = Notice::Exited(code);
                kill_all();
            }
            Ok(WaitStatus::Signaled(ended, signal, _)) if ended.as_raw().unsigned_abs() == pid => {
                notice = Notice::Signalled(signal as i32);
                kill_all();
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => break,
        }
    }
    tell(answers, &notice);
}

/// Kills everything below this process, again until nothing is left: a process may start others while it is looked for. For a lab that is told to end
/// while it installs a client, too.
pub fn kill_all() {
    loop {
        let left = descendants(std::process::id());
        if left.is_empty() {
            return;
        }
        for pid in left {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
