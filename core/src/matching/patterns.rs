//! Several patterns that one event is held against at once.

use std::any::Any;
use std::sync::OnceLock;

use serde_json::Value;

use super::budget::Budget;
use super::compile::{self, PatternProblem};
use super::facts::{self, Fact, Few};
use super::index::Index;
use super::paths::{PathId, Paths};
use super::search;
use super::walk::Walk;

/// The number of a pattern within its [`Patterns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternId(pub(super) u32);

/// All patterns of a plan on one subject.
#[derive(Debug, Default)]
pub struct Patterns {
    paths: Paths,
    /// By path.
    indexes: Vec<Index>,
    /// By path: the fact that it has a leaf, where somebody asks.
    present: Vec<Option<Fact>>,
    /// By fact: the branches that need it.
    needed_by: Vec<Vec<u32>>,
    /// By branch: the pattern, and how many facts are enough.
    branches: Vec<(PatternId, u32)>,
    pub(super) patterns: Vec<Shape>,
    kept: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// A pattern as facts.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) fields: Vec<Field>,
    /// Each branch: which fields, in the order in which they are matched.
    pub(super) branches: Vec<Vec<u32>>,
}

#[derive(Debug)]
pub(super) struct Field {
    /// A leaf passes one of its alternatives.
    pub(super) passes: Fact,
    /// Where it may be absent: its path has a leaf.
    pub(super) present: Option<Fact>,
}

/// An event that is read only if a pattern has to know, and no further than the walk asks.
pub trait Source {
    /// Hands the event to the walk: as JSON or as objects.
    fn read(&self, walk: &mut Walk<'_>);
}

/// An event as JSON.
impl Source for &[u8] {
    fn read(&self, walk: &mut Walk<'_>) {
        walk.json(self);
    }
}

/// What an event answered.
#[derive(Debug)]
pub struct Matches(pub(super) Verdicts);

/// By pattern, what is known of it.
pub(super) type Verdicts = Few<Option<bool>, 8>;

impl Matches {
    /// Whether the event matches the pattern; `None` where that is not known: the budget was spent before.
    #[must_use]
    pub fn of(&self, pattern: PatternId) -> Option<bool> {
        self.0.get(pattern.0 as usize).copied().unwrap_or(Some(false))
    }
}

impl Patterns {
    /// Compiles a pattern and adds it. `path_prefix` is where the pattern stands, as in `faults[0].match.event`.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the text.
    pub fn add(&mut self, pattern: &Value, path_prefix: &str) -> Result<PatternId, Vec<PatternProblem>> {
        let compiled = compile::compile(pattern, path_prefix, &mut self.paths)?;
        self.indexes.resize_with(self.paths.len(), Index::default);
        self.present.resize(self.paths.len(), None);
        let id = PatternId(u32::try_from(self.patterns.len()).unwrap_or(u32::MAX));
        let fields: Vec<_> = compiled.fields.into_iter().map(|field| self.enter(field)).collect();
        for branch in &compiled.branches {
            let number = u32::try_from(self.branches.len()).unwrap_or(u32::MAX);
            let size = u32::try_from(branch.len()).unwrap_or(u32::MAX);
            self.branches.push((id, size));
            for field in branch.iter().filter_map(|field| fields.get(*field as usize)) {
                if let Some(needed_by) = self.needed_by.get_mut(field.passes as usize) {
                    needed_by.push(number);
                }
            }
        }
        self.patterns.push(Shape { fields, branches: compiled.branches });
        Ok(id)
    }

    fn enter(&mut self, field: compile::Field) -> Field {
        let passes = self.new_fact();
        let present = field.absent.then(|| self.present(field.path));
        if let Some(index) = self.indexes.get_mut(field.path as usize) {
            field.alternatives.into_iter().for_each(|(alternative, text)| index.insert(alternative, text, passes));
        }
        Field { passes, present }
    }

    fn present(&mut self, path: PathId) -> Fact {
        if let Some(Some(fact)) = self.present.get(path as usize) {
            return *fact;
        }
        let fact = self.new_fact();
        if let (Some(present), Some(index)) = (self.present.get_mut(path as usize), self.indexes.get_mut(path as usize)) {
            *present = Some(fact);
            index.insert_any(fact);
        }
        fact
    }

    fn new_fact(&mut self) -> Fact {
        self.needed_by.push(Vec::new());
        Fact::try_from(self.needed_by.len() - 1).unwrap_or(Fact::MAX)
    }

    /// Holds the `wanted` patterns against an event, and reads no more of it than that needs. All others are answered no.
    #[must_use]
    pub fn hold(&self, wanted: impl Iterator<Item = PatternId>, event: &dyn Source, budget: &mut Budget) -> Matches {
        let before = budget.held();
        let mut walk = Walk::new(self, wanted, budget);
        if walk.is_open() {
            event.read(&mut walk);
        }
        let matches = search::finish(&mut walk);
        walk.budget.release_to(before);
        matches
    }

    /// What a binding makes of these patterns once and keeps with them, such as its own language's strings for the keys. `None`
    /// if something else is kept already.
    pub fn keep<T: Send + Sync + 'static>(&self, make: impl FnOnce(&Self) -> T) -> Option<&T> {
        self.kept.get_or_init(|| Box::new(make(self))).downcast_ref()
    }

    /// Whether there is no pattern: no event has to be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// What they read of an event.
    #[must_use]
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    pub(super) fn index(&self, path: PathId) -> Option<&Index> {
        self.indexes.get(path as usize)
    }

    /// Words for a set of their facts.
    pub(super) fn words(&self) -> usize {
        facts::words(self.needed_by.len())
    }

    pub(super) fn needed_by(&self, fact: Fact) -> &[u32] {
        self.needed_by.get(fact as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn branches(&self) -> &[(PatternId, u32)] {
        &self.branches
    }
}
