//! What CloudWatch has counted of a plan's own metrics: all injections, also those whose records are too many to read.

use std::collections::{BTreeMap, BTreeSet};

use faultlayer_report::records;
use serde_json::{Map, Value, json};

use super::records::Found;
use super::service::seconds;
use crate::{Error, Experiments};

/// CloudWatch's period.
const MINUTE_MS: i64 = 60_000;
/// Queries that fit into one call.
const AT_ONCE: usize = 500;

/// Injections of a plan's faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The plan's `metrics.namespace`.
    pub namespace: String,
    /// By fault.
    pub injections: BTreeMap<String, u64>,
}

impl Counted {
    /// In one line.
    pub fn said(&self) -> String {
        let faults: Vec<String> = self.injections.iter().map(|(fault, count)| format!("`{fault}` {count}")).collect();
        format!("{}, in the namespace `{}`", faults.join(", "), self.namespace)
    }
}

impl Experiments {
    /// Asks for what the records of injections say that they count as; none where the plan has no `metrics`.
    pub(super) async fn counted(&self, found: &[(String, Found)], (from, until): (i64, i64)) -> Result<Option<Counted>, Error> {
        let all = || found.iter().flat_map(|(_, found)| &found.records).map(|(_, record)| record);
        let Some(namespace) = all().find_map(namespace) else { return Ok(None) };
        let of: BTreeSet<(&str, Option<&str>)> = all()
            .filter(|record| self::namespace(record) == Some(namespace))
            .filter_map(|record| Some((records::text(record, "fault")?, records::text(record, "experiment"))))
            .collect();
        let of: Vec<_> = of.into_iter().take(AT_ONCE).collect();
        let queries: Vec<Value> = of.iter().enumerate().map(|(index, of)| query(index, namespace, *of)).collect();
        let input = json!({
            "MetricDataQueries": queries, "StartTime": seconds(from.div_euclid(MINUTE_MS) * MINUTE_MS),
            "EndTime": seconds((until.div_euclid(MINUTE_MS) + 1) * MINUTE_MS),
        });
        let mut injections = BTreeMap::new();
        let take = |page: &Value| {
            for result in page.get("MetricDataResults").and_then(Value::as_array).into_iter().flatten() {
                let index = result.get("Id").and_then(Value::as_str).and_then(|id| id.strip_prefix('q')?.parse::<usize>().ok());
                let Some((fault, _)) = index.and_then(|index| of.get(index)) else { continue };
                let values = result.get("Values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_f64);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums of counts")]
                let count = values.sum::<f64>().max(0.0).round() as u64;
                *injections.entry((*fault).to_owned()).or_default() += count;
            }
            true
        };
        self.cloudwatch.pages("cloudwatch:GetMetricData", input, "NextToken", take).await?;
        Ok(Some(Counted { namespace: namespace.to_owned(), injections }))
    }
}

fn namespace(record: &Map<String, Value>) -> Option<&str> {
    record.get("_aws")?.get("CloudWatchMetrics")?.get(0)?.get("Namespace")?.as_str()
}

fn query(index: usize, namespace: &str, (fault, experiment): (&str, Option<&str>)) -> Value {
    let dimension = |name: &str, value: &str| json!({"Name": name, "Value": value});
    let experiment = experiment.map(|experiment| dimension("experiment", experiment));
    let dimensions: Vec<Value> = experiment.into_iter().chain([dimension("fault", fault)]).collect();
    let metric = json!({"Namespace": namespace, "MetricName": "injections", "Dimensions": dimensions});
    json!({"Id": format!("q{index}"), "MetricStat": {"Metric": metric, "Period": MINUTE_MS / 1000, "Stat": "Sum"}})
}
