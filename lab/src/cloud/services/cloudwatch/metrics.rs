//! PutMetricData, and the values that alarms look at.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CloudWatch, alarms};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{list, text};
use crate::cloud::state::table::Row;

/// So many values of a metric are kept, the latest.
const KEPT: usize = 4000;
/// Of one that a service counts.
const KEPT_OWN: usize = 100_000;

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

impl Metric {
    /// Takes values in, whenever they are of, and lets go of the oldest where there are too many.
    fn take(&mut self, given: Vec<(i64, f64)>, kept: usize) {
        let late = self.values.last().zip(given.first()).is_some_and(|(last, first)| first.0 < last.0);
        self.values.extend(given);
        if late {
            self.values.sort_by_key(|(at, _)| *at);
        }
        let surplus = self.values.len().saturating_sub(kept);
        self.values.drain(..surplus);
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
    service.tables(|tables| {
        for datum in list(input, "MetricData") {
            let (key, given) = read(namespace, datum)?;
            let mut metric = tables.metrics.get(&key).cloned().unwrap_or_else(|| Metric { key: key.clone(), values: Vec::new() });
            metric.take(given, KEPT);
            tables.metrics.put(metric)?;
            alarms::spoken(tables, &key)?;
        }
        Ok(json!({}))
    })
}

/// What a service counts of its own, in the form of PutMetricData. No client can call it. Kept in memory alone: an invocation
/// does not wait for a disk.
pub fn put_own(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let namespace = text(input, "Namespace").unwrap_or_default();
    service.tables(|tables| {
        for datum in list(input, "MetricData") {
            let (key, given) = read(namespace, datum)?;
            let metric = tables.own.entry(key.clone()).or_insert_with(|| Metric { key: key.clone(), values: Vec::new() });
            metric.take(given, KEPT_OWN);
            alarms::spoken(tables, &key)?;
        }
        Ok(json!({}))
    })
}

/// The key of a datum's metric, and its values with their times.
fn read(namespace: &str, datum: &Value) -> Result<(String, Vec<(i64, f64)>), ApiError> {
    let key = key(namespace, text(datum, "MetricName").unwrap_or_default(), datum.get("Dimensions").unwrap_or(&Value::Null));
    let at = datum.get("Timestamp").and_then(Value::as_f64).map_or_else(clock::now_ms, clock::ms);
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
    Ok((key, given))
}
