//! An event as Python's own objects: what `json.loads` gives, read along the paths that a plan names and no further.

use std::borrow::Cow;
use std::ops::ControlFlow;

use faultlayer_core::boundary::{Asked, Call, EventInput, Session};
use faultlayer_core::matching::{Key, Kind, MAX_BYTES, Node, Patterns, Source, Walk};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PySlice, PyString, PyTuple};

/// Decides for a call, with as much of `event` as the plan asks for.
pub fn decide(asked: &Asked<'_>, call: Call<'_>, event: Option<&Bound<'_, PyAny>>) -> Option<Session> {
    match event.filter(|_| asked.reads().event) {
        Some(event) => asked.decide(&Call { event: EventInput::Source(&Event(event)), ..call }),
        None => asked.decide(&call),
    }
}

struct Event<'a, 'py>(&'a Bound<'py, PyAny>);

impl Source for Event<'_, '_> {
    fn read(&self, walk: &mut Walk<'_>) {
        let keys = walk.patterns().keep(|patterns| Keys::of(self.0.py(), patterns));
        if let Some(keys) = keys {
            walk.node(&Value { value: self.0.clone(), keys });
        }
    }
}

/// The keys that objects are asked for as Python's own strings, made and hashed once a plan.
struct Keys(Vec<Py<PyString>>);

impl Keys {
    fn of(py: Python<'_>, patterns: &Patterns) -> Self {
        Self(patterns.paths().keys().map(|key| PyString::new(py, key).unbind()).collect())
    }
}

struct Value<'a, 'py> {
    value: Bound<'py, PyAny>,
    keys: &'a Keys,
}

impl Node for Value<'_, '_> {
    fn kind(&self) -> Kind {
        let value = &self.value;
        if value.is_instance_of::<PyDict>() {
            Kind::Object
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            Kind::Array
        } else if value.is_instance_of::<PyString>() {
            Kind::Text
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

    fn text(&self, enough: usize) -> Option<Cow<'_, str>> {
        let text = self.value.cast::<PyString>().ok()?;
        let length = text.len().ok()?;
        if length <= MAX_BYTES.min(enough.max(LONG)) {
            return Some(text.to_str().map_or_else(|_| Cow::Owned(half_pairs_replaced(text)), Cow::Borrowed));
        }
        // Python keeps a copy of what it was asked for, unless that is ASCII: of a long text only the beginning is.
        if enough > MAX_BYTES {
            return None;
        }
        let beginning =
            text.get_item(PySlice::new(text.py(), 0, enough.try_into().ok()?, 1)).ok()?.cast_into::<PyString>().ok()?;
        Some(Cow::Owned(beginning.to_str().map_or_else(|_| half_pairs_replaced(&beginning), str::to_owned)))
    }

    fn get(&self, key: Key<'_>) -> Option<Self> {
        let object = self.value.cast::<PyDict>().ok()?;
        let key = self.keys.0.get(key.number)?.bind(object.py());
        Some(Self { value: object.get_item(key).ok()??, keys: self.keys })
    }

    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {
        let mut visit = |value| visit(Self { value, keys: self.keys });
        if let Ok(list) = self.value.cast::<PyList>() {
            let _ = list.iter().try_for_each(&mut visit);
        } else if let Ok(tuple) = self.value.cast::<PyTuple>() {
            let _ = tuple.iter().try_for_each(&mut visit);
        }
    }
}

/// Characters up to which a text is asked for as a whole.
const LONG: usize = 4096;

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
