//! The hook into botocore, and aiobotocore, which is made of it: each attempt of a call asks the engine before it goes out.
//!
//! `Endpoint`, of which every client has one, asks its event emitter about `before-send` for each attempt, and takes what a
//! handler answers for AWS's answer. So that clients made before us ask too, and nothing of ours stands in the stacks of the
//! function's errors, the emitter that `Endpoint` sees is ours, while it is asked; botocore's own stays what clients share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use faultlayer_core::boundary::{Calls, Met, Request};
use pyo3::exceptions::{PyAttributeError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyModule, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit, intern};

use crate::calls::{Owner, is_strict, is_waited_for, owner};
use crate::error::failed;
use crate::sleep::hold_us;

const ENDPOINT: &str = "botocore.endpoint";
const EMITTER: &str = "_event_emitter";

/// The half that only Python can say; compiled where a client of asyncio's is hit.
const ASYNC: &std::ffi::CStr = c"
import asyncio
class Raw:
    def __init__(self, body):
        self.body = body
    async def read(self, *_):
        return self.body
async def emit(delay_s, error, response, go):
    if delay_s:
        await asyncio.sleep(delay_s)
    if error:
        raise error
    return [(None, response)] if response else await go()
";

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

/// Of a code object's flags: it is a coroutine's.
const CO_COROUTINE: u32 = 0x80;

fn asynchronous(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    PyModule::from_code(py, ASYNC, c"<faultlayer>", c"faultlayer_async")
}

/// Hooks botocore, now or once it is imported. A second time does nothing.
///
/// # Errors
/// Python's import system is not what it is, or botocore is none that can be hooked.
pub fn install(py: Python<'_>) -> PyResult<()> {
    INSTALLED.store(true, Ordering::Relaxed);
    let sys = PyModule::import(py, intern!(py, "sys"))?;
    if let Some(endpoint) = sys.getattr(intern!(py, "modules"))?.cast_into::<PyDict>()?.get_item(ENDPOINT)? {
        return hook(&endpoint);
    }
    let finders = sys.getattr(intern!(py, "meta_path"))?.cast_into::<PyList>()?;
    if finders.iter().any(|finder| finder.is_instance_of::<Finder>()) {
        return Ok(());
    }
    finders.insert(0, Bound::new(py, Finder)?)
}

/// Puts our emitter between `Endpoint` and its own.
fn hook(endpoint: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = endpoint.py();
    let class = endpoint.getattr("Endpoint")?;
    if class.getattr_opt(EMITTER)?.is_some() {
        return Ok(());
    }
    let asks =
        class.getattr("_do_get_response").and_then(|asks| asks.getattr("__code__")?.getattr("co_names")?.contains(EMITTER));
    if !asks.unwrap_or(false) {
        return Err(PyRuntimeError::new_err("this botocore is none that can be hooked, its calls are not hit"));
    }
    class.setattr(EMITTER, Bound::new(py, Between)?)
}

/// Finds `botocore.endpoint` as the others do, and hooks it once it is there.
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
        if name != ENDPOINT {
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

/// The attribute of `Endpoint` that its emitter is.
#[pyclass(frozen)]
struct Between;

#[pymethods]
impl Between {
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        endpoint: Option<&Bound<'py, PyAny>>,
        _class: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let Some(endpoint) = endpoint else { return Ok(slf.clone().into_any()) };
        let fields = endpoint.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        let own = fields.get_item(intern!(py, "_event_emitter"))?.ok_or_else(|| PyAttributeError::new_err(EMITTER))?;
        if !is_waited_for() {
            return Ok(own);
        }
        Ok(Bound::new(py, Emitter { own: own.unbind(), endpoint: endpoint.clone().unbind() })?.into_any())
    }

    fn __set__(&self, endpoint: &Bound<'_, PyAny>, emitter: &Bound<'_, PyAny>) -> PyResult<()> {
        endpoint.getattr("__dict__")?.set_item(EMITTER, emitter)
    }
}

/// An endpoint's emitter, and the engine in front of it.
#[pyclass(frozen)]
struct Emitter {
    own: Py<PyAny>,
    endpoint: Py<PyAny>,
}

#[pymethods]
impl Emitter {
    #[pyo3(signature = (event_name, **kwargs))]
    fn emit<'py>(&self, event_name: &Bound<'py, PyString>, kwargs: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        let py = event_name.py();
        let own = self.own.bind(py).getattr(intern!(py, "emit"))?;
        let named = event_name.to_str()?.strip_prefix("before-send.");
        let request = named.and(kwargs).and_then(|kwargs| kwargs.get_item(intern!(py, "request")).ok().flatten());
        let stands = match (named, request) {
            (Some(named), Some(request)) => self.ask(named, &request)?,
            _ => None,
        };
        let Some(Stands { delay_us, error, response, is_async }) = stands else { return own.call((event_name,), kwargs) };
        if is_async {
            let go = PyModule::import(py, "functools")?.getattr("partial")?.call((own, event_name), kwargs)?;
            #[expect(clippy::cast_precision_loss, reason = "delays are far below 2^53 microseconds")]
            let delay_s = delay_us as f64 / 1e6;
            return asynchronous(py)?.getattr("emit")?.call1((delay_s, error, response, go));
        }
        hold_us(py, delay_us)?;
        match (error, response) {
            (Some(error), _) => Err(PyErr::from_value(error)),
            (None, Some(response)) => Ok(PyList::new(py, [PyTuple::new(py, [py.None().into_bound(py), response])?])?.into_any()),
            (None, None) => own.call((event_name,), kwargs),
        }
    }

    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.own.bind(name.py()).getattr(name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.own)?;
        visit.call(&self.endpoint)
    }
}

