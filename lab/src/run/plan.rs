//! The plan as the run hands it to the layer: checked, with a window where it has none, minified.

use std::time::Duration;

use faultlayer_core::plan::Plan;
use faultlayer_core::timestamp::Timestamp;
use serde_json::{Map, Value};

use crate::runtime::LabError;

/// How long a plan without `expires_at` holds: no run lasts longer, and what is left behind is harmless after it.
const HOLDS: Duration = Duration::from_secs(24 * 60 * 60);

/// A plan that a run can begin with.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// Minified, every number and string as it was written: an answer goes out as the plan says it.
    text: String,
    given: Map<String, Value>,
}

/// A plan whose window is set.
#[derive(Debug)]
pub struct Begun {
    /// Minified, with `starts_at` and `expires_at`.
    pub text: String,
    /// As the engine reads it.
    pub plan: Plan,
}

impl RunPlan {
    /// Checks a plan's text and says all that is wrong with it, one problem a line.
    pub fn parse(text: &str) -> Result<RunPlan, LabError> {
        let checked = Plan::parse(text);
        let Ok(Value::Object(given)) = serde_json::from_str(text) else {
            return Err(LabError::new(checked.err().map_or_else(String::new, |error| error.to_string())));
        };
        let plan = RunPlan { text: minified(text), given };
        match checked {
            // Steps of a rate need a start, which `begin` sets.
            Err(error)
                if plan.given.contains_key("starts_at") || error.problems.iter().any(|problem| problem.path != "starts_at") =>
            {
                Err(LabError::new(error.to_string()))
            }
            _ => plan.begin(Timestamp::from_millis(0)).map(|_| plan),
        }
    }

    /// The plan with the window beginning at `now` and ending a day later, where it does not say so itself.
    pub fn begin(&self, now: Timestamp) -> Result<Begun, LabError> {
        let until = Timestamp(now.0.saturating_add(i64::try_from(HOLDS.as_micros()).unwrap_or(i64::MAX)));
        let mut text = self.text.strip_suffix('}').unwrap_or(&self.text).to_owned();
        for (field, at) in [("starts_at", now), ("expires_at", until)] {
            if !self.given.contains_key(field) {
                let comma = if text.ends_with('{') { "" } else { "," };
                text.push_str(&format!("{comma}\"{field}\":\"{}\"", at.to_rfc3339()));
            }
        }
        text.push('}');
        let plan = Plan::parse(&text).map_err(|error| LabError::new(error.to_string()))?;
        Ok(Begun { text, plan })
    }
}

/// JSON without the space between its parts.
fn minified(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    #[test]
    fn a_window_is_set_only_where_there_is_none() {
        let plan = RunPlan::parse(r#"{"version": 1, "faults": []}"#).unwrap().begin(NOW).unwrap();
        assert_eq!(
            plan.text,
            r#"{"version":1,"faults":[],"starts_at":"2023-11-14T22:13:20.000Z","expires_at":"2023-11-15T22:13:20.000Z"}"#
        );
        let own = r#"{"version":1,"starts_at":"2024-01-01T00:00:00Z","expires_at":"never","faults":[]}"#;
        assert_eq!(RunPlan::parse(own).unwrap().begin(NOW).unwrap().text, own);
    }

    #[test]
    fn what_the_plan_says_goes_out_as_it_was_written() {
        let text = "{ \"version\": 1, \"faults\": [\n {\"id\": \"a b\\\" \", \"kind\": \"response\", \"rate\": 1e0, \"payload\": {\"x\": 1.50} }\t] }";
        let begun = RunPlan::parse(text).unwrap().begin(NOW).unwrap().text;
        let start = r#"{"version":1,"faults":[{"id":"a b\" ","kind":"response","rate":1e0,"payload":{"x":1.50}}],"starts_at""#;
        assert!(begun.starts_with(start), "{begun}");
    }

    #[test]
    fn steps_count_from_the_beginning_of_the_run() {
        let steps = r#"{"version":1,"faults":[{"id":"a","kind":"timeout","rate":{"steps":[{"at_s":0,"rate":1}]}}]}"#;
        assert!(RunPlan::parse(steps).unwrap().begin(NOW).unwrap().text.contains("2023-11-14T22:13:20.000Z"));
    }

    #[test]
    fn all_problems_are_said() {
        let said = RunPlan::parse(r#"{"version": 2, "faults": [], "nonsense": 1}"#).unwrap_err().to_string();
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(RunPlan::parse("{").is_err());
        assert!(RunPlan::parse("[]").is_err());
    }
}
