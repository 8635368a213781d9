//! Python's half of an outcome: the error in the handler's place, the answer instead of its own, the end of the process.
//!
//! Owns which class a name means and what its instance carries; does not own where the error is raised (`place.rs`). All
//! of it is here, and what it calls is taken at load: later the function may have replaced what stands in modules, or used
//! up what loading takes.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyDict, PyModule, PyString, PyType};

use crate::error::unknown_type;
use crate::place::Places;

/// What an error without a class of its own is called.
pub const INJECTED: &str = "FaultInjected";

/// How a package acts: the layer fails open, the library is strict.
pub struct Acting {
    strict: bool,
    injected: Py<PyType>,
    builtins: Py<PyDict>,
    modules: Py<PyDict>,
    import: Py<PyAny>,
    loads: Py<PyAny>,
    exit: Py<PyAny>,
    places: Places,
}

impl Acting {
    /// The layer's, for which a class that is not there becomes a `FaultInjected`.
    ///
    /// # Errors
    /// Something of the standard library is missing.
    pub fn layer(py: Python<'_>) -> PyResult<&'static Self> {
        static LAYER: PyOnceLock<Acting> = PyOnceLock::new();
        LAYER.get_or_try_init(py, || Self::load(py, "faultlayer_layer", false))
    }

    /// The library's, for which a class that is not there is an error of the plan.
    ///
    /// # Errors
    /// Something of the standard library is missing.
    #[cfg(not(feature = "layer"))]
    pub fn library(py: Python<'_>) -> PyResult<&'static Self> {
        static LIBRARY: PyOnceLock<Acting> = PyOnceLock::new();
        LIBRARY.get_or_try_init(py, || Self::load(py, "faultlayer", true))
    }

    fn load(py: Python<'_>, package: &str, strict: bool) -> PyResult<Self> {
        let take = |module: &str, name: &str| PyModule::import(py, module)?.getattr(name).map(Bound::unbind);
        Ok(Self {
            strict,
            injected: injected(py, package)?,
            builtins: PyModule::import(py, "builtins")?.dict().copy()?.unbind(),
            modules: take("sys", "modules")?.into_bound(py).cast_into()?.unbind(),
            import: take("importlib", "import_module")?,
            loads: take("json", "loads")?,
            exit: take("os", "_exit")?,
            places: Places::load(py)?,
        })
    }

    /// `FaultInjected`: a failure that has no class of its own.
    pub fn injected<'py>(&self, py: Python<'py>) -> &Bound<'py, PyType> {
        self.injected.bind(py)
    }

    /// The exception for a plan's `type`, `message` and `properties` (a JSON object), as it is once it was raised in the
    /// place of `target`.
    ///
    /// `name` is a builtin exception or the dotted path of a class. One that is no exception or takes no single message
    /// becomes a `FaultInjected` with `NAME: MESSAGE`. Properties become attributes, where the class lets them.
    ///
    /// # Errors
    /// It could not be made; in a library, the class is not there.
    pub fn error(&self, target: &Bound<'_, PyAny>, name: &str, message: &str, properties: &str) -> PyResult<PyErr> {
        let py = target.py();
        let values = self.answer(py, properties)?.cast_into::<PyDict>()?;
        let class = self.class_of(py, name);
        if class.is_none() && self.strict && name != INJECTED {
            return Err(unknown_type(py, name));
        }
        let made = match class.and_then(|class| self.instance(&class, message, &values)) {
            Some(made) => made,
            None => {
                let made = self.injected(py).call1((format!("{name}: {message}"),))?;
                made.setattr(intern!(py, "name"), name)?;
                made
            }
        };
        for (key, value) in values {
            // A slot or a read-only property refuses: the error itself matters more.
            let _ = made.setattr(key.cast_into::<PyString>()?, value);
        }
        Ok(self.places.raised_in(target, made))
    }

    /// What a `timeout` raises where nobody kills the process.
    ///
    /// # Errors
    /// It could not be made.
    pub fn timeout(&self, target: &Bound<'_, PyAny>, message: &str) -> PyResult<PyErr> {
        Ok(self.places.raised_in(target, self.injected(target.py()).call1((message,))?))
    }

