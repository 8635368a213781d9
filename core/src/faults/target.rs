//! Which calls of an invocation a fault hits: those that its target matches, or some of them.

use serde_json::Value;

use crate::matching::{Budget, PatternId, Patterns, Source};
use crate::plan::{Field, MAX_EXACT, Problem, Shape, join, pattern};
use crate::sampling::Draws;

/// The field `calls`, of a fault whose calls are what `doc` says.
pub(super) const fn calls(doc: &'static str) -> Field {
    Field::with_default("calls", Shape::Either(&Shape::Choice(&["all"]), &CHOSEN), "\"all\"", doc)
}

/// One place in memory, by which the table of fields knows it again.
static CHOSEN: Shape = Shape::OneOf(CALLS);

static CALLS: &[Field] = &[
    Field::optional("first", Shape::Integer { min: 1, max: MAX_EXACT }, "So many, from the first on."),
    Field::optional("share", Shape::Fraction, "This share of them, each by a draw of its own."),
];

/// The texts that a fault's target names for one fact as they are; `None` where it says the fact in another way, or not.
pub(super) fn named(fault: &Value, fact: &str) -> Option<Vec<String>> {
    let alternatives = fault.get("target")?.get(fact)?.as_array()?;
    alternatives.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}

/// Of which calls a fault is about, those that it hits.
#[derive(Debug)]
pub struct Target {
    pattern: (Patterns, PatternId),
    calls: Chosen,
}

#[derive(Debug)]
enum Chosen {
    All,
    First(u64),
    Share(f64),
}

impl Target {
    /// Of a walked fault; `None` where a problem was noticed.
    pub(super) fn read(fault: &Value, path: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut patterns = Patterns::default();
        let target = pattern(fault.get("target"), &join(path, "target"), &mut patterns, problems);
        let calls = fault.get("calls")?;
        let calls = match (calls.get("first").and_then(Value::as_u64), calls.get("share").and_then(Value::as_f64)) {
            (Some(most), _) => Chosen::First(most),
            (_, Some(share)) => Chosen::Share(share),
            _ => Chosen::All,
        };
        Some(Self { pattern: (patterns, target?), calls })
    }

    /// Whether a call with these facts is one of its; `None` where the budget was spent before that was known.
    pub(crate) fn holds(&self, facts: &dyn Source, budget: &mut Budget) -> Option<bool> {
        let (patterns, target) = &self.pattern;
        patterns.hold(std::iter::once(*target), facts, budget).of(*target)
    }

    /// Whether it hits the invocation's matching call of this number, from 1. `draws` stands behind the delay, and is asked
    /// once for each matching call.
    pub(crate) fn chooses(&self, number: u64, draws: &mut Draws) -> bool {
        match self.calls {
            Chosen::All => true,
            Chosen::First(most) => number <= most,
            Chosen::Share(share) => draws.next_draw() < share,
        }
    }
}
