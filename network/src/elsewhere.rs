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
