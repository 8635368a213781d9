//! An experiment's report: states from FIS and Automation, figures from CloudWatch, records from Logs.
//!
//! - [`span`]: when what happened.  [`metrics`], [`records`], [`alarms`]: what AWS says of that time.  [`document`]: all of it as a report.
//! - [`service`]: how CloudWatch and Logs are called.  [`pulse`]: what can be seen at this moment.

mod alarms;
mod counted;
mod document;
mod metrics;
mod pulse;
mod records;
pub mod service;
mod span;

use std::time::SystemTime;

use faultlayer_core::timestamp::Timestamp;
use faultlayer_report::expect::Measured;
use faultlayer_report::{Document, Expectation, Judged};

use crate::{Error, Experiments};
use document::{Seen, phase};
use metrics::{together, within};
pub use pulse::Pulse;
use span::{Moments, Stretch};

/// What a report is to have in it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The functions; empty for those that the experiment names.
    pub functions: Vec<String>,
    /// What was expected.
    pub expected: Vec<Expectation>,
    /// How long before and after the faults is looked at, in ms.
    pub around_ms: i64,
    /// How long a period of CloudWatch's is, in ms: of Lambda's own metrics at least a minute. Longer where there would be too many.
    pub period_ms: i64,
}

/// More periods than these say nothing more to a reader.
const MOST_PERIODS: i64 = 300;

/// Longer periods, in ms.
const LONGER: [i64; 5] = [60_000, 300_000, 900_000, 3_600_000, 6 * 3_600_000];

impl Experiments {
    /// The report of an experiment, which may still go on.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses; [`Error::Input`] where it names no functions, and none are asked for.
    pub async fn report(&self, id: &str, asked: &Asked) -> Result<Document, Error> {
        let view = self.watch(id).look().await?;
        let functions = if asked.functions.is_empty() { self.functions(&view).await? } else { asked.functions.clone() };
        if functions.is_empty() {
            let why = "functions: the experiment names none that is there; expected `--function NAME`";
            return Err(Error::Input(why.to_owned()));
        }
        let (now, moments) = (now_ms(), Moments::of(&view));
        let begin = moments.attach.unwrap_or(now) - asked.around_ms;
        let end = moments.end.map_or(now, |end| now.min(end + asked.around_ms));
        let period = period(asked.period_ms, end - begin);
        let stretches = moments.stretches(now, period, asked.around_ms);
        let whole = (stretches[0].from, stretches[2].until.max(end.div_euclid(period) * period));
        let figures = self.periods(&functions, whole, period).await?;
        let mut found = Vec::new();
        if let Some(attach) = moments.attach {
            for function in &functions {
                // What was injected last is logged after the roll-back has begun, and by another clock.
                found.push((function.clone(), self.records(function, (attach, end)).await?));
            }
        }
        let counted = self.counted(&found, (moments.attach.unwrap_or(now), end)).await?;
        let watched = moments.attach.unwrap_or(now);
        let alarms = self.alarms(&named(&asked.expected), (watched, moments.end.unwrap_or(now))).await?;
        Ok(Seen { view, moments, stretches, period, until: whole.1, figures, records: found, counted, alarms }
            .document(&asked.expected))
    }

    /// What functions do while nothing is attached, held against what is expected of them. What faults there are is left out.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn steady(&self, asked: &Asked) -> Result<Vec<Judged>, Error> {
        let now = now_ms();
        let period = period(asked.period_ms, asked.around_ms);
        let [before, ..] = Moments::default().stretches(now, period, asked.around_ms);
        let figures = self.periods(&asked.functions, (before.from, before.until), period).await?;
        let alarms = self.alarms(&named(&asked.expected), (before.from, now)).await?;
        let phase = phase(&before, &within(&together(figures.values()), &before), before.from);
        let measured = Measured { phase: &phase, injections: 0, alarms: Some(&alarms) };
        Ok(asked.expected.iter().filter(|one| !one.of_faults()).map(|one| one.judge(measured)).collect())
    }
}

/// The alarms that expectations name.
fn named(expected: &[Expectation]) -> Vec<&str> {
    expected.iter().filter_map(Expectation::alarm).collect()
}

/// The period that was asked for, or the first longer one of which there are not too many; all in ms.
fn period(asked: i64, span: i64) -> i64 {
    let longer = LONGER.into_iter().filter(|period| *period > asked);
    std::iter::once(asked).chain(longer).find(|period| span / period <= MOST_PERIODS).unwrap_or(LONGER[4])
}

fn now_ms() -> i64 {
    Timestamp::from(SystemTime::now()).0 / 1000
}

/// Whether nothing can be said of a stretch, and why.
fn too_short(stretch: &Stretch, period: i64) -> Option<String> {
    (stretch.until <= stretch.from).then(|| format!("no whole period of {} s lies within it", period / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_experiment_is_looked_at_in_longer_periods() {
        let minutes = |minutes: i64| minutes * 60_000;
        assert_eq!(period(minutes(1), minutes(15)), minutes(1));
        assert_eq!(period(minutes(1), minutes(720)), minutes(5));
        assert_eq!(period(1000, minutes(4)), 1000);
        assert_eq!(period(1000, minutes(6)), minutes(1));
        assert_eq!(period(minutes(1), minutes(60 * 24 * 365)), minutes(360));
    }
}
