//! The projection of an event from JavaScript's own objects: reads what a plan's patterns name and nothing else.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use faultlayer_core::matching::{Kind, Node, Paths, Projection};
use napi::bindgen_prelude::{JsObjectValue, JsValue, Object, Unknown};
use napi::{Result, ValueType};

/// The leaf values that `event` has on `paths`.
pub fn project(paths: &Arc<Paths>, event: Unknown<'_>) -> Projection {
    Projection::from_node(paths, &Value(event))
}

/// A value of the event. What cannot be read counts as not there.
struct Value<'env>(Unknown<'env>);

impl Value<'_> {
    fn seen(&self) -> Result<Kind<'_>> {
        Ok(match self.0.get_type()? {
            ValueType::String => Kind::Text(Cow::Owned(self.0.coerce_to_string()?.into_utf8()?.into_owned()?)),
            ValueType::Number => Kind::Number(self.0.coerce_to_number()?.get_double()?),
            ValueType::Boolean => Kind::Bool(self.0.coerce_to_bool()?),
            ValueType::Null => Kind::Null,
            ValueType::Object if self.0.coerce_to_object()?.is_array()? => Kind::Array,
            ValueType::Object => Kind::Object,
            _ => Kind::Other,
        })
    }

    fn elements(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) -> Result<()> {
        let array: Object<'_> = self.0.coerce_to_object()?;
        for index in 0..array.get_array_length()? {
            if visit(Self(array.get_element(index)?)).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Node for Value<'_> {
    fn kind(&self) -> Kind<'_> {
        self.seen().unwrap_or(Kind::Other)
    }

    fn get(&self, key: &str) -> Option<Self> {
        let object = self.0.coerce_to_object().ok()?;
        // What every object inherits are functions, which JSON has not and which count as not there, and this.
        if key == "__proto__" && !object.has_own_property(key).ok()? {
            return None;
        }
        object.get::<Unknown<'_>>(key).ok()?.map(Self)
    }

    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {
        // An array that cannot be read has no elements.
        let _unread = self.elements(visit);
    }
}
