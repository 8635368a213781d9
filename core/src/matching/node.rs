//! Reading an event from a language's own objects.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::paths::{NodeId, ROOT};
use super::projection::{Builder, Walk};

/// What a node of an event is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    /// An object: [`Node::get`] may be asked.
    Object,
    /// An array: [`Node::each`] may be asked.
    Array,
    /// A string.
    Text(Cow<'a, str>),
    /// A number, as the nearest binary64; infinite where it is greater than all of them.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// Nothing that JSON has; read as if it were not there.
    Other,
}

/// A value of a language, as far as a projection reads it. A binding implements this over references to the language's
/// own objects; nothing may run user code but what reading them takes.
pub trait Node: Sized {
    /// What it is.
    fn kind(&self) -> Kind<'_>;

    /// An object's own value for `key`, if it has one; never an inherited one.
    fn get(&self, key: &str) -> Option<Self>;

    /// An array's elements, in order, until `visit` breaks.
    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>);
}

/// Walks an event; none if it is no object, or too deep on a path.
pub(super) fn event<N: Node>(event: &N, builder: &mut Builder) -> Walk {
    match event.kind() {
        Kind::Object => value(event, ROOT, builder),
        _ => None,
    }
}

fn value<N: Node>(node: &N, at: NodeId, builder: &mut Builder) -> Walk {
    let path = builder.paths.path_at(at);
    match (node.kind(), path) {
        (Kind::Object, _) => {
            builder.descend()?;
            let paths = std::sync::Arc::clone(&builder.paths);
            for (key, target) in paths.below(at) {
                if let Some(child) = node.get(key) {
                    value(&child, *target, builder)?;
                }
            }
            builder.ascend();
        }
        (Kind::Array, _) => {
            builder.descend()?;
            builder.begin_array(at)?;
            let mut walk = Some(());
            node.each(&mut |element| {
                builder.element(matches!(element.kind(), Kind::Object | Kind::Array));
                walk = value(&element, at, builder);
                if walk.is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            walk?;
            builder.end_array()?;
            builder.ascend();
        }
        (Kind::Text(text), Some(path)) => builder.text(path, |buffer| {
            buffer.push_str(&text);
            Some(())
        })?,
        (Kind::Number(number), Some(path)) => builder.number(path, number)?,
        (Kind::Bool(value), Some(path)) => builder.bool(path, value)?,
        (Kind::Null, Some(path)) => builder.null(path)?,
        (_, None) | (Kind::Other, _) => {}
    }
    Some(())
}

impl Node for &serde_json::Value {
    fn kind(&self) -> Kind<'_> {
        match self {
            serde_json::Value::Null => Kind::Null,
            serde_json::Value::Bool(value) => Kind::Bool(*value),
            serde_json::Value::Number(number) => Kind::Number(number.as_f64().unwrap_or(f64::INFINITY)),
            serde_json::Value::String(text) => Kind::Text(Cow::Borrowed(text)),
            serde_json::Value::Array(_) => Kind::Array,
            serde_json::Value::Object(_) => Kind::Object,
        }
    }

    fn get(&self, key: &str) -> Option<Self> {
        self.as_object()?.get(key)
    }

    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {
        for element in self.as_array().into_iter().flatten() {
            if visit(element).is_break() {
                return;
            }
        }
    }
}
