//! The layer's engine: one for the process, shared by its worker threads. Does not own failing open (core).

use std::sync::OnceLock;

use faultlayer_core::boundary::{Language, Layer};
use napi_derive::napi;

use crate::host::{Asked, Slot, enter};

/// The addon is loaded once for a process, however many worker threads load it: limits and counts are the environment's.
static LAYER: OnceLock<Option<Layer>> = OnceLock::new();

/// The layer's host; nothing where nothing can ever fire, which Faultlayer's own record then explains.
#[napi]
pub fn layer() -> Option<u32> {
    let layer = LAYER.get_or_init(|| Layer::open(Language::Node)).as_ref()?;
    enter(Slot::new(Asked::Layer(layer), None)).ok()
}

/// Faultlayer's own record of trouble in the layer's JavaScript, once an environment.
#[napi]
pub fn report(message: String) {
    if let Some(layer) = LAYER.get().and_then(Option::as_ref) {
        layer.report(&message);
    }
}
