//! Where an injected error shows: in the place of the function, where an own error of it would show.
//!
//! An error's stack is the frames it went through, so it is raised by a function of one line that has the file, the name
//! and the line of the one it stands for. Where there is no Python code, there is no frame: as of a C function's error.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyType};

/// Wrappers in wrappers; more than this is a circle.
const DEPTH: usize = 32;

/// What kinds of callables there are, taken at load.
pub struct Places {
    function: Py<PyType>,
    method: Py<PyType>,
    partial: Py<PyType>,
}

impl Places {
    /// Takes them.
    ///
    /// # Errors
    /// Something of the standard library is missing.
    pub fn load(py: Python<'_>) -> PyResult<Self> {
        let take = |module: &str, name: &str| -> PyResult<Py<PyType>> {
            Ok(PyModule::import(py, module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        Ok(Self {
            function: take("types", "FunctionType")?,
            method: take("types", "MethodType")?,
            partial: take("functools", "partial")?,
        })
    }

    /// `error` as if `target` had raised it.
    pub fn raised_in<'py>(&self, target: &Bound<'py, PyAny>, error: Bound<'py, PyAny>) -> PyErr {
        let thrower = self.function_of(target).and_then(|function| thrower(&function).ok());
        match thrower.map(|thrower| thrower.call1((&error,))) {
            Some(Err(raised)) => raised,
            _ => PyErr::from_value(error),
        }
    }

    /// The innermost Python function of wrappers that tell what they wrap, partials, methods, classes and objects.
    fn function_of<'py>(&self, target: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let py = target.py();
        let (mut target, mut found) = (target.clone(), None);
        for _ in 0..DEPTH {
            let kind = target.get_type();
            let is_function = kind.is(&self.function);
            if is_function {
                found = Some(target.clone());
            }
            // Looked up in the object's own dict: an object that answers to every name wraps nothing.
            let own = target.getattr(intern!(py, "__dict__")).ok().and_then(|own| own.cast_into::<PyDict>().ok());
            let wrapped = own.and_then(|own| own.get_item(intern!(py, "__wrapped__")).ok().flatten());
            target = if let Some(wrapped) = wrapped {
                wrapped
            } else if is_function {
                break;
            } else if target.is_instance(self.partial.bind(py)).unwrap_or(false) {
                target.getattr(intern!(py, "func")).ok()?
            } else if kind.is(&self.method) {
                target.getattr(intern!(py, "__func__")).ok()?
            } else if target.is_instance_of::<PyType>() {
                let init = target.getattr(intern!(py, "__init__")).ok()?;
                if init.get_type().is(&self.function) { init } else { target.getattr(intern!(py, "__new__")).ok()? }
            } else {
                kind.getattr(intern!(py, "__call__")).ok()?
            };
        }
        found
    }
}

/// A function that raises its argument where `function` begins.
fn thrower<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let code = function.getattr(intern!(py, "__code__"))?;
    let names = PyDict::new(py);
    for name in ["co_filename", "co_name", "co_qualname"] {
        // Before CPython 3.11 code has no qualified name.
        if let Ok(value) = code.getattr(name) {
            names.set_item(name, value)?;
        }
    }
    // The template raises on the line after its first one.
    names.set_item("co_firstlineno", first_line(&code)? - 1)?;
    let scope = PyDict::new(py);
    py.run(c"def throw(error):\n raise error", Some(&scope), None)?;
    let template = scope.as_any().get_item("throw")?.getattr(intern!(py, "__code__"))?;
    let code = template.call_method("replace", (), Some(&names))?;
    function.get_type().call1((code, function.getattr(intern!(py, "__globals__"))?))
}

/// The first line of a function's body.
fn first_line(code: &Bound<'_, PyAny>) -> PyResult<i64> {
    let start: i64 = code.getattr(intern!(code.py(), "co_firstlineno"))?.extract()?;
    for entry in code.call_method0("co_lines")?.try_iter()? {
        let line: Option<i64> = entry?.get_item(2)?.extract()?;
        if let Some(line) = line.filter(|line| *line > start) {
            return Ok(line);
        }
    }
    Ok(start)
}
