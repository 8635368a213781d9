//! Hypotheses, as in `errors < 1%` or `p99 < 800ms`, and whether they held.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::document::Phase;
use crate::figures::{Latency, counted, milliseconds, share};

/// One hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    text: String,
    claim: Claim,
}

#[derive(Debug, Clone, PartialEq)]
enum Claim {
    /// Calls of one sort, as a number or as a share of all calls.
    Count { figure: Count, is: Comparison, value: Amount },
    /// What callers waited.
    Time { figure: Time, is: Comparison, ms: f64 },
    /// An alarm that never leaves OK.
    AlarmStaysOk(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Count {
    Errors,
    Error(String),
    Timeouts,
    Crashes,
    Status(Statuses),
    Calls,
    Injections,
}

/// The statuses from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Statuses(u64, u64);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Amount {
    Calls(u64),
    Percent(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    P50,
    P90,
    P99,
    Max,
    Mean,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
}

const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
    ("=", Comparison::Equal),
];

const TIMES: [(&str, Time); 5] =
    [("p50", Time::P50), ("p90", Time::P90), ("p99", Time::P99), ("max", Time::Max), ("mean", Time::Mean)];

/// What an expectation may speak of, for messages and help.
pub const FIGURES: &str =
    "errors, error TYPE, timeouts, crashes, status CODE (503, 4xx, 5xx), calls, injections, p50, p90, p99, max, mean, alarm NAME";

/// What became of an expectation, from good to bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is so.
    #[default]
    Held,
    /// Nobody can say.
    NotMeasurable,
    /// It is not so.
    Broken,
}

impl State {
    /// `held`, `not measurable`, `broken`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            State::Held => "held",
            State::NotMeasurable => "not measurable",
            State::Broken => "broken",
        }
    }
}

/// An expectation and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// As it was said.
    pub text: String,
    /// What became of it.
    pub state: State,
    /// The figure that was measured, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<String>,
    /// Why it cannot be measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What expectations are held against.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The calls under the plan.
    pub phase: &'a Phase,
    /// Injections of all faults.
    pub injections: u64,
    /// Alarms by name, each with the states that it had; absent where there are no alarms.
    pub alarms: Option<&'a BTreeMap<String, Vec<String>>>,
}

impl Expectation {
    /// Reads one, as in `errors < 1%`.
    ///
    /// # Errors
    ///
    /// What is allowed where something else stands.
    pub fn parse(text: &str) -> Result<Expectation, String> {
        let said = text.trim();
        let wrong = |why: String| format!("`{said}`: {why}");
        let claim = match said.strip_prefix("alarm ") {
            Some(rest) => alarm(rest).map_err(wrong)?,
            None => comparison(said).map_err(wrong)?,
        };
        Ok(Expectation { text: said.to_owned(), claim })
    }

