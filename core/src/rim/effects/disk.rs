//! A file that takes up room and has no name: it is gone with its descriptor, also when the process is killed.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, open, statvfs, unlink};

use super::MIB;

/// A file without a name that holds so much of the disk.
#[derive(Debug)]
pub(super) struct Filled {
    _file: OwnedFd,
}

/// Where a function may write; elsewhere the system's own place.
pub(super) fn directory() -> PathBuf {
    std::env::temp_dir()
}

/// What is free, in MiB.
pub(super) fn room_mib() -> Option<u64> {
    let found = statvfs(directory()).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize) / MIB)
}

/// Takes so many MiB, or as many as there are after all.
pub(super) fn fill(size_mib: u64) -> Option<Filled> {
    let file = nameless()?;
    if fallocate(&file, FallocateFlags::empty(), 0, size_mib * MIB).is_err() {
        write_out(&file, size_mib);
    }
    Some(Filled { _file: file })
}

fn nameless() -> Option<OwnedFd> {
    let directory = directory();
    #[cfg(target_os = "linux")]
    if let Ok(file) = open(&directory, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR) {
        return Some(file);
    }
    // A system or file system without nameless files: the name is taken away at once.
    let path = directory.join(format!(".faultlayer-{}", std::process::id()));
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    let file = open(&path, flags, Mode::RUSR | Mode::WUSR).ok()?;
    let _ = unlink(&path);
    Some(file)
}

/// For a file system that cannot reserve.
fn write_out(file: &OwnedFd, size_mib: u64) {
    use std::io::Write;
    let Ok(file) = file.try_clone() else { return };
    let mut file = File::from(file);
    let block = vec![b'f'; 1 << 20];
    for _ in 0..size_mib {
        if file.write_all(&block).is_err() {
            return;
        }
    }
}
