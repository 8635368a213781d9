//! Faultlayer for Python: the native half of the layer and of the library.

mod context;
mod error;
mod event;
mod host;
mod layer;
mod library;
mod session;
mod sleep;

use pyo3::prelude::*;

/// The module `_native` of the packages `faultlayer_layer` and `faultlayer`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(layer::layer_getattr, module)?)?;
    module.add_class::<library::Host>()?;
    module.add_class::<library::Session>()?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
