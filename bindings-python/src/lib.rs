//! Faultlayer for Python: the native half of the layer and of the library. In a layer's own build the library's is left out.

mod act;
mod attempt;
mod botocore;
mod calls;
mod context;
mod drive;
mod error;
mod event;
mod layer;
#[cfg(not(feature = "layer"))]
mod library;
mod place;
mod quick;
mod resolve;
#[cfg(not(feature = "layer"))]
mod session;
mod sleep;

use pyo3::prelude::*;

/// The module `_native` of the packages `faultlayer_layer` and `faultlayer`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(resolve::layer_getattr, module)?)?;
    #[cfg(not(feature = "layer"))]
    library::add(module)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
