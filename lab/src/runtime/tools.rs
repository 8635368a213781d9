//! What all functions of a process share: the launcher's executable, the clients, the cache and this run's own folder.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::clients::{self, Client, Workshop};
use super::error::LabError;
use super::launcher::ARGUMENT;

/// How the folder of a run is called, before its process and a number.
const PREFIX: &str = "faultlayer-lab-";

/// How the lab is set up. [`Options::new`] is right for the command itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// An executable whose `main` begins with [`super::launcher::entered`].
    pub launcher: PathBuf,
    /// Where installed clients are kept.
    pub cache: PathBuf,
    /// Whether Lambda's paths are made with a mount namespace where that is possible.
    pub isolated: bool,
    /// The only interpreter (or node, or java) to use, if one is named.
    pub interpreter: Option<PathBuf>,
}

impl Options {
    /// This executable as the launcher, `$XDG_CACHE_HOME/faultlayer` as the cache, isolated.
    pub fn new() -> Result<Options, LabError> {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
            .unwrap_or_else(std::env::temp_dir)
            .join("faultlayer");
        Ok(Options {
            launcher: std::env::current_exe().map_err(|error| LabError::new(format!("cannot find this executable: {error}")))?,
            cache,
            isolated: true,
            interpreter: None,
        })
    }
}

/// What all functions of a process share. Its folder goes with it.
pub struct Tools {
    pub(super) launcher: PathBuf,
    /// Why Lambda's paths cannot be made here; absent where they are.
    not_isolated: Option<String>,
    workshop: Workshop,
    clients: Mutex<HashMap<String, Arc<dyn Client>>>,
    folders: AtomicU64,
}

impl Tools {
    /// Looks at what this machine allows and makes the folder for this run. Blocks for some milliseconds.
    pub fn new(options: Options) -> Result<Arc<Tools>, LabError> {
        let not_isolated = if options.isolated { refused(&options.launcher)? } else { Some("not wanted".to_owned()) };
        sweep(&std::env::temp_dir());
        let work = std::env::temp_dir().join(format!("{PREFIX}{}-{:x}", std::process::id(), unique()));
        fs::create_dir_all(&work).map_err(|error| LabError::file("make", &work, &error))?;
        let workshop = Workshop { cache: options.cache, work, interpreter: options.interpreter };
        Ok(Arc::new(Tools {
            launcher: options.launcher,
            not_isolated,
            workshop,
            clients: Mutex::default(),
            folders: AtomicU64::new(0),
        }))
    }

    /// Why functions do not see Lambda's own paths on this machine; absent where they do.
    pub fn not_isolated(&self) -> Option<&str> {
        self.not_isolated.as_deref()
    }

    /// The runtime that a language's bare name, as `python`, stands for on this machine. Blocks.
    pub fn resolve(&self, runtime: &str) -> Result<String, LabError> {
        clients::resolve(runtime, &self.workshop)
    }

    /// The client of a runtime, found or installed at the first call, which blocks.
    pub fn client(&self, runtime: &str) -> Result<Arc<dyn Client>, LabError> {
        // Held while a client is installed: whoever wants the same one waits for it.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(runtime) {
            return Ok(Arc::clone(client));
        }
        let client: Arc<dyn Client> = Arc::from(clients::prepare(runtime, &self.workshop)?);
        clients.insert(runtime.to_owned(), Arc::clone(&client));
        Ok(client)
    }

    /// A new, empty folder that goes when the run ends.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, LabError> {
        let folder = self.workshop.work.join(format!("{name}-{}", self.folders.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&folder).map_err(|error| LabError::file("make", &folder, &error))?;
        Ok(folder)
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.workshop.work);
    }
}

/// Why the kernel refuses what isolation needs, or nothing.
fn refused(launcher: &Path) -> Result<Option<String>, LabError> {
    let output = std::process::Command::new(launcher)
        .args([ARGUMENT, "probe"])
        .output()
        .map_err(|error| LabError::file("run", launcher, &error))?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

/// Removes the folders of labs that were killed and could not do it themselves. Their launchers, and with them all mounts, are gone.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse::<u32>().ok());
        if process.is_some_and(is_gone) {
            // Another user's stays.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_gone(process: u32) -> bool {
    kill(Pid::from_raw(process.cast_signed()), None) == Err(Errno::ESRCH)
}

/// A number that no other call of this or another process gets.
pub(super) fn unique() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::time::Instant::now())
}
