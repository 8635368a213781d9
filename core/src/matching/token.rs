//! The tokens of JSON: each function takes a text that begins with one, checks it, and answers what follows. Strings and numbers
//! are looked at eight bytes at a time: most of an event is only passed over.

use super::budget::{Flow, Stop};

/// What is no space of a text. Inlined also where size counts: it is asked for between any two signs.
#[inline(always)]
pub(super) const fn unspaced(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

/// What follows a key and its colon, in an object.
pub(super) fn behind_key(text: &[u8], object: bool) -> Flow<&[u8]> {
    if !object {
        return Ok(text);
    }
    match unspaced(behind_string(unspaced(text))?) {
        [b':', rest @ ..] => Ok(rest),
        _ => Err(Stop::NoEvent),
    }
}

#[inline(always)]
pub(super) fn behind_string(string: &[u8]) -> Flow<&[u8]> {
    let [b'"', within @ ..] = string else { return Err(Stop::NoEvent) };
    // Most are short, and plain to their end.
    let at = first(special(word(within)));
    if let Some([b'"', rest @ ..]) = within.get(at..) {
        return Ok(rest);
    }
    behind_long_string(within)
}

fn behind_long_string(within: &[u8]) -> Flow<&[u8]> {
    let written = written(within)?;
    if !written.ascii {
        text(within.get(..written.length).unwrap_or_default())?;
    }
    within.get(written.length + 1..).ok_or(Stop::NoEvent)
}

pub(super) fn behind_literal(text: &[u8]) -> Flow<&[u8]> {
    let literals: [&[u8]; 3] = [b"true", b"false", b"null"];
    literals.into_iter().find_map(|literal| text.strip_prefix(literal)).ok_or(Stop::NoEvent)
}

/// What follows a number as JSON writes it.
#[inline(always)]
pub(super) fn behind_number(text: &[u8]) -> Flow<&[u8]> {
    let mut rest = match text.strip_prefix(b"-").unwrap_or(text) {
        [b'0', rest @ ..] => rest,
        whole => behind_digits(whole)?,
    };
    if let [b'.', fraction @ ..] = rest {
        rest = behind_digits(fraction)?;
    }
    if let [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] = rest {
        rest = behind_digits(exponent)?;
    }
    Ok(rest)
}

/// What follows digits, of which there has to be one.
#[inline(always)]
fn behind_digits(text: &[u8]) -> Flow<&[u8]> {
    let mut rest = text;
    loop {
        // Each digit's value, then the high bit of each byte that is beyond nine (and perhaps of bytes after the first such one).
        let values = word(rest) ^ (ONES * b'0' as u64);
        let others = (values.wrapping_add(ONES * 0x76) | values) & HIGH;
        rest = rest.get(first(others)..).unwrap_or_default();
        if others != 0 {
            return if rest.len() < text.len() { Ok(rest) } else { Err(Stop::NoEvent) };
        }
    }
}

/// A string up to the quotation mark that closes it.
pub(super) struct Written {
    pub(super) length: usize,
    /// It has escapes.
    pub(super) escaped: bool,
    /// It has nothing beyond ASCII.
    pub(super) ascii: bool,
}

/// Looks through a string, eight bytes at a time.
#[inline(always)]
pub(super) fn written(within: &[u8]) -> Flow<Written> {
    let (mut rest, mut escaped, mut ascii) = (within, false, true);
    loop {
        let stop = special(word(rest));
        rest = rest.get(first(stop)..).unwrap_or_default();
        if stop == 0 {
            continue;
        }
        rest = match rest {
            [b'"', ..] => return Ok(Written { length: within.len() - rest.len(), escaped, ascii }),
            [0x80..=0xff, ..] => {
                ascii = false;
                rest.get(first(!word(rest) & HIGH)..).unwrap_or_default()
            }
            [b'\\', escape @ ..] => {
                escaped = true;
                behind_escape(escape)?
            }
            _ => return Err(Stop::NoEvent),
        };
    }
}

fn behind_escape(escape: &[u8]) -> Flow<&[u8]> {
    match escape {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => Ok(rest),
        [b'u', rest @ ..] => match rest.split_first_chunk::<4>() {
            Some((digits, rest)) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(rest),
            _ => Err(Stop::NoEvent),
        },
        _ => Err(Stop::NoEvent),
    }
}

/// The high bit of each byte that does not stand for itself in a string, or is beyond ASCII (and perhaps of bytes after the
/// first such one).
#[inline(always)]
const fn special(word: u64) -> u64 {
    let mark = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let escape = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (mark | escape | word.wrapping_sub(ONES * 0x20) | word) & HIGH
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES * 0x80;

/// The next eight bytes, the first of them lowest; zeros behind the end.
#[inline(always)]
fn word(text: &[u8]) -> u64 {
    match text.first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => last_word(text),
    }
}

#[cold]
fn last_word(text: &[u8]) -> u64 {
    text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Which of eight bytes is the first that is not zero; 8 for none.
const fn first(word: u64) -> usize {
    word.trailing_zeros() as usize / 8
}

/// Only strings may hold more than ASCII, so only they have to be looked at for being UTF-8.
pub(super) fn text(bytes: &[u8]) -> Flow<&str> {
    std::str::from_utf8(bytes).map_err(|_| Stop::NoEvent)
}
