//! Faultlayer for Python: the native half of the layer and of the library.

mod act;
mod botocore;
mod calls;
mod context;
mod drive;
mod error;
mod event;
mod layer;
mod library;
mod place;
mod resolve;
mod session;
mod sleep;

use pyo3::prelude::*;

/// The module `_native` of the packages `faultlayer_layer` and `faultlayer`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(resolve::layer_getattr, module)?)?;
    module.add_function(wrap_pyfunction!(sleep::monotonic_ns, module)?)?;
    module.add_function(wrap_pyfunction!(library::error, module)?)?;
    module.add_function(wrap_pyfunction!(library::timeout, module)?)?;
    module.add_function(wrap_pyfunction!(library::class_of, module)?)?;
    module.add_function(wrap_pyfunction!(calls::look_at_calls, module)?)?;
    module.add_class::<library::Host>()?;
    module.add_class::<calls::Calls>()?;
    module.add_class::<session::Session>()?;
    // The layer makes it only where something can fire.
    if module.name()?.to_str()?.starts_with("faultlayer.") {
        module.add(act::INJECTED, act::Acting::library(module.py())?.injected(module.py()))?;
    }
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
