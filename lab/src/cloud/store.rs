//! The state folder: one JSON file an entity, written whole and then renamed, so that a kill leaves the old or the new one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folder, locked against a second lab.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens or makes a folder. Fails if another lab uses it.
    pub fn open(folder: &Path) -> io::Result<Store> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock()
            .map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, format!("`{}` is in use by another lab", folder.display())))?;
        Ok(Store { folder: folder.to_owned(), _lock: lock })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, kind: &str, name: &str) -> PathBuf {
        self.folder.join(kind).join(format!("{}.json", escape(name)))
    }

    /// Writes an entity.
    pub fn save<T: Serialize>(&self, kind: &str, name: &str, value: &T) -> io::Result<()> {
        let path = self.path(kind, name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        replace(&path, &serde_json::to_vec(value)?)
    }

    /// Forgets an entity.
    pub fn remove(&self, kind: &str, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(kind, name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Forgets all entities of a kind.
    pub fn clear(&self, kind: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.folder.join(kind)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads all entities of a kind.
    pub fn load<T: DeserializeOwned>(&self, kind: &str) -> io::Result<Vec<T>> {
        let folder = self.folder.join(kind);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "json") {
                let text = fs::read(&path)?;
                let value =
                    serde_json::from_slice(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
                found.push(value);
            }
        }
        Ok(found)
    }
}

/// Writes a file whole or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    fs::write(&fresh, bytes)?;
    fs::rename(&fresh, path)
}

/// A file name for any text: what is not a letter, digit, `-`, `_` or inner dot is percent-encoded.
fn escape(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && !text.is_empty()) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
