//! The search for a match that takes all its array elements consistently.
//!
//! The fields of a branch are matched in the order of their paths. A leaf that stands in an element of an array binds
//! that array to this element for the rest of the search: other fields may use the same element or leaves outside of the
//! array. What failed once is not tried again: the rest of a search depends only on those bindings that later fields can
//! meet, so each such set of bindings is tried once per field. Scopes are in the order of the event and those within an
//! element lie together, so those that the bindings rule out are jumped over.

use std::collections::BTreeSet;

use super::budget::{Budget, Flow, Stop};
use super::facts::{self, Fact};
use super::patterns::{Field, Matches, Shape};
use super::walk::{Array, EVENT, Scope, ScopeId, Walk};

/// Answers what the walk left open. The walk stays where it is: moving it takes as long as a small match.
pub(super) fn finish(walk: &mut Walk<'_>) -> Matches {
    let Walk { patterns, budget, verdicts, words, scopes, bits, arrays, end, .. } = walk;
    match end {
        Err(Stop::NoEvent) => verdicts.fill(Some(false)),
        // What is open stays unknown.
        Err(Stop::Decided | Stop::Spent) => {}
        Ok(()) => {
            let open = verdicts.iter_mut().zip(&patterns.patterns).filter(|(verdict, _)| verdict.is_none());
            if scopes.len() == 1 {
                open.for_each(|(verdict, shape)| *verdict = shape.holds(bits, budget).ok());
            } else if let Ok(found) = Found::new(*words, scopes, bits, arrays, budget) {
                open.for_each(|(verdict, shape)| *verdict = found.matches(shape, budget).ok());
            }
        }
    }
    Matches(std::mem::take(verdicts))
}

impl Shape {
    fn fields(&self, branch: &[u32]) -> impl Iterator<Item = &Field> {
        branch.iter().filter_map(|field| self.fields.get(*field as usize))
    }

