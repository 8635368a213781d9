//! The plan as the run hands it to the layer: checked, with a window where it has none, by the rule that attaching has.

use std::time::Duration;

use faultlayer_core::attach::{Timed, Window, timed};
use faultlayer_core::timestamp::Timestamp;

use crate::runtime::LabError;

/// How long a plan without `expires_at` holds: no run lasts longer, and what is left behind is harmless after it.
const HOLDS: Duration = Duration::from_secs(24 * 60 * 60);

/// The last second of the year 9999: before a run begins, any start of the plan's own is right.
const LATEST: Timestamp = Timestamp(253_402_300_799_000_000);

/// A plan that a run can begin with.
#[derive(Debug, Clone)]
pub struct RunPlan(String);

impl RunPlan {
    /// Checks a plan's text and says all that is wrong with it, one problem a line.
    pub fn parse(text: &str) -> Result<RunPlan, LabError> {
        let plan = RunPlan(text.to_owned());
        plan.within(Timestamp(0), LATEST).map(|_| plan)
    }

    /// The plan with the window beginning at `now` and ending a day later, where it does not say so itself.
    pub fn begin(&self, now: Timestamp) -> Result<Timed, LabError> {
        let end = Timestamp(now.0.saturating_add(i64::try_from(HOLDS.as_micros()).unwrap_or(i64::MAX)));
        self.within(now, end)
    }

    fn within(&self, start: Timestamp, end: Timestamp) -> Result<Timed, LabError> {
        timed(&self.0, Window { start, end, earliest_end: None }, false).map_err(|error| LabError::new(error.to_string()))
    }
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
            r#"{"version":1,"faults":[],"starts_at":"2023-11-14T22:13:20Z","expires_at":"2023-11-15T22:13:20Z"}"#
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
        assert!(RunPlan::parse(steps).unwrap().begin(NOW).unwrap().text.contains("2023-11-14T22:13:20Z"));
    }

    #[test]
    fn a_start_of_its_own_needs_no_end() {
        let plan = RunPlan::parse(r#"{"version":1,"starts_at":"2023-11-14T22:00:00Z","faults":[]}"#).unwrap();
        assert!(plan.begin(NOW).unwrap().text.ends_with(r#""expires_at":"2023-11-15T22:13:20Z"}"#));
    }

    #[test]
    fn all_problems_are_said() {
        let said = RunPlan::parse(r#"{"version": 2, "faults": [], "nonsense": 1}"#).unwrap_err().to_string();
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(RunPlan::parse("{").is_err());
        assert!(RunPlan::parse("[]").is_err());
    }
}
