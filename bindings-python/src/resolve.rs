//! The layer's way to the original handler: `faultlayer_layer.handler` is an attribute that is resolved when the runtime
//! client asks for it, through the client's own resolver, from native code, so that no frame of ours stands on the stack
//! of an error in the user's module. Owns the environment's part in it (`FAULTLAYER_HANDLER`, `_HANDLER`) and the shape of
//! init errors; does not own the decision (core) nor what a call does (`layer.rs`).

use std::env;

use faultlayer_core::boundary::{HANDLER, Language, Layer};
use pyo3::exceptions::PyAttributeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyTuple, PyType};

use crate::act::Acting;
use crate::layer::LayerHandler;

/// What the function's configuration names while the layer is attached.
const OWN_HANDLER: &str = "faultlayer_layer.handler";
/// Where the client's resolver may live: the client as a package, as the managed runtimes' own script, as a program.
const CLIENT_MODULES: [&str; 3] = ["awslambdaric.bootstrap", "bootstrap", "__main__"];

/// The layer package's `__getattr__`: `handler` is resolved, and kept, at the first look; there is little else.
///
/// # Errors
/// The init error that the client would have raised for the original handler; `AttributeError` for any other name.
#[pyfunction]
pub fn layer_getattr<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    match name {
        "handler" => {
            let handler = resolve(py)?;
            package(py)?.setattr(intern!(py, "handler"), &handler)?;
            Ok(handler)
        }
        "FaultInjected" => Ok(Acting::layer(py)?.injected(py).clone().into_any()),
        _ => Err(PyAttributeError::new_err(format!("module 'faultlayer_layer' has no attribute '{name}'"))),
    }
}

fn package(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    PyModule::import(py, "faultlayer_layer")
}

fn package_module<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    PyModule::import(py, format!("faultlayer_layer.{name}").as_str())
}

fn resolve(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // A plan that comes from elsewhere is read beside the import of the function's code.
    let begun = Layer::begin(Language::Python);
    let original = env::var(HANDLER).ok().filter(|name| !name.is_empty() && name != OWN_HANDLER);
    let (Some(original), Some(client)) = (original, client(py)?) else {
        // Nothing to resolve or nobody to ask: the words and the port of the client's rules are in Python.
        let named = env::var(HANDLER).ok();
        let handler = package_module(py, "_resolver")?.getattr("resolve")?.call1((named,))?;
        return LayerHandler::around(&handler, begun);
    };
    show_original(py, &original)?;
    let handler = match client.getattr(intern!(py, "_get_handler"))?.call1((original,)) {
        Ok(handler) => handler,
        Err(error) => return Err(unmistakable(py, &client, error)),
    };
    if reports_later(&handler) {
        return Ok(handler);
    }
    LayerHandler::around(&handler, begun)
}

/// The running client's module, if one of the known names has a resolver.
fn client(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let modules = PyModule::import(py, intern!(py, "sys"))?.getattr(intern!(py, "modules"))?.cast_into::<PyDict>()?;
    for name in CLIENT_MODULES {
        if let Some(module) = modules.get_item(name)?
            && module.hasattr(intern!(py, "_get_handler"))?
        {
            return Ok(Some(module));
        }
    }
    Ok(None)
}

/// User code that reads `_HANDLER` sees its own. A wrapper that put itself there (telemetry layers do) is left alone.
fn show_original(py: Python<'_>, original: &str) -> PyResult<()> {
    if env::var("_HANDLER").is_ok_and(|now| now == OWN_HANDLER) {
        PyModule::import(py, intern!(py, "os"))?.getattr(intern!(py, "environ"))?.set_item("_HANDLER", original)?;
    }
    Ok(())
}

/// Clients before 3.0 answer a handler that cannot be resolved with a function that reports it at the first invocation:
/// no fault may stand in its place.
fn reports_later(handler: &Bound<'_, PyAny>) -> bool {
    handler
        .getattr(intern!(handler.py(), "__qualname__"))
        .and_then(|name| name.extract::<String>())
        .is_ok_and(|name| name.starts_with("make_fault_handler."))
}

/// The client takes an `AttributeError` of this lookup for "no such handler". One that the user's module raised while it
/// was imported goes on under its own name, message and stack as the client's `FaultException`, which it reports as told.
fn unmistakable(py: Python<'_>, client: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyAttributeError>(py) {
        return error;
    }
    as_fault(py, client, &error).unwrap_or(error)
}

fn as_fault(py: Python<'_>, client: &Bound<'_, PyAny>, error: &PyErr) -> PyResult<PyErr> {
    let stack = error.traceback(py);
    let told = client.call_method1("build_fault_result", ((error.get_type(py), error.value(py), &stack), py.None()))?;
    let (kind, message) = (told.get_item("errorType")?, told.get_item("errorMessage")?);
    // Clients that do not report it as told go by the class's name, `str()` and the traceback.
    let class =
        py.get_type::<PyType>().call1((&kind, PyTuple::new(py, [client.getattr("FaultException")?])?, PyDict::new(py)))?;
    let fault = class.call1((&kind, &message, told.get_item("stackTrace")?))?;
    fault.setattr("args", (message,))?;
    if let Some(stack) = stack {
        fault.setattr("__traceback__", stack)?;
    }
    Ok(PyErr::from_value(fault))
}
