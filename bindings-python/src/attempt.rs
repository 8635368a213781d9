//! One attempt of a call to AWS, which asks the engine before it goes out.
//!
//! The endpoint's method for it, that we stand for, asks the endpoint's event emitter about `before-send`, and takes what a
//! handler answers for AWS's answer. It runs as it is, so that nothing of ours stands in the stacks of the function's errors;
//! of an attempt that is hit it runs on a stand-in for its endpoint, which answers `before-send`.

use faultlayer_core::boundary::{Calls, Met, Request};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyModule, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit, intern};

use crate::calls::{Owner, is_strict, is_waited_for, owner};
use crate::error::failed;
use crate::sleep::hold_us;

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

fn asynchronous(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    PyModule::from_code(py, ASYNC, c"<faultlayer>", c"faultlayer_async")
}

/// A method of endpoints, of one attempt each time it is called, and the engine in front of it.
#[pyclass(frozen)]
pub struct Between {
    own: Py<PyAny>,
    is_async: bool,
}

#[pymethods]
impl Between {
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        endpoint: Option<&Bound<'py, PyAny>>,
        class: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static METHOD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = slf.py();
        match endpoint {
            None => Ok(slf.clone().into_any()),
            Some(endpoint) if is_waited_for() => METHOD.import(py, "types", "MethodType")?.call1((slf, endpoint)),
            Some(_) => slf.get().own.bind(py).call_method1(intern!(py, "__get__"), (endpoint, class)),
        }
    }

    /// Of an endpoint, with a request, the operation's model, and what else there is.
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(&self, args: &Bound<'py, PyTuple>, kwargs: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        let py = args.py();
        let own = self.own.bind(py);
        let Some(hit) = self.ask(args)? else { return own.call(args, kwargs) };
        let rest = args.iter().skip(1);
        let args: Vec<_> = std::iter::once(Bound::new(py, hit)?.into_any()).chain(rest).collect();
        own.call(PyTuple::new(py, args)?, kwargs)
    }

    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.own.bind(name.py()).getattr(name)
    }
}

impl Between {
    pub const fn new(own: Py<PyAny>, is_async: bool) -> Self {
        Self { own, is_async }
    }

    fn ask(&self, args: &Bound<'_, PyTuple>) -> PyResult<Option<Hit>> {
        let py = args.py();
        match owner(py)? {
            Owner::Nobody => Ok(None),
            Owner::Of(calls) => match self.met(&calls, args) {
                Err(error) if !is_strict(py) => {
                    calls.report(&format!("a call to AWS could not be looked at: {error}"));
                    Ok(None)
                }
                met => met,
            },
            Owner::Unknown(all) => {
                let headers = args.get_item(1).and_then(|request| Headers::of(&request)).ok();
                let may_hit = |calls: &&Calls| !headers.as_ref().is_some_and(|headers| headers.are_nobodys(calls, None));
                // One of those that may be about it says so.
                if let Some(calls) = all.iter().find(may_hit) {
                    calls.unattributed();
                }
                Ok(None)
            }
        }
    }

    /// What the engine answers for this attempt, by the classes of the client that makes it.
    fn met<'py>(&self, calls: &Calls, args: &Bound<'py, PyTuple>) -> PyResult<Option<Hit>> {
        let py = args.py();
        let (endpoint, request) = (args.get_item(0)?, args.get_item(1)?);
        let fact =
            |of: &Bound<'py, PyAny>, name: &Bound<'py, PyString>| Ok::<_, PyErr>(of.getattr(name)?.cast_into::<PyString>()?);
        let headers = Headers::of(&request)?;
        let operation = fact(&args.get_item(2)?, intern!(py, "name"))?;
        if headers.are_nobodys(calls, Some(operation.to_str()?)) {
            return Ok(None);
        }
        let told = headers.told();
        let [authorization, target, content_type, retry] = told.each_ref().map(|value| text(value.as_ref()?));
        let (method, url) = (fact(&request, intern!(py, "method"))?, fact(&request, intern!(py, "url"))?);
        let url = url.to_str()?;
        let asked = Request {
            method: method.to_str()?,
            url,
            authorization,
            target,
            content_type,
            retry,
            // Its only use would be the operation's name.
            body: &[],
            operation: Some(operation.to_str()?),
        };
        let Met { delay_us, answer } = calls.met(&asked, None).map_err(failed)?;
        if delay_us == 0 && answer.is_none() {
            return Ok(None);
        }
        let is_async = self.is_async;
        // A server that takes longer is not waited for.
        if let Some(limit) = read_timeout_us(&endpoint, &request).filter(|limit| *limit <= delay_us) {
            let error = timed_out(py, url)?.unbind();
            return Ok(Some(Hit { endpoint: endpoint.unbind(), delay_us: limit, error: Some(error), response: None, is_async }));
        }
        let response = answer.map(|answer| {
            let body = PyBytes::new(py, &answer.body);
            let (class, raw) = if is_async {
                (("aiobotocore.awsrequest", "AioAWSResponse"), asynchronous(py)?.getattr("Raw")?.call1((body,))?)
            } else {
                (("botocore.awsrequest", "AWSResponse"), Bound::new(py, Raw { body: body.unbind() })?.into_any())
            };
            response(py, class, url, answer.status, &answer.headers, &raw).map(Bound::unbind)
        });
        Ok(Some(Hit { endpoint: endpoint.unbind(), delay_us, error: None, response: response.transpose()?, is_async }))
    }
}

