//! Which folders an environment sees where.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What an environment sees in place of the machine's own folders. All paths are the machine's.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct View {
    /// An empty folder on which the new file system is put together.
    pub root: PathBuf,
    /// Seen as `/var/task`, read-only.
    pub task: PathBuf,
    /// Seen as `/opt`, read-only.
    pub opt: PathBuf,
    /// Seen as `/var/runtime`, read-only.
    pub runtime: PathBuf,
    /// Folders that keep their own path, wherever that is: the interpreter's.
    pub kept: Vec<PathBuf>,
    /// The size of `/tmp`, in MB.
    pub tmp_mb: u32,
}
