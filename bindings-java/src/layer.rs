//! The layer's engine. Does not own failing open (core).

use faultlayer_core::boundary::{Language, Layer};
use jni::sys::jlong;

use crate::host::Asked;

/// The layer's host, or 0 where nothing can ever fire.
pub fn layer() -> jlong {
    Layer::open(Language::Java).map_or(0, |layer| Asked::Layer(layer).give_out())
}
