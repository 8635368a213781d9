//! Faultlayer for Python: the native half of the layer and of the library.

mod host;
mod layer;

use pyo3::prelude::*;

/// The module `_native` of the packages `faultlayer_layer` and `faultlayer`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(layer::layer_getattr, module)?)?;
    Ok(())
}
