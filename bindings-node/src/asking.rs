//! The question of every invocation, by Node's own API: what the safe wrappers do around each function (a copy of each text, a
//! scope for what is borrowed, a conversion of the answer) takes longer than deciding.

#![expect(unsafe_code, reason = "a function by Node's own API is handed raw pointers")]

use std::borrow::Cow;
use std::ptr;

use faultlayer_core::boundary::Wide;
use napi::bindgen_prelude::{ToNapiValue, Unknown};
use napi::{Env, JsError, Result, check_status, sys};
use napi_derive::napi;

use crate::error::unknown_host;
use crate::host::{Answer, Slot, whole, with};

/// What decides for one invocation of a host under a plan without patterns: a function of the invocation's id and, where the
/// plan needs it ([`crate::host::reads`]), of its deadline in epoch milliseconds. `streaming` as the handler does.
///
/// It answers nothing where nothing is drawn: call the handler as if nothing were here; `true` where another plan has come,
/// which is to be read first; else a session. It throws where a library's engine failed.
///
/// # Errors
/// Node made no function.
#[napi]
pub fn asker(env: &Env, host: u32, streaming: bool) -> Result<Unknown<'_>> {
    function(env, ask, host, streaming)
}

/// Whether nothing is drawn, as an id alone can tell: a function of the id that answers `true` or nothing, before which nothing of
/// an event need be gathered.
///
/// # Errors
/// Node made no function.
#[napi]
pub fn quiet_asker(env: &Env, host: u32) -> Result<Unknown<'_>> {
    function(env, ask_quiet, host, false)
}

/// As [`asker`] for a plan with patterns: a function of the id, the deadline or NaN, the client context as JSON text or undefined,
/// and all leaves of the event that JavaScript gathered, in the order of [`crate::host::paths`]. None of these is an object.
///
/// # Errors
/// Node made no function.
#[napi]
pub fn gathered_asker(env: &Env, host: u32, streaming: bool) -> Result<Unknown<'_>> {
    function(env, ask_gathered, host, streaming)
}

type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

fn function(env: &Env, callback: Callback, host: u32, streaming: bool) -> Result<Unknown<'_>> {
    let told = ptr::without_provenance_mut((host as usize) << 1 | usize::from(streaming));
    let mut made = ptr::null_mut();
    // SAFETY: `env` is the environment of the call that runs; what the function is told is a number.
    check_status!(unsafe { sys::napi_create_function(env.raw(), ptr::null(), 0, Some(callback), told, &raw mut made) })?;
    // SAFETY: this environment made the value just now.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), made) })
}

unsafe extern "C" fn ask(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut given = [ptr::null_mut(); 2];
    let (count, told) = arguments(env, info, &mut given);
    let [id, deadline] = given;
    answered(env, told, id, |slot, streaming, id| {
        let deadline_ms = if count > 1 { time(env, deadline) } else { None };
        slot.decide(id, deadline_ms, streaming)
    })
}

unsafe extern "C" fn ask_quiet(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut given = [ptr::null_mut()];
    let (_, told) = arguments(env, info, &mut given);
    let ([id], mut room, mut answer) = (given, Wide::new(), ptr::null_mut());
    let host = u32::try_from(told >> 1).ok();
    // What is no id is told by the question that follows.
    let is_quiet = text(env, id, &mut room).ok().zip(host).and_then(|(id, host)| with(host, |slot| slot.is_quiet(&id)));
    if is_quiet == Some(true) {
        // SAFETY: as in `answered`; where it fails, nothing is written.
        unsafe { sys::napi_get_boolean(env, true, &raw mut answer) };
    }
    answer
}

/// Most plans name no more leaves; those that do take room of their own.
const FEW: usize = 16;

unsafe extern "C" fn ask_gathered(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut few, mut many) = ([ptr::null_mut(); FEW], Vec::new());
    let (count, told) = arguments(env, info, &mut few);
    let mut given = few.get(..count);
    if given.is_none() {
        many.resize(count, ptr::null_mut());
        arguments(env, info, &mut many);
        given = Some(&many);
    }
    let Some([id, deadline, client_context, leaves @ ..]) = given else { return ptr::null_mut() };
    answered(env, told, *id, |slot, streaming, id| {
        let mut room = Wide::new();
        let client_context = text(env, *client_context, &mut room).ok();
        slot.decide_gathered(id, time(env, *deadline), streaming, client_context.as_deref(), env, leaves)
    })
}

/// How many arguments there are, of which as many as have room are written, and what the function was told when it was made.
fn arguments(env: sys::napi_env, info: sys::napi_callback_info, room: &mut [sys::napi_value]) -> (usize, usize) {
    let (mut count, mut told) = (room.len(), ptr::null_mut());
    // SAFETY: Node called with both; room without an argument is filled with undefined.
    unsafe { sys::napi_get_cb_info(env, info, &raw mut count, room.as_mut_ptr(), ptr::null_mut(), &raw mut told) };
    (count, told.addr())
}

/// What JavaScript gets. Deciding runs none of it, so that the host is borrowed.
fn answered(
    env: sys::napi_env,
    told: usize,
    id: sys::napi_value,
    decide: impl FnOnce(&Slot, bool, &str) -> Result<Answer>,
) -> sys::napi_value {
    let mut room = Wide::new();
    let decided = text(env, id, &mut room).and_then(|id| {
        let host = u32::try_from(told >> 1).map_err(|_| unknown_host())?;
        with(host, |slot| decide(slot, told & 1 == 1, &id)).unwrap_or_else(|| Err(unknown_host()))
    });
    let answer = match decided {
        // Most come to nothing, for which nothing is made.
        Ok(None) => return ptr::null_mut(),
        // SAFETY: `env` is the environment of the call that runs; so for the rest of this module.
        Ok(answer) => unsafe { Answer::to_napi_value(env, answer) },
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| {
        // SAFETY: as above.
        unsafe { JsError::from(error).throw_into(env) };
        ptr::null_mut()
    })
}

/// A time in epoch milliseconds, where it is one.
fn time(env: sys::napi_env, value: sys::napi_value) -> Option<i64> {
    let mut number = f64::NAN;
    // SAFETY: as in `answered`, the value is an argument of that call; what is no number writes none.
    unsafe { sys::napi_get_value_double(env, value, &raw mut number) };
    whole(number)
}

/// A lone surrogate, which no Rust string can hold, becomes U+FFFD.
fn text(env: sys::napi_env, value: sys::napi_value, room: &mut Wide) -> Result<Cow<'_, str>> {
    let (size, count) = (room.units().len(), units(env, value, room.units())?);
    // What fills the room, with the zero that closes it, may go on.
    if count + 1 < size
        && let Some(text) = room.text(count)
    {
        return Ok(Cow::Borrowed(text));
    }
    let mut length = 0;
    // SAFETY: as in `units`; without room nothing but the length is written.
    check_status!(unsafe { sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &raw mut length) })?;
    let mut wide = vec![0; length + 1];
    units(env, value, &mut wide)?;
    Ok(Cow::Owned(String::from_utf16_lossy(wide.get(..length).unwrap_or_default())))
}

/// Writes as much of a text as has room before a closing zero, and says how much that is.
fn units(env: sys::napi_env, text: sys::napi_value, room: &mut [u16]) -> Result<usize> {
    let mut count = 0;
    // SAFETY: as in `time`; the room has so many units.
    let status = unsafe { sys::napi_get_value_string_utf16(env, text, room.as_mut_ptr(), room.len(), &raw mut count) };
    check_status!(status, "request id: expected a string")?;
    Ok(count)
}
