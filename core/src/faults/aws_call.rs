//! `aws_call`: calls of the function to AWS are answered with an error of AWS's, or delayed. Which invocations it hits is
//! decided as ever; which of their calls, its target and `calls` say. What calls look like is [`crate::aws`]' business.

use serde_json::Value;

use super::latency::{DELAY, Latency};
use super::target::{Target, calls, named};
use super::{Between, Kind, Read, Role, Spec, Written, boxed};
use crate::aws::{Answer, Request, Seen};
use crate::decision::{Act, Details, Effect, Moment, Reason, details};
use crate::matching::Budget;
use crate::plan::{Field, Problem, Shape, When, typed};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "aws_call",
    doc: "Answers calls to AWS with an error, or delays them.",
    fields: FIELDS,
    takes_when: false,
    role: Role::Calls,
    stands: When::Before,
    by_place: &["target", "error"],
    instead: &[],
    between: &[
        Between::OnlyWith("status", "error"),
        Between::OnlyWith("message", "error"),
        Between::Either { first: "error", second: "delay_ms", first_is: "an error's code" },
    ],
    read,
};

static FIELDS: &[Field] = &[
    Field::required("target", Shape::Pattern, "An Amazon EventBridge pattern that a call must match."),
    Field::optional("error", Shape::Name { max: 256 }, "The code of AWS's error. It or `delay_ms` must stand."),
    Field::optional(
        "status",
        Shape::Integer { min: 400, max: 599 },
        "With `error`: its HTTP status, by default the one that AWS answers it with.",
    ),
    Field::optional("message", Shape::Text, "With `error`: its message, by default \"injected by Faultlayer\"."),
    Field::optional("delay_ms", DELAY, "How long each call is held before it goes on, or before its error: as in `latency`."),
    calls("Which of the matching calls of an invocation are hit, each attempt of the SDK being one."),
];

/// What happens to calls, and to which.
#[derive(Debug)]
pub struct AwsCall {
    target: Target,
    /// Those that its target names, where it names them as they are.
    services: Option<Vec<String>>,
    operations: Option<Vec<String>>,
    error: Option<Failure>,
    latency: Option<Latency>,
}

#[derive(Debug)]
struct Failure {
    code: String,
    status: Option<u16>,
    message: String,
}

impl Kind for AwsCall {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, draws: &Draws) -> Details {
        let mut said = self.failure();
        said.extend(self.latency.as_ref().map(|latency| latency.details(draws)).unwrap_or_default());
        said
    }

    /// On one call.
    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let mut act = Act::new(Effect::Hold(0), self.failure());
        match self.latency.as_ref().map(|latency| latency.act(moment)) {
            Some(Ok(held)) => {
                act.effect = held.effect;
                act.details.extend(held.details);
            }
            Some(Err(reason)) if self.error.is_none() => return Err(reason),
            _ => {}
        }
        Ok(act)
    }

    fn target(&self) -> Option<&Target> {
        Some(&self.target)
    }

    fn aws_call(&self) -> Option<&AwsCall> {
        Some(self)
    }
}

impl AwsCall {
    /// Whether a call is one of its; `None` where the budget was spent before that was known.
    pub(crate) fn is_target(&self, seen: &Seen<'_>, budget: &mut Budget) -> Option<bool> {
        self.target.holds(seen, budget)
    }

    /// Whether it can hit calls to this service, by this operation where that is known already.
    pub(crate) fn can_hit(&self, service: &str, operation: Option<&str>) -> bool {
        let has =
            |named: &Option<Vec<String>>, one: &str| named.as_ref().is_none_or(|named| named.iter().any(|each| each == one));
        has(&self.services, service) && operation.is_none_or(|operation| has(&self.operations, operation))
    }

    /// The only services and operations whose calls it can hit, where the services are known; an operation is `None` where
    /// each is one.
    pub(crate) fn named(&self) -> Option<impl Iterator<Item = (&str, Option<&str>)>> {
        let operations = self.operations.as_ref();
        let named = move |service| {
            let all = operations.is_none().then_some((service, None));
            all.into_iter().chain(operations.into_iter().flatten().map(move |one| (service, Some(one.as_str()))))
        };
        Some(self.services.as_ref()?.iter().map(String::as_str).flat_map(named))
    }

    /// Whether calls are answered, so that they never reach AWS.
    pub(crate) const fn answers(&self) -> bool {
        self.error.is_some()
    }

    /// The answer instead of AWS's.
    pub(crate) fn answer(&self, request: &Request<'_>, seen: &Seen<'_>, id: &str) -> Option<Answer> {
        let error = self.error.as_ref()?;
        Some(Answer::error(request, seen, &error.code, error.status, &error.message, id))
    }

    fn failure(&self) -> Details {
        self.error.as_ref().map_or_else(Details::new, |error| details([("error", error.code.as_str().into())]))
    }
}

fn read(fault: &Value, _: Written, path: &str, problems: &mut Vec<Problem>) -> Read {
    let (error, delay) = (fault.get("error"), fault.get("delay_ms"));
    let target = Target::read(fault, path, problems)?;
    let failure = |code: &str| {
        let message = fault.get("message").and_then(Value::as_str).unwrap_or("injected by Faultlayer");
        Failure { code: code.to_owned(), status: fault.get("status").and_then(typed), message: message.to_owned() }
    };
    boxed(AwsCall {
        target,
        services: named(fault, "service"),
        operations: named(fault, "operation"),
        error: error.and_then(Value::as_str).map(failure),
        latency: match delay {
            Some(delay) => Some(Latency::read(delay)?),
            None => None,
        },
    })
}
