//! Whether a fault's `match` holds for an invocation: patterns on the event, patterns on the context.
//!
//! The context that patterns see is a small object made here of what is known of the invocation. Event and context are
//! projected at most once an invocation, and only if some fault that would hit has to know.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::engine::Invocation;
use crate::matching::{Paths, Pattern, Projection};
use crate::plan::{Fault, Plan};

/// The event, in whichever form the language has it.
#[derive(Clone, Copy, Debug, Default)]
pub enum Event<'a> {
    /// Not known; no event pattern matches.
    #[default]
    Absent,
    /// As it came, JSON.
    Json(&'a [u8]),
    /// Read from the language's own objects along the plan's paths. One that was read for another plan, which happens to
    /// the invocations under way when a plan is replaced, matches no event pattern.
    Projection(&'a Projection),
}

/// What patterns can ask for beyond the invocation's identity.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The event.
    pub event: Event<'a>,
    /// The context.
    pub context: Context<'a>,
}

/// The context of an invocation; its cold start is told with the invocation itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The function's name.
    pub function_name: Option<&'a str>,
    /// The version that runs.
    pub function_version: Option<&'a str>,
    /// The alias by which it was invoked; `None` for none and for a version.
    pub alias: Option<&'a str>,
    /// The function's memory in MB.
    pub memory_mb: Option<u32>,
    /// As in `python3.12`.
    pub runtime: Option<&'a str>,
    /// Counts the invocations of the execution environment, from 1.
    pub invocation: u64,
    /// The client context as JSON text: an object with `custom`, `env`, `client`.
    pub client_context: Option<&'a str>,
}

/// The alias in the ARN by which a function was invoked.
#[must_use]
pub fn alias(function_arn: &str) -> Option<&str> {
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER; counted by bytes, since every invocation comes by here and
    // each step of a `split` costs as much as this loop.
    let mut colons = 0_u8;
    let before = function_arn.bytes().position(|byte| {
        colons += u8::from(byte == b':');
        colons == 7
    })?;
    let qualifier = function_arn.get(before + 1..)?;
    let is_version = qualifier == "$LATEST" || qualifier.bytes().all(|byte| byte.is_ascii_digit());
    (!is_version).then_some(qualifier)
}

/// The patterns of a fault; what is absent holds.
#[derive(Debug, Default)]
pub struct Match {
    /// On the event.
    pub event: Option<Pattern>,
    /// On the context.
    pub context: Option<Pattern>,
}

/// An invocation as patterns see it.
pub(super) struct Subject<'a> {
    plan: &'a Plan,
    invocation: &'a Invocation<'a>,
    event: OnceCell<Option<Cow<'a, Projection>>>,
    context: OnceCell<Projection>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(plan: &'a Plan, invocation: &'a Invocation<'a>) -> Self {
        Self { plan, invocation, event: OnceCell::new(), context: OnceCell::new() }
    }

    pub(super) fn matches(&self, fault: &Fault) -> bool {
        let context = fault.matches.context.as_ref();
        let event = fault.matches.event.as_ref();
        context.is_none_or(|pattern| pattern.matches(self.context()))
            && event.is_none_or(|pattern| self.event().is_some_and(|event| pattern.matches(event)))
    }

    fn event(&self) -> Option<&Projection> {
        let paths = &self.plan.event_paths;
        let event = self.event.get_or_init(|| match self.invocation.facts.event {
            Event::Absent => None,
            Event::Json(text) => Some(Cow::Owned(Projection::from_json(paths, text))),
            Event::Projection(projection) => Arc::ptr_eq(projection.paths(), paths).then_some(Cow::Borrowed(projection)),
        });
        event.as_deref()
    }

    fn context(&self) -> &Projection {
        let paths = &self.plan.context_paths;
        self.context.get_or_init(|| {
            Projection::from_node(paths, &&self.invocation.facts.context.to_value(self.invocation.cold_start, paths))
        })
    }
}

impl Context<'_> {
    fn to_value(self, cold_start: bool, paths: &Paths) -> Value {
        let text = |value: Option<&str>| value.map(Value::from);
        let fields = [
            ("function_name", text(self.function_name)),
            ("function_version", text(self.function_version)),
            ("alias", text(self.alias)),
            ("memory_mb", self.memory_mb.map(Value::from)),
            ("runtime", text(self.runtime)),
            ("cold_start", Some(cold_start.into())),
            ("invocation", Some(self.invocation.into())),
            ("client_context", if reads_client_context(paths) { self.client_context.and_then(client_context) } else { None }),
        ];
        Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>())
    }
}

/// Whether context patterns name the client context.
pub(crate) fn reads_client_context(paths: &Paths) -> bool {
    paths.iter().any(|path| path == "client_context" || path.starts_with("client_context."))
}

fn client_context(text: &str) -> Option<Value> {
    let Ok(Value::Object(mut written)) = serde_json::from_str(text) else { return None };
    let parts = ["custom", "env", "client"].into_iter();
    Some(Value::Object(parts.filter_map(|part| Some((part.to_owned(), written.remove(part)?))).collect::<Map<_, _>>()))
}

#[cfg(test)]
mod tests {
    use super::alias;

    #[test]
    fn an_alias_is_a_qualifier_that_is_no_version() {
        let arn = |qualifier: &str| format!("arn:aws:lambda:eu-west-1:123456789012:function:checkout{qualifier}");
        assert_eq!(alias(&arn(":live")), Some("live"));
        assert_eq!(alias(&arn(":v2")), Some("v2"));
        for none in ["", ":$LATEST", ":7", ":12"] {
            assert_eq!(alias(&arn(none)), None, "{none}");
        }
        assert_eq!(alias("checkout"), None);
    }
}
