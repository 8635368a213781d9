//! A file of lines that only grows. A line that does not fit on the disk leaves nothing behind.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The file, up to the end of its last whole line.
#[derive(Debug)]
pub struct Appended {
    file: File,
    whole: u64,
}

impl Appended {
    /// Opens or makes a file. A last line that a kill cut off gets its end, so that the next one stands alone.
    pub fn open(path: &Path) -> io::Result<Appended> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let whole = file.metadata()?.len();
        let mut appended = Appended { whole, file: file.try_clone()? };
        let mut last = [b'\n'];
        if whole > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if last != [b'\n'] {
            // On a full disk the line that comes next will fail as well.
            let _full = appended.write(b"\n").is_err();
        }
        Ok(appended)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.whole += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.file.set_len(self.whole)?;
                Err(error)
            }
        }
    }

    /// Appends a line, whole or not at all.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.write(format!("{text}\n").as_bytes())
    }

    /// Forgets all lines.
    pub fn empty(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.whole = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::state::folder::tests::within;

    #[test]
    fn a_line_after_one_that_was_cut_off_stands_alone() {
        within(|folder| {
            let path = folder.join("lines");
            std::fs::write(&path, "one\ntw").unwrap();
            Appended::open(&path).unwrap().line("three").unwrap();
            Appended::open(&path).unwrap().line("four").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntw\nthree\nfour\n");
        });
    }

    #[test]
    fn emptied_it_begins_anew() {
        within(|folder| {
            let path = folder.join("lines");
            let mut file = Appended::open(&path).unwrap();
            file.line("one").unwrap();
            file.empty().unwrap();
            file.line("two").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
        });
    }
}
