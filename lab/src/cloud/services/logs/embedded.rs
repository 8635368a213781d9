//! The embedded metric format: log events that say which of their members are metrics.

use serde_json::{Map, Value, json};

use crate::cloud::clock;
use crate::cloud::services::members::{list, text};

/// What a log event is as a document of the embedded metric format: for each metric of each of its directives the namespace and
/// the datum, as PutMetricData takes it, once for each set of dimensions. Nothing where it is none.
pub fn data(message: &str) -> Vec<(String, Value)> {
    let found = message.find('{').filter(|_| message.contains("\"_aws\""));
    let Some(Ok(document)) = found.and_then(|at| message.get(at..)).map(serde_json::from_str::<Map<String, Value>>) else {
        return Vec::new();
    };
    let about = document.get("_aws").unwrap_or(&Value::Null);
    let Some(at) = about.get("Timestamp").and_then(Value::as_i64) else { return Vec::new() };
    let mut data = Vec::new();
    for directive in list(about, "CloudWatchMetrics") {
        for set in list(directive, "Dimensions").filter_map(Value::as_array) {
            let dimension = |name: &Value| {
                let value =
                    document.get(name.as_str()?)?.as_str().filter(|value| value.is_ascii() && !value.trim().is_empty())?;
                Some(json!({"Name": name, "Value": value}))
            };
            // A dimension that is not there makes the set void.
            let Some(dimensions) = set.iter().map(dimension).collect::<Option<Vec<Value>>>() else { continue };
            for metric in list(directive, "Metrics") {
                let Some(name) = text(metric, "Name") else { continue };
                let Some(value) = document.get(name).filter(|value| value.is_number()) else { continue };
                let unit = text(metric, "Unit").unwrap_or("None");
                let datum = json!({
                    "MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit, "Timestamp": clock::seconds(at),
                });
                data.push((text(directive, "Namespace").unwrap_or_default().to_owned(), datum));
            }
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_one_datum_for_each_metric_and_set_of_dimensions() {
        let line = r#"{"fault":"slow","kind":"latency","injections":1,"delay_ms":2.5,"_aws":{"Timestamp":1795435200000,"CloudWatchMetrics":[
            {"Namespace":"N","Dimensions":[["kind"],["fault"],["gone"]],"Metrics":[{"Name":"injections","Unit":"Count"},{"Name":"delay_ms"},{"Name":"gone"}]}]}}"#;
        let found = data(line);
        let shown: Vec<_> = found
            .iter()
            .map(|(namespace, datum)| {
                format!("{namespace} {} {} {}", datum["MetricName"], datum["Dimensions"][0]["Value"], datum["Value"])
            })
            .collect();
        assert_eq!(
            shown,
            [
                "N \"injections\" \"latency\" 1",
                "N \"delay_ms\" \"latency\" 2.5",
                "N \"injections\" \"slow\" 1",
                "N \"delay_ms\" \"slow\" 2.5"
            ]
        );
        for none in ["", "{", "text \"_aws\"", r#"{"_aws":1}"#, r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":"x"}}"#] {
            assert!(data(none).is_empty(), "{none}");
        }
    }
}
