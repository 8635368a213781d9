//! One value or operator of a pattern, and one leaf of an event.

use super::address::AddressRange;
use super::budget::{Budget, Flow};
use super::fold::Fold;
use super::glob::Glob;
use super::table::{Affixes, Table, number_key};

/// A leaf of an event: anything but an object or an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Leaf<'a> {
    /// A string; it may be cut where nothing looks at the rest.
    Text(&'a str),
    /// A number, as binary64; infinite where the text names one that is greater than all of them.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// One of the alternatives of a field.
#[derive(Debug)]
pub(super) enum Alternative {
    Null,
    Bool(bool),
    Number(f64),
    Text(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Address(AddressRange),
    Exists,
    /// What no table answers.
    Other(Other),
}

/// An alternative that each leaf has to be asked for by itself.
#[derive(Debug)]
pub(super) enum Other {
    Fold(Fold),
    PrefixFold(Fold),
    SuffixFold(Fold),
    Glob(Glob),
    Range(NumberRange),
    NotNumber(Table),
    NotText(Table),
    NotAffix(Affixes),
    NotFold(Vec<Fold>),
    NotGlob(Vec<Glob>),
}

impl From<Other> for Alternative {
    fn from(other: Other) -> Self {
        Self::Other(other)
    }
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

impl Other {
    /// Whether the leaf passes.
    pub(super) fn passes(&self, leaf: Leaf<'_>, budget: &mut Budget) -> Flow<bool> {
        Ok(match (self, leaf) {
            (Self::Range(range), Leaf::Number(value)) => range.contains(value),
            (Self::NotNumber(numbers), Leaf::Number(value)) => numbers.get(&number_key(value)).is_none(),
            (Self::NotText(texts), Leaf::Text(text)) => texts.get(text.as_bytes()).is_none(),
            (Self::NotAffix(affixes), Leaf::Text(text)) => !affixes.any(text, budget)?,
            (Self::Fold(wanted), Leaf::Text(text)) => wanted.is(text),
            (Self::PrefixFold(prefix), Leaf::Text(text)) => prefix.begins(text),
            (Self::SuffixFold(suffix), Leaf::Text(text)) => suffix.ends(text),
            (Self::Glob(glob), Leaf::Text(text)) => {
                budget.text(text.len())?;
                glob.matches(text)
            }
            (Self::NotFold(texts), Leaf::Text(text)) => {
                budget.take(texts.len())?;
                !texts.iter().any(|other| other.is(text))
            }
            (Self::NotGlob(globs), Leaf::Text(text)) => {
                for glob in globs {
                    budget.text(text.len())?;
                    if glob.matches(text) {
                        return Ok(false);
                    }
                }
                true
            }
            // Every `anything-but` is passed by what has another type than its values.
            (Self::NotNumber(_) | Self::NotText(_) | Self::NotAffix(_) | Self::NotFold(_) | Self::NotGlob(_), _) => true,
            _ => false,
        })
    }

    /// How many bytes of a text decide.
    pub(super) fn enough(&self) -> usize {
        match self {
            Self::Range(_) | Self::NotNumber(_) => 0,
            Self::NotText(texts) => texts.longest() + 1,
            Self::NotAffix(affixes) => affixes.enough(),
            Self::Fold(fold) | Self::PrefixFold(fold) => fold.longest() + 1,
            Self::NotFold(folds) => folds.iter().map(|fold| fold.longest() + 1).max().unwrap_or(0),
            Self::SuffixFold(_) | Self::Glob(_) | Self::NotGlob(_) => usize::MAX,
        }
    }
}
