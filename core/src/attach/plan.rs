//! A plan on its way into a function: checked, with a start and an end, in one line. Its own text is kept: every number and
//! string stays as it was written, since an answer goes out as the plan says it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::plan::{Expiry, Plan, PlanError, Problem, ProblemCode};
use crate::timestamp::Timestamp;

/// When a plan holds that does not say so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its start, where it has none.
    pub start: Timestamp,
    /// Its end, where it has none.
    pub end: Timestamp,
    /// An end before this is refused.
    pub earliest_end: Option<Timestamp>,
}

impl Window {
    /// Of an experiment that holds for so many minutes once everything is attached, at most `attach_s` seconds from now.
    /// The end is rounded up to a minute later, so that a little delay does not end the faults before the hold.
    #[must_use]
    pub const fn hold(now: Timestamp, attach_s: u32, minutes: u32) -> Self {
        const SECOND: i64 = 1_000_000;
        let start = Timestamp(now.0 - now.0.rem_euclid(SECOND));
        // Both are below 2^32, so that nothing here comes near the ends of 64 bits.
        let (attach_s, minutes) = (attach_s as i64, minutes as i64);
        let end = Timestamp(start.0 + (minutes + attach_s / 60 + 1) * 60 * SECOND);
        Self { start, end, earliest_end: Some(Timestamp(now.0 + (attach_s + minutes * 60) * SECOND)) }
    }
}

/// A plan whose window is set.
#[derive(Debug)]
pub struct Timed {
    /// In one line, with `starts_at` and `expires_at`.
    pub text: String,
    /// As the engine reads it.
    pub plan: Plan,
}

/// The plan with the window set where it has none, and `dry_run` where that is asked for.
///
/// # Errors
/// All that is wrong with the plan; a start or an end that makes no experiment of it.
pub fn timed(text: &str, window: Window, dry_run: bool) -> Result<Timed, PlanError> {
    let members = members_of(text)?;
    let end = stamp(window.end);
    let expected = |what: &str| format!("a time {what} the end of the hold, about {end}");
    if members.time("starts_at").is_some_and(|start| start >= window.end) && !members.has("expires_at") {
        return Err(conflict(&members, "starts_at", expected("before")));
    }
    let early = conflict(&members, "expires_at", expected("after"));
    let timed = written(members, window.start, &end, dry_run)?;
    match (timed.plan.expires, window.earliest_end) {
        (Expiry::At(end), Some(least)) if end < least => Err(early),
        _ => Ok(timed),
    }
}

/// The plan that takes the place of one that ends at `until`, or never where that is `None`. It gets that end where it has none.
///
/// # Errors
/// All that is wrong with the plan; an end that has passed or comes after `until`, none where there is none to take over, and a
/// start after its end.
pub fn later(text: &str, now: Timestamp, until: Option<Timestamp>, dry_run: bool) -> Result<Timed, PlanError> {
    let members = members_of(text)?;
    let own = members.time("expires_at");
    let refuse = |path: &str, expected: String| Err(conflict(&members, path, expected));
    match (until, own) {
        (Some(until), _) if until <= now => {
            return refuse("expires_at", format!("a plan that is still on, what is attached ended at {}", stamp(until)));
        }
        (Some(until), own) if members.has("expires_at") && own.is_none_or(|own| own > until) => {
            return refuse("expires_at", format!("a time up to the end of what is attached, {}", stamp(until)));
        }
        (None, _) if !members.has("expires_at") => {
            return refuse("expires_at", "an end, what is attached has none that could be taken over".to_owned());
        }
        (_, Some(own)) if own <= now => return refuse("expires_at", format!("a time after now, {}", stamp(now))),
        _ => {}
    }
    let end = own.or(until);
    if members.time("starts_at").zip(end).is_some_and(|(start, end)| start >= end) {
        return refuse("starts_at", format!("a time before the end, {}", end.map(stamp).unwrap_or_default()));
    }
    let start = Timestamp(now.0 - now.0.rem_euclid(1_000_000));
    written(members, start, &until.map(stamp).unwrap_or_default(), dry_run)
}

/// The members of a plan that is right but for the times that are still to be set.
fn members_of(text: &str) -> Result<Members, PlanError> {
    let checked = Plan::parse(text);
    let Ok(members) = serde_json::from_str::<Members>(text) else {
        // What is no object was refused by the check.
        return Err(checked.err().unwrap_or_else(|| PlanError::invalid(Vec::new())));
    };
    if let Err(mut error) = checked {
        // Steps of a rate need a start, which is set below.
        error.problems.retain(|problem| problem.path != "starts_at" || members.has("starts_at"));
        if !error.problems.is_empty() {
            return Err(error);
        }
    }
    Ok(members)
}

