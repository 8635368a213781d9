//! The library's engines: one for each scope. Record lines wait here until JavaScript fetches them, so that nothing calls
//! back into it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faultlayer_core::boundary::{Host, Identity, Language, Library, Sink};
use napi::Result;
use napi_derive::napi;

use crate::error::{failed, refused, unknown_host};
use crate::host::{Asked, Slot, enter, with};

/// Record lines that JavaScript has not fetched yet.
pub type Lines = Arc<Mutex<Vec<String>>>;

/// Who the function is, for patterns on the context.
#[napi(object)]
pub struct IdentityFields {
    /// As in `checkout`.
    pub function_name: Option<String>,
    /// As in `$LATEST`.
    pub function_version: Option<String>,
    /// In MB.
    pub memory_mb: Option<u32>,
    /// As in `nodejs22.x`.
    pub runtime: Option<String>,
}

/// A library's host. Its record lines wait for [`drain`].
///
/// # Errors
/// The problems of the plan, as JSON.
#[napi]
pub fn library(plan: String, identity: Option<IdentityFields>) -> Result<u32> {
    let lines = Lines::default();
    let sink = {
        let lines = Arc::clone(&lines);
        Sink::callback(move |line| lock(&lines).push(line.to_owned()))
    };
    let identity = identity.map_or_else(Identity::default, |fields| Identity {
        function_name: fields.function_name,
        function_version: fields.function_version,
        memory_mb: fields.memory_mb,
        runtime: fields.runtime,
    });
    let library = Library::open(&plan, Language::Node, identity, sink).map_err(|error| refused(&error))?;
    enter(Slot::new(Asked::Library(Arc::new(library)), Some(lines)))
}

/// Puts another plan in force under running invocations.
///
/// # Errors
/// The problems of the plan, as JSON; the old one stays in force.
#[napi]
pub fn replace(number: u32, plan: String) -> Result<()> {
    let Some(Asked::Library(library)) = with(number, |slot| slot.asked.clone()) else { return Err(unknown_host()) };
    library.replace(&plan).map_err(|error| refused(&error))?;
    with(number, |slot| slot.look_at_plan());
    Ok(())
}

/// The lines of records since the last call, if there are any.
#[napi]
pub fn drain(host: u32) -> Option<Vec<String>> {
    with(host, |slot| {
        let lines = std::mem::take(&mut *lock(slot.lines.as_ref()?));
        (!lines.is_empty()).then_some(lines)
    })
    .flatten()
}

/// The faults of the plan in force that never had a chance to fire, as JSON: `[{"fault", "reason"}]`.
///
/// # Errors
/// The engine failed.
#[napi]
pub fn no_chance(host: u32) -> Result<String> {
    let Some(Asked::Library(library)) = with(host, |slot| slot.asked.clone()) else { return Err(unknown_host()) };
    let missed = library.ask(Host::no_chance).map_err(failed)?;
    Ok(serde_json::to_string(&missed).unwrap_or_default())
}

fn lock(lines: &Lines) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
