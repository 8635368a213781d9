//! Ending the process as a crash does, from a thread that is not its first.

use std::os::unix::process::CommandExt;
use std::process::Command;

use napi_derive::napi;

/// Ends the whole process with this exit status, at once. A worker thread's `process.exit` ends that thread alone, and an
/// orderly exit from there waits for the other threads, in some versions of Node for ever. So the process becomes another
/// program, which ends all its threads, and that one does nothing but exit.
#[napi]
pub fn crash(code: u32) {
    let _failed = Command::new("/bin/sh").arg("-c").arg(format!("exit {code}")).env_clear().exec();
    // Nothing to become: then at least the process is gone.
    std::process::abort();
}
