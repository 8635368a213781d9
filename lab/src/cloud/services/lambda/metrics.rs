//! What Lambda counts of a function's invocations: `AWS/Lambda` in CloudWatch, with the function as the dimension.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cloud::call::{Principal, Request};
use crate::cloud::clock;
use crate::cloud::lab::Lab;
use crate::runtime::{InvokeOutcome, Invoked};

/// An invocation that has ended, at the moment at which it began. Its duration is the handler's: initialisation does not count.
pub async fn invoked(lab: &Arc<Lab>, name: &str, invoked: &Invoked) {
    let failed = matches!(invoked.outcome, InvokeOutcome::FunctionError { .. });
    #[expect(clippy::cast_possible_truncation, reason = "minutes in milliseconds")]
    let began = clock::now_ms() - invoked.latency_ms() as i64;
    let count = |it_is: bool| if it_is { 1.0 } else { 0.0 };
    let figures = [
        ("Invocations", 1.0, "Count"),
        ("Errors", count(failed), "Count"),
        ("Throttles", 0.0, "Count"),
        ("Duration", invoked.duration_ms, "Milliseconds"),
    ];
    put(lab, name, began, &figures).await;
}

/// A call that was refused: it is no invocation.
pub async fn throttled(lab: &Arc<Lab>, name: &str) {
    put(lab, name, clock::now_ms(), &[("Throttles", 1.0, "Count")]).await;
}

async fn put(lab: &Arc<Lab>, name: &str, at: i64, figures: &[(&str, f64, &str)]) {
    let datum = |(metric, value, unit): &(&str, f64, &str)| -> Value {
        json!({
            "MetricName": metric, "Value": value, "Unit": unit, "Timestamp": clock::seconds(at),
            "Dimensions": [{"Name": "FunctionName", "Value": name}],
        })
    };
    let input = json!({"Namespace": "AWS/Lambda", "MetricData": figures.iter().map(datum).collect::<Vec<_>>()});
    let who = Principal::user(&lab.site.place.account);
    // An invocation knows nothing of it, whatever becomes of it.
    let _ = lab.call(&who, &Request::new("cloudwatch", "PutServiceMetricData", input)).await;
}
