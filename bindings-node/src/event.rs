//! The projection of an event from JavaScript's own objects: reads what a plan's patterns name and nothing else.
//!
//! Each question to JavaScript costs tens of nanoseconds, a property by name a few hundred. So JavaScript itself gathers the
//! leaves of an event in which no array and no dotted key stands on a path ([`Leaves`]); any other event is walked from here.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use faultlayer_core::matching::{Kind, Node, Paths, Projection};
use napi::bindgen_prelude::{JsObjectValue, JsValue, Object, Unknown};
use napi::{Result, ValueType};

/// The leaf values that `event` has on `paths`.
pub fn project(paths: &Arc<Paths>, event: Unknown<'_>) -> Projection {
    Projection::from_node(paths, &Value::of(&event))
}

/// The names of a plan's paths as a tree, and which gathered leaf stands where.
pub struct Tree {
    nodes: Vec<TreeNode>,
}

#[derive(Default)]
struct TreeNode {
    children: Vec<(Box<str>, usize)>,
    leaf: Option<usize>,
}

impl Tree {
    /// For leaves that come in the order of `paths`.
    pub fn new(paths: &Paths) -> Self {
        let mut tree = Self { nodes: vec![TreeNode::default()] };
        for (leaf, path) in paths.iter().enumerate() {
            let at = path.split('.').fold(0, |at, name| tree.child(at, name).unwrap_or_else(|| tree.grow(at, name)));
            if let Some(node) = tree.nodes.get_mut(at) {
                node.leaf = Some(leaf);
            }
        }
        tree
    }

    fn child(&self, at: usize, name: &str) -> Option<usize> {
        self.nodes.get(at)?.children.iter().find(|(child, _)| **child == *name).map(|(_, child)| *child)
    }

    fn grow(&mut self, at: usize, name: &str) -> usize {
        let child = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(at) {
            node.children.push((name.into(), child));
        }
        self.nodes.push(TreeNode::default());
        child
    }
}

/// What `leaves`, gathered by JavaScript in the order of the paths, says of an event.
pub fn gathered(paths: &Arc<Paths>, tree: &Tree, leaves: &Object<'_>) -> Projection {
    let read = |index| leaves.get_element::<Unknown<'_>>(index).map_or(Value::Leaf(Kind::Other), |leaf| Value::of(&leaf));
    let count = u32::try_from(paths.len()).unwrap_or(u32::MAX);
    let values: Vec<Value<'_>> = (0..count).map(read).collect();
    Projection::from_node(paths, &Leaves { tree, values: &values, at: 0 })
}

/// An object of a gathered event, or one of its leaves.
struct Leaves<'a> {
    tree: &'a Tree,
    values: &'a [Value<'a>],
    at: usize,
}

impl Leaves<'_> {
    fn leaf(&self) -> Option<&Value<'_>> {
        self.values.get(self.tree.nodes.get(self.at)?.leaf?).filter(|leaf| !matches!(leaf, Value::Leaf(Kind::Other)))
    }
}

impl Node for Leaves<'_> {
    fn kind(&self) -> Kind<'_> {
        self.leaf().map_or(Kind::Object, Value::kind)
    }

    fn get(&self, key: &str) -> Option<Self> {
        Some(Leaves { at: self.tree.child(self.at, key)?, ..*self })
    }

    fn each(&self, _visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {}
}

/// A value of the event, looked at once: each question to JavaScript costs more than the answer's place here. What cannot
/// be read counts as not there.
enum Value<'env> {
    Object(Object<'env>),
    Array(Object<'env>),
    Leaf(Kind<'static>),
}

impl<'env> Value<'env> {
    fn of(value: &Unknown<'env>) -> Self {
        Self::seen(value).unwrap_or(Self::Leaf(Kind::Other))
    }

    fn seen(value: &Unknown<'env>) -> Result<Self> {
        Ok(Self::Leaf(match value.get_type()? {
            ValueType::String => Kind::Text(Cow::Owned(value.coerce_to_string()?.into_utf8()?.into_owned()?)),
            ValueType::Number => Kind::Number(value.coerce_to_number()?.get_double()?),
            ValueType::Boolean => Kind::Bool(value.coerce_to_bool()?),
            ValueType::Null => Kind::Null,
            ValueType::Object => {
                let object = value.coerce_to_object()?;
                return Ok(if object.is_array()? { Self::Array(object) } else { Self::Object(object) });
            }
            _ => Kind::Other,
        }))
    }
}

impl Node for Value<'_> {
    fn kind(&self) -> Kind<'_> {
        match self {
            Self::Object(_) => Kind::Object,
            Self::Array(_) => Kind::Array,
            Self::Leaf(Kind::Text(text)) => Kind::Text(Cow::Borrowed(text)),
            Self::Leaf(leaf) => leaf.clone(),
        }
    }

    fn get(&self, key: &str) -> Option<Self> {
        let Self::Object(object) = self else { return None };
        // What every object inherits are functions, which JSON has not and which count as not there, and this.
        if key == "__proto__" && !object.has_own_property(key).ok()? {
            return None;
        }
        object.get::<Unknown<'_>>(key).ok()?.as_ref().map(Self::of)
    }

    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {
        let Self::Array(array) = self else { return };
        for index in 0..array.get_array_length().unwrap_or(0) {
            let Ok(element) = array.get_element::<Unknown<'_>>(index) else { return };
            if visit(Self::of(&element)).is_break() {
                return;
            }
        }
    }
}
