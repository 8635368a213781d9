//! PutMetricData, and the values that alarms look at.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::CloudWatch;
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{list, text};
use crate::cloud::state::table::Row;

/// So many values of a metric are kept, the latest.
const KEPT: usize = 4000;

/// One metric's values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Metric {
    key: String,
    /// When, in milliseconds since 1970, and how much.
    pub values: Vec<(i64, f64)>,
}

impl Row for Metric {
    const TABLE: &'static str = "metrics";

    fn key(&self) -> &str {
        &self.key
    }
}

/// A metric's name: namespace, name, and dimensions in any order.
pub fn key(namespace: &str, name: &str, dimensions: &Value) -> String {
    let mut pairs: Vec<String> = dimensions
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| format!("{}={}", text(one, "Name").unwrap_or_default(), text(one, "Value").unwrap_or_default()))
        .collect();
    pairs.sort();
    format!("{namespace}\n{name}\n{}", pairs.join("\n"))
}

/// PutMetricData.
pub fn put(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let namespace = text(input, "Namespace").unwrap_or_default();
    if namespace.starts_with("AWS/") {
        return Err(ApiError::bad("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid."));
    }
    let now = clock::now_ms();
    service.tables(|tables| {
        for datum in list(input, "MetricData") {
            let key =
                key(namespace, text(datum, "MetricName").unwrap_or_default(), datum.get("Dimensions").unwrap_or(&Value::Null));
            let at = datum.get("Timestamp").and_then(Value::as_f64).map_or(now, clock::ms);
            let single = datum.get("Value").and_then(Value::as_f64);
            let several = list(datum, "Values").filter_map(Value::as_f64);
            let highest = datum.get("StatisticValues").and_then(|set| set.get("Maximum")).and_then(Value::as_f64);
            let given: Vec<(i64, f64)> = single.into_iter().chain(several).chain(highest).map(|value| (at, value)).collect();
            if given.is_empty() {
                return Err(ApiError::bad(
                    "MissingParameter",
                    "At least one of the parameters must be specified: Value, Values, StatisticValues.",
                ));
            }
            let mut metric = tables.metrics.get(&key).cloned().unwrap_or(Metric { key: key.clone(), values: Vec::new() });
            metric.values.extend(given);
            metric.values.sort_by_key(|(at, _)| *at);
            let surplus = metric.values.len().saturating_sub(KEPT);
            metric.values.drain(..surplus);
            tables.metrics.put(metric)?;
            // From now on the metric speaks again.
            let watching: Vec<String> =
                tables.alarms.values().filter(|alarm| alarm.metric == key).map(|alarm| alarm.name.clone()).collect();
            for name in watching {
                tables.alarms.change(&name, |alarm| {
                    alarm.given = None;
                    Ok(())
                });
            }
        }
        Ok(json!({}))
    })
}
