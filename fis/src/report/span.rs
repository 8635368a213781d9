//! When an experiment did what, and the stretches of time that its report compares.

use faultlayer_core::timestamp::Timestamp;

use crate::view::View;

/// The moments of an experiment, in milliseconds since the Unix epoch; absent before they have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moments {
    /// The first function was about to be changed.
    pub attach: Option<i64>,
    /// All of them were.
    pub hold: Option<i64>,
    /// The first was about to be restored.
    pub rollback: Option<i64>,
    /// All of them were, and the experiment had ended.
    pub end: Option<i64>,
}

/// A stretch of time that figures are asked for: whole periods, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// `before`, `during`, `after`.
    pub name: &'static str,
    /// Its beginning.
    pub from: i64,
    /// Its end, which is not in it; not later than the beginning where no whole period fits.
    pub until: i64,
}

impl Stretch {
    /// Whether a period that begins then is in it.
    pub fn has(&self, period: i64) -> bool {
        (self.from..self.until).contains(&period)
    }
}

impl Moments {
    /// As FIS and Automation say.
    pub fn of(view: &View) -> Moments {
        let steps = view.automation.iter().flat_map(|execution| &execution.steps);
        let at = |named: &dyn Fn(&str) -> bool| {
            let began = |stamp: &str| Timestamp::parse(stamp).map(|at| at.0 / 1000);
            steps.clone().filter(|step| named(&step.name)).find_map(|step| began(&step.started))
        };
        Moments {
            attach: at(&|name| name == "Attach"),
            hold: at(&|name| ["Hold", "Done"].contains(&name)),
            rollback: at(&|name| name.starts_with("Rollback")),
            end: view.ended,
        }
    }

    /// Before, during and after, each of whole periods that nothing was changed in: the periods in which functions are attached or
    /// rolled back belong to none. `around` is how long before and after are at most; all in milliseconds.
    pub fn stretches(&self, now: i64, period: i64, around: i64) -> [Stretch; 3] {
        let down = |at: i64| at.div_euclid(period) * period;
        let up = |at: i64| -((-at).div_euclid(period)) * period;
        let attach = self.attach.unwrap_or(now);
        let (hold, end) = (self.hold.unwrap_or(now), self.end.unwrap_or(now));
        let rollback = self.rollback.or(self.end).unwrap_or(now);
        [
            Stretch { name: "before", from: down(attach - around), until: down(attach) },
            Stretch { name: "during", from: up(hold), until: down(rollback.min(now)) },
            Stretch { name: "after", from: up(end), until: down(now).min(up(end) + up(around)) },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn minutes_in_which_functions_are_changed_belong_to_no_stretch() {
        let at = |minutes: i64, ms: i64| Some(minutes * MINUTE + ms);
        let moments = Moments { attach: at(10, 1), hold: at(10, 9), rollback: at(15, 20_000), end: at(15, 59_000) };
        let stretches = moments.stretches(60 * MINUTE, MINUTE, 5 * MINUTE);
        let minutes = stretches.map(|stretch| (stretch.name, stretch.from / MINUTE, stretch.until / MINUTE));
        assert_eq!(minutes, [("before", 5, 10), ("during", 11, 15), ("after", 16, 21)]);
    }

    #[test]
    fn what_has_not_come_yet_has_no_whole_period() {
        let moments = Moments { attach: Some(10 * MINUTE), hold: Some(10 * MINUTE + 1), ..Moments::default() };
        let [before, during, after] = moments.stretches(10 * MINUTE + 30_000, MINUTE, MINUTE);
        assert_eq!((before.from, before.until), (9 * MINUTE, 10 * MINUTE));
        assert!(during.until <= during.from && after.until <= after.from);
    }
}
