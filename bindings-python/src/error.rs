//! A plan that is refused, as an exception of the library: its code, its first path and all its problems.

use faultlayer_core::boundary::PlanError;
use pyo3::prelude::*;
use pyo3::types::PyModule;

/// The library's exception for a plan error; its classes are in Python.
pub fn refused(py: Python<'_>, error: &PlanError) -> PyErr {
    let made = PyModule::import(py, "faultlayer._errors").and_then(|errors| errors.call_method1("from_json", (error.to_json(),)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// The library's exception for a class of errors that a plan names and that is not there.
pub fn unknown_type(py: Python<'_>, name: &str) -> PyErr {
    let made = PyModule::import(py, "faultlayer._errors").and_then(|errors| errors.call_method1("unknown_type", (name,)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}
