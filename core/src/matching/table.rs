//! Texts and numbers that alternatives name, with the facts that each brings: one look-up however many there are.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::budget::{Budget, Flow};
use super::facts::{self, Fact};

/// Stands where only its being there matters.
pub(super) const NO_FACT: Fact = Fact::MAX;

/// From the bytes of a text, or of a number, to facts.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: BTreeMap<Box<[u8]>, Vec<Fact>>,
    longest: usize,
    /// The bytes that a key begins with, all of them where one has none: most texts are told from all keys by their first.
    first: [u64; 4],
}

impl Table {
    /// A table of texts alone.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut table = Self::default();
        texts.for_each(|text| table.insert(text.as_bytes(), NO_FACT));
        table
    }

    pub(super) fn insert(&mut self, key: &[u8], fact: Fact) {
        self.longest = self.longest.max(key.len());
        match key.first() {
            Some(byte) => drop(facts::set(&mut self.first, (*byte).into())),
            None => self.first = [u64::MAX; 4],
        }
        let facts = self.entries.entry(key.into()).or_default();
        if facts.last() != Some(&fact) {
            facts.push(fact);
        }
    }

    /// The bytes of the longest key.
    pub(super) const fn longest(&self) -> usize {
        self.longest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The facts of exactly this key.
    pub(super) fn get(&self, key: &[u8]) -> Option<&[Fact]> {
        if self.has_none(key.first()) {
            return None;
        }
        self.entries.get(key).map(Vec::as_slice)
    }

    /// Whether no key is one of a text, or the beginning of one, whose first byte is this.
    fn has_none(&self, first: Option<&u8>) -> bool {
        first.is_some_and(|byte| !facts::has(&self.first, (*byte).into()))
    }

    /// The facts of each key that is a prefix of `text`, the longest first.
    fn prefixes<'a>(&'a self, text: &[u8], budget: &mut Budget, mut visit: impl FnMut(&'a [Fact])) -> Flow {
        let mut left = text.get(..text.len().min(self.longest)).unwrap_or_default();
        loop {
            budget.step()?;
            // Whatever key is a prefix of the text is also one of the greatest key up to the text, or is that key.
            let Some((key, facts)) = self.entries.range::<[u8], _>((Bound::Unbounded, Bound::Included(left))).next_back() else {
                return Ok(());
            };
            let common = key.iter().zip(left).take_while(|(one, other)| one == other).count();
            let mut rest = common;
            if common == key.len() {
                visit(facts);
                match common.checked_sub(1) {
                    Some(shorter) => rest = shorter,
                    None => return Ok(()),
                }
            }
            left = left.get(..rest).unwrap_or_default();
        }
    }
}

/// The key of a number in a [`Table`]: equal numbers have equal keys.
pub(super) fn number_key(number: f64) -> [u8; 8] {
    // Both zeros are one number.
    (number + 0.0).to_bits().to_be_bytes()
}

/// Prefixes or suffixes. The library holds a text between quotation marks against them, so one may reach over the mark.
#[derive(Debug)]
pub(super) struct Affixes {
    /// Suffixes stand here from the last byte to the first.
    affixes: Table,
    /// The texts to which an affix and the mark are the whole.
    whole: Table,
    reversed: bool,
}

impl Affixes {
    pub(super) fn prefixes() -> Self {
        Self { affixes: Table::default(), whole: Table::default(), reversed: false }
    }

    pub(super) fn suffixes() -> Self {
        Self { reversed: true, ..Self::prefixes() }
    }

    pub(super) fn insert(&mut self, affix: &str, fact: Fact) {
        let over_the_mark = if self.reversed { affix.strip_prefix('"') } else { affix.strip_suffix('"') };
        if let Some(whole) = over_the_mark {
            self.whole.insert(whole.as_bytes(), fact);
        }
        if self.reversed {
            self.affixes.insert(&affix.bytes().rev().collect::<Vec<_>>(), fact);
        } else {
            self.affixes.insert(affix.as_bytes(), fact);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.affixes.is_empty()
    }

    /// How many bytes of a text decide.
    pub(super) fn enough(&self) -> usize {
        if self.reversed && !self.is_empty() { usize::MAX } else { self.affixes.longest() + 1 }
    }

    /// The facts of each affix that the text has.
    pub(super) fn of<'a>(&'a self, text: &str, budget: &mut Budget, mut visit: impl FnMut(&'a [Fact])) -> Flow {
        if let Some(facts) = self.whole.get(text.as_bytes()) {
            visit(facts);
        }
        let bytes = text.as_bytes();
        if self.affixes.has_none(if self.reversed { bytes.last() } else { bytes.first() }) {
            return Ok(());
        }
        if !self.reversed {
            return self.affixes.prefixes(bytes, budget, visit);
        }
        let end: Vec<u8> = text.bytes().rev().take(self.affixes.longest()).collect();
        budget.passing(end.len())?;
        self.affixes.prefixes(&end, budget, visit)
    }

    /// Whether the text has any of them.
    pub(super) fn any(&self, text: &str, budget: &mut Budget) -> Flow<bool> {
        let mut any = false;
        self.of(text, budget, |_| any = true)?;
        Ok(any)
    }
}
