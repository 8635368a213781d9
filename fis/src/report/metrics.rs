//! What CloudWatch says of functions: `AWS/Lambda`, period by period.

use std::collections::BTreeMap;

use faultlayer_report::figures::{Latency, rounded};
use serde_json::{Value, json};

use super::service::{ms, seconds};
use super::span::Stretch;
use crate::{Error, Experiments};

/// One period of one function, or of all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Period {
    /// Invocations.
    pub calls: u64,
    /// Those that failed.
    pub errors: u64,
    /// Calls that were refused.
    pub throttles: u64,
    /// All durations together, in ms.
    sum_ms: f64,
    /// Percentiles and the slowest; `mean` is empty, since it follows from the sum.
    latency_ms: Latency,
}

/// Periods by their beginning, in milliseconds since the Unix epoch.
pub type Periods = BTreeMap<i64, Period>;

/// What is asked of each function.
const ASKED: [(&str, &str); 8] = [
    ("Invocations", "Sum"),
    ("Errors", "Sum"),
    ("Throttles", "Sum"),
    ("Duration", "Sum"),
    ("Duration", "Maximum"),
    ("Duration", "p50"),
    ("Duration", "p90"),
    ("Duration", "p99"),
];

/// So many functions fit into one call, which takes 500 queries.
const AT_ONCE: usize = 500 / ASKED.len();

impl Period {
    fn take(&mut self, asked: usize, value: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums of counts")]
        let count = value.max(0.0).round() as u64;
        match asked {
            0 => self.calls = count,
            1 => self.errors = count,
            2 => self.throttles = count,
            3 => self.sum_ms = value,
            4 => self.latency_ms.max = rounded(value),
            5 => self.latency_ms.p50 = rounded(value),
            6 => self.latency_ms.p90 = rounded(value),
            _ => self.latency_ms.p99 = rounded(value),
        }
    }

    /// Both together. Percentiles of two sets do not add up: the worse ones stand, which no percentile of both can exceed.
    fn and(&mut self, other: &Period) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.throttles += other.throttles;
        self.sum_ms += other.sum_ms;
        let (mine, theirs) = (&mut self.latency_ms, &other.latency_ms);
        for (mine, theirs) in
            [(&mut mine.p50, theirs.p50), (&mut mine.p90, theirs.p90), (&mut mine.p99, theirs.p99), (&mut mine.max, theirs.max)]
        {
            *mine = mine.max(theirs);
        }
    }

    /// What the function took.
    pub fn latency(&self) -> Latency {
        #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
        let mean = if self.calls == 0 { 0.0 } else { rounded(self.sum_ms / self.calls as f64) };
        Latency { mean, ..self.latency_ms }
    }

    /// All of them together.
    pub fn all<'a>(periods: impl Iterator<Item = &'a Period>) -> Period {
        periods.fold(Period::default(), |mut all, one| {
            all.and(one);
            all
        })
    }
}

/// The periods of all functions as if they were one.
pub fn together<'a>(functions: impl Iterator<Item = &'a Periods>) -> Periods {
    let mut all = Periods::new();
    for (at, period) in functions.flatten() {
        all.entry(*at).or_default().and(period);
    }
    all
}

/// The periods of a stretch, together.
pub fn within(periods: &Periods, stretch: &Stretch) -> Period {
    Period::all(periods.iter().filter(|(at, _)| stretch.has(**at)).map(|(_, period)| period))
}

impl Experiments {
    /// The periods of each function between two moments, in ms since the Unix epoch; `period` in ms. Those that nothing happened in
    /// are not there.
    pub(super) async fn periods(
        &self,
        functions: &[String],
        (from, until): (i64, i64),
        period: i64,
    ) -> Result<BTreeMap<String, Periods>, Error> {
        let mut found: BTreeMap<String, Periods> = functions.iter().map(|name| (name.clone(), Periods::new())).collect();
        if until <= from {
            return Ok(found);
        }
        for some in functions.chunks(AT_ONCE) {
            let queries = some.iter().enumerate().flat_map(|(index, name)| {
                let asked = ASKED.iter().enumerate();
                asked
                    .map(move |(asked, (metric, statistic))| query(&format!("q{index}_{asked}"), name, metric, statistic, period))
            });
            let input = json!({
                "MetricDataQueries": queries.collect::<Vec<_>>(), "StartTime": seconds(from), "EndTime": seconds(until),
                "ScanBy": "TimestampAscending",
            });
            let take = |page: &Value| {
                let results = page.get("MetricDataResults").and_then(Value::as_array);
                results.into_iter().flatten().for_each(|result| {
                    read(some, &mut found, result);
                });
                true
            };
            self.cloudwatch.pages("cloudwatch:GetMetricData", input, "NextToken", take).await?;
        }
        Ok(found)
    }
}

/// Takes one result in; whether it could be read.
fn read(functions: &[String], found: &mut BTreeMap<String, Periods>, result: &Value) -> Option<()> {
    let (index, asked) = result.get("Id")?.as_str()?.strip_prefix('q')?.split_once('_')?;
    let periods = found.get_mut(functions.get(index.parse::<usize>().ok()?)?)?;
    let asked = asked.parse().ok()?;
    for (at, value) in result.get("Timestamps")?.as_array()?.iter().zip(result.get("Values")?.as_array()?) {
        periods.entry(ms(at)?).or_default().take(asked, value.as_f64()?);
    }
    Some(())
}

fn query(id: &str, function: &str, metric: &str, statistic: &str, period: i64) -> Value {
    let dimensions = json!([{"Name": "FunctionName", "Value": function}]);
    let metric = json!({"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions});
    json!({"Id": id, "MetricStat": {"Metric": metric, "Period": period / 1000, "Stat": statistic}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(calls: f64, sum: f64, p99: f64) -> Period {
        let mut period = Period::default();
        for (asked, value) in [(0, calls), (1, 1.0), (3, sum), (7, p99)] {
            period.take(asked, value);
        }
        period
    }

    #[test]
    fn counts_add_up_and_of_percentiles_the_worse_stands() {
        let one = Periods::from([(0, period(2.0, 10.0, 8.0)), (60, period(1.0, 20.0, 20.0))]);
        let other = Periods::from([(60, period(1.0, 2.0, 2.0)), (120, period(5.0, 5.0, 1.0))]);
        let all = together([&one, &other].into_iter());
        let during = within(&all, &Stretch { name: "during", from: 0, until: 120 });
        assert_eq!((during.calls, during.errors), (4, 3));
        assert_eq!((during.latency().p99, during.latency().mean), (20.0, 8.0));
        assert_eq!(Period::default().latency().mean, 0.0);
    }
}
