//! An event as Python's own objects: what `json.loads` gives, read along the paths that a plan names and no further.

use std::borrow::Cow;
use std::ops::ControlFlow;

use faultlayer_core::boundary::{Call, EventInput, Host, Reads, Session};
use faultlayer_core::matching::{Kind, Node, Projection};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// Decides for a call, with as much of `event` as the plan asks for: nothing without event patterns, and else only where
/// the sample of a fault with one hits. `reads` is what the host says of itself.
pub fn decide<'a>(host: &'a Host, reads: Reads, mut call: Call<'a>, event: Option<&Bound<'_, PyAny>>) -> Option<Session> {
    if !reads.event {
        return host.decide(&call);
    }
    // Asking and deciding are at one time.
    call.now_us = call.now_us.or_else(|| Some(host.now_us()));
    let event = event.filter(|_| host.looks_at_event(&call));
    let read = event.and_then(|event| Some(Projection::from_node(&host.event_paths()?, &Value(event.clone()))));
    host.decide(&Call { event: read.as_ref().map_or(call.event, EventInput::Projection), ..call })
}

struct Value<'py>(Bound<'py, PyAny>);

impl Node for Value<'_> {
    fn kind(&self) -> Kind<'_> {
        let value = &self.0;
        if value.is_instance_of::<PyDict>() {
            Kind::Object
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            Kind::Array
        } else if let Ok(text) = value.cast::<PyString>() {
            Kind::Text(text.to_str().map_or_else(|_| Cow::Owned(half_pairs_replaced(text)), Cow::Borrowed))
        } else if let Ok(value) = value.cast::<PyBool>() {
            // Before the numbers: `True` is an `int`.
            Kind::Bool(value.is_true())
        } else if let Ok(number) = value.cast::<PyInt>() {
            number.extract().map_or_else(|_| Kind::Number(beyond(number)), Kind::Number)
        } else if let Ok(number) = value.cast::<PyFloat>() {
            let number = number.value();
            if number.is_nan() { Kind::Other } else { Kind::Number(number) }
        } else if value.is_none() {
            Kind::Null
        } else {
            Kind::Other
        }
    }

    fn get(&self, key: &str) -> Option<Self> {
        self.0.cast::<PyDict>().ok()?.get_item(key).ok()?.map(Self)
    }

    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {
        if let Ok(list) = self.0.cast::<PyList>() {
            let _ = list.iter().try_for_each(|element| visit(Self(element)));
        } else if let Ok(tuple) = self.0.cast::<PyTuple>() {
            let _ = tuple.iter().try_for_each(|element| visit(Self(element)));
        }
    }
}

/// An `int` that no binary64 holds.
fn beyond(number: &Bound<'_, PyInt>) -> f64 {
    if number.lt(0).unwrap_or(false) { f64::NEG_INFINITY } else { f64::INFINITY }
}

/// Text with a half of a surrogate pair, which JSON can escape, with U+FFFD in its place.
fn half_pairs_replaced(text: &Bound<'_, PyString>) -> String {
    let encoded = text.call_method1(intern!(text.py(), "encode"), ("utf-16-le", "surrogatepass"));
    let Ok(encoded) = encoded.and_then(|bytes| Ok(bytes.cast_into::<PyBytes>()?)) else { return String::new() };
    let (units, _) = encoded.as_bytes().as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    String::from_utf16_lossy(&units)
}
