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
    orders: ChildStdin,
    scripts: Scripts,
}

/// Who waits for a script, by its folder; nothing once the process is gone.
type Scripts = Arc<Mutex<Option<HashMap<String, UnboundedSender<Said>>>>>;

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
        let folder = folder.display().to_string();
        let order = format!("{}\n", json!({"folder": folder, "environment": environment}));
        // One that was killed is seen to be gone only when it is asked; the next is new.
        for _ in 0..2 {
            let ordered = self.order(python, &folder, &order).await;
            let mut said = ordered.map_err(|error| format!("cannot start `{}`: {error}", python.display()))?;
            if let Some(pid) = said.recv().await.and_then(|said| said.pid) {
                return Ok(Script { pid, said });
            }
        }
        Err(format!("`{}` ended before the script began", python.display()))
    }

    /// What the process says of that folder; nothing more once it is gone.
    async fn order(&self, python: &Path, folder: &str, order: &str) -> std::io::Result<UnboundedReceiver<Said>> {
        let (sender, said) = mpsc::unbounded_channel();
        let mut running = self.0.lock().await;
        if !running.as_ref().is_some_and(|running| locked(&running.scripts, |scripts| scripts.is_some())) {
            *running = Some(start(python)?);
        }
        if let Some(Running { orders, scripts }) = running.as_mut() {
            locked(scripts, |scripts| scripts.as_mut().map(|scripts| scripts.insert(folder.to_owned(), sender)));
            // One that cannot be told is about to be gone, which whoever waits hears.
            let _told = orders.write_all(order.as_bytes()).await.is_ok();
        }
        Ok(said)
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
    let scripts = Arc::new(Mutex::new(Some(HashMap::new())));
    tokio::spawn(listen(child, lines, Arc::clone(&scripts)));
    Ok(Running { orders, scripts })
}

/// Passes on what the runner says; whoever waits when it is gone hears that nothing comes any more.
async fn listen(mut child: Child, lines: ChildStdout, scripts: Scripts) {
    let mut lines = BufReader::new(lines).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(said) = serde_json::from_str::<Said>(&line) else { continue };
        locked(&scripts, |scripts| {
            let Some(scripts) = scripts else { return };
            let waiting = if said.status.is_some() { scripts.remove(&said.folder) } else { scripts.get(&said.folder).cloned() };
            // Whoever waited may be gone with the lab's executions.
            let _heard = waiting.is_some_and(|waiting| waiting.send(said).is_ok());
        });
    }
    locked(&scripts, Option::take);
    let _reaped = child.wait().await.is_ok();
}

fn locked<T, R>(mutex: &Mutex<T>, work: impl FnOnce(&mut T) -> R) -> R {
    work(&mut mutex.lock().unwrap_or_else(PoisonError::into_inner))
}