    /// Reads a file of them: one a line, `#` begins a comment.
    ///
    /// # Errors
    ///
    /// All that is wrong, each with its line.
    pub fn parse_lines(text: &str) -> Result<Vec<Expectation>, String> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.split('#').next().unwrap_or_default().trim()));
        let (mut read, mut problems) = (Vec::new(), Vec::new());
        for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
            match Expectation::parse(line) {
                Ok(one) => read.push(one),
                Err(why) => problems.push(format!("line {number}: {why}")),
            }
        }
        if problems.is_empty() { Ok(read) } else { Err(problems.join("\n")) }
    }

    /// Whether it speaks of an alarm, which only an account or the lab has.
    #[must_use]
    pub fn alarm(&self) -> Option<&str> {
        if let Claim::AlarmStaysOk(name) = &self.claim { Some(name) } else { None }
    }

    /// Whether it speaks of faults, of which there are none before a plan is in force.
    #[must_use]
    pub fn of_faults(&self) -> bool {
        matches!(self.claim, Claim::Count { figure: Count::Injections, .. })
    }

    /// Holds it against what was seen.
    #[must_use]
    pub fn judge(&self, measured: Measured<'_>) -> Judged {
        let (state, figure, why) = match &self.claim {
            Claim::AlarmStaysOk(name) => judge_alarm(name, measured.alarms),
            Claim::Count { figure, is, value } => {
                let (count, calls) = (count(figure, measured), measured.phase.calls);
                let (holds, said) = match *value {
                    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
                    Amount::Percent(percent) => (
                        is.holds(count as f64 * 100.0, percent * calls as f64),
                        format!("{} ({count} of {calls})", share(count, calls)),
                    ),
                    Amount::Calls(wanted) => (is.holds(count, wanted), count.to_string()),
                };
                match &measured.phase.untold {
                    Some(why) if figure.tells_apart() => (State::NotMeasurable, None, Some(why.clone())),
                    _ => judge_calls(holds, said, 1, measured.phase),
                }
            }
            Claim::Time { figure, is, ms } => {
                let seen = figure.of(&measured.phase.latency_ms);
                judge_calls(is.holds(seen, *ms), milliseconds(seen), figure.least_calls(), measured.phase)
            }
        };
        Judged { text: self.text.clone(), state, measured: figure, why }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

type Verdict = (State, Option<String>, Option<String>);

/// A figure of the calls, where there are at least so many, and all of them.
fn judge_calls(holds: bool, said: String, least: u64, phase: &Phase) -> Verdict {
    let why = if let Some(why) = &phase.incomplete {
        why.clone()
    } else if phase.calls == 0 {
        "no call was made".to_owned()
    } else if phase.calls < least {
        format!("{} are too few, at least {least} are needed", counted(phase.calls, "call"))
    } else {
        return (if holds { State::Held } else { State::Broken }, Some(said), None);
    };
    (State::NotMeasurable, Some(said).filter(|_| phase.calls > 0), Some(why))
}

fn judge_alarm(name: &str, alarms: Option<&BTreeMap<String, Vec<String>>>) -> Verdict {
    let Some(alarms) = alarms else {
        return (State::NotMeasurable, None, Some("there are no alarms here, only in an account or in the lab".to_owned()));
    };
    let Some(states) = alarms.get(name) else {
        return (State::NotMeasurable, None, Some(format!("there is no alarm `{name}`")));
    };
    let said = Some(states.join(", then ")).filter(|said| !said.is_empty());
    if states.iter().any(|state| state == "ALARM") {
        (State::Broken, said, None)
    } else if states.iter().any(|state| state != "OK") || states.is_empty() {
        (State::NotMeasurable, said, Some("it lacked data".to_owned()))
    } else {
        (State::Held, said, None)
    }
}

impl Count {
    /// Whether it speaks of some of the calls that failed, or of what an answer says.
    const fn tells_apart(&self) -> bool {
        matches!(self, Count::Error(_) | Count::Timeouts | Count::Crashes | Count::Status(_))
    }
}

fn count(figure: &Count, measured: Measured<'_>) -> u64 {
    let phase = measured.phase;
    match figure {
        Count::Errors => phase.failed(),
        Count::Error(name) => phase.errors.get(name).copied().unwrap_or_default(),
        Count::Timeouts => phase.timeouts,
        Count::Crashes => phase.crashes,
        Count::Status(Statuses(first, last)) => phase.statuses.range(first..=last).map(|(_, count)| count).sum(),
        Count::Calls => phase.calls,
        Count::Injections => measured.injections,
    }
}

impl Time {
    fn of(self, latency: &Latency) -> f64 {
        match self {
            Time::P50 => latency.p50,
            Time::P90 => latency.p90,
            Time::P99 => latency.p99,
            Time::Max => latency.max,
            Time::Mean => latency.mean,
        }
    }

    /// With fewer calls a percentile is but the slowest of them.
    const fn least_calls(self) -> u64 {
        match self {
            Time::P50 => 2,
            Time::P90 => 10,
            Time::P99 => 100,
            Time::Max | Time::Mean => 1,
        }
    }
}

impl Comparison {
    fn holds<T: PartialOrd>(self, seen: T, wanted: T) -> bool {
        match self {
            Comparison::Less => seen < wanted,
            Comparison::AtMost => seen <= wanted,
            Comparison::More => seen > wanted,
            Comparison::AtLeast => seen >= wanted,
            Comparison::Equal => seen == wanted,
        }
    }
}

fn alarm(rest: &str) -> Result<Claim, String> {
    let name = rest.trim().strip_suffix("stays OK").map(str::trim).filter(|name| !name.is_empty());
    name.map(|name| Claim::AlarmStaysOk(name.to_owned())).ok_or_else(|| "expected `alarm NAME stays OK`".to_owned())
}

fn comparison(said: &str) -> Result<Claim, String> {
    let at = said.find(['<', '>', '=']).ok_or("expected a figure, one of < <= > >= = and a value, as in `errors < 1%`")?;
    let (figure, rest) = said.split_at(at);
    let (figure, rest) = (figure.trim(), rest.trim());
    let (sign, is) = COMPARISONS.into_iter().find(|(sign, _)| rest.starts_with(sign)).ok_or("expected one of < <= > >= =")?;
    let value = rest.strip_prefix(sign).unwrap_or_default().trim();
    if let Some((_, time)) = TIMES.into_iter().find(|(name, _)| *name == figure) {
        return Ok(Claim::Time { figure: time, is, ms: milliseconds_of(value)? });
    }
    let figure = counted_figure(figure)?;
    let value = amount(value)?;
    match (&figure, value) {
        (Count::Calls | Count::Injections, Amount::Percent(_)) => {
            Err("expected a whole number, since these are no share of calls".to_owned())
        }
        _ => Ok(Claim::Count { figure, is, value }),
    }
}

fn counted_figure(figure: &str) -> Result<Count, String> {
    let mut words = figure.split_whitespace();
    match (words.next().unwrap_or_default(), words.next(), words.next()) {
        ("errors", None, None) => Ok(Count::Errors),
        ("error", Some(name), None) => Ok(Count::Error(name.to_owned())),
        ("timeouts", None, None) => Ok(Count::Timeouts),
        ("crashes", None, None) => Ok(Count::Crashes),
        ("calls", None, None) => Ok(Count::Calls),
        ("injections", None, None) => Ok(Count::Injections),
        ("status", Some(code), None) => statuses(code).map(Count::Status),
        _ => Err(format!("unknown figure `{figure}`, expected one of {FIGURES}")),
    }
}

fn statuses(code: &str) -> Result<Statuses, String> {
    match code {
        "4xx" => Ok(Statuses(400, 499)),
        "5xx" => Ok(Statuses(500, 599)),
        _ => code
            .parse()
            .ok()
            .filter(|code| (400..=599).contains(code))
            .map(|code| Statuses(code, code))
            .ok_or_else(|| format!("expected a status from 400 to 599, 4xx or 5xx, got `{code}`")),
    }
}

fn amount(value: &str) -> Result<Amount, String> {
    let percent = value.strip_suffix('%').map(|number| number.trim().parse::<f64>());
    match percent {
        Some(Ok(percent)) if (0.0..=100.0).contains(&percent) => Ok(Amount::Percent(percent)),
        Some(_) => Err(format!("expected a share from 0% to 100%, got `{value}`")),
        None => value
            .parse()
            .map(Amount::Calls)
            .map_err(|_| format!("expected a whole number or a share, as in `5` or `1%`, got `{value}`")),
    }
}

fn milliseconds_of(value: &str) -> Result<f64, String> {
    let unit = value.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let factor = match unit.trim() {
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        _ => f64::NAN,
    };
    let number = value.strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok()).unwrap_or(f64::NAN);
    Some(number * factor)
        .filter(|ms| ms.is_finite())
        .ok_or_else(|| format!("expected a time with its unit, as in `800ms` or `2s`, got `{value}`"))
}
