//! Platforms whose connections cannot be reached.

use std::sync::Arc;

use crate::{Invocation, Unavailable, Watch};

/// Never had here.
#[derive(Debug)]
pub enum Watching {}

/// Never had here.
#[derive(Debug)]
pub struct Armed(());

/// Watches connections.
///
/// # Errors
/// Always: not on this platform.
pub fn watch(_: Arc<dyn Watch>) -> Result<Watching, Unavailable> {
    Err(Unavailable)
}

impl Watching {
    /// Arms an invocation.
    #[must_use]
    pub fn arm(&self, _: Arc<dyn Invocation>, _: bool) -> Armed {
        match *self {}
    }
}

/// Runs a thread beside the process's own, on a stack of so many bytes. `false` where it could not be started.
#[must_use]
pub fn background(name: &str, stack: usize, body: Box<dyn FnOnce() + Send>) -> bool {
    std::thread::Builder::new().name(name.to_owned()).stack_size(stack).spawn(body).is_ok()
}
