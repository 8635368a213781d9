//! Comparing without regard to case, character by character as Java's UTF-16 sees them.
//!
//! A character of the pattern stands for its lower-case and its upper-case form, each of which may be several characters
//! (`ß` stands for `ß` and `SS`). A character beyond U+FFFF is two halves to Java, each of which becomes a question mark:
//! so the library's `equals-ignore-case` never finds an emoji, and neither do we.

/// A text whose case does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fold(Vec<Unit>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Unit {
    Byte(u8),
    /// The two forms in UTF-8; neither is the beginning or the end of the other.
    Either(Box<[u8]>, Box<[u8]>),
}

impl Fold {
    /// Prepares a text.
    pub(super) fn new(text: &str) -> Self {
        let mut units = Vec::with_capacity(text.len());
        for character in text.chars() {
            if character.len_utf16() == 2 {
                units.extend([Unit::Byte(b'?'), Unit::Byte(b'?')]);
                continue;
            }
            let lower: String = character.to_lowercase().collect();
            let upper: String = character.to_uppercase().collect();
            if lower == upper {
                units.extend(lower.bytes().map(Unit::Byte));
            } else {
                units.push(Unit::Either(lower.into_bytes().into(), upper.into_bytes().into()));
            }
        }
        Self(units)
    }

    /// The most bytes of a text that is this one.
    pub(super) fn longest(&self) -> usize {
        let longest = |unit: &Unit| match unit {
            Unit::Byte(_) => 1,
            Unit::Either(lower, upper) => lower.len().max(upper.len()),
        };
        self.0.iter().map(longest).sum()
    }

    /// Whether the whole text is this one.
    pub(super) fn is(&self, text: &str) -> bool {
        after(&self.0, text.as_bytes()).is_some_and(<[u8]>::is_empty)
    }

    /// Whether the text begins with this one; the library puts a quotation mark after the text, which counts.
    pub(super) fn begins(&self, text: &str) -> bool {
        after(&self.0, text.as_bytes()).is_some()
            || matches!(&*self.0, [units @ .., Unit::Byte(b'"')] if after(units, text.as_bytes()).is_some_and(<[u8]>::is_empty))
    }

    /// Whether the text ends with this one; the library puts a quotation mark before the text, which counts.
    pub(super) fn ends(&self, text: &str) -> bool {
        before(&self.0, text.as_bytes()).is_some()
            || matches!(&*self.0, [Unit::Byte(b'"'), units @ ..] if before(units, text.as_bytes()).is_some_and(<[u8]>::is_empty))
    }
}

/// What remains of `text` after this prefix.
fn after<'a>(units: &[Unit], text: &'a [u8]) -> Option<&'a [u8]> {
    units.iter().try_fold(text, |text, unit| match unit {
        Unit::Byte(byte) => text.split_first().filter(|(first, _)| *first == byte).map(|(_, rest)| rest),
        Unit::Either(lower, upper) => text.strip_prefix(&**lower).or_else(|| text.strip_prefix(&**upper)),
    })
}

/// What remains of `text` before this suffix.
fn before<'a>(units: &[Unit], text: &'a [u8]) -> Option<&'a [u8]> {
    units.iter().rev().try_fold(text, |text, unit| match unit {
        Unit::Byte(byte) => text.split_last().filter(|(last, _)| *last == byte).map(|(_, rest)| rest),
        Unit::Either(lower, upper) => text.strip_suffix(&**lower).or_else(|| text.strip_suffix(&**upper)),
    })
}
