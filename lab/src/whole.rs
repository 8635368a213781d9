//! Files that others read, or that a kill may come upon: written whole beside their place and then renamed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use uuid::Uuid;

/// How the name of a file or folder ends until it is whole.
pub(crate) const FRESH: &str = "new";

/// Writes a file whole or not at all. Of several at once, each wins or loses as a whole. Some disks say only at the end that they are full.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{}.{FRESH}", Uuid::new_v4()));
    let mut written = File::create(&fresh).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_data()
    });
    if written.is_ok() {
        written = fs::rename(&fresh, path);
    }
    if written.is_err() {
        // What is half written would only fill the disk further.
        let _gone = fs::remove_file(&fresh).is_err();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `test` in a folder of its own and says which names are left there.
    fn within(test: impl FnOnce(&Path)) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!("faultlayer-whole-{}", Uuid::new_v4()));
        fs::create_dir_all(&folder).unwrap();
        test(&folder);
        let names = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
        fs::remove_dir_all(&folder).unwrap();
        names
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
        let left = within(|folder| {
            let path = folder.join("taken");
            fs::create_dir_all(path.join("by a folder")).unwrap();
            assert!(replace(&path, b"1").is_err());
        });
        assert_eq!(left, ["taken"]);
    }

    #[test]
    fn whoever_reads_finds_one_of_the_writes_whole() {
        let left = within(|folder| {
            let path = folder.join("file");
            let texts = ["a".repeat(100_000), "b".repeat(100_000)];
            replace(&path, texts[0].as_bytes()).unwrap();
            std::thread::scope(|scope| {
                for text in &texts {
                    let path = &path;
                    scope.spawn(move || (0..50).for_each(|_| replace(path, text.as_bytes()).unwrap()));
                }
                scope.spawn(|| (0..500).for_each(|_| assert!(texts.contains(&fs::read_to_string(&path).unwrap()))));
            });
        });
        assert_eq!(left, ["file"]);
    }
}
