//! Ending the process as a crash does, from any of its threads.

use napi_derive::napi;

/// Ends the whole process with this exit status: a worker thread's `process.exit` ends the thread alone.
#[napi]
pub fn exit(code: i32) {
    std::process::exit(code);
}
