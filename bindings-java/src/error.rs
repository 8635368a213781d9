//! What crosses to Java when something is wrong. Owns no wording: the engine's problems go as they are.

use faultlayer_core::boundary::Refused;
use jni_sys::jlong;

/// What a library's engine answers instead of a session where it failed; no address is negative.
pub const FAILED: jlong = -1;

/// A refused plan as JSON: `{"code", "path", "message", "problems"}`.
pub fn refusal(error: &Refused) -> String {
    error.to_json()
}
