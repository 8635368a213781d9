//! What the handler's calls to AWS ask, by number, for plain functions: as a host is (`host.rs`). Does not own which
//! invocation a call belongs to (`lib/calls.cjs`).

use std::cell::RefCell;

use faultlayer_core::boundary::{Calls, Request};
use napi::Result;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::error::failed;
use crate::host::whole;
use crate::operations;

thread_local! {
    /// Those of this thread's JavaScript, few at a time. No number comes twice: what an invocation leaves behind must not ask
    /// for the next one.
    static UNDER_WAY: RefCell<(u32, Vec<(u32, Calls)>)> = const { RefCell::new((0, Vec::new())) };
}

/// The number that they get.
pub fn enter(calls: Calls) -> u32 {
    UNDER_WAY.with_borrow_mut(|(last, under_way)| {
        *last = last.wrapping_add(1);
        under_way.push((*last, calls));
        *last
    })
}

pub fn leave(number: u32) {
    UNDER_WAY.with_borrow_mut(|(_, under_way)| under_way.retain(|(each, _)| *each != number));
}

fn find(number: u32) -> Option<Calls> {
    UNDER_WAY.with_borrow(|(_, under_way)| under_way.iter().find(|(each, _)| *each == number).map(|(_, calls)| calls.clone()))
}

/// What one attempt of a call meets.
#[napi(object)]
pub struct Met {
    /// Microseconds to hold it.
    pub delay_us: f64,
    /// What stands then instead of AWS's answer; without it the call goes out.
    pub answer: Option<Answer>,
}

/// As on the wire.
#[napi(object)]
pub struct Answer {
    pub status: u32,
    /// Names and values in turn.
    pub headers: Vec<String>,
    pub body: Buffer,
}

/// Which signed calls can be hit, as [`Calls::scopes`] says it, scopes and operations in turn; nothing where nobody can tell.
#[napi]
pub fn scopes(number: u32) -> Option<Vec<String>> {
    Some(find(number)?.scopes()?.into_iter().flatten().collect())
}

/// How many lines tell of a call whose SDK tells the operation.
const WITH_OPERATION: usize = 7;

/// Asks for one attempt of a call: what [`Request::told`] takes, and the body of a form. Without the operation's line a table
/// may know it. Nothing where the call goes out at once.
///
/// # Errors
/// A library's engine failed.
#[napi]
pub fn met(number: u32, told: String, body: Option<String>, now_us: Option<f64>) -> Result<Option<Met>> {
    let mut request = Request::told(&told, body.as_deref().unwrap_or_default().as_bytes());
    if request.target.is_none() && told.split('\n').count() < WITH_OPERATION {
        request.operation = operations::find(&request);
    }
    let Some(calls) = find(number) else { return Ok(None) };
    let met = calls.met(&request, now_us.and_then(whole)).map_err(failed)?;
    if met.delay_us == 0 && met.answer.is_none() {
        return Ok(None);
    }
    let answer = met.answer.map(|answer| Answer {
        status: answer.status.into(),
        headers: answer.headers.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect(),
        body: answer.body.into(),
    });
    #[expect(clippy::cast_precision_loss, reason = "a plan's delays are far below 2^53 microseconds")]
    let delay_us = met.delay_us as f64;
    Ok(Some(Met { delay_us, answer }))
}

/// A call was made while several invocations were under way, and nobody can tell by which. One of them, for its record.
#[napi]
pub fn unattributed(number: u32) {
    if let Some(calls) = find(number) {
        calls.unattributed();
    }
}
