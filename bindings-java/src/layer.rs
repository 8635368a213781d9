//! The layer's engine. Does not own failing open (core).

use faultlayer_core::boundary::{Language, Layer};
use jni_sys::{jboolean, jlong, jstring};

use crate::event::{Jvm, Room};
use crate::host::{Asked, at};

/// The layer's host, or 0 where nothing can ever fire.
pub fn layer(jvm: Jvm) -> jlong {
    jvm.take_classes();
    Layer::open(Language::Java).map_or(0, |layer| Asked::Layer(layer).give_out())
}

/// The end of init: waits a little for the first plan, where it comes from elsewhere.
///
/// # Safety
/// As [`at`].
pub unsafe fn settle(handle: jlong) {
    // SAFETY: by the caller.
    if let Asked::Layer(layer) = unsafe { at(handle) } {
        layer.settle();
    }
}

/// Writes Faultlayer's own record: of a client that is not known, else of trouble in the agent.
///
/// # Safety
/// As [`at`].
pub unsafe fn report(jvm: Jvm, handle: jlong, of_client: jboolean, message: jstring) {
    // SAFETY: by the caller.
    if let Asked::Layer(layer) = unsafe { at(handle) } {
        let mut room = Room::new();
        let message = jvm.text(message, &mut room).unwrap_or_default();
        if of_client { layer.report_client(&message) } else { layer.report(&message) }
    }
}