/// What stands in an endpoint's way.
struct Stands<'py> {
    delay_us: u64,
    /// Raised then.
    error: Option<Bound<'py, PyAny>>,
    /// Or answered.
    response: Option<Bound<'py, PyAny>>,
    is_async: bool,
}

impl Emitter {
    /// What the engine answers for this attempt, by the classes of the client that makes it.
    fn ask<'py>(&self, named: &str, request: &Bound<'py, PyAny>) -> PyResult<Option<Stands<'py>>> {
        let py = request.py();
        let calls = match owner(py)? {
            Owner::Of(calls) => calls,
            Owner::Nobody => return Ok(None),
            Owner::Unknown(any) => {
                any.unattributed();
                return Ok(None);
            }
        };
        let stands = self.stands(&calls, named, request);
        if is_strict(py) {
            return stands;
        }
        Ok(stands.unwrap_or_else(|error| {
            calls.report(&format!("a call to AWS could not be looked at: {error}"));
            None
        }))
    }

    fn stands<'py>(&self, calls: &Calls, named: &str, request: &Bound<'py, PyAny>) -> PyResult<Option<Stands<'py>>> {
        let py = request.py();
        let text = |name: &str| -> PyResult<Option<String>> { request.getattr(name)?.extract() };
        let (method, url) = (text("method")?.unwrap_or_default(), text("url")?.unwrap_or_default());
        let headers = request.getattr(intern!(py, "headers"))?;
        let [authorization, target, content_type, retry] =
            ["Authorization", "X-Amz-Target", "Content-Type", "amz-sdk-request"].map(|name| header(&headers, name));
        let asked = Request {
            method: &method,
            url: &url,
            authorization: authorization.as_deref(),
            target: target.as_deref(),
            content_type: content_type.as_deref(),
            retry: retry.as_deref(),
            // Its only use would be the operation's name.
            body: &[],
            operation: named.rsplit('.').next(),
        };
        let Met { delay_us, answer } = calls.met(&asked, None).map_err(failed)?;
        if delay_us == 0 && answer.is_none() {
            return Ok(None);
        }
        let code = self.endpoint.bind(py).getattr("_do_get_response")?.getattr("__code__")?;
        let is_async = code.getattr("co_flags")?.extract::<u32>()? & CO_COROUTINE != 0;
        // A server that takes longer is not waited for.
        if let Some(limit) = self.read_timeout_us(request).filter(|limit| *limit <= delay_us) {
            return Ok(Some(Stands { delay_us: limit, error: Some(timed_out(py, &url)?), response: None, is_async }));
        }
        let response = answer.map(|answer| {
            let body = PyBytes::new(py, &answer.body);
            let (class, raw) = if is_async {
                (("aiobotocore.awsrequest", "AioAWSResponse"), asynchronous(py)?.getattr("Raw")?.call1((body,))?)
            } else {
                (("botocore.awsrequest", "AWSResponse"), Bound::new(py, Raw { body: body.unbind() })?.into_any())
            };
            response(py, class, &url, answer.status, &answer.headers, &raw)
        });
        Ok(Some(Stands { delay_us, error: None, response: response.transpose()?, is_async }))
    }

    /// How long the client waits for an answer, as far as the request or the client's HTTP session says.
    fn read_timeout_us(&self, request: &Bound<'_, PyAny>) -> Option<u64> {
        let own = request.getattr("context").and_then(|context| context.get_item("read_timeout"));
        let timeout = own.or_else(|_| self.endpoint.bind(request.py()).getattr("http_session")?.getattr("_timeout")).ok()?;
        // As urllib3 says it, aiohttp, httpx; in older sessions a pair.
        let named = ["read_timeout", "sock_read", "read"].iter().find_map(|name| timeout.getattr(*name).ok());
        let read = named.or_else(|| timeout.get_item(1).ok()).unwrap_or(timeout);
        let seconds = read.extract::<f64>().ok().filter(|seconds| *seconds > 0.0)?;
        Some(std::time::Duration::try_from_secs_f64(seconds).ok()?.as_micros().try_into().unwrap_or(u64::MAX))
    }
}

fn header(headers: &Bound<'_, PyAny>, name: &str) -> Option<String> {
    let value = headers.call_method1(intern!(headers.py(), "get"), (name,)).ok()?;
    value.extract::<String>().ok().or_else(|| String::from_utf8(value.extract::<Vec<u8>>().ok()?).ok())
}

/// What botocore raises where nothing came in time, as from its HTTP client.
fn timed_out<'py>(py: Python<'py>, url: &str) -> PyResult<Bound<'py, PyAny>> {
    let class = PyModule::import(py, "botocore.exceptions")?.getattr("ReadTimeoutError")?.cast_into::<PyType>()?;
    let fields = PyDict::new(py);
    fields.set_item("endpoint_url", url)?;
    fields.set_item("error", "Read timed out.")?;
    class.call((), Some(&fields))
}

fn response<'py>(
    py: Python<'py>,
    (module, class): (&str, &str),
    url: &str,
    status: u16,
    headers: &[(&'static str, String)],
    raw: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    for (name, value) in headers {
        fields.set_item(name, value)?;
    }
    PyModule::import(py, module)?.getattr(class)?.call1((url, status, fields, raw))
}

/// The body as botocore's response reads it.
#[pyclass(frozen)]
struct Raw {
    body: Py<PyBytes>,
}

#[pymethods]
impl Raw {
    #[pyo3(signature = (*_args, **_kwargs))]
    fn stream<'py>(
        &self,
        py: Python<'py>,
        _args: &Bound<'py, PyTuple>,
        _kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, [self.body.bind(py)])
    }
}
