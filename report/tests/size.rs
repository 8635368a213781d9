//! However many calls there were, the page stays one that opens at once.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;

use faultlayer_report::counts::FaultCount;
use faultlayer_report::document::{Document, Line, MOST_LINES, Phase, Touched, Verdict, thinned};
use faultlayer_report::figures::Latency;
use faultlayer_report::timeline::{Call, Ending, Timeline};
use faultlayer_report::{html, markdown};
use serde_json::json;

const CALLS: u32 = 100_000;

const ENDINGS: [Ending; 4] = [Ending::Answered, Ending::Error, Ending::Timeout, Ending::Crash];

/// A run whose every call met one of five faults, with a record of many fields.
fn document() -> Document {
    let kinds = ["latency", "error", "response", "exit", "aws_call"];
    let of = |n: u32| kinds[n as usize % kinds.len()];
    let calls: Vec<Call> = (0..CALLS)
        .map(|n| Call {
            at_ms: f64::from(n) * 3.7,
            latency_ms: f64::from(n % 977),
            ending: ENDINGS[n as usize % 4],
            injected: vec![of(n).to_owned()],
        })
        .collect();
    let lines: Vec<Line> = (0..CALLS)
        .map(|n| Line {
            at_ms: f64::from(n) * 3.7,
            fault: of(n).to_owned(),
            kind: of(n).to_owned(),
            action: "injected".to_owned(),
            request_id: format!("{n:08x}-2feb-4e95-a8ef-e333b266f103"),
            outcome: "ProvisionedThroughputExceededException".to_owned(),
            latency_ms: Some(f64::from(n % 977)),
            details: json!({"delay_ms": 106.187, "operation": "PutItem", "service": "dynamodb", "attempt": 3})
                .as_object()
                .unwrap()
                .clone(),
        })
        .collect();
    let phase = |name: &str| Phase {
        name: name.to_owned(),
        path: "/run".to_owned(),
        until_ms: 370_000.0,
        calls: u64::from(CALLS),
        ok: 25_000,
        errors: BTreeMap::from([("ConnectionError".to_owned(), 25_000)]),
        timeouts: 25_000,
        crashes: 25_000,
        latency_ms: Latency { p50: 488.0, p90: 878.0, p99: 966.0, max: 976.0, mean: 488.0 },
        ..Phase::default()
    };
    let fault = |kind: &&str| FaultCount {
        id: (*kind).to_owned(),
        kind: (*kind).to_owned(),
        rate: 1.0,
        drawn: 20_000,
        injected: 20_000,
        ..FaultCount::default()
    };
    Document {
        title: "`app.handler` under `checkout`".to_owned(),
        verdict: Verdict::of(&[], None, &phase("run"), u64::from(CALLS)),
        expectations: Vec::new(),
        facts: vec![("function".to_owned(), "`app.handler`".to_owned())],
        phases: vec![phase("healthy"), phase("under the plan")],
        faults: kinds.iter().map(fault).collect(),
        timeline: Timeline::of(&[("under the plan", &calls)]),
        marks: Vec::new(),
        records_in_all: lines.len() as u64,
        records: thinned(lines, MOST_LINES),
        functions: Vec::new(),
        notes: Vec::new(),
        plan: None,
    }
}

#[test]
fn a_page_of_a_hundred_thousand_calls_is_below_two_megabytes() {
    let document = document();
    let page = html::render(&document).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page.contains("4000 of 100000 records"));
    let text = markdown::render(&document);
    assert!(text.len() < 10_000, "{} bytes", text.len());
}

#[test]
fn so_is_that_of_an_experiment_on_a_thousand_functions() {
    let touched = |n: u32| Touched {
        name: format!("checkout-payments-{n}"),
        configuration: "as before, but for what its owner changed meanwhile: field Timeout".to_owned(),
        calls: 12_345,
        errors: 123,
        throttles: 12,
        records: 1_234,
    };
    let page = html::render(&Document { functions: (0..1000).map(touched).collect(), ..document() }).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}
