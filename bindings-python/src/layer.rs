//! The layer's wrapper: what the runtime client gets in the place of a handler for which something can fire.
//!
//! It is native, so that no frame of ours stands in stacks of the user's errors. Owns the reading of an invocation's
//! arguments; does not own resolving (`resolve.rs`), what outcomes are (`act.rs`), nor failing open (core).

use std::cell::OnceCell;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use faultlayer_core::boundary::{Call, EventInput, Host, Language, Layer, Session};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::act::Acting;
use crate::botocore;
use crate::context::{Seen, deadline_ms};
use crate::drive::Actor;
use crate::event::decide;
use crate::quick;

/// A handler with a plan around it.
#[pyclass(frozen, module = "faultlayer_layer")]
pub struct LayerHandler {
    layer: Layer,
    pub(crate) original: Py<PyAny>,
    acting: &'static Acting,
    /// Whether an id alone can tell of any invocation.
    id_tells: bool,
}

impl LayerHandler {
    /// What the client gets: the handler itself where nothing can ever fire, else a callable around it. `begun` is a layer that
    /// was begun before the handler was there.
    ///
    /// # Errors
    /// Python ran out of memory.
    pub fn around<'py>(handler: &Bound<'py, PyAny>, begun: Option<Layer>) -> PyResult<Bound<'py, PyAny>> {
        let Some(layer) = begun.or_else(|| Layer::open(Language::Python)) else { return Ok(handler.clone()) };
        let py = handler.py();
        let acting = match Acting::layer(py) {
            Ok(acting) => acting,
            Err(error) => {
                layer.report(&format!("faults cannot be carried out, nothing is injected: {error}"));
                return Ok(handler.clone());
            }
        };
        if layer.ask(Host::hits_aws_calls)
            && let Err(error) = botocore::install(py)
        {
            layer.report(&format!("calls to AWS cannot be looked at: {error}"));
        }
        py.detach(|| layer.settle());
        let (is_live, id_tells) = (layer.ask(Host::is_live), layer.ask(Host::id_tells));
        let layered = Bound::new(py, Self { layer, original: handler.clone().unbind(), acting, id_tells })?;
        if is_live {
            refresh_after_restore(&layered);
        }
        quick::function(&layered)
    }

    pub(crate) const fn id_tells(&self) -> bool {
        self.id_tells
    }

    /// Whether nothing is drawn for an invocation, as its id alone can tell.
    pub(crate) fn is_quiet(&self, request_id: &str) -> bool {
        self.layer.ask(|host| host.is_quiet(request_id))
    }

    /// What is drawn for an invocation.
    pub(crate) fn decide(&self, event: &Bound<'_, PyAny>, context: &Bound<'_, PyAny>) -> Option<Session> {
        self.layer.ask(|host| {
            let asked = host.asked();
            let reads = asked.reads();
            let seen = Seen::of(context, reads);
            let call = Call {
                request_id: seen.request_id().unwrap_or_default(),
                deadline_ms: if reads.deadline { deadline_ms(context) } else { None },
                function_arn: seen.function_arn(),
                client_context: seen.client_context(),
                event: EventInput::Absent,
                streaming: false,
                now_us: None,
            };
            decide(&asked, call, Some(event))
        })
    }

    /// Calls the handler with the faults that were drawn. Who calls this may be Python itself, into which nothing can unwind:
    /// should it panic, what the handler came to stands, or it is called as if nothing were here.
    ///
    /// # Errors
    /// The handler's own, untouched, or the one that a fault raises.
    pub(crate) fn drive<'py>(
        &self,
        session: Session,
        event: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let original = self.original.bind(event.py());
        let own = OnceCell::new();
        let call = || {
            let ended = original.call1((event, context));
            let kept = ended.as_ref().map(Bound::clone).map_err(|error| error.clone_ref(event.py()));
            let _only = own.set(kept).is_ok();
            ended
        };
        let trouble = |error: PyErr| {
            self.layer.report(&format!("a fault could not be carried out: {error}"));
            Ok(())
        };
        // Nothing asks for it before: what is not drawn does not pay for it.
        let deadline_ms = || deadline_ms(context);
        let actor = Actor { acting: self.acting, target: original, deadline_ms: &deadline_ms, trouble: &trouble };
        catch_unwind(AssertUnwindSafe(|| actor.drive(session, call))).unwrap_or_else(|_| {
            self.layer.report("a fault could not be carried out: it panicked");
            own.into_inner().unwrap_or_else(|| original.call1((event, context)))
        })
    }
}

/// Has the plan read anew once a snapshot was restored, by the hook that Lambda's own Python brings. Without it, the first
/// invocation has that done, as after any other freeze.
fn refresh_after_restore(layered: &Bound<'_, LayerHandler>) {
    if env::var("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref() == Ok("snap-start") {
        let hooks = PyModule::import(layered.py(), "snapshot_restore_py");
        let _ = hooks.and_then(|hooks| hooks.call_method1("register_after_restore", (layered.getattr("refresh")?,)));
    }
}

#[pymethods]
impl LayerHandler {
    /// Reads the plan anew, and waits a little for it.
    fn refresh(&self, py: Python<'_>) {
        py.detach(|| self.layer.refresh());
    }
}
