//! GetMetricData: what is kept of metrics, by period and statistic.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::CloudWatch;
use super::metrics;
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{list, page, text, with};

/// So many values a page has, unless `MaxDatapoints` says less.
const USUAL: usize = 100_800;

/// The most periods that one query may span: what is beyond, CloudWatch would answer in pages.
const MOST_PERIODS: i64 = 100_800;

/// GetMetricData. Only metrics that are kept, no expressions over them.
pub fn get(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let time = |member| input.get(member).and_then(Value::as_f64).map(clock::ms).unwrap_or_default();
    let (start, end) = (time("StartTime"), time("EndTime"));
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let ascending = text(input, "ScanBy") == Some("TimestampAscending");
    let mut points = Vec::new();
    let mut asked: Vec<(String, String)> = Vec::new();
    for query in list(input, "MetricDataQueries") {
        let id = text(query, "Id").unwrap_or_default();
        if asked.iter().any(|(other, _)| other == id) {
            return Err(invalid(format!("The value {id} for parameter MetricDataQueries.member.Id is duplicated.")));
        }
        let Some(stat) = query.get("MetricStat") else {
            return Err(invalid(format!("the lab serves no expressions, which `{id}` has")));
        };
        let metric = stat.get("Metric").unwrap_or(&Value::Null);
        let label = text(query, "Label").or_else(|| text(metric, "MetricName")).unwrap_or_default();
        asked.push((id.to_owned(), label.to_owned()));
        if query.get("ReturnData").and_then(Value::as_bool) == Some(false) {
            continue;
        }
        let values = Query::read(stat)?.answer(service, metric, start, end)?;
        let values: Vec<_> = if ascending { values } else { values.into_iter().rev().collect() };
        points.extend(values.into_iter().map(|(at, value)| (asked.len() - 1, at, value)));
    }
    let most = input.get("MaxDatapoints").and_then(Value::as_u64);
    let (points, next) = page(points, text(input, "NextToken"), most, USUAL)?;
    let results: Vec<Value> = asked
        .iter()
        .enumerate()
        .map(|(index, (id, label))| {
            let own = || points.iter().filter(|(of, _, _)| *of == index);
            json!({
                "Id": id, "Label": label, "StatusCode": if next.is_some() { "PartialData" } else { "Complete" },
                "Timestamps": own().map(|(_, at, _)| clock::seconds(*at)).collect::<Vec<_>>(),
                "Values": own().map(|(_, _, value)| *value).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(with(json!({"MetricDataResults": results, "Messages": []}), "NextToken", next))
}

/// What a query asks of a metric.
struct Query {
    period_ms: i64,
    statistic: Statistic,
}

enum Statistic {
    Sum,
    Average,
    SampleCount,
    Minimum,
    Maximum,
    /// A share of all values, from 0 to 1.
    Percentile(f64),
}

impl Query {
    fn read(stat: &Value) -> Result<Query, ApiError> {
        let period = stat.get("Period").and_then(Value::as_i64).unwrap_or_default();
        if !(matches!(period, 1 | 5 | 10 | 30) || (period > 0 && period % 60 == 0)) {
            return Err(invalid(format!("Period must be 1, 5, 10, 30 or a multiple of 60, got {period}.")));
        }
        let word = text(stat, "Stat").unwrap_or_default();
        let statistic = match word {
            "Sum" => Statistic::Sum,
            "Average" => Statistic::Average,
            "SampleCount" => Statistic::SampleCount,
            "Minimum" => Statistic::Minimum,
            "Maximum" => Statistic::Maximum,
            _ => {
                let share = word.strip_prefix('p').and_then(|share| share.parse::<f64>().ok());
                let share = share.filter(|share| (0.0..=100.0).contains(share));
                Statistic::Percentile(
                    share.ok_or_else(|| invalid(format!("the lab does not serve the statistic `{word}`")))? / 100.0,
                )
            }
        };
        Ok(Query { period_ms: period * 1000, statistic })
    }

    /// The value of each period that has any, by its beginning; periods begin at multiples of their length.
    fn answer(&self, service: &CloudWatch, metric: &Value, start: i64, end: i64) -> Result<Vec<(i64, f64)>, ApiError> {
        if (end - start) / self.period_ms > MOST_PERIODS {
            return Err(invalid(format!("the lab answers at most {MOST_PERIODS} periods at once")));
        }
        let name = |member| text(metric, member).unwrap_or_default();
        let key = metrics::key(name("Namespace"), name("MetricName"), metric.get("Dimensions").unwrap_or(&Value::Null));
        let mut periods: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        let first = start.div_euclid(self.period_ms) * self.period_ms;
        service.tables(|tables| {
            let values = tables.metric(&key).map(|metric| metric.values.as_slice()).unwrap_or_default();
            for (at, value) in values.iter().filter(|(at, _)| (first..end).contains(at)) {
                periods.entry(at.div_euclid(self.period_ms) * self.period_ms).or_default().push(*value);
            }
        });
        Ok(periods.into_iter().map(|(at, values)| (at, self.statistic.of(values))).collect())
    }
}

impl Statistic {
    /// Of at least one value.
    fn of(&self, mut values: Vec<f64>) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of values are far below 2^53")]
        let count = values.len() as f64;
        match self {
            Statistic::Sum => values.iter().sum(),
            Statistic::Average => values.iter().sum::<f64>() / count,
            Statistic::SampleCount => count,
            Statistic::Minimum => values.into_iter().fold(f64::INFINITY, f64::min),
            Statistic::Maximum => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
            Statistic::Percentile(share) => {
                values.sort_by(f64::total_cmp);
                faultlayer_report::figures::percentile(&values, *share)
            }
        }
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad("InvalidParameterValue", message)
}
