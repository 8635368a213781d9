//! What a Lambda context object says, read without ever failing: a context that is none says nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use faultlayer_core::boundary::{Reads, exact_deadline_ms};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString};

/// The strings of a context, held so that they can be lent.
pub struct Seen<'py> {
    request_id: Option<Bound<'py, PyString>>,
    function_arn: Option<Bound<'py, PyString>>,
    client_context: Option<String>,
}

impl<'py> Seen<'py> {
    /// Reads what the host's plan needs.
    pub fn of(context: &Bound<'py, PyAny>, reads: Reads) -> Self {
        let py = context.py();
        Self {
            request_id: text(context, intern!(py, "aws_request_id")),
            function_arn: if reads.function_arn { text(context, intern!(py, "invoked_function_arn")) } else { None },
            client_context: if reads.client_context { client_context(context).ok().flatten() } else { None },
        }
    }

    /// Lambda's request id.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_ref()?.to_str().ok()
    }

    /// The ARN by which the function was invoked.
    pub fn function_arn(&self) -> Option<&str> {
        self.function_arn.as_ref()?.to_str().ok()
    }

    /// The client context as JSON text.
    pub fn client_context(&self) -> Option<&str> {
        self.client_context.as_deref()
    }
}

/// The exact deadline header, which awslambdaric keeps; else from the time left.
pub fn deadline_ms(context: &Bound<'_, PyAny>) -> Option<i64> {
    let py = context.py();
    if let Ok(deadline) = context.getattr(intern!(py, "_epoch_deadline_time_in_ms")) {
        return deadline.extract().ok().or_else(|| deadline.extract::<&str>().ok()?.parse().ok());
    }
    let left = context.getattr(intern!(py, "get_remaining_time_in_millis")).ok()?;
    exact_deadline_ms(now_ms, || left.call0().ok()?.extract().ok())
}

/// `custom`, `env` and `client`, as far as they are there.
fn client_context(context: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = context.py();
    let given = context.getattr(intern!(py, "client_context"))?;
    if given.is_none() {
        return Ok(None);
    }
    let told = PyDict::new(py);
    for name in ["custom", "env"] {
        let value = given.getattr(name)?;
        if !value.is_none() {
            told.set_item(name, value)?;
        }
    }
    let client = given.getattr("client")?;
    if !client.is_none() {
        let fields = PyDict::new(py);
        for name in client.getattr("__slots__")?.try_iter()? {
            let name = name?.cast_into::<PyString>()?;
            let value = client.getattr(&name)?;
            if !value.is_none() {
                fields.set_item(name, value)?;
            }
        }
        told.set_item("client", fields)?;
    }
    let json = PyModule::import(py, intern!(py, "json"))?.call_method1("dumps", (told,))?;
    Ok(Some(json.extract()?))
}

fn text<'py>(context: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> Option<Bound<'py, PyString>> {
    context.getattr_opt(name).ok()??.cast_into::<PyString>().ok()
}

fn now_ms() -> Option<i64> {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}
