//! The state folder: files that are written whole, so that a kill leaves the old or the new one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::whole::FRESH;

/// How the name of a file ends that could not be read.
const BROKEN: &str = "broken";

/// A name that is longer on disk is cut and told apart by its hash: file systems take 255 bytes, endings included.
const LONGEST: usize = 180;

/// A folder below the lab's, which is locked against a second lab as long as one of them is held.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    whole: Arc<Whole>,
}

#[derive(Debug)]
struct Whole {
    _lock: File,
    set_aside: Mutex<Vec<PathBuf>>,
}

impl Folder {
    /// Opens or makes a lab's folder. Fails if another lab uses it. What writes left that were cut off by a kill is removed.
    pub fn open(path: &Path) -> io::Result<Folder> {
        fs::create_dir_all(path)?;
        let lock = File::create(path.join("lock"))?;
        lock.try_lock()
            .map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, format!("`{}` is in use by another lab", path.display())))?;
        // A service's folder, and its tables.
        sweep(path, 2)?;
        let whole = Whole { _lock: lock, set_aside: Mutex::default() };
        Ok(Folder { path: path.to_owned(), whole: Arc::new(whole) })
    }

    /// A folder within.
    pub fn within(&self, name: &str) -> Folder {
        Folder { path: self.path.join(name), whole: Arc::clone(&self.whole) }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the entity of a name lies.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{}.json", file_name(name)))
    }

    /// Removes it with everything within.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The entities within, as bytes.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "json") {
                files.push(path);
            }
        }
        Ok(files)
    }

    /// Puts a file that cannot be read out of the way, and says so: the lab starts with the rest.
    pub fn set_aside(&self, file: &Path, why: &str) {
        let mut aside = file.as_os_str().to_owned();
        aside.push(format!(".{BROKEN}"));
        let aside = PathBuf::from(aside);
        // Where even that fails, it is left where it is, and named all the same.
        let now = if fs::rename(file, &aside).is_ok() { aside } else { file.to_owned() };
        eprintln!("faultlayer lab: a state file cannot be read and was set aside: `{}`: {why}", now.display());
        self.whole.set_aside.lock().unwrap_or_else(PoisonError::into_inner).push(now);
    }

    /// The files that were set aside at this start.
    pub fn broken(&self) -> Vec<PathBuf> {
        self.whole.set_aside.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Removes what is not whole, down to a depth.
fn sweep(folder: &Path, depth: usize) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, is_folder) = (entry.path(), entry.file_type()?.is_dir());
        if path.extension().is_some_and(|end| end == FRESH) {
            if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
        } else if is_folder && depth > 0 {
            sweep(&path, depth - 1)?;
        }
    }
    Ok(())
}

/// A file name for any text: what is not a letter, digit, `-`, `_` or inner dot is percent-encoded.
fn file_name(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && !text.is_empty()) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    // No other name is this one.
    if text.is_empty() {
        text.push('%');
    }
    if text.len() > LONGEST {
        let hash: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        text.truncate(LONGEST - hash.len() - 1);
        // `~` stands in no other name.
        text.push('~');
        text.push_str(&hash);
    }
    text
}

#[cfg(test)]
pub(in crate::cloud) mod tests {
    use super::*;

    /// A new folder, which `work` gets.
    pub fn within(work: impl FnOnce(&Path)) {
        let folder = std::env::temp_dir().join(format!("faultlayer-state-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        work(&folder);
        fs::remove_dir_all(folder).unwrap();
    }

    /// What lies in a folder.
    pub fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_a_kill_cut_off_is_gone_at_the_next_start() {
        within(|folder| {
            let code = folder.join("lambda/code");
            fs::create_dir_all(code.join("unpacked.0.new/app")).unwrap();
            fs::create_dir_all(code.join("unpacked/app.new")).unwrap();
            fs::write(code.join("whole.zip"), "1").unwrap();
            fs::write(code.join("half.zip.0.new"), "1").unwrap();
            Folder::open(folder).unwrap();
            let mut left = names(&code);
            left.sort();
            assert_eq!(left, ["unpacked", "whole.zip"]);
            assert_eq!(names(&code.join("unpacked")), ["app.new"], "code is nobody's to tidy");
        });
    }

    #[test]
    fn every_name_has_a_file_name_of_its_own_that_file_systems_take() {
        let long = "/é/".repeat(700);
        let others = ["a", "A.b", ".a", "/a", "%2Fa", "a/b", "~", "", &long, &long[3..]];
        let mut files: Vec<String> = others.iter().map(|name| file_name(name)).collect();
        assert!(files.iter().all(|file| file.len() <= LONGEST && !file.starts_with('.')), "{files:?}");
        files.sort();
        files.dedup();
        assert_eq!(files.len(), others.len());
    }
}
