//! Where the hook into botocore is put, and aiobotocore, which is made of it: into the method of an endpoint, of which every
//! client has one, for one attempt. So clients made before us ask too.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyModule, PyString, PyType};

use crate::attempt::Between;

/// The modules that have endpoints.
const ENDPOINTS: [&str; 2] = ["botocore.endpoint", "aiobotocore.endpoint"];
/// Their method, and what it asks.
const ATTEMPT: &str = "_do_get_response";
const EMITTER: &str = "_event_emitter";

/// Of a code object's flags: it is a coroutine's.
const CO_COROUTINE: u32 = 0x80;

/// Whether calls are looked at; what kept botocore from being hooked, if something did.
static INSTALLED: AtomicBool = AtomicBool::new(false);
static HINDRANCE: OnceLock<String> = OnceLock::new();

/// Whether calls are looked at.
///
/// # Errors
/// They should be, but botocore cannot be hooked.
pub fn is_installed() -> PyResult<bool> {
    match HINDRANCE.get() {
        Some(hindrance) => Err(PyRuntimeError::new_err(hindrance.as_str())),
        None => Ok(INSTALLED.load(Ordering::Relaxed)),
    }
}

/// Hooks botocore, now or once it is imported. A second time does nothing.
///
/// # Errors
/// Python's import system is not what it is, or botocore is none that can be hooked.
pub fn install(py: Python<'_>) -> PyResult<()> {
    INSTALLED.store(true, Ordering::Relaxed);
    let sys = PyModule::import(py, intern!(py, "sys"))?;
    let modules = sys.getattr(intern!(py, "modules"))?.cast_into::<PyDict>()?;
    let mut is_complete = true;
    for name in ENDPOINTS {
        match modules.get_item(name)? {
            Some(module) => hook(&module)?,
            None => is_complete = false,
        }
    }
    let finders = sys.getattr(intern!(py, "meta_path"))?.cast_into::<PyList>()?;
    if is_complete || finders.iter().any(|finder| finder.is_instance_of::<Finder>()) {
        return Ok(());
    }
    finders.insert(0, Bound::new(py, Finder)?)
}

/// Puts ourselves before what each of a module's endpoints does with an attempt.
fn hook(module: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = module.py();
    let mut is_hooked = false;
    for (_, value) in module.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()? {
        let Ok(class) = value.cast_into::<PyType>() else { continue };
        let Ok(own) = class.getattr(intern!(py, "__dict__"))?.get_item(ATTEMPT) else { continue };
        is_hooked = own.is_instance_of::<Between>() || put_between(&class, own).unwrap_or(false);
        if !is_hooked {
            break;
        }
    }
    if is_hooked {
        return Ok(());
    }
    Err(PyRuntimeError::new_err("this botocore is none that can be hooked, its calls are not hit"))
}

/// Whether it can be done.
fn put_between(class: &Bound<'_, PyType>, own: Bound<'_, PyAny>) -> PyResult<bool> {
    let py = class.py();
    let code = own.getattr(intern!(py, "__code__"))?;
    if !code.getattr(intern!(py, "co_names"))?.contains(EMITTER)? {
        return Ok(false);
    }
    let is_async = code.getattr(intern!(py, "co_flags"))?.extract::<u32>()? & CO_COROUTINE != 0;
    class.setattr(ATTEMPT, Bound::new(py, Between::new(own.unbind(), is_async))?)?;
    Ok(true)
}

/// Finds modules with endpoints as the others do, and hooks them once they are there.
#[pyclass(frozen)]
struct Finder;

#[pymethods]
impl Finder {
    #[pyo3(signature = (name, path = None, target = None))]
    fn find_spec<'py>(
        slf: &Bound<'py, Self>,
        name: &str,
        path: Option<&Bound<'py, PyAny>>,
        target: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        if !ENDPOINTS.contains(&name) {
            return Ok(None);
        }
        let finders = PyModule::import(py, intern!(py, "sys"))?.getattr(intern!(py, "meta_path"))?.cast_into::<PyList>()?;
        let finders: Vec<_> = finders.iter().filter(|finder| !finder.is(slf)).collect();
        for finder in finders {
            let spec = finder.call_method1(intern!(py, "find_spec"), (name, path, target))?;
            if spec.is_none() {
                continue;
            }
            let loader = spec.getattr(intern!(py, "loader"))?;
            spec.setattr(intern!(py, "loader"), Bound::new(py, Loader { own: loader.unbind() })?)?;
            return Ok(Some(spec));
        }
        Ok(None)
    }
}

/// Loads as the module's own loader does.
#[pyclass(frozen)]
struct Loader {
    own: Py<PyAny>,
}

#[pymethods]
impl Loader {
    fn create_module<'py>(&self, spec: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.own.bind(spec.py()).call_method1("create_module", (spec,))
    }

    fn exec_module(&self, module: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = module.py();
        // Whoever asks the module later meets its own loader.
        module.setattr("__loader__", &self.own)?;
        module.getattr("__spec__")?.setattr("loader", &self.own)?;
        self.own.bind(py).call_method1("exec_module", (module,))?;
        // The import has done its work, and must not fail for us.
        if let Err(error) = hook(module) {
            let _ = HINDRANCE.set(error.value(py).to_string());
        }
        Ok(())
    }

    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.own.bind(name.py()).getattr(name)
    }
}
