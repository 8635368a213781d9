//! A load of the user's own: a command that calls the functions while an experiment runs.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::Trouble;

/// How long it may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs the command, `$1`, and ends its whole group once the pipe that is its standard input has no writer any more: however this
/// process ends, by `kill -9` too, the load does not outlive it.
const WATCHED: &str = r#"
exec 3<&0 </dev/null
sh -c "$1" 3<&- &
load=$!
(read -r _ <&3; trap '' TERM; kill -TERM 0; sleep 2; kill -KILL 0) &
exec 3<&-
wait "$load"
"#;

/// A running load. It ends when this is dropped, with all that it started.
pub struct Running {
    shell: Child,
}

impl Running {
    /// Starts a command in a shell, with `FAULTLAYER_FUNCTIONS`: the functions' names, with spaces between.
    pub fn start(command: &str, functions: &[String]) -> Result<Running, Trouble> {
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCHED, "load", command]).env("FAULTLAYER_FUNCTIONS", functions.join(" "));
        // What it prints would be taken for ours; what it complains of is for the user. A group of its own: an interrupt is for us.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        Ok(Running { shell: shell.spawn().map_err(|error| format!("cannot start the load: {error}"))? })
    }

    /// How it ended, if it did by itself.
    pub fn over(&mut self) -> Option<String> {
        let status = self.shell.try_wait().ok().flatten()?;
        Some(format!("the load has ended by itself: {status}"))
    }

    fn signal(&self, signal: Signal) {
        if let Ok(group) = i32::try_from(self.shell.id()) {
            // Nobody of it may be left.
            let _ = killpg(Pid::from_raw(group), signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let begun = std::time::Instant::now();
        while begun.elapsed() < PATIENCE && matches!(self.shell.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.signal(Signal::SIGKILL);
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Until a process is gone, or waits for whoever adopted it, which is a moment after it was killed.
    fn wait_until_gone(pid: &str) {
        while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|status| !status.contains(") Z ")) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_load_ends_with_all_that_it_started_and_knows_the_functions() {
        let folder = std::env::temp_dir().join(format!("faultlayer-load-{}", std::process::id()));
        let file = folder.display();
        let command =
            format!("sleep 1000 & echo \"$FAULTLAYER_FUNCTIONS $!\" > {file}.part; mv {file}.part {file}; trap '' TERM; wait");
        let mut load = Running::start(&command, &["one".to_owned(), "two".to_owned()]).unwrap();
        let said = loop {
            if let Ok(said) = std::fs::read_to_string(&folder) {
                break said;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(load.over(), None);
        drop(load);
        let _ = std::fs::remove_file(&folder);
        let words: Vec<&str> = said.split_whitespace().collect();
        assert_eq!(words[..2], ["one", "two"]);
        wait_until_gone(words[2]);
    }

    #[test]
    fn a_load_does_not_outlive_the_process_that_started_it() {
        let file = std::env::temp_dir().join(format!("faultlayer-orphan-{}", std::process::id()));
        let path = file.display();
        let command = format!("sleep 1000 & echo $! > {path}.part; mv {path}.part {path}; wait");
        let mut load = Running::start(&command, &[]).unwrap();
        let child = loop {
            if let Ok(child) = std::fs::read_to_string(&file) {
                break child;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let _ = std::fs::remove_file(&file);
        // As where this process is gone: nobody holds the pipe, and nobody signals.
        drop(load.shell.stdin.take());
        wait_until_gone(child.trim());
        assert!(load.shell.wait().is_ok());
    }

    #[test]
    fn a_load_that_ends_by_itself_is_noticed() {
        let mut load = Running::start("exit 3", &[]).unwrap();
        let over = loop {
            if let Some(over) = load.over() {
                break over;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(over, "the load has ended by itself: exit status: 3");
    }
}
