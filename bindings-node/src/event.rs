//! The projection of an event from JavaScript's own objects: reads what a plan's patterns name and nothing else.

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
