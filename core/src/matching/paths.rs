//! The union of the paths that several patterns name, as a tree of names.
//!
//! A dot in a key separates names as nesting does: the key `a.b` and the key `b` in the object `a` are one path. So the
//! tree has one name per level, and every node also knows by which dotted keys each node below it can be reached at once.

use std::cmp::Ordering;

/// The number of a path within its [`Paths`].
pub(super) type PathId = u32;

/// The number of a node within its [`Paths`].
pub(super) type NodeId = u32;

/// The node of the event itself.
pub(super) const ROOT: NodeId = 0;

/// The paths that patterns name: what is read of an event.
#[derive(Clone, Debug)]
pub struct Paths {
    nodes: Vec<PathNode>,
    /// The node of each path.
    leaves: Vec<NodeId>,
    /// What objects are asked for, by number.
    keys: Vec<Box<str>>,
}

/// A key that an object of an event is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The key itself; where it has dots, it stands for several names at once.
    pub text: &'a str,
    /// Its place in [`Paths::keys`], by which a binding finds its own language's string for it.
    pub number: usize,
}

#[derive(Clone, Debug, Default)]
struct PathNode {
    parent: NodeId,
    name: Box<str>,
    /// Sorted by [`order`].
    children: Vec<(Box<str>, NodeId)>,
    /// Every node below, with the number of the key that leads there: `b`, `b.c`, …
    below: Vec<(usize, NodeId)>,
    path: Option<PathId>,
}

impl Default for Paths {
    fn default() -> Self {
        Self { nodes: vec![PathNode::default()], leaves: Vec::new(), keys: Vec::new() }
    }
}

impl Paths {
    /// How many paths there are; 0 means that no event has to be read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is no path.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// All paths, names joined by dots, in the order in which patterns named them first.
    pub fn iter(&self) -> impl Iterator<Item = String> + '_ {
        self.leaves.iter().map(|leaf| self.text(*leaf))
    }

    /// All keys that objects of an event can be asked for, by their number.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.iter().map(AsRef::as_ref)
    }

    fn text(&self, mut node: NodeId) -> String {
        let mut names = Vec::new();
        while node != ROOT {
            let Some(found) = self.node(node) else { break };
            names.push(&*found.name);
            node = found.parent;
        }
        names.reverse();
        names.join(".")
    }

    /// Enters a path and answers its number, the same for the same path.
    pub(super) fn add(&mut self, path: &str) -> PathId {
        let mut at = ROOT;
        for name in path.split('.') {
            at = match self.child(at, name.as_bytes()) {
                Some(child) => child,
                None => self.grow(at, name),
            };
        }
        let id = PathId::try_from(self.leaves.len()).unwrap_or(PathId::MAX);
        match self.nodes.get_mut(at as usize) {
            Some(node) => match node.path {
                Some(path) => path,
                None => {
                    node.path = Some(id);
                    self.leaves.push(at);
                    id
                }
            },
            None => id,
        }
    }

    fn grow(&mut self, parent: NodeId, name: &str) -> NodeId {
        let id = NodeId::try_from(self.nodes.len()).unwrap_or(NodeId::MAX);
        self.nodes.push(PathNode { parent, name: name.into(), ..PathNode::default() });
        if let Some(node) = self.nodes.get_mut(parent as usize) {
            let place = node.children.partition_point(|(sibling, _)| order(sibling, name.as_bytes()).is_lt());
            node.children.insert(place, (name.into(), id));
        }
        let (mut ancestor, mut key) = (parent, name.to_owned());
        while let Some(node) = self.nodes.get_mut(ancestor as usize) {
            node.below.push((self.keys.len(), id));
            self.keys.push(key.as_str().into());
            if ancestor == ROOT {
                break;
            }
            key = format!("{}.{key}", node.name);
            ancestor = node.parent;
        }
        id
    }

    fn node(&self, id: NodeId) -> Option<&PathNode> {
        self.nodes.get(id as usize)
    }

    fn child(&self, id: NodeId, name: &[u8]) -> Option<NodeId> {
        let children = &self.node(id)?.children;
        let place = children.binary_search_by(|(child, _)| order(child, name)).ok()?;
        children.get(place).map(|(_, child)| *child)
    }

    /// Where a key of an event's object at `id` leads, dots in it included.
    pub(super) fn step(&self, id: NodeId, key: &[u8]) -> Option<NodeId> {
        // No name has a dot.
        if let Some(child) = self.child(id, key) {
            return Some(child);
        }
        let node = self.node(id)?;
        if node.below.len() == node.children.len() || !key.contains(&b'.') {
            return None;
        }
        key.split(|byte| *byte == b'.').try_fold(id, |at, name| self.child(at, name))
    }

    /// The keys that an object at `id` is asked for, and where each leads.
    pub(super) fn below(&self, id: NodeId) -> impl Iterator<Item = (Key<'_>, NodeId)> {
        let below = self.node(id).map_or(&[][..], |node| &node.below);
        below.iter().filter_map(|(number, target)| Some((Key { text: self.keys.get(*number)?, number: *number }, *target)))
    }

    /// Whether any path goes on below `id`.
    pub(super) fn goes_on(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| !node.children.is_empty())
    }

    /// The path that ends at `id`.
    pub(super) fn path_at(&self, id: NodeId) -> Option<PathId> {
        self.node(id)?.path
    }
}

/// By length first: of most names, which are others, nothing but that is looked at.
fn order(one: &str, other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.as_bytes().cmp(other))
}
