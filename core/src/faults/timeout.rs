//! `timeout`: the invocation is held until its time is over.

use serde_json::Value;

use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Outcome, Reason, details, millis};
use crate::plan::{Problem, When};
use crate::timestamp::Timestamp;

pub(super) static SPEC: Spec = Spec {
    name: "timeout",
    doc: "Holds until the function's timeout has passed.",
    fields: &[],
    takes_when: true,
    role: Role::Hang,
    stands: When::Before,
    by_place: &[],
    instead: &[],
    between: &[],
    read,
};

/// The fault has no options.
#[derive(Clone, Copy, Debug)]
pub struct Timeout;

/// Past the deadline by this much, for environments that are not killed at it: those that serve several invocations at
/// once, and a library's.
const GRACE_US: i64 = 1_000_000;

impl Timeout {
    /// How long to hold from `now`, in microseconds; without a deadline, not at all.
    #[must_use]
    fn hold_us(now: Timestamp, deadline: Option<Timestamp>) -> u64 {
        deadline.map_or(0, |deadline| u64::try_from(deadline.micros_since(now).saturating_add(GRACE_US)).unwrap_or(0))
    }

    /// Lambda's own message. Timeouts are whole seconds, and `started` is a little after Lambda's own start.
    #[must_use]
    fn message(started: Timestamp, deadline: Option<Timestamp>) -> String {
        let Some(deadline) = deadline else { return "Task timed out".into() };
        let micros = deadline.micros_since(started).max(0);
        let seconds = micros / 1_000_000 + i64::from(micros % 1_000_000 > 0);
        format!("Task timed out after {seconds}.00 seconds")
    }
}

impl Kind for Timeout {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let asked_us = Self::hold_us(moment.now, moment.deadline);
        let cut = moment.cut_at_expiry(asked_us);
        let said = cut.by.map_or_else(Details::new, |by| {
            details([("hold_ms", millis(cut.micros)), ("asked_ms", millis(asked_us)), ("cut_by", by.to_value())])
        });
        let message = Self::message(moment.started, moment.deadline);
        Ok(Act::new(Effect::Instead(Outcome::Timeout { hold_us: cut.micros, message }), said))
    }
}

fn read(_: &Value, _: Written, _: &str, _: &mut Vec<Problem>) -> Read {
    boxed(Timeout)
}

#[cfg(test)]
mod tests {
    use super::Timeout;
    use crate::timestamp::Timestamp;

    #[test]
    fn the_hold_ends_one_second_past_the_deadline() {
        assert_eq!(Timeout::hold_us(Timestamp(0), Some(Timestamp(2_990_000))), 3_990_000);
        assert_eq!(Timeout::hold_us(Timestamp(9_000_000), Some(Timestamp(2_990_000))), 0);
        assert_eq!(Timeout::hold_us(Timestamp(0), None), 0);
    }

    #[test]
    fn the_message_names_the_whole_seconds_that_lambda_was_set_to() {
        let message = |start, end| Timeout::message(Timestamp(start), Some(Timestamp(end)));
        assert_eq!(message(5_000, 3_000_000), "Task timed out after 3.00 seconds");
        assert_eq!(message(0, 3_000_000), "Task timed out after 3.00 seconds");
        assert_eq!(Timeout::message(Timestamp(0), None), "Task timed out");
    }
}
