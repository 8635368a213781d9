//! What the library raises where the engine cannot do what it was asked to. Does not own what is wrong with a plan (core).

use faultlayer_core::boundary::Failed;
#[cfg(not(feature = "layer"))]
use faultlayer_core::boundary::Refused;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyModule;

/// A plan that is refused, as an exception of the library: its code, its first path and all its problems.
#[cfg(not(feature = "layer"))]
pub fn refused(py: Python<'_>, refused: &Refused) -> PyErr {
    if let Refused::Failed(error) = refused {
        return failed(*error);
    }
    let made =
        PyModule::import(py, "faultlayer._errors").and_then(|errors| errors.call_method1("from_json", (refused.to_json(),)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// The library's exception for a class of errors that a plan names and that is not there.
pub fn unknown_type(py: Python<'_>, name: &str) -> PyErr {
    let made = PyModule::import(py, "faultlayer._errors").and_then(|errors| errors.call_method1("unknown_type", (name,)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// The engine itself failed.
pub fn failed(error: Failed) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
