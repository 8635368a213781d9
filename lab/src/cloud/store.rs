//! The state folder: one JSON file an entity, written whole and then renamed, so that a kill leaves the old or the new one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::clock;

/// How the name of a file ends until it is whole.
const FRESH: &str = "new";

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
        sweep(folder)?;
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

/// Writes a file whole or not at all. Of several at once, each wins or loses as a whole.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{}.{FRESH}", clock::id()));
    fs::write(&fresh, bytes)?;
    fs::rename(&fresh, path)
}

/// Removes what writes left that were cut off by a kill.
fn sweep(folder: &Path) -> io::Result<()> {
    for kind in fs::read_dir(folder)? {
        for entry in fs::read_dir(kind?.path()).into_iter().flatten() {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == FRESH) {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A new folder, which `work` gets.
    fn within(work: impl FnOnce(&Path)) {
        let folder = std::env::temp_dir().join(format!("faultlayer-store-{}", clock::id()));
        fs::create_dir(&folder).unwrap();
        work(&folder);
        fs::remove_dir_all(folder).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_same_file_is_written_by_many_at_once() {
        within(|folder| {
            let path = folder.join("same");
            std::thread::scope(|scope| {
                for letter in b'a'..=b'h' {
                    let path = &path;
                    scope.spawn(move || (0..50).for_each(|_| replace(path, &[letter; 10_000]).unwrap()));
                }
            });
            let text = fs::read(&path).unwrap();
            assert!(text.len() == 10_000 && text.iter().all(|byte| *byte == text[0]));
            assert_eq!(names(folder), ["same"]);
        });
    }

    #[test]
    fn what_a_kill_cut_off_is_gone_at_the_next_start() {
        within(|folder| {
            let code = folder.join("code");
            fs::create_dir(&code).unwrap();
            fs::write(code.join("whole.zip"), "1").unwrap();
            fs::write(code.join("half.zip.0.new"), "1").unwrap();
            Store::open(folder).unwrap();
            assert_eq!(names(&code), ["whole.zip"]);
        });
    }
}
