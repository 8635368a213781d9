//! One value or operator of a pattern, applied to one leaf of an event.

use super::address::AddressRange;
use super::fold::Fold;
use super::glob::Glob;
use super::string::inner;

/// A leaf of an event: anything but an object or an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Leaf<'a> {
    /// A string, between quotation marks.
    Text(&'a str),
    /// A number, as binary64; infinite where the text names one that is greater than all of them.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// One of the alternatives of a field. Texts are as [`super::string`] makes them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Null,
    Bool(bool),
    Number(f64),
    Text(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Fold(Fold),
    PrefixFold(Fold),
    SuffixFold(Fold),
    Glob(Glob),
    Range(NumberRange),
    Address(AddressRange),
    Exists,
    NotNumber(Vec<f64>),
    NotText(Vec<Box<str>>),
    NotPrefix(Vec<Box<str>>),
    NotSuffix(Vec<Box<str>>),
    NotFold(Vec<Fold>),
    NotGlob(Vec<Glob>),
}

/// A range of finite numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumberRange {
    pub(super) low: f64,
    pub(super) low_open: bool,
    pub(super) high: f64,
    pub(super) high_open: bool,
}

impl NumberRange {
    fn contains(self, number: f64) -> bool {
        let above = if self.low_open { number > self.low } else { number >= self.low };
        let below = if self.high_open { number < self.high } else { number <= self.high };
        above && below
    }
}

impl Test {
    /// Whether the leaf passes.
    pub(super) fn passes(&self, leaf: Leaf<'_>) -> bool {
        match (self, leaf) {
            (Self::Exists, _) | (Self::Null, Leaf::Null) => true,
            (Self::Bool(wanted), Leaf::Bool(value)) => *wanted == value,
            (Self::Number(wanted), Leaf::Number(value)) => same(*wanted, value),
            (Self::Range(range), Leaf::Number(value)) => range.contains(value),
            (Self::Text(wanted), Leaf::Text(text)) => **wanted == *text,
            (Self::Prefix(prefix), Leaf::Text(text)) => text.starts_with(&**prefix),
            (Self::Suffix(suffix), Leaf::Text(text)) => text.ends_with(&**suffix),
            (Self::Fold(wanted), Leaf::Text(text)) => wanted.is(text),
            (Self::PrefixFold(prefix), Leaf::Text(text)) => prefix.begins(text),
            (Self::SuffixFold(suffix), Leaf::Text(text)) => suffix.ends(text),
            (Self::Glob(glob), Leaf::Text(text)) => glob.matches(inner(text)),
            (Self::Address(range), Leaf::Text(text)) => range.contains(inner(text)),
            (Self::NotNumber(numbers), Leaf::Number(value)) => !numbers.iter().any(|number| same(*number, value)),
            (Self::NotText(texts), Leaf::Text(text)) => !texts.iter().any(|other| **other == *text),
            (Self::NotPrefix(prefixes), Leaf::Text(text)) => !prefixes.iter().any(|prefix| text.starts_with(&**prefix)),
            (Self::NotSuffix(suffixes), Leaf::Text(text)) => !suffixes.iter().any(|suffix| text.ends_with(&**suffix)),
            (Self::NotFold(texts), Leaf::Text(text)) => !texts.iter().any(|other| other.is(text)),
            (Self::NotGlob(globs), Leaf::Text(text)) => !globs.iter().any(|glob| glob.matches(inner(text))),
            // Every `anything-but` is passed by what has another type than its values.
            (
                Self::NotNumber(_)
                | Self::NotText(_)
                | Self::NotPrefix(_)
                | Self::NotSuffix(_)
                | Self::NotFold(_)
                | Self::NotGlob(_),
                _,
            ) => true,
            _ => false,
        }
    }
}

#[expect(clippy::float_cmp, reason = "equality of binary64 is what the format promises")]
fn same(wanted: f64, value: f64) -> bool {
    wanted == value
}
