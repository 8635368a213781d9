//! What can be seen of an experiment at this moment: injections so far, errors now.

use std::collections::BTreeMap;

use faultlayer_report::records;

use super::metrics::{Period, together};
use super::now_ms;
use super::span::Moments;
use crate::view::View;
use crate::{Error, Experiments};

/// CloudWatch's period, and how far back errors are looked for: it has the last minute or two late.
const MINUTE_MS: i64 = 60_000;
const BACK_MS: i64 = 5 * MINUTE_MS;

/// What is seen, look by look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Records of injections so far, by fault. A look takes up where the last one ended: what Logs has late is not among them, unlike
    /// in the report.
    pub injected: BTreeMap<String, u64>,
    /// Calls of the latest minute that CloudWatch has, and those of them that failed.
    pub latest: Option<(u64, u64)>,
    /// The functions that are looked at; none before the first look.
    functions: Option<Vec<String>>,
    /// Where the next look begins, in ms since the Unix epoch.
    from: Option<i64>,
}

impl Pulse {
    /// In a few words; empty where nothing has been seen yet.
    #[must_use]
    pub fn said(&self) -> String {
        let injected = (!self.injected.is_empty()).then(|| format!("injected: {}", self.injections()));
        let parts = injected.into_iter().chain([self.errors()]).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" · ")
    }

    /// Injections by fault; empty where there are none yet.
    #[must_use]
    pub fn injections(&self) -> String {
        self.injected.iter().map(|(fault, count)| format!("{fault} {count}")).collect::<Vec<_>>().join(", ")
    }

    /// The rate of errors now; empty where no call was seen.
    #[must_use]
    pub fn errors(&self) -> String {
        self.latest.map_or_else(String::new, |(calls, failed)| format!("{failed} of {calls} calls failed in the last minute"))
    }
}

impl Experiments {
    /// Looks again.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn look_at(&self, view: &View, pulse: &mut Pulse) -> Result<(), Error> {
        let (Some(attach), now) = (Moments::of(view).attach, now_ms()) else { return Ok(()) };
        let functions = match pulse.functions.take() {
            Some(functions) => functions,
            None => self.functions(view).await?,
        };
        let from = pulse.from.unwrap_or(attach);
        for function in &functions {
            for (_, record) in self.records(function, (from, now)).await?.records {
                if let (Some(fault), Some("injected")) = (records::text(&record, "fault"), records::text(&record, "action")) {
                    *pulse.injected.entry(fault.to_owned()).or_default() += 1;
                }
            }
        }
        pulse.from = Some(now + 1);
        let figures = self.periods(&functions, (now - BACK_MS, now), MINUTE_MS).await?;
        let called = |period: &&Period| period.calls > 0;
        pulse.functions = Some(functions);
        pulse.latest = together(figures.values()).values().rfind(called).map(|period| (period.calls, period.errors));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_said_in_one_line() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.said(), "");
        pulse.injected = BTreeMap::from([("boom".to_owned(), 1), ("slow".to_owned(), 12)]);
        pulse.latest = Some((50, 2));
        assert_eq!(pulse.said(), "injected: boom 1, slow 12 · 2 of 50 calls failed in the last minute");
    }
}
