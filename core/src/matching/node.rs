//! Reading an event from a language's own objects.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::alternative::Leaf;
use super::budget::{Flow, Stop};
use super::paths::{Key, NodeId, ROOT};
use super::walk::Walk;

/// What a node of an event is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// An object: [`Node::get`] may be asked.
    Object,
    /// An array: [`Node::each`] may be asked.
    Array,
    /// A string: [`Node::text`] may be asked.
    Text,
    /// A number, as the nearest binary64; infinite where it is greater than all of them.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// Nothing that JSON has; read as if it were not there.
    Other,
}

/// A value of a language, as far as patterns ask for it. A binding implements this over references to the language's
/// own objects; nothing may run user code but what reading them takes.
pub trait Node: Sized {
    /// What it is.
    fn kind(&self) -> Kind;

    /// A string's text. Nothing looks at more than its first `enough` bytes, so a copy may end after so many. `None` if it
    /// can be had by copying more than [`super::MAX_BYTES`] alone.
    fn text(&self, enough: usize) -> Option<Cow<'_, str>>;

    /// An object's own value for `key`, if it has one; never an inherited one.
    fn get(&self, key: Key<'_>) -> Option<Self>;

    /// An array's elements, in order, until `visit` breaks.
    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>);
}

/// Walks an event.
pub(super) fn event<N: Node>(event: &N, walk: &mut Walk<'_>) -> Flow {
    match event.kind() {
        Kind::Object => value(event, Kind::Object, ROOT, walk),
        _ => Err(Stop::NoEvent),
    }
}

fn value<N: Node>(node: &N, kind: Kind, at: NodeId, walk: &mut Walk<'_>) -> Flow {
    let paths = walk.patterns().paths();
    let leaf = match (kind, paths.path_at(at)) {
        (Kind::Object, _) => return object(node, at, walk),
        (Kind::Array, _) => return array(node, at, walk),
        (Kind::Text, Some(path)) => {
            let enough = walk.enough(path);
            let Some(text) = node.text(enough) else { return walk.budget.spend() };
            if let Cow::Owned(text) = &text {
                walk.budget.passing(text.len())?;
            }
            return walk.leaf(path, Leaf::Text(&text));
        }
        (Kind::Number(number), Some(path)) => (path, Leaf::Number(number)),
        (Kind::Bool(value), Some(path)) => (path, Leaf::Bool(value)),
        (Kind::Null, Some(path)) => (path, Leaf::Null),
        (_, None) | (Kind::Other, _) => return walk.budget.step(),
    };
    walk.leaf(leaf.0, leaf.1)
}

fn object<N: Node>(node: &N, at: NodeId, walk: &mut Walk<'_>) -> Flow {
    walk.descend()?;
    for (key, target) in walk.patterns().paths().below(at) {
        walk.budget.step()?;
        if let Some(child) = node.get(key) {
            value(&child, child.kind(), target, walk)?;
        }
    }
    walk.ascend();
    Ok(())
}

fn array<N: Node>(node: &N, at: NodeId, walk: &mut Walk<'_>) -> Flow {
    walk.descend()?;
    walk.begin_array()?;
    let mut flow = Ok(());
    node.each(&mut |element| {
        flow = self::element(&element, at, walk);
        if flow.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    flow?;
    walk.end_array()?;
    walk.ascend();
    Ok(())
}

fn element<N: Node>(element: &N, at: NodeId, walk: &mut Walk<'_>) -> Flow {
    let kind = element.kind();
    if !matches!(kind, Kind::Object | Kind::Array) {
        return value(element, kind, at, walk);
    }
    walk.begin_element()?;
    value(element, kind, at, walk)?;
    walk.end_element()
}

impl Node for &serde_json::Value {
    fn kind(&self) -> Kind {
        match self {
            serde_json::Value::Null => Kind::Null,
            serde_json::Value::Bool(value) => Kind::Bool(*value),
            serde_json::Value::Number(number) => Kind::Number(number.as_f64().unwrap_or(f64::INFINITY)),
            serde_json::Value::String(_) => Kind::Text,
            serde_json::Value::Array(_) => Kind::Array,
            serde_json::Value::Object(_) => Kind::Object,
        }
    }

    fn text(&self, _enough: usize) -> Option<Cow<'_, str>> {
        self.as_str().map(Cow::Borrowed)
    }

    fn get(&self, key: Key<'_>) -> Option<Self> {
        self.as_object()?.get(key.text)
    }

    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {
        for element in self.as_array().into_iter().flatten() {
            if visit(element).is_break() {
                return;
            }
        }
    }
}