    /// The answer that JSON says.
    ///
    /// # Errors
    /// It could not be made.
    pub fn answer<'py>(&self, py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
        self.loads.bind(py).call1((json,))
    }

    /// Ends the process as a crash does: no `atexit`, no buffers, no `finally`.
    ///
    /// # Errors
    /// It could not be ended.
    pub fn end(&self, py: Python<'_>, code: u8) -> PyResult<()> {
        self.exit.bind(py).call1((code,)).map(drop)
    }

    /// The exception class that a plan's `type` names.
    pub fn class_of<'py>(&self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyType>> {
        let class = self.find(py, name)?.cast_into::<PyType>().ok()?;
        class.is_subclass_of::<pyo3::exceptions::PyBaseException>().ok()?.then_some(class)
    }

    fn find<'py>(&self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyAny>> {
        let parts: Vec<&str> = name.split('.').collect();
        if parts.len() == 1 {
            return self.builtins.bind(py).get_item(name).ok()?;
        }
        // Where a module is not there, or does not load, its parent may hold the class.
        let (module, rest) = (1..parts.len()).rev().find_map(|end| {
            let (module, rest) = parts.split_at_checked(end)?;
            Some((self.import.bind(py).call1((module.join("."),)).ok()?, rest))
        })?;
        rest.iter().try_fold(module, |found, part| found.getattr(*part).ok())
    }

    fn instance<'py>(
        &self,
        class: &Bound<'py, PyType>,
        message: &str,
        properties: &Bound<'py, PyDict>,
    ) -> Option<Bound<'py, PyAny>> {
        let made = if self.is_client_error(class) { client_error(class, message, properties) } else { class.call1((message,)) };
        made.ok().filter(|made| made.is_instance_of::<pyo3::exceptions::PyBaseException>())
    }

    fn is_client_error(&self, class: &Bound<'_, PyType>) -> bool {
        let botocore = self.modules.bind(class.py()).get_item("botocore.exceptions").ok().flatten();
        botocore
            .and_then(|module| module.getattr("ClientError").ok())
            .is_some_and(|base| class.is_subclass(&base).unwrap_or(false))
    }
}

/// Makes the class: one for each package, as each has a native module of its own.
fn injected(py: Python<'_>, package: &str) -> PyResult<Py<PyType>> {
    let fields = PyDict::new(py);
    fields.set_item("__module__", package)?;
    fields.set_item(
        "__doc__",
        "An injected failure that has no class of its own; `name` is the class the plan asked for, or None.",
    )?;
    fields.set_item("name", py.None())?;
    let bases = (py.get_type::<pyo3::exceptions::PyException>(),);
    Ok(py.get_type::<PyType>().call1((INJECTED, bases, fields))?.cast_into::<PyType>()?.unbind())
}

/// botocore's `ClientError` takes a response and an operation; the plan's properties `code`, `status`, `operation_name`,
/// or a whole `response`, say which.
fn client_error<'py>(class: &Bound<'py, PyType>, message: &str, properties: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    let text = |name: &str| properties.get_item(name)?.map_or_else(|| Ok(PyString::new(py, "Unknown")), |value| value.str());
    let response = match properties.get_item("response")?.and_then(|given| given.cast_into::<PyDict>().ok()) {
        Some(given) => given,
        None => {
            let error = [("Code", text("code")?), ("Message", PyString::new(py, message))].into_py_dict(py)?;
            let metadata = PyDict::new(py);
            match properties.get_item("status")? {
                Some(status) => metadata.set_item("HTTPStatusCode", status)?,
                None => metadata.set_item("HTTPStatusCode", 400)?,
            }
            metadata.set_item("RetryAttempts", 0)?;
            let made = [("Error", error), ("ResponseMetadata", metadata)].into_py_dict(py)?;
            properties.set_item("response", &made)?;
            made
        }
    };
    class.call1((response, text("operation_name")?))
}
