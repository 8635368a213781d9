//! The bytes of objects and parts: files that are written once, whole or not at all, and never change.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::state::Folder;
use crate::whole::replace;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
}

/// The folder of the files.
#[derive(Debug)]
pub struct Data {
    folder: PathBuf,
}

impl Data {
    /// Below the service's folder.
    pub fn new(folder: &Folder) -> Data {
        Data { folder: folder.within("data").path().to_owned() }
    }

    /// Writes a new file; it is on disk when this returns.
    pub fn keep(&self, bytes: &[u8]) -> Result<Piece, ApiError> {
        let name = clock::id();
        replace(&self.folder.join(&name), bytes)
            .map_err(|error| ApiError::internal(format!("cannot keep the bytes: {error}")))?;
        Ok(Piece { name, size: bytes.len() as u64 })
    }

    /// Hands pieces over one after the other, each from `from` on for at most `length` bytes of all.
    pub fn each(&self, pieces: &[Piece], from: u64, length: u64, mut work: impl FnMut(&[u8])) -> io::Result<()> {
        let (mut skip, mut left) = (from, length);
        let mut buffer = vec![0_u8; 1 << 16];
        for piece in pieces {
            if skip >= piece.size {
                skip -= piece.size;
                continue;
            }
            if left == 0 {
                break;
            }
            let mut file = File::open(self.folder.join(&piece.name))?;
            file.seek(SeekFrom::Start(skip))?;
            let wanted = (piece.size - skip).min(left);
            let mut file = file.take(wanted);
            let mut seen = 0;
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    break;
                }
                seen += count as u64;
                work(buffer.get(..count).unwrap_or_default());
            }
            if seen < wanted {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("`{}` is shorter than it was", piece.name)));
            }
            (skip, left) = (0, left - wanted);
        }
        Ok(())
    }

    /// Reads bytes of pieces that follow one another.
    pub fn read(&self, pieces: &[Piece], from: u64, length: u64) -> io::Result<Bytes> {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        self.each(pieces, from, length, |part| bytes.extend_from_slice(part))?;
        Ok(Bytes::from(bytes))
    }

    /// Removes files that no row names any more. What cannot be removed now is removed at the next start.
    pub fn forget<'a>(&self, pieces: impl IntoIterator<Item = &'a Piece>) {
        for piece in pieces {
            let _left = fs::remove_file(self.folder.join(&piece.name)).is_err();
        }
    }

    /// Removes every file but these.
    pub fn sweep(&self, used: &HashSet<String>) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| used.contains(name)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::state::folder::tests::{names, within};

    #[test]
    fn pieces_are_read_as_one_and_what_no_row_names_is_removed() {
        within(|folder| {
            let data = Data::new(&Folder::open(folder).unwrap().within("s3"));
            let pieces: Vec<Piece> = [&b"abc"[..], b"", b"defg"].iter().map(|bytes| data.keep(bytes).unwrap()).collect();
            for (from, length, expected) in [(0, 7, "abcdefg"), (1, 3, "bcd"), (3, 4, "defg"), (2, 1, "c"), (7, 0, "")] {
                assert_eq!(data.read(&pieces, from, length).unwrap(), expected);
            }
            fs::write(folder.join("s3/data").join(&pieces[2].name), "de").unwrap();
            assert!(data.read(&pieces, 0, 7).is_err(), "never less than was put");
            data.sweep(&HashSet::from([pieces[0].name.clone()])).unwrap();
            assert_eq!(names(&folder.join("s3/data")), [pieces[0].name.as_str()]);
        });
    }
}
