//! The search for a match that takes all its array elements consistently.
//!
//! The fields of a branch are matched in the order of their paths. A leaf that stands in an element of an array binds
//! that array to this element for the rest of the search: other fields may use the same element or leaves outside of the
//! array. What failed once is not tried again: the rest of a search depends only on those bindings that later fields can
//! meet, so each such set of bindings is tried once per field. Leaves are in the order of the event and an element's leaves
//! lie together, so those that the bindings rule out are jumped over.

use std::collections::BTreeSet;

use super::MAX_STEPS;
use super::compile::{Field, Pattern};
use super::projection::{NO_SCOPE, Projection, ScopeId, Value};

impl Pattern {
    /// Whether the event matches. A projection that was read with other paths than the pattern was compiled with does
    /// not match.
    #[must_use]
    pub fn matches(&self, projection: &Projection) -> bool {
        if !projection.is_object() {
            return false;
        }
        let mut steps = MAX_STEPS;
        self.branches.iter().any(|branch| {
            let mut search = Search {
                pattern: self,
                branch,
                projection,
                bound: vec![NO_SCOPE; projection.arrays.len()],
                bindings: Vec::new(),
                failed: BTreeSet::new(),
                steps: &mut steps,
            };
            search.from(0)
        })
    }
}

struct Search<'a> {
    pattern: &'a Pattern,
    branch: &'a [u32],
    projection: &'a Projection,
    /// The element that each array is bound to.
    bound: Vec<ScopeId>,
    /// The same, in the order of binding.
    bindings: Vec<ScopeId>,
    /// From which field on, with which bindings, the search failed.
    failed: BTreeSet<(usize, Vec<ScopeId>)>,
    steps: &'a mut u64,
}

impl<'a> Search<'a> {
    fn field(&self, index: usize) -> Option<&'a Field> {
        self.pattern.fields.get(*self.branch.get(index)? as usize)
    }

    /// Whether the fields from `index` on can be matched under the bindings.
    fn from(&mut self, index: usize) -> bool {
        let Some(field) = self.field(index) else { return true };
        let values = self.projection.values(field.path);
        // One value or none: nothing is tried twice at this field, so nothing has to be remembered.
        if values.len() < 2 {
            return self.attempt(index, field, values);
        }
        let state = (index, self.relevant(index));
        if self.failed.contains(&state) {
            return false;
        }
        if self.attempt(index, field, values) {
            return true;
        }
        self.failed.insert(state);
        false
    }

    fn attempt(&mut self, index: usize, field: &Field, values: &'a [Value]) -> bool {
        if field.absent && self.consistent(values, 0).is_none() && self.from(index + 1) {
            return true;
        }
        let mut at = 0;
        while let Some((found, value)) = self.consistent(values, at) {
            at = found + 1;
            let leaf = self.projection.leaf(value);
            if field.tests.iter().any(|test| test.passes(leaf)) {
                let before = self.bindings.len();
                self.bind(value.scope);
                if self.from(index + 1) {
                    return true;
                }
                self.unbind(before);
            }
        }
        false
    }

    /// The first value from `at` on that the bindings allow, and its index.
    fn consistent(&mut self, values: &'a [Value], mut at: usize) -> Option<(usize, &'a Value)> {
        loop {
            let value = values.get(at)?;
            *self.steps = self.steps.checked_sub(1)?;
            match self.conflict(value.scope) {
                None => return Some((at, value)),
                Some(bound) => {
                    let element = self.projection.scopes.get(bound as usize)?;
                    let beyond = if value.place < element.start {
                        element.start
                    } else {
                        self.projection.arrays.get(element.array as usize)?.end
                    };
                    let rest = values.get(at + 1..)?;
                    at += 1 + rest.partition_point(|value| value.place < beyond);
                }
            }
        }
    }

    /// The elements around a leaf, from the innermost out.
    fn around(&self, scope: ScopeId) -> impl Iterator<Item = (ScopeId, u32)> + use<'a> {
        let scopes = &self.projection.scopes;
        let mut at = scope;
        std::iter::from_fn(move || {
            let element = scopes.get(at as usize)?;
            let found = (at, element.array);
            at = element.parent;
            Some(found)
        })
    }

    /// The element to which an array around the leaf is bound, if that is not the one the leaf stands in.
    fn conflict(&self, scope: ScopeId) -> Option<ScopeId> {
        self.around(scope).find_map(|(scope, array)| {
            let bound = *self.bound.get(array as usize)?;
            (bound != NO_SCOPE && bound != scope).then_some(bound)
        })
    }

    fn bind(&mut self, scope: ScopeId) {
        for (scope, array) in self.around(scope) {
            if let Some(bound) = self.bound.get_mut(array as usize).filter(|bound| **bound == NO_SCOPE) {
                *bound = scope;
                self.bindings.push(scope);
            }
        }
    }

    fn unbind(&mut self, before: usize) {
        for scope in self.bindings.drain(before..) {
            let array = self.projection.scopes.get(scope as usize).map(|element| element.array as usize);
            if let Some(bound) = array.and_then(|array| self.bound.get_mut(array)) {
                *bound = NO_SCOPE;
            }
        }
    }

    /// The bindings that a field from `index` on can meet.
    fn relevant(&self, index: usize) -> Vec<ScopeId> {
        let mut relevant: Vec<ScopeId> = self.bindings.iter().copied().filter(|scope| self.meets(index, *scope)).collect();
        relevant.sort_unstable();
        relevant
    }

    fn meets(&self, index: usize, scope: ScopeId) -> bool {
        let array =
            self.projection.scopes.get(scope as usize).and_then(|element| self.projection.arrays.get(element.array as usize));
        let Some(array) = array else { return true };
        let rest = self.branch.get(index..).unwrap_or_default();
        let mut paths = rest.iter().filter_map(|field| self.pattern.fields.get(*field as usize)).map(|field| field.path);
        paths.any(|path| self.projection.paths().is_under(path, array.node))
    }
}
