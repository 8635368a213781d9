//! `latency`: the invocation is held, then goes on as if nothing had happened.

use serde_json::Value;

use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Reason, details, millis};
use crate::delay::{Delay, MAX_DELAY_MS};
use crate::plan::{Field, Problem, Shape, When, percentiles};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "latency",
    doc: "Holds the invocation, then goes on.",
    fields: FIELDS,
    takes_when: true,
    role: Role::Delay,
    stands: When::Before,
    by_place: &["delay_ms"],
    instead: &[],
    between: &[],
    read,
};

const MILLIS: Shape = Shape::number(0.0, MAX_DELAY_MS);

/// A number of milliseconds, or a distribution of them.
pub(super) const DELAY: Shape = Shape::Either(&MILLIS, &DISTRIBUTED);

/// One place in memory, by which the table of fields knows it again.
static DISTRIBUTED: Shape = Shape::OneOf(DISTRIBUTIONS);

static FIELDS: &[Field] = &[Field::required("delay_ms", DELAY, "How long: a number of milliseconds, or a distribution of them.")];

static DISTRIBUTIONS: &[Field] = &[
    Field::optional("uniform", Shape::Fields(UNIFORM), "Evenly between two bounds."),
    Field::optional("normal", Shape::Fields(NORMAL), "Gaussian, clamped to 0 and `max`."),
    Field::optional("pareto", Shape::Fields(PARETO), "Heavy tailed: `scale·(1−u)^(−1/shape)`, cut at `max`."),
    Field::optional(
        "percentiles",
        Shape::Percentiles,
        "Linear between the given points, from an implicit \"0\": 0 to the required \"100\".",
    ),
];

static UNIFORM: &[Field] = &[
    Field::required("min", MILLIS, "Lower bound in milliseconds."),
    Field::at_least("min", "max", MILLIS, "Upper bound in milliseconds, at least `min`."),
];

static NORMAL: &[Field] = &[
    Field::required("mean", MILLIS, "Mean in milliseconds."),
    Field::required("std_dev", MILLIS, "Standard deviation in milliseconds."),
    Field::required("max", MILLIS, "Upper bound in milliseconds."),
];

static PARETO: &[Field] = &[
    Field::required("scale", Shape::Number { min: 0.0, max: MAX_DELAY_MS, above: true }, "The smallest delay, in milliseconds."),
    Field::required("shape", Shape::Number { min: 0.0, max: 1000.0, above: true }, "The smaller, the heavier the tail."),
    Field::at_least("scale", "max", MILLIS, "Upper bound in milliseconds, at least `scale`."),
];

/// How long to hold.
#[derive(Debug)]
pub struct Latency {
    /// A function of draw 1.
    pub delay: Delay,
}

impl Kind for Latency {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn details(&self, draws: &Draws) -> Details {
        details([("delay_ms", millis(self.asked_us(draws)))])
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let asked_us = self.asked_us(moment.draws);
        let cut = moment.cut(asked_us);
        let mut said = details([("delay_ms", millis(cut.micros))]);
        if let Some(by) = cut.by {
            if cut.micros == 0 {
                return Err(by);
            }
            said.extend(details([("asked_ms", millis(asked_us)), ("cut_by", by.to_value())]));
        }
        Ok(Act::new(Effect::Hold(cut.micros), said))
    }
}

impl Latency {
    /// What draw 1 gives.
    fn asked_us(&self, draws: &Draws) -> u64 {
        self.delay.at(draws.clone().next_draw())
    }

    /// Of a walked `delay_ms`.
    pub(super) fn read(said: &Value) -> Option<Self> {
        let Some((name, options)) = said.as_object().and_then(|said| said.iter().next()) else {
            return Some(Self { delay: Delay::Constant(said.as_f64()?) });
        };
        let number = |key: &str| options.get(key).and_then(Value::as_f64);
        let delay = match name.as_str() {
            "uniform" => Delay::Uniform { max: number("max")?, min: number("min")? },
            "normal" => Delay::Normal { mean: number("mean")?, std_dev: number("std_dev")?, max: number("max")? },
            "pareto" => Delay::Pareto { max: number("max")?, scale: number("scale")?, shape: number("shape")? },
            "percentiles" => Delay::Percentiles(percentiles(options.as_object()?)?),
            _ => return None,
        };
        Some(Self { delay })
    }
}

fn read(fault: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Read {
    Latency::read(fault.get("delay_ms")?).and_then(boxed)
}
