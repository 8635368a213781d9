//! Whether a fault's `match` holds for an invocation: patterns on the event, patterns on the context.
//!
//! The context that patterns see is an object made of what is known of the invocation. Event and context are read at most
//! once an invocation, for all faults that would hit at once, and only if one of them has to know.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::ops::ControlFlow;

use serde_json::{Map, Value};
use smallvec::{SmallVec, smallvec};

use super::engine::Invocation;
use crate::matching::{Budget, Key, Kind, Node, PatternId, Patterns, Source, Walk};
use crate::plan::Plan;

/// The event, in whichever form the language has it.
#[derive(Clone, Copy, Default)]
pub enum Event<'a> {
    /// Not known; no event pattern matches.
    #[default]
    Absent,
    /// As it came, JSON.
    Json(&'a [u8]),
    /// In the language's own form.
    Source(&'a dyn Source),
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
    /// Counts the invocations of the execution environment, from 1; 0 where the plan's patterns do not ask for it.
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
    pub event: Option<PatternId>,
    /// On the context.
    pub context: Option<PatternId>,
}

impl Match {
    /// Whether there is anything to ask.
    pub(super) const fn asks(&self) -> bool {
        self.event.is_some() || self.context.is_some()
    }
}

/// Of each of the faults, by their place in the plan, whether its `match` holds; `None` where the budget was spent before
/// that was known. Context and event are looked at only if one of these faults has to know.
pub(super) fn held(
    plan: &Plan,
    invocation: &Invocation<'_>,
    faults: impl ExactSizeIterator<Item = usize> + Clone,
    budget: &mut Budget,
) -> Held {
    let patterns = |of: fn(&Match) -> Option<PatternId>| {
        faults.clone().map(move |fault| plan.faults.get(fault).and_then(|fault| of(&fault.matches)))
    };
    let mut held = smallvec![Some(true); faults.len()];
    let seen = Seen { context: &invocation.facts.context, cold_start: invocation.cold_start, client_context: OnceCell::new() };
    narrow(&mut held, &plan.context_patterns, patterns(|matches| matches.context), &seen, budget);
    narrow(&mut held, &plan.event_patterns, patterns(|matches| matches.event), &invocation.facts.event, budget);
    held
}

/// By fault; most invocations are hit by few, of which these need no room of their own.
pub(super) type Held = SmallVec<[Option<bool>; 8]>;

/// Asks those that are still held for one more pattern each, where they have one.
fn narrow(
    held: &mut [Option<bool>],
    patterns: &Patterns,
    asked: impl Iterator<Item = Option<PatternId>> + Clone,
    subject: &dyn Source,
    budget: &mut Budget,
) {
    if patterns.is_empty() {
        return;
    }
    let wanted = held.iter().zip(asked.clone()).filter_map(|(held, pattern)| pattern.filter(|_| *held != Some(false)));
    let matches = patterns.hold(wanted, subject, budget);
    for (held, pattern) in held.iter_mut().zip(asked) {
        *held = match (*held, pattern.map(|pattern| matches.of(pattern))) {
            (Some(false), _) | (_, Some(Some(false))) => Some(false),
            (before, None | Some(Some(true))) => before,
            (_, Some(None)) => None,
        };
    }
}

impl Source for Event<'_> {
    fn read(&self, walk: &mut Walk<'_>) {
        match self {
            Self::Absent => {}
            Self::Json(text) => walk.json(text),
            Self::Source(source) => source.read(walk),
        }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Absent => "Absent",
            Self::Json(_) => "Json",
            Self::Source(_) => "Source",
        })
    }
}

/// The context as patterns see it.
struct Seen<'a> {
    context: &'a Context<'a>,
    cold_start: bool,
    /// Read at most once, and only if a pattern names it.
    client_context: OnceCell<Option<Value>>,
}

impl Source for Seen<'_> {
    fn read(&self, walk: &mut Walk<'_>) {
        walk.node(&Known::Context(self));
    }
}

/// A part of the context.
enum Known<'a> {
    Context(&'a Seen<'a>),
    Text(&'a str),
    Number(f64),
    Bool(bool),
    /// The client context or a part of it.
    Json(&'a Value),
}

impl Node for Known<'_> {
    fn kind(&self) -> Kind {
        match self {
            Self::Context(_) => Kind::Object,
            Self::Text(_) => Kind::Text,
            Self::Number(number) => Kind::Number(*number),
            Self::Bool(value) => Kind::Bool(*value),
            Self::Json(value) => value.kind(),
        }
    }

    fn text(&self, _enough: usize) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Json(value) => value.as_str().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn get(&self, key: Key<'_>) -> Option<Self> {
        let (seen, context) = match self {
            Self::Context(seen) => (*seen, seen.context),
            Self::Json(value) => return Node::get(value, key).map(Self::Json),
            _ => return None,
        };
        match key.text {
            "function_name" => context.function_name.map(Known::Text),
            "function_version" => context.function_version.map(Known::Text),
            "alias" => context.alias.map(Known::Text),
            "memory_mb" => context.memory_mb.map(|size| Known::Number(size.into())),
            "runtime" => context.runtime.map(Known::Text),
            "cold_start" => Some(Known::Bool(seen.cold_start)),
            INVOCATION => Some(Known::Number(context.invocation as f64)),
            CLIENT_CONTEXT => {
                let parsed = seen.client_context.get_or_init(|| context.client_context.and_then(client_context));
                parsed.as_ref().map(Known::Json)
            }
            _ => None,
        }
    }

    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {
        if let Self::Json(value) = self {
            value.each(&mut |element| visit(Self::Json(element)));
        }
    }
}

pub(super) const CLIENT_CONTEXT: &str = "client_context";
pub(super) const INVOCATION: &str = "invocation";

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
