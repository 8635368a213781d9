//! One pass over an event, in its order. Each leaf on a path is tested as it comes and not kept; what is kept is which facts
//! the event and the elements of its arrays have, and of elements that say the same only the first: so what is held depends
//! on the patterns, not on the size of the event.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::smallvec;

use super::alternative::Leaf;
use super::budget::{Budget, Flow, Stop};
use super::facts::{self, Fact, Few, Gathered};
use super::index::Index;
use super::paths::PathId;
use super::patterns::{PatternId, Patterns, Verdicts};
use super::{MAX_EVENT_DEPTH, node, scan};

/// The event, or one element of an array that is an object or an array itself: choosing a leaf in it binds the array to it.
/// Numbered in the order of the event; the elements within it come right after it.
pub(super) type ScopeId = u32;

/// Outside of every array.
pub(super) const EVENT: ScopeId = 0;

#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// Of which array it is an element.
    pub(super) array: u32,
    /// The scope around that array.
    pub(super) parent: ScopeId,
}

/// An array with elements that are kept: those scopes, and what is within them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array {
    pub(super) start: ScopeId,
    pub(super) end: ScopeId,
}

/// An array that the walk is in.
struct Open {
    array: u32,
    around: ScopeId,
    /// The signatures of its elements that are kept.
    seen: BTreeSet<u32>,
    /// Where the arrays of its current element begin, in `arrays` and `inner`.
    arrays: usize,
    inner: usize,
}

/// Reads an event for patterns; see [`Patterns::hold`].
pub struct Walk<'a> {
    pub(super) patterns: &'a Patterns,
    pub(super) budget: &'a mut Budget,
    /// The facts that matter.
    wanted: Few<u64, 2>,
    /// By pattern; `None` while it is open.
    pub(super) verdicts: Verdicts,
    open_patterns: usize,
    /// By branch: how many of its facts the event itself still lacks.
    left: Few<u32, 8>,
    pub(super) words: usize,
    pub(super) scopes: Few<Scope, 2>,
    /// The facts of each scope.
    pub(super) bits: Few<u64, 4>,
    pub(super) arrays: Vec<Array>,
    scope: ScopeId,
    open: Vec<Open>,
    /// What elements and arrays hold, by number: equal contents, equal numbers.
    signatures: BTreeMap<Box<[u64]>, u32>,
    /// The signatures of the arrays that ended within the elements that the walk is in.
    inner: Vec<u32>,
    key: Vec<u64>,
    new: Few<Fact, 4>,
    depth: usize,
    /// How reading ended; no event was read yet.
    pub(super) end: Flow,
}

impl<'a> Walk<'a> {
    pub(super) fn new(patterns: &'a Patterns, wanted: impl Iterator<Item = PatternId>, budget: &'a mut Budget) -> Self {
        let words = patterns.words();
        let mut mask = smallvec![0; words];
        let mut verdicts: Verdicts = smallvec![Some(false); patterns.patterns.len()];
        let mut open_patterns = 0;
        for id in wanted {
            let place = id.0 as usize;
            let (Some(verdict), Some(shape)) = (verdicts.get_mut(place), patterns.patterns.get(place)) else { continue };
            open_patterns += usize::from(verdict.take().is_some());
            for field in &shape.fields {
                facts::set(&mut mask, field.passes);
                if let Some(present) = field.present {
                    facts::set(&mut mask, present);
                }
            }
        }
        Self {
            verdicts,
            patterns,
            budget,
            wanted: mask,
            open_patterns,
            left: patterns.branches().iter().map(|(_, size)| *size).collect(),
            words,
            scopes: smallvec![Scope { array: u32::MAX, parent: EVENT }],
            bits: smallvec![0; words],
            arrays: Vec::new(),
            scope: EVENT,
            open: Vec::new(),
            signatures: BTreeMap::new(),
            inner: Vec::new(),
            key: Vec::new(),
            new: Few::new(),
            depth: 0,
            end: Err(Stop::NoEvent),
        }
    }

    /// Whether any pattern waits for an answer.
    pub(super) const fn is_open(&self) -> bool {
        self.open_patterns > 0
    }

    /// Reads an event's JSON. What no path names is checked to be JSON and skipped without being built; what follows once all
    /// answers are certain is not looked at. Text that is not one JSON object matches nothing.
    pub fn json(&mut self, event: &[u8]) {
        self.end = scan::event(event, self);
    }

    /// Reads an event from a language's own objects: only what the paths name. Anything but an object matches nothing.
    pub fn node<N: node::Node>(&mut self, event: &N) {
        self.end = node::event(event, self);
    }

