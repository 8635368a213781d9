//! What the runtime client calls, and the way of most invocations through it: nothing is drawn, as the request id alone tells.
//!
//! It is by Python's own API: what the safe wrappers do around a call (their count of who holds the interpreter, arguments by
//! name, a tuple for the handler's) takes longer than deciding. Whatever else there is goes through the wrappers.

#![expect(unsafe_code, reason = "a function by Python's own API is handed raw pointers")]

use std::{ptr, slice, str};

use faultlayer_core::boundary::Session;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::{Borrowed, intern};

use crate::layer::LayerHandler;

/// `invoke(event, context)`, for as long as the process lives.
///
/// # Errors
/// Python ran out of memory.
pub fn function<'py>(layered: &Bound<'py, LayerHandler>) -> PyResult<Bound<'py, PyAny>> {
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"invoke".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFast: invoke },
        ml_flags: ffi::METH_FASTCALL,
        ml_doc: c"invoke($self, event, context, /)\n--\n\nCalls the handler, with the faults that are drawn.".as_ptr(),
    }));
    // SAFETY: the definition is never freed; the function holds on to `layered`, which it hands to each call.
    unsafe {
        let made = ffi::PyCFunction_NewEx(definition, layered.as_ptr(), ptr::null_mut());
        Bound::from_owned_ptr_or_err(layered.py(), made)
    }
}

/// # Safety
/// `layered` is a [`LayerHandler`], and Python calls this.
unsafe extern "C" fn invoke(
    layered: *mut ffi::PyObject,
    given: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    let end = ptr::null_mut::<ffi::PyObject>();
    // SAFETY: who calls holds the interpreter and so many arguments, and the list of the handler's ends with none.
    unsafe {
        if count != 2 {
            ffi::PyErr_SetString(ffi::PyExc_TypeError, c"invoke() takes two arguments, an event and a context".as_ptr());
            return end;
        }
        let (event, context) = (*given, *given.add(1));
        let layer = Borrowed::from_ptr(Python::assume_attached(), layered).cast_unchecked::<LayerHandler>().get();
        match drawn(layer, event, context) {
            None => ffi::PyObject_CallFunctionObjArgs(layer.original.as_ptr(), event, context, end),
            Some(session) => Python::attach(|py| {
                let (event, context) = (Borrowed::from_ptr(py, event), Borrowed::from_ptr(py, context));
                layer.drive(session, &event, &context).map_or_else(
                    |error| {
                        error.restore(py);
                        end
                    },
                    Bound::into_ptr,
                )
            }),
        }
    }
}

/// # Safety
/// Event and context are objects that live, and who calls holds the interpreter.
unsafe fn drawn(layer: &LayerHandler, event: *mut ffi::PyObject, context: *mut ffi::PyObject) -> Option<Session> {
    // SAFETY: by the caller.
    unsafe {
        if layer.id_tells() && is_quiet(Python::assume_attached(), layer, context) {
            return None;
        }
        // Not while the interpreter ends, which is no time for faults.
        Python::try_attach(|py| layer.decide(&Borrowed::from_ptr(py, event), &Borrowed::from_ptr(py, context))).flatten()
    }
}

/// # Safety
/// `context` is an object that lives.
unsafe fn is_quiet(py: Python<'_>, layer: &LayerHandler, context: *mut ffi::PyObject) -> bool {
    // SAFETY: by the caller; the text is that of the id, which lives until it is let go of.
    unsafe {
        let id = ffi::PyObject_GetAttr(context, intern!(py, "aws_request_id").as_ptr());
        let mut length = 0;
        let text = if id.is_null() { ptr::null() } else { ffi::PyUnicode_AsUTF8AndSize(id, &raw mut length) };
        let is_quiet = if text.is_null() {
            // A context that is none has no id, and one that is no text counts as none.
            ffi::PyErr_Clear();
            false
        } else {
            let bytes = slice::from_raw_parts(text.cast(), length.unsigned_abs());
            layer.is_quiet(str::from_utf8_unchecked(bytes))
        };
        ffi::Py_XDECREF(id);
        is_quiet
    }
}
