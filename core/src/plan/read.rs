//! From the text of a plan to what it means.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::problem::{PlanError, Problem, ProblemCode};
use super::rate::Rate;
use super::resolved::{Expiry, Fault, Limits, Plan, SampleBy, When};
use super::validate::Validator;
use super::{PLAN, json};
use crate::decision::Match;
use crate::faults::{self, Written};
use crate::matching::{PatternId, PatternProblem, Patterns};
use crate::sampling::FaultHash;
use crate::timestamp::Timestamp;

impl Plan {
    /// Reads a plan that something will still complete: `expires_at` may be absent.
    ///
    /// # Errors
    /// Every problem of the text at once.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        Self::read(text, false)
    }

    /// Reads a plan to be carried out, which has to say when it ends: a forgotten experiment must die by itself.
    ///
    /// # Errors
    /// Every problem of the text at once, a missing `expires_at` among them.
    pub fn parse_to_run(text: &str) -> Result<Self, PlanError> {
        Self::read(text, true)
    }

    fn read(text: &str, to_run: bool) -> Result<Self, PlanError> {
        let (written, problems) = json::read(text);
        if problems.iter().any(|problem| problem.code == ProblemCode::InvalidJson) {
            return Err(PlanError::invalid(problems));
        }
        let mut validator = Validator { problems };
        let complete = validator.complete(&written, &PLAN, "");
        let mut problems = validator.problems;
        if to_run && written.is_object() && written.get("expires_at").is_none() {
            let expected = "an RFC 3339 time, or \"never\" if it shall never end, nothing stands there";
            problems.push(Problem::new(ProblemCode::NoExpiry, "expires_at", None, expected));
        }
        match resolve(&complete, text, &mut problems) {
            Some(plan) if problems.is_empty() => Ok(plan),
            None if problems.is_empty() => {
                let expected = "a plan that the engine's tables describe";
                Err(PlanError::invalid(vec![Problem::new(ProblemCode::WrongType, "", None, expected)]))
            }
            _ => {
                sort_as_written(&mut problems, text);
                Err(PlanError::invalid(problems))
            }
        }
    }
}

/// The problems in the order in which a reader of the text meets them.
fn sort_as_written(problems: &mut Vec<Problem>, text: &str) {
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    let places = super::locate_all(text, &paths);
    let mut placed: Vec<_> = places.into_iter().zip(std::mem::take(problems)).collect();
    placed.sort_by_key(|(place, _)| *place);
    problems.extend(placed.into_iter().map(|(_, problem)| problem));
}

/// A plan with its defaults filled in, before the rules between fields.
#[derive(Deserialize)]
struct Complete {
    experiment: Option<String>,
    seed: u64,
    dry_run: bool,
    metrics: Option<CompleteMetrics>,
    limits: CompleteLimits,
}

#[derive(Deserialize)]
struct CompleteMetrics {
    namespace: String,
}

#[derive(Deserialize)]
struct CompleteLimits {
    injections: Option<u64>,
    deadline_margin_ms: f64,
}

#[derive(Deserialize)]
struct CompleteFault {
    id: String,
    rate: Rate,
    limit: Option<u64>,
    sample_by: SampleBy,
    #[serde(rename = "match")]
    matches: Option<Value>,
}

fn resolve(complete: &Value, text: &str, problems: &mut Vec<Problem>) -> Option<Plan> {
    let starts_at = complete.get("starts_at").and_then(Value::as_str).and_then(Timestamp::parse);
    let expires = match complete.get("expires_at").and_then(Value::as_str) {
        None => Expiry::Unsaid,
        Some("never") => Expiry::Never,
        Some(end) => Timestamp::parse(end).map_or(Expiry::Unsaid, Expiry::At),
    };
    if let (Some(start), Expiry::At(end)) = (starts_at, expires)
        && end <= start
    {
        let expected = "a time after `starts_at`";
        problems.push(Problem::new(ProblemCode::Conflict, "expires_at", complete.get("expires_at"), expected));
    }
    let traces = complete.get("traces").and_then(Value::as_bool) == Some(true);
    let has_start = complete.get("starts_at").is_some();
    let raw = raw_parts(text);
    let written = complete.get("faults").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut patterns = AllPatterns::default();
    let faults: Vec<_> = written
        .iter()
        .enumerate()
        .map(|(index, fault)| {
            resolve_fault(fault, raw.get(index), has_start, &format!("faults[{index}]"), &mut patterns, problems)
        })
        .collect();
    let complete: Complete = typed(complete)?;
    Some(Plan {
        experiment: complete.experiment,
        seed: complete.seed,
        starts_at,
        expires,
        dry_run: complete.dry_run,
        namespace: complete.metrics.map(|metrics| metrics.namespace),
        traces,
        limits: Limits {
            injections: complete.limits.injections,
            deadline_margin_us: millis_to_micros(complete.limits.deadline_margin_ms),
        },
        faults: faults.into_iter().collect::<Option<_>>()?,
        event_patterns: Arc::new(patterns.event),
        context_patterns: patterns.context,
    })
}