    /// What is read of an event.
    #[must_use]
    pub fn patterns(&self) -> &'a Patterns {
        self.patterns
    }

    /// How many bytes of a text on this path decide.
    pub(super) fn enough(&self, path: PathId) -> usize {
        self.patterns.index(path).map_or(0, Index::enough)
    }

    /// One level down, unless it is too deep.
    pub(super) fn descend(&mut self) -> Flow {
        self.depth += 1;
        if self.depth <= MAX_EVENT_DEPTH { Ok(()) } else { Err(Stop::NoEvent) }
    }

    /// And up again.
    pub(super) fn ascend(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub(super) fn leaf(&mut self, path: PathId, leaf: Leaf<'_>) -> Flow {
        let Some(index) = self.patterns.index(path) else { return Ok(()) };
        let start = self.scope as usize * self.words;
        let bits = self.bits.get_mut(start..start + self.words).unwrap_or_default();
        let new = (self.scope == EVENT).then_some(&mut self.new);
        index.test(leaf, self.budget, &mut Gathered { bits, wanted: &self.wanted, new })?;
        if self.new.is_empty() { Ok(()) } else { self.decide() }
    }

    /// Decides the patterns that have all they need with what the event has outside of array elements.
    fn decide(&mut self) -> Flow {
        for fact in self.new.drain(..) {
            let needed_by = self.patterns.needed_by(fact);
            self.budget.take(needed_by.len())?;
            for branch in needed_by {
                let Some(left) = self.left.get_mut(*branch as usize) else { continue };
                *left -= 1;
                let Some((pattern, _)) = self.patterns.branches().get(*branch as usize).filter(|_| *left == 0) else { continue };
                if let Some(verdict) = self.verdicts.get_mut(pattern.0 as usize).filter(|verdict| verdict.is_none()) {
                    *verdict = Some(true);
                    self.open_patterns -= 1;
                }
            }
        }
        if self.open_patterns == 0 { Err(Stop::Decided) } else { Ok(()) }
    }

    pub(super) fn begin_array(&mut self) -> Flow {
        self.budget.hold(ARRAY)?;
        let (array, start) = (number(self.arrays.len()), number(self.scopes.len()));
        self.arrays.push(Array { start, end: start });
        self.open.push(Open { array, around: self.scope, seen: BTreeSet::new(), arrays: 0, inner: 0 });
        Ok(())
    }

    /// The next element of the innermost array begins, which is an object or an array. For other elements nothing is said.
    pub(super) fn begin_element(&mut self) -> Flow {
        self.budget.hold(self.scope_bytes())?;
        self.budget.take(1 + self.words / 8)?;
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        (open.arrays, open.inner) = (self.arrays.len(), self.inner.len());
        self.scopes.push(Scope { array: open.array, parent: self.scope });
        self.scope = number(self.scopes.len() - 1);
        self.bits.resize(self.bits.len() + self.words, 0);
        Ok(())
    }

    /// It ends. It is forgotten if it says nothing, or nothing that another element of the array does not say.
    pub(super) fn end_element(&mut self) -> Flow {
        let scope = self.scope as usize;
        let own = self.bits.get(scope * self.words..(scope + 1) * self.words).unwrap_or_default();
        let empty = self.scopes.len() == scope + 1 && own.iter().all(|word| *word == 0);
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        self.scope = open.around;
        let mut keep = !empty;
        if keep {
            let inner = self.inner.get_mut(open.inner..).unwrap_or_default();
            inner.sort_unstable();
            self.key.clear();
            self.key.push(ELEMENT);
            self.key.extend(own);
            self.key.extend(inner.iter().map(|signature| u64::from(*signature)));
            let signature = signature(&mut self.signatures, &self.key, self.budget)?;
            keep = open.seen.insert(signature);
            if keep {
                self.budget.hold(SEEN)?;
            }
        }
        self.inner.truncate(open.inner);
        if !keep {
            let arrays = open.arrays;
            self.budget.release((self.scopes.len() - scope) * self.scope_bytes() + (self.arrays.len() - arrays) * ARRAY);
            self.scopes.truncate(scope);
            self.bits.truncate(scope * self.words);
            self.arrays.truncate(arrays);
        }
        Ok(())
    }

    /// The innermost array ends.
    pub(super) fn end_array(&mut self) -> Flow {
        let Some(open) = self.open.pop() else { return Ok(()) };
        self.budget.release(open.seen.len() * SEEN);
        if open.seen.is_empty() {
            self.arrays.truncate(open.array as usize);
            self.budget.release(ARRAY);
            return Ok(());
        }
        if let Some(array) = self.arrays.get_mut(open.array as usize) {
            array.end = number(self.scopes.len());
        }
        if open.around != EVENT {
            self.key.clear();
            self.key.push(ARRAY_OF);
            self.key.extend(open.seen.iter().map(|signature| u64::from(*signature)));
            self.inner.push(signature(&mut self.signatures, &self.key, self.budget)?);
        }
        Ok(())
    }

    const fn scope_bytes(&self) -> usize {
        size_of::<Scope>() + self.words * size_of::<u64>()
    }
}

const ARRAY: usize = size_of::<Array>();
/// A number in a set, with what the set itself takes for it.
const SEEN: usize = 16;
/// What an entry of a map takes beside its key.
const ENTRY: usize = 48;

/// The first word of a key says what it is of.
const ELEMENT: u64 = 0;
const ARRAY_OF: u64 = 1;

/// The number of what `key` says.
fn signature(signatures: &mut BTreeMap<Box<[u64]>, u32>, key: &[u64], budget: &mut Budget) -> Flow<u32> {
    budget.take(1 + key.len() / 8)?;
    if let Some(known) = signatures.get(key) {
        return Ok(*known);
    }
    budget.hold(ENTRY + size_of_val(key))?;
    let new = number(signatures.len());
    signatures.insert(key.into(), new);
    Ok(new)
}

/// The budget ends long before so many are held.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
