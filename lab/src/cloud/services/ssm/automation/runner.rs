//! The process that scripts are forked from: it has imported once what nearly every script imports, which takes longer than most
//! of them run.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Started for the first script, and again for one that finds it gone. It ends when nobody can order anything any more.
#[derive(Debug, Default)]
pub struct Runner(tokio::sync::Mutex<Option<Running>>);

#[derive(Debug)]
struct Running {
    child: Child,
    orders: ChildStdin,
    scripts: Scripts,
}

/// Who waits for a script, by its folder.
type Scripts = Arc<Mutex<HashMap<String, UnboundedSender<Said>>>>;

/// A line of the runner: a script began, or ended.
#[derive(Debug, Deserialize)]
struct Said {
    folder: String,
    pid: Option<u32>,
    status: Option<i32>,
}

/// A script that runs.
#[derive(Debug)]
pub struct Script {
    /// Its process, and its process group.
    pub pid: u32,
    said: UnboundedReceiver<Said>,
}

impl Script {
    /// Waits for its end: its exit code, or nothing where a signal ended it.
    pub async fn ended(&mut self) -> Option<i32> {
        self.said.recv().await?.status.filter(|status| *status >= 0)
    }
}

impl Runner {
    /// Runs what `order.json` in the folder says, in an environment of these variables.
    pub async fn begin(&self, python: &Path, folder: &Path, environment: &BTreeMap<&str, String>) -> Result<Script, String> {
        let failed = |error: std::io::Error| format!("cannot start `{}`: {error}", python.display());
        let folder = folder.display().to_string();
        let (sender, mut said) = mpsc::unbounded_channel();
        let mut running = self.0.lock().await;
        if !running.as_mut().is_some_and(|running| matches!(running.child.try_wait(), Ok(None))) {
            *running = Some(start(python).map_err(failed)?);
        }
        let Some(Running { orders, scripts, .. }) = running.as_mut() else { return Err("there is no runner".to_owned()) };
        locked(scripts, |scripts| scripts.insert(folder.clone(), sender));
        let order = json!({"folder": folder, "environment": environment});
        orders.write_all(format!("{order}\n").as_bytes()).await.map_err(failed)?;
        drop(running);
        let pid = said.recv().await.and_then(|said| said.pid);
        pid.map(|pid| Script { pid, said }).ok_or_else(|| format!("`{}` ended before the script began", python.display()))
    }
}

fn start(python: &Path) -> std::io::Result<Running> {
    let mut child = Command::new(python)
        .args(["-B", "-u", "-c", include_str!("runner.py")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A signal to the lab's terminal is not one to scripts.
        .process_group(0)
        .spawn()?;
    let (Some(orders), Some(lines)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    let scripts = Scripts::default();
    tokio::spawn(listen(lines, Arc::clone(&scripts)));
    Ok(Running { child, orders, scripts })
}

/// Passes on what the runner says; whoever waits when it is gone hears that nothing comes any more.
async fn listen(lines: ChildStdout, scripts: Scripts) {
    let mut lines = BufReader::new(lines).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(said) = serde_json::from_str::<Said>(&line) else { continue };
        locked(&scripts, |scripts| {
            let waiting = if said.status.is_some() { scripts.remove(&said.folder) } else { scripts.get(&said.folder).cloned() };
            // Whoever waited may be gone with the lab's executions.
            let _heard = waiting.is_some_and(|waiting| waiting.send(said).is_ok());
        });
    }
    locked(&scripts, |scripts| scripts.clear());
}

fn locked<T, R>(mutex: &Mutex<T>, work: impl FnOnce(&mut T) -> R) -> R {
    work(&mut mutex.lock().unwrap_or_else(PoisonError::into_inner))
}