/// The patterns of all faults.
#[derive(Default)]
struct AllPatterns {
    event: Patterns,
    context: Patterns,
}

/// `None` if the fault's own fields do not hold, which the walk has noticed already.
fn resolve_fault(
    written: &Value,
    raw: Option<&Raw>,
    has_start: bool,
    path: &str,
    patterns: &mut AllPatterns,
    problems: &mut Vec<Problem>,
) -> Option<Fault> {
    let raw = raw.map(|raw| Written { payload: raw.payload.clone(), body: raw.body.clone() }).unwrap_or_default();
    let kind = faults::read(written, raw, path, problems);
    let when = when(written, path, problems);
    let fault: CompleteFault = typed(written)?;
    fault.rate.check(has_start, &json::join(path, "rate"), problems);
    let matches = fault.matches.unwrap_or_default();
    let matches = Match {
        event: pattern(matches.get("event"), &format!("{path}.match.event"), &mut patterns.event, problems),
        context: pattern(matches.get("context"), &format!("{path}.match.context"), &mut patterns.context, problems),
    };
    Some(Fault {
        hash: FaultHash::of(&fault.id),
        id: fault.id,
        kind: kind?,
        matches,
        when: when?,
        rate: fault.rate,
        limit: fault.limit,
        sample_by: fault.sample_by,
    })
}

/// A compiled pattern. `None` also where it does not hold, which is a problem then.
pub(crate) fn pattern(
    written: Option<&Value>,
    path: &str,
    patterns: &mut Patterns,
    problems: &mut Vec<Problem>,
) -> Option<PatternId> {
    // What is no object was noticed by the walk.
    let added = patterns.add(written.filter(|written| written.is_object())?, path);
    let refuse = |problem: PatternProblem| {
        Problem::new(ProblemCode::InvalidPattern, &problem.path, Some(&problem.value), problem.expected)
    };
    added.map_err(|refused| problems.extend(refused.into_iter().map(refuse))).ok()
}

fn when(written: &Value, path: &str, problems: &mut Vec<Problem>) -> Option<When> {
    let after_bytes = written.get("after_bytes");
    let after_ms = written.get("after_ms");
    let during = written.get("when").and_then(Value::as_str) == Some("during");
    let kind = written.get("kind").and_then(Value::as_str).and_then(faults::spec);
    if let Some(kind) = kind.filter(|kind| !kind.takes_when) {
        return Some(kind.stands);
    }
    let expected = "it only with \"when\": \"during\"";
    for (name, value) in [("after_bytes", after_bytes), ("after_ms", after_ms)] {
        if value.is_some() && !during {
            problems.push(Problem::new(ProblemCode::Conflict, &json::join(path, name), value, expected));
        }
    }
    if during && after_bytes.is_some() == after_ms.is_some() {
        let expected = "either \"after_bytes\" or \"after_ms\" beside \"during\"";
        problems.push(Problem::new(ProblemCode::Conflict, &json::join(path, "when"), written.get("when"), expected));
    }
    Some(match written.get("when").and_then(Value::as_str) {
        Some("during") => {
            When::During { after_bytes: after_bytes.and_then(Value::as_u64), after_ms: after_ms.and_then(Value::as_f64) }
        }
        Some("after") => When::After,
        _ => kind?.stands,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "validated to at most 900 seconds")]
pub(crate) fn millis_to_micros(millis: f64) -> i64 {
    libm::round(millis * 1000.0) as i64
}

/// The typed form of a part that was walked without a problem; `None` where a problem stands in it.
pub(crate) fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// The parts that go out exactly as they were written, numbers and order of keys included.
#[derive(Default, Deserialize)]
struct Raw {
    #[serde(default, deserialize_with = "present")]
    payload: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    body: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct RawPlan {
    faults: Vec<Raw>,
}

fn raw_parts(text: &str) -> Vec<Raw> {
    serde_json::from_str::<RawPlan>(text).map(|plan| plan.faults).unwrap_or_default()
}

/// `null` that stands there is a value, not an absence.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}