/// Stands for an endpoint in an attempt that is hit, and for its emitter, which answers `before-send`.
#[pyclass(frozen)]
struct Hit {
    endpoint: Py<PyAny>,
    delay_us: u64,
    /// Raised then.
    error: Option<Py<PyAny>>,
    /// Or answered.
    response: Option<Py<PyAny>>,
    is_async: bool,
}

#[pymethods]
impl Hit {
    #[getter(_event_emitter)]
    fn emitter<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (event_name, **kwargs))]
    fn emit<'py>(&self, event_name: &Bound<'py, PyString>, kwargs: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        let py = event_name.py();
        let own = self.endpoint.bind(py).getattr("_event_emitter")?.getattr("emit")?;
        if !event_name.to_str()?.starts_with("before-send.") {
            return own.call((event_name,), kwargs);
        }
        let (error, response) = (self.error.as_ref(), self.response.as_ref());
        if self.is_async {
            let go = PyModule::import(py, "functools")?.getattr("partial")?.call((own, event_name), kwargs)?;
            #[expect(clippy::cast_precision_loss, reason = "delays are far below 2^53 microseconds")]
            let delay_s = self.delay_us as f64 / 1e6;
            return asynchronous(py)?.getattr("emit")?.call1((delay_s, error, response, go));
        }
        hold_us(py, self.delay_us)?;
        match (error, response) {
            (Some(error), _) => Err(PyErr::from_value(error.bind(py).clone())),
            (None, Some(response)) => Ok(PyList::new(py, [(py.None(), response)])?.into_any()),
            (None, None) => own.call((event_name,), kwargs),
        }
    }

    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.endpoint.bind(name.py()).getattr(name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.endpoint)?;
        visit.call(&self.error)?;
        visit.call(&self.response)
    }
}

/// How long a client waits for an answer, as far as the request or the client's HTTP session says.
fn read_timeout_us(endpoint: &Bound<'_, PyAny>, request: &Bound<'_, PyAny>) -> Option<u64> {
    let own = request.getattr("context").and_then(|context| context.get_item("read_timeout"));
    let timeout = own.or_else(|_| endpoint.getattr("http_session")?.getattr("_timeout")).ok()?;
    // As urllib3 says it, aiohttp, httpx; in older sessions a pair.
    let named = ["read_timeout", "sock_read", "read"].iter().find_map(|name| timeout.getattr(*name).ok());
    let read = named.or_else(|| timeout.get_item(1).ok()).unwrap_or(timeout);
    let seconds = read.extract::<f64>().ok().filter(|seconds| *seconds > 0.0)?;
    Some(std::time::Duration::try_from_secs_f64(seconds).ok()?.as_micros().try_into().unwrap_or(u64::MAX))
}

/// A request's headers, and what botocore holds them in, whose keys know their names in lower case: asked for one by name, it
/// compares keys in Python, which takes longer than all that is done here.
struct Headers<'py> {
    headers: Bound<'py, PyAny>,
    held: Option<Bound<'py, PyDict>>,
}

type Told<'py> = [Option<Bound<'py, PyAny>>; 4];

impl<'py> Headers<'py> {
    /// Those that tell of a call.
    const NAMES: [&'static str; 4] = ["authorization", "x-amz-target", "content-type", "amz-sdk-request"];

    fn of(request: &Bound<'py, PyAny>) -> PyResult<Self> {
        let headers = request.getattr(intern!(request.py(), "headers"))?;
        let held = headers.getattr(intern!(request.py(), "_dict")).ok().and_then(|held| held.cast_into().ok());
        Ok(Self { headers, held })
    }

    /// Whether a signature tells that no fault of these is about the call.
    fn are_nobodys(&self, calls: &Calls, operation: Option<&str>) -> bool {
        let Some(held) = &self.held else { return false };
        // By values: to look at each name takes longer.
        let signed = held.iter().find(|(_, value)| text(value).is_some_and(|text| text.starts_with("AWS4-")));
        signed.is_some_and(|(key, value)| {
            name(&key).is_ok_and(|name| name == Self::NAMES[0])
                && text(&value).is_some_and(|signed| calls.is_nobodys(signed, operation))
        })
    }

    fn told(&self) -> Told<'py> {
        let held = self.held.as_ref().and_then(|held| Self::told_of(held).ok());
        held.unwrap_or_else(|| Self::NAMES.map(|name| self.headers.call_method1("get", (name,)).ok()))
    }

    fn told_of(held: &Bound<'py, PyDict>) -> PyResult<Told<'py>> {
        let mut told = [const { None }; 4];
        for (key, value) in held {
            let key = name(&key)?;
            let key = key.to_str()?;
            if let Some((_, place)) = Self::NAMES.iter().zip(&mut told).find(|(name, _)| **name == key) {
                *place = Some(value);
            }
        }
        Ok(told)
    }
}

fn name<'py>(key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    Ok(key.getattr(intern!(key.py(), "_lower"))?.cast_into()?)
}

/// A header's value; botocore has bytes.
fn text<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    match value.cast::<PyBytes>() {
        Ok(bytes) => std::str::from_utf8(bytes.as_bytes()).ok(),
        Err(_) => value.cast::<PyString>().ok()?.to_str().ok(),
    }
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
