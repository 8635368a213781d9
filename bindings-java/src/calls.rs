//! What the handler's calls to AWS ask, by number: a thread that an invocation left behind must not ask for the next one.
//! Owns the two forms in which a call and its answer cross; not which invocation a call belongs to (the Java side).

use std::sync::{Mutex, MutexGuard, PoisonError};

use faultlayer_core::boundary::{Calls, Failed, Met, Request};
use jni_sys::{jarray, jlong, jobjectArray};

use crate::event::Jvm;
use crate::host::present;

/// The last number, and the calls of each invocation that is under way.
static UNDER_WAY: Mutex<(jlong, Vec<(jlong, Calls)>)> = Mutex::new((0, Vec::new()));

fn under_way() -> MutexGuard<'static, (jlong, Vec<(jlong, Calls)>)> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number that they get; 0 is nobody's.
pub fn enter(calls: Calls) -> jlong {
    let mut under_way = under_way();
    under_way.0 = under_way.0.wrapping_add(1);
    let number = under_way.0;
    under_way.1.push((number, calls));
    number
}

pub fn leave(number: jlong) {
    under_way().1.retain(|(each, _)| *each != number);
}

fn find(number: jlong) -> Option<Calls> {
    under_way().1.iter().find(|(each, _)| *each == number).map(|(_, calls)| calls.clone())
}

/// Asks for one attempt of a call: what [`Request::told`] takes, and the body of a form. Null where the call goes out at once, or where a library's engine failed; else what [`form`] makes.
pub fn met(jvm: Jvm, number: jlong, told: jarray, body: jarray, now_us: jlong) -> jarray {
    jvm.with_bytes(told, |told| {
        let Some(calls) = find(number) else { return std::ptr::null_mut() };
        let told = String::from_utf8_lossy(told);
        let body = jvm.bytes(body).unwrap_or_default();
        match calls.met(&Request::told(&told, &body), present(now_us)) {
            Ok(Met { delay_us: 0, answer: None }) | Err(Failed) => std::ptr::null_mut(),
            Ok(met) => jvm.byte_array(&form(&met)),
        }
    })
}

/// Which signed calls can be hit, as [`Calls::scopes`] says it, scopes and operations in turn; null where nobody can tell.
pub fn scopes(jvm: Jvm, number: jlong) -> jobjectArray {
    let Some(scopes) = find(number).and_then(|calls| calls.scopes()) else { return std::ptr::null_mut() };
    jvm.strings(scopes.as_flattened().iter().map(|text| Some(text.as_str())))
}

/// Eight bytes of microseconds, two of the status, 0 for none; then two of how many strings follow, each after two of its
/// length: the headers' names and values in turn. The rest is the body. All big-endian, as Java's streams read it.
fn form(met: &Met) -> Vec<u8> {
    let mut out = met.delay_us.to_be_bytes().to_vec();
    let short = |out: &mut Vec<u8>, number: usize| {
        out.extend(u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
    };
    let Some(answer) = &met.answer else {
        short(&mut out, 0);
        return out;
    };
    short(&mut out, answer.status.into());
    short(&mut out, answer.headers.len() * 2);
    for text in answer.headers.iter().flat_map(|(name, value)| [*name, value.as_str()]) {
        short(&mut out, text.len());
        out.extend(text.as_bytes());
    }
    out.extend(&answer.body);
    out
}

/// A call was made while several invocations were under way, and nobody can tell by which. One of them, for its record.
pub fn unattributed(number: jlong) {
    if let Some(calls) = find(number) {
        calls.unattributed();
    }
}

#[cfg(test)]
mod tests {
    use faultlayer_core::boundary::{Answer, Met};

    use super::form;

    #[test]
    fn an_answer_crosses_as_its_delay_its_status_its_headers_and_its_body() {
        assert_eq!(form(&Met { delay_us: 258, answer: None }), [0, 0, 0, 0, 0, 0, 1, 2, 0, 0]);
        let answer = Answer { status: 400, headers: vec![("a", "bc".to_owned())], body: b"xyz".to_vec() };
        let expected = [&[0, 0, 0, 0, 0, 0, 0, 0, 1, 144, 0, 2, 0, 1][..], b"a", &[0, 2], b"bcxyz"].concat();
        assert_eq!(form(&Met { delay_us: 0, answer: Some(answer) }), expected);
    }
}
