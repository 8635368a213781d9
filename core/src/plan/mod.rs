//! The plan: which faults may happen, how often, to which invocations, until when.
//!
//! Two stages: *what they wrote* (JSON, walked along the tables of fields in this module and in [`crate::faults`]) and
//! *what it means* ([`Plan`], with every default filled in). All problems are reported at once.

mod field;
mod json;
mod locate;
mod near;
mod problem;
mod rate;
mod read;
mod reference;
mod resolved;
mod schema;
mod table;
mod validate;

pub use field::{Field, Presence, Shape};
pub(crate) use json::join;
pub use locate::{locate, locate_all};
pub use problem::{MAX_SHOWN, PlanError, Problem, ProblemCode};
pub use rate::{Rate, Step};
pub(crate) use read::{millis_to_micros, pattern, typed};
pub use reference::options;
pub use resolved::{Expiry, Fault, Limits, Plan, SampleBy, When};
pub use schema::schema;
pub use table::table;
pub(crate) use validate::percentiles;

/// The version of the plan's format that this engine reads.
pub const PLAN_VERSION: i64 = 1;

/// The most faults of one plan.
pub const MAX_FAULTS: usize = 100;

/// The greatest whole number that every language's JSON reads exactly: 2^53 − 1.
pub const MAX_EXACT: i64 = 9_007_199_254_740_991;

/// The plan as a whole.
pub static PLAN: Shape = Shape::Fields(PLAN_FIELDS);

/// The fields of a plan.
pub static PLAN_FIELDS: &[Field] = &[
    Field::required("version", Shape::Integer { min: PLAN_VERSION, max: PLAN_VERSION }, "The version of this format."),
    Field::optional("experiment", Shape::Name { max: 256 }, "The experiment's name; stands in every record."),
    Field::with_default(
        "seed",
        Shape::Integer { min: 0, max: MAX_EXACT },
        "0",
        "Chooses which request ids are hit; the same seed hits the same ids.",
    ),
    Field::optional(
        "starts_at",
        Shape::Time { or_never: false },
        "Nothing fires before; attaching and the lab set it where it is absent.",
    ),
    Field::optional(
        "expires_at",
        Shape::Time { or_never: true },
        "Nothing fires from then on. Layer and library refuse a plan without it; attaching and the lab set it where it is absent.",
    ),
    Field::with_default("dry_run", Shape::Boolean, "false", "Decide and log, but change nothing."),
    Field::optional(
        "metrics",
        Shape::Fields(METRIC_FIELDS),
        "Injections count as CloudWatch metrics, by their records alone: no permission and no agent.",
    ),
    Field::with_default(
        "traces",
        Shape::Boolean,
        "false",
        "Each injection is a subsegment of the invocation's trace in AWS X-Ray, where that is sampled.",
    ),
    Field::with_default(
        "limits",
        Shape::Fields(LIMIT_FIELDS),
        "{\"deadline_margin_ms\":0}",
        "What holds for all faults together.",
    ),
    Field::required("faults", Shape::Faults, "The faults, in the order in which they are considered."),
];

/// The fields of `metrics`.
pub static METRIC_FIELDS: &[Field] = &[Field::required(
    "namespace",
    Shape::Name { max: 255 },
    "The metrics' namespace: letters, digits and `.-_/#:`, not beginning with `AWS/`.",
)];

/// The fields of `limits`.
pub static LIMIT_FIELDS: &[Field] = &[
    Field::optional(
        "injections",
        Shape::Integer { min: 0, max: MAX_EXACT },
        "At most so many injections of all faults together, per execution environment.",
    ),
    Field::with_default(
        "deadline_margin_ms",
        Shape::number(0.0, crate::delay::MAX_DELAY_MS),
        "0",
        "A delay is cut so that this much time remains before the function's timeout.",
    ),
];

/// The fields that every fault has.
pub static FAULT_FIELDS: &[Field] = &[
    Field::required(
        "id",
        Shape::Name { max: 128 },
        "The fault's own name within the plan; stands in its records and chooses its samples.",
    ),
    Field::required("kind", Shape::Text, "What the fault does."),
    Field::required(
        "rate",
        Shape::Either(&Shape::Fraction, &Shape::Fields(RATE_FIELDS)),
        "The share of invocations it hits: 0 never, 0.25 a quarter, 1 always; or steps over time.",
    ),
    Field::optional("match", Shape::Fields(MATCH_FIELDS), "Only invocations that match are hit."),
    Field::optional(
        "limit",
        Shape::Integer { min: 0, max: MAX_EXACT },
        "At most so many injections of this fault, per execution environment.",
    ),
    Field::with_default(
        "sample_by",
        Shape::Choice(&["request", "attempt"]),
        "\"request\"",
        "By request, all retries of one asynchronous call meet the same fate; by attempt, each its own.",
    ),
];

/// The fields of a `rate` that changes over time.
pub static RATE_FIELDS: &[Field] = &[Field::required(
    "steps",
    Shape::List { item: &Shape::Fields(STEP_FIELDS), min: 1, max: 100 },
    "Each step holds from its second after `starts_at` to the next; before the first, nothing fires.",
)];

/// The fields of one step of a rate.
pub static STEP_FIELDS: &[Field] = &[
    Field::required("at_s", Shape::number(0.0, 31_536_000.0), "Seconds after `starts_at`."),
    Field::required("rate", Shape::Fraction, "The rate from then on."),
];

/// The fields of `match`.
pub static MATCH_FIELDS: &[Field] = &[
    Field::optional("event", Shape::Pattern, "An Amazon EventBridge pattern that the event must match."),
    Field::optional("context", Shape::Pattern, "An Amazon EventBridge pattern that the invocation's context must match."),
];

/// The fields of the faults that can stand before, during or after the handler.
pub static WHEN_FIELDS: &[Field] = &[
    Field::with_default(
        "when",
        Shape::Choice(&["before", "during", "after"]),
        "\"before\"",
        "Before the handler, during its streamed response, or after it.",
    ),
    Field::optional(
        "after_bytes",
        Shape::Integer { min: 0, max: MAX_EXACT },
        "With `during`: once so many bytes of the response are out.",
    ),
    Field::optional(
        "after_ms",
        Shape::number(0.0, crate::delay::MAX_DELAY_MS),
        "With `during`: so long after the response began.",
    ),
];