    /// Whether an event without array elements that say anything matches.
    fn holds(&self, bits: &[u64], budget: &mut Budget) -> Flow<bool> {
        for branch in &self.branches {
            budget.take(1 + branch.len() / 8)?;
            let holds =
                |field: &Field| facts::has(bits, field.passes) || field.present.is_some_and(|present| !facts::has(bits, present));
            if self.fields(branch).all(holds) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What a walk found, by fact.
struct Found<'a> {
    scopes: &'a [Scope],
    arrays: &'a [Array],
    /// For each fact the scopes that have it, in their order.
    having: Vec<ScopeId>,
    /// Where each fact's scopes begin; one more at the end.
    starts: Vec<u32>,
}

impl<'a> Found<'a> {
    fn new(words: usize, scopes: &'a [Scope], bits: &[u64], arrays: &'a [Array], budget: &mut Budget) -> Flow<Self> {
        let each =
            || bits.chunks(words.max(1)).zip(0_u32..).flat_map(|(bits, scope)| facts::each(bits).map(move |fact| (fact, scope)));
        budget.take(bits.len())?;
        let mut starts = vec![0_u32; words * 64 + 1];
        for (fact, _) in each() {
            if let Some(count) = starts.get_mut(fact as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        budget.take(sum as usize)?;
        budget.hold((sum as usize + 2 * starts.len()) * size_of::<u32>())?;
        let mut having = vec![EVENT; sum as usize];
        let mut next = starts.clone();
        for (fact, scope) in each() {
            if let Some(next) = next.get_mut(fact as usize) {
                if let Some(place) = having.get_mut(*next as usize) {
                    *place = scope;
                }
                *next += 1;
            }
        }
        Ok(Self { scopes, arrays, having, starts })
    }

    fn having(&self, fact: Fact) -> &[ScopeId] {
        let bound = |fact: usize| self.starts.get(fact).map(|start| *start as usize);
        match (bound(fact as usize), bound(fact as usize + 1)) {
            (Some(start), Some(end)) => self.having.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    fn matches(&self, shape: &Shape, budget: &mut Budget) -> Flow<bool> {
        let mut search = Search {
            found: self,
            fields: Vec::new(),
            bound: vec![EVENT; self.arrays.len()],
            last: Vec::new(),
            bindings: Vec::new(),
            failed: BTreeSet::new(),
            remembered: 0,
            budget,
        };
        search.budget.hold(search.bound.len() * size_of::<ScopeId>())?;
        let matches = search.branches(shape);
        search.budget.release(search.remembered + search.bound.len() * size_of::<ScopeId>());
        matches
    }
}

struct Search<'a> {
    found: &'a Found<'a>,
    /// Of the branch that is tried.
    fields: Vec<&'a Field>,
    /// The element that each array is bound to.
    bound: Vec<ScopeId>,
    /// One more than the last field that each array can meet, where that was asked already.
    last: Vec<Option<usize>>,
    /// The bound elements, in the order of binding.
    bindings: Vec<ScopeId>,
    /// From which field on, with which bindings, the search failed.
    failed: BTreeSet<(usize, Vec<ScopeId>)>,
    /// The bytes that those take.
    remembered: usize,
    budget: &'a mut Budget,
}

impl<'a> Search<'a> {
    fn branches(&mut self, shape: &'a Shape) -> Flow<bool> {
        for branch in &shape.branches {
            self.budget.take(1 + branch.len() / 8)?;
            self.fields.clear();
            self.fields.extend(shape.fields(branch));
            if self.fields.iter().any(|field| field.present.is_none() && self.found.having(field.passes).is_empty()) {
                continue;
            }
            self.budget.take(self.bound.len() / 8)?;
            self.last.clear();
            self.last.resize(self.bound.len(), None);
            self.failed.clear();
            self.budget.release(std::mem::take(&mut self.remembered));
            if self.from(0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the fields from `index` on can be matched under the bindings.
    fn from(&mut self, index: usize) -> Flow<bool> {
        let Some(field) = self.fields.get(index).copied() else { return Ok(true) };
        let scopes = self.found.having(field.passes);
        // One scope or none: nothing is tried twice at this field, so nothing has to be remembered.
        if scopes.len() < 2 {
            return self.attempt(index, field, scopes);
        }
        let state = (index, self.relevant(index)?);
        self.budget.take(1 + state.1.len() / 8)?;
        if self.failed.contains(&state) {
            return Ok(false);
        }
        if self.attempt(index, field, scopes)? {
            return Ok(true);
        }
        let bytes = 64 + state.1.len() * size_of::<ScopeId>();
        self.budget.hold(bytes)?;
        self.remembered += bytes;
        self.failed.insert(state);
        Ok(false)
    }

    fn attempt(&mut self, index: usize, field: &Field, scopes: &[ScopeId]) -> Flow<bool> {
        if let Some(present) = field.present
            && self.consistent(self.found.having(present), 0)?.is_none()
            && self.from(index + 1)?
        {
            return Ok(true);
        }
        let mut at = 0;
        while let Some((found, scope)) = self.consistent(scopes, at)? {
            at = found + 1;
            let before = self.bindings.len();
            self.bind(scope);
            if self.from(index + 1)? {
                return Ok(true);
            }
            self.unbind(before);
        }
        Ok(false)
    }

    /// The first scope from `at` on that the bindings allow, and its place.
    fn consistent(&mut self, scopes: &[ScopeId], mut at: usize) -> Flow<Option<(usize, ScopeId)>> {
        loop {
            let Some(scope) = scopes.get(at).copied() else { return Ok(None) };
            self.budget.step()?;
            let Some((bound, array)) = self.conflict(scope) else { return Ok(Some((at, scope))) };
            let beyond = if scope < bound { bound } else { array.end };
            let rest = scopes.get(at + 1..).unwrap_or_default();
            at += 1 + rest.partition_point(|scope| *scope < beyond);
        }
    }

    /// The elements around a scope, from the innermost out, each with its array.
    fn around(&self, scope: ScopeId) -> impl Iterator<Item = (ScopeId, u32)> + use<'a> {
        let scopes = self.found.scopes;
        let mut at = scope;
        std::iter::from_fn(move || {
            let element = scopes.get(at as usize).filter(|_| at != EVENT)?;
            let found = (at, element.array);
            at = element.parent;
            Some(found)
        })
    }

    /// The element to which an array around the scope is bound, if that is not the one around the scope.
    fn conflict(&self, scope: ScopeId) -> Option<(ScopeId, Array)> {
        self.around(scope).find_map(|(scope, array)| {
            let bound = *self.bound.get(array as usize)?;
            let conflicts = bound != EVENT && bound != scope;
            conflicts.then(|| self.found.arrays.get(array as usize).map(|array| (bound, *array)))?
        })
    }

    fn bind(&mut self, scope: ScopeId) {
        for (scope, array) in self.around(scope) {
            if let Some(bound) = self.bound.get_mut(array as usize).filter(|bound| **bound == EVENT) {
                *bound = scope;
                self.bindings.push(scope);
            }
        }
    }

    fn unbind(&mut self, before: usize) {
        for scope in self.bindings.drain(before..) {
            let array = self.found.scopes.get(scope as usize).map(|element| element.array as usize);
            if let Some(bound) = array.and_then(|array| self.bound.get_mut(array)) {
                *bound = EVENT;
            }
        }
    }

    /// The bindings that a field from `index` on can meet.
    fn relevant(&mut self, index: usize) -> Flow<Vec<ScopeId>> {
        let mut relevant = Vec::new();
        for place in 0..self.bindings.len() {
            let Some(scope) = self.bindings.get(place).copied() else { continue };
            let array = self.found.scopes.get(scope as usize).map_or(u32::MAX, |element| element.array);
            if self.last(array)? > index {
                relevant.push(scope);
            }
        }
        relevant.sort_unstable();
        Ok(relevant)
    }

    /// One more than the last field that has to do with what is in the array; 0 if none has.
    fn last(&mut self, array: u32) -> Flow<usize> {
        if let Some(Some(last)) = self.last.get(array as usize) {
            return Ok(*last);
        }
        let Some(Array { start, end }) = self.found.arrays.get(array as usize).copied() else { return Ok(0) };
        let mut last = self.fields.len();
        let within = |fact: Fact| {
            let scopes = self.found.having(fact);
            let first = scopes.partition_point(|scope| *scope < start);
            scopes.get(first).is_some_and(|scope| *scope < end)
        };
        while let Some(field) = last.checked_sub(1).and_then(|index| self.fields.get(index)) {
            if within(field.passes) || field.present.is_some_and(within) {
                break;
            }
            last -= 1;
        }
        self.budget.take(1 + self.fields.len() - last)?;
        if let Some(known) = self.last.get_mut(array as usize) {
            *known = Some(last);
        }
        Ok(last)
    }
}
