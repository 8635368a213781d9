//! All alternatives that patterns have for one path: what a leaf on it is held against, at once.

use std::collections::HashMap;

use super::address::{Address, AddressRange};
use super::alternative::{Alternative, Leaf, Other};
use super::budget::{Budget, Flow};
use super::facts::{Fact, Gathered};
use super::table::{Affixes, Table, number_key};

/// The alternatives of one path, each with the facts that a leaf which passes it brings.
#[derive(Debug)]
pub(super) struct Index {
    /// Whatever the leaf is.
    any: Vec<Fact>,
    null: Vec<Fact>,
    no: Vec<Fact>,
    yes: Vec<Fact>,
    numbers: Table,
    texts: Table,
    prefixes: Affixes,
    suffixes: Affixes,
    addresses: Vec<(AddressRange, Vec<Fact>)>,
    others: Vec<(Other, Vec<Fact>)>,
    /// Where an alternative stands in one of the lists, by its text.
    known: HashMap<String, usize>,
    /// How many bytes of a text decide.
    enough: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            any: Vec::new(),
            null: Vec::new(),
            no: Vec::new(),
            yes: Vec::new(),
            numbers: Table::default(),
            texts: Table::default(),
            prefixes: Affixes::prefixes(),
            suffixes: Affixes::suffixes(),
            addresses: Vec::new(),
            others: Vec::new(),
            known: HashMap::new(),
            enough: 0,
        }
    }
}

impl Index {
    /// Whatever the leaf is, it brings `fact`.
    pub(super) fn insert_any(&mut self, fact: Fact) {
        self.any.push(fact);
    }

    /// A leaf that passes `alternative`, which the pattern writes as `text`, brings `fact`.
    pub(super) fn insert(&mut self, alternative: Alternative, text: String, fact: Fact) {
        let enough = match alternative {
            Alternative::Exists => {
                self.any.push(fact);
                0
            }
            Alternative::Null => {
                self.null.push(fact);
                0
            }
            Alternative::Bool(value) => {
                if value { &mut self.yes } else { &mut self.no }.push(fact);
                0
            }
            Alternative::Number(number) => {
                self.numbers.insert(&number_key(number), fact);
                0
            }
            Alternative::Text(text) => {
                self.texts.insert(text.as_bytes(), fact);
                self.texts.longest() + 1
            }
            Alternative::Prefix(prefix) => {
                self.prefixes.insert(&prefix, fact);
                self.prefixes.enough()
            }
            Alternative::Suffix(suffix) => {
                self.suffixes.insert(&suffix, fact);
                self.suffixes.enough()
            }
            Alternative::Address(range) => {
                enter(&mut self.addresses, &mut self.known, range, text, fact);
                usize::MAX
            }
            Alternative::Other(other) => {
                let enough = other.enough();
                enter(&mut self.others, &mut self.known, other, text, fact);
                enough
            }
        };
        self.enough = self.enough.max(enough);
    }

    /// How many bytes of a text decide.
    pub(super) const fn enough(&self) -> usize {
        self.enough
    }

    /// Adds what a leaf brings.
    pub(super) fn test(&self, leaf: Leaf<'_>, budget: &mut Budget, gathered: &mut Gathered<'_>) -> Flow {
        budget.step()?;
        gathered.add(&self.any);
        match leaf {
            Leaf::Null => gathered.add(&self.null),
            Leaf::Bool(value) => gathered.add(if value { &self.yes } else { &self.no }),
            Leaf::Number(number) => {
                if let Some(facts) = self.numbers.get(&number_key(number)) {
                    gathered.add(facts);
                }
            }
            Leaf::Text(text) => self.text(text, budget, gathered)?,
        }
        for (other, facts) in &self.others {
            if gathered.lacks(facts) {
                budget.step()?;
                if other.passes(leaf, budget)? {
                    gathered.add(facts);
                }
            }
        }
        Ok(())
    }

    fn text(&self, text: &str, budget: &mut Budget, gathered: &mut Gathered<'_>) -> Flow {
        if let Some(facts) = self.texts.get(text.as_bytes()) {
            gathered.add(facts);
        }
        if !self.prefixes.is_empty() {
            self.prefixes.of(text, budget, |facts| gathered.add(facts))?;
        }
        if !self.suffixes.is_empty() {
            self.suffixes.of(text, budget, |facts| gathered.add(facts))?;
        }
        if self.addresses.is_empty() {
            return Ok(());
        }
        budget.text(text.len())?;
        let Some(address) = Address::read(text) else { return Ok(()) };
        for (range, facts) in &self.addresses {
            if gathered.lacks(facts) {
                budget.step()?;
                if range.contains(&address) {
                    gathered.add(facts);
                }
            }
        }
        Ok(())
    }
}

/// Enters an alternative once, however many fields have it.
fn enter<T>(list: &mut Vec<(T, Vec<Fact>)>, known: &mut HashMap<String, usize>, alternative: T, text: String, fact: Fact) {
    let at = *known.entry(text).or_insert(list.len());
    match list.get_mut(at) {
        Some((_, facts)) if facts.last() == Some(&fact) => {}
        Some((_, facts)) => facts.push(fact),
        None => list.push((alternative, vec![fact])),
    }
}
