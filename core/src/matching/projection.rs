//! What an event has on the paths that a plan names: the leaves, and the array elements they stand in.

use std::sync::Arc;

use super::paths::{NodeId, PathId, Paths};
use super::test::Leaf;
use super::{MAX_EVENT_DEPTH, node, scan};

/// The number of an array element that holds leaves, within its projection.
pub(super) type ScopeId = u32;

/// Outside of every array.
pub(super) const NO_SCOPE: ScopeId = ScopeId::MAX;

/// The leaf values of one event on the [`Paths`] it was read with.
#[derive(Clone, Debug)]
pub struct Projection {
    paths: Arc<Paths>,
    is_object: bool,
    /// All strings, each between quotation marks.
    text: String,
    /// By path, within a path in the order of the event.
    values: Vec<Value>,
    /// Where each path's values begin; one more at the end.
    starts: Vec<u32>,
    pub(super) scopes: Vec<Scope>,
    pub(super) arrays: Vec<Array>,
}

/// One leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    path: PathId,
    /// Its place among all leaves, in the order of the event.
    pub(super) place: u32,
    pub(super) scope: ScopeId,
    stored: Stored,
}

#[derive(Clone, Copy, Debug)]
enum Stored {
    Text { start: u32, end: u32 },
    Number(f64),
    Bool(bool),
    Null,
}

/// One element of an array that holds leaves. Not those arrays' own leaves: they are bound to no element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    pub(super) array: u32,
    /// The element around the array.
    pub(super) parent: ScopeId,
    /// The place of its first leaf.
    pub(super) start: u32,
}

/// One array on a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array {
    /// Its path.
    pub(super) node: NodeId,
    /// The place of the first leaf after it.
    pub(super) end: u32,
}

impl Projection {
    /// Reads an event's JSON. What no path names is checked to be JSON and skipped without being built. Text that is
    /// not one JSON object gives a projection that nothing matches.
    #[must_use]
    pub fn from_json(paths: &Arc<Paths>, event: &[u8]) -> Self {
        let mut builder = Builder::new(paths);
        let is_object = scan::event(event, &mut builder).is_some();
        builder.finish(is_object)
    }

    /// Reads an event from a language's own objects: only what the paths name. Anything but an object gives a
    /// projection that nothing matches.
    #[must_use]
    pub fn from_node<N: node::Node>(paths: &Arc<Paths>, event: &N) -> Self {
        let mut builder = Builder::new(paths);
        let is_object = node::event(event, &mut builder).is_some();
        builder.finish(is_object)
    }

    /// The paths it was read with.
    #[must_use]
    pub fn paths(&self) -> &Arc<Paths> {
        &self.paths
    }

    /// Whether the event is a JSON object, which it must be to match any pattern.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.is_object
    }

    /// How many leaves were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the event has nothing on the paths.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values of one path, in the order of the event.
    pub(super) fn values(&self, path: PathId) -> &[Value] {
        let bound = |path: usize| self.starts.get(path).map(|start| *start as usize);
        match (bound(path as usize), bound(path as usize + 1)) {
            (Some(start), Some(end)) => self.values.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    pub(super) fn leaf(&self, value: &Value) -> Leaf<'_> {
        match value.stored {
            Stored::Text { start, end } => Leaf::Text(self.text.get(start as usize..end as usize).unwrap_or_default()),
            Stored::Number(number) => Leaf::Number(number),
            Stored::Bool(value) => Leaf::Bool(value),
            Stored::Null => Leaf::Null,
        }
    }
}

/// Collects a projection while an event is walked in its order.
pub(super) struct Builder {
    pub(super) paths: Arc<Paths>,
    text: String,
    values: Vec<Value>,
    scopes: Vec<Scope>,
    arrays: Vec<Array>,
    /// The arrays around the place where the walk is.
    open: Vec<Open>,
    depth: usize,
}

#[derive(Clone, Copy)]
struct Open {
    array: u32,
    /// The element in which the walk is, once a leaf was found in it.
    scope: ScopeId,
    /// The walk is in an element that is an object or an array.
    inside: bool,
}

/// What a walk found is not what an event may be; the walk ends.
pub(super) type Walk = Option<()>;

impl Builder {
    fn new(paths: &Arc<Paths>) -> Self {
        Self {
            paths: Arc::clone(paths),
            text: String::new(),
            values: Vec::new(),
            scopes: Vec::new(),
            arrays: Vec::new(),
            open: Vec::new(),
            depth: 0,
        }
    }

    /// One level down, unless it is too deep.
    pub(super) fn descend(&mut self) -> Walk {
        self.depth += 1;
        (self.depth <= MAX_EVENT_DEPTH).then_some(())
    }

    /// And up again.
    pub(super) fn ascend(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// An array on the path of `node` begins.
    pub(super) fn begin_array(&mut self, node: NodeId) -> Walk {
        let array = number(self.arrays.len())?;
        self.arrays.push(Array { node, end: 0 });
        self.open.push(Open { array, scope: NO_SCOPE, inside: false });
        Some(())
    }

    /// The next element of the innermost array begins; `inside`: it is an object or an array.
    pub(super) fn element(&mut self, inside: bool) {
        if let Some(open) = self.open.last_mut() {
            *open = Open { scope: NO_SCOPE, inside, ..*open };
        }
    }

    /// The innermost array ends.
    pub(super) fn end_array(&mut self) -> Walk {
        let end = number(self.values.len())?;
        let array = self.arrays.get_mut(self.open.pop()?.array as usize)?;
        array.end = end;
        Some(())
    }

    pub(super) fn number(&mut self, path: PathId, number: f64) -> Walk {
        self.leaf(path, Stored::Number(number))
    }

    pub(super) fn bool(&mut self, path: PathId, value: bool) -> Walk {
        self.leaf(path, Stored::Bool(value))
    }

    pub(super) fn null(&mut self, path: PathId) -> Walk {
        self.leaf(path, Stored::Null)
    }

    /// A string, which `write` appends to the buffer it is given.
    pub(super) fn text(&mut self, path: PathId, write: impl FnOnce(&mut String) -> Walk) -> Walk {
        let start = number(self.text.len())?;
        self.text.push('"');
        write(&mut self.text)?;
        self.text.push('"');
        let end = number(self.text.len())?;
        self.leaf(path, Stored::Text { start, end })
    }

    fn leaf(&mut self, path: PathId, stored: Stored) -> Walk {
        let place = number(self.values.len())?;
        let mut scope = NO_SCOPE;
        for open in self.open.iter_mut().filter(|open| open.inside) {
            if open.scope == NO_SCOPE {
                open.scope = number(self.scopes.len())?;
                self.scopes.push(Scope { array: open.array, parent: scope, start: place });
            }
            scope = open.scope;
        }
        self.values.push(Value { path, place, scope, stored });
        Some(())
    }

    fn finish(mut self, is_object: bool) -> Projection {
        if !is_object {
            self.values.clear();
        }
        self.values.sort_by_key(|value| value.path);
        let mut starts = vec![0_u32; self.paths.len() + 1];
        for value in &self.values {
            if let Some(count) = starts.get_mut(value.path as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Projection {
            paths: self.paths,
            is_object,
            text: self.text,
            values: self.values,
            starts,
            scopes: self.scopes,
            arrays: self.arrays,
        }
    }
}

fn number(count: usize) -> Option<u32> {
    u32::try_from(count).ok().filter(|number| *number != u32::MAX)
}