/// The members as a plan in one line, with `start` and `end` where they have none.
fn written(mut members: Members, start: Timestamp, end: &str, dry_run: bool) -> Result<Timed, PlanError> {
    members.fill("starts_at", &stamp(start));
    members.fill("expires_at", end);
    if dry_run {
        members.set("dry_run", "true".to_owned());
    }
    let text = members.text();
    let plan = Plan::parse(&text)?;
    Ok(Timed { text, plan })
}

/// What one member says that does not go with when the plan is to hold.
fn conflict(members: &Members, path: &str, expected: String) -> PlanError {
    let value = members.text_of(path).and_then(|text| serde_json::from_str(text).ok());
    PlanError::invalid(vec![Problem::new(ProblemCode::Conflict, path, value.as_ref(), expected)])
}

/// RFC 3339 without the milliseconds that are none.
fn stamp(at: Timestamp) -> String {
    at.to_rfc3339().replace(".000Z", "Z")
}

/// JSON without the space between its parts.
#[must_use]
pub fn minified(text: &str) -> String {
    let (mut within, mut escaped) = (false, false);
    text.chars()
        .filter(|&letter| {
            let keep = within || !letter.is_ascii_whitespace();
            if letter == '"' && !escaped {
                within = !within;
            }
            escaped = within && letter == '\\' && !escaped;
            keep
        })
        .collect()
}

/// The members of an object: names, and the text of each value.
struct Members(Vec<(String, String)>);

impl Members {
    fn text_of(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.text_of(name).is_some()
    }

    fn set(&mut self, name: &str, text: String) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => *value = text,
            None => self.0.push((name.to_owned(), text)),
        }
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        self.text_of(name).and_then(|text| Timestamp::parse(text.trim_matches('"')))
    }

    fn fill(&mut self, name: &str, at: &str) {
        if !self.has(name) {
            self.set(name, format!("\"{at}\""));
        }
    }

    fn text(&self) -> String {
        let members: Vec<_> = self.0.iter().map(|(name, text)| format!("\"{name}\":{text}")).collect();
        format!("{{{}}}", members.join(","))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = entries.next_entry::<String, Box<RawValue>>()? {
            members.push((name, minified(value.get())));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::{Window, timed};
    use crate::timestamp::Timestamp;

    const NOW: Timestamp = Timestamp(1_795_435_200_250_000);

    fn hold(text: &str) -> Result<String, String> {
        timed(text, Window::hold(NOW, 40, 10), false).map(|timed| timed.text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_window_is_set_only_where_there_is_none() {
        assert_eq!(
            hold(r#"{"version": 1, "faults": []}"#).unwrap(),
            r#"{"version":1,"faults":[],"starts_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:11:00Z"}"#
        );
        let own = r#"{"version":1,"starts_at":"2024-01-01T00:00:00Z","expires_at":"never","faults":[]}"#;
        assert_eq!(hold(own).unwrap(), own);
    }

    #[test]
    fn what_the_plan_says_goes_out_as_it_was_written() {
        let text = "{ \"version\": 1, \"faults\": [\n {\"id\": \"a b\\\" \", \"kind\": \"response\", \"rate\": 1e0, \"payload\": {\"x\": 1.50} }\t] }";
        let start = r#"{"version":1,"faults":[{"id":"a b\" ","kind":"response","rate":1e0,"payload":{"x":1.50}}],"starts_at""#;
        assert!(hold(text).unwrap().starts_with(start));
    }

    #[test]
    fn an_end_before_the_end_of_the_hold_and_a_start_after_it_are_refused() {
        let with = |more: &str| hold(&format!(r#"{{"version":1,"faults":[],{more}}}"#)).unwrap_err();
        let early = with(r#""expires_at":"2026-11-23T12:10:00Z""#);
        assert!(early.starts_with("expires_at: expected a time after the end of the hold"), "{early}");
        assert!(
            with(r#""starts_at":"2026-11-23T13:00:00Z""#).starts_with("starts_at: expected a time before the end of the hold")
        );
    }

    #[test]
    fn steps_count_from_the_start_that_is_set() {
        let steps = r#"{"version":1,"faults":[{"id":"a","kind":"timeout","rate":{"steps":[{"at_s":0,"rate":1}]}}]}"#;
        assert!(hold(steps).unwrap().contains("starts_at"));
        let wrong = hold(&steps.replace("\"at_s\":0", "\"at_s\":-1")).unwrap_err();
        assert!(wrong.starts_with("faults[0].rate.steps[0].at_s"), "{wrong}");
    }

    #[test]
    fn a_dry_run_is_said_in_the_plan_wherever_it_stands() {
        let said = |text: &str| timed(text, Window::hold(NOW, 0, 1), true).unwrap().text;
        assert!(said(r#"{"version":1,"dry_run":false,"faults":[]}"#).starts_with(r#"{"version":1,"dry_run":true,"faults""#));
        assert!(said(r#"{"version":1,"faults":[]}"#).ends_with(r#","dry_run":true}"#));
    }
}
