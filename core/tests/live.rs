//! Plans that change under running invocations.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use faultlayer_core::decision::{Action, Engine, Facts, Invocation, Unbounded};
use faultlayer_core::plan::Plan;
use faultlayer_core::timestamp::Timestamp;
use serde_json::{Value, json};

/// A plan whose faults say which of 1,000 it is: both delays are its number.
fn plan(number: u64, experiment: &str, faults: &[(&str, Option<u64>)]) -> Plan {
    let faults = faults.iter().map(|(id, limit)| {
        let mut fault = json!({"id": id, "kind": "latency", "rate": 1, "delay_ms": number});
        if let Some(limit) = limit {
            fault["limit"] = (*limit).into();
        }
        fault
    });
    Plan::parse(&json!({"version": 1, "experiment": experiment, "faults": Value::from_iter(faults)}).to_string()).unwrap()
}

/// Fault and delay of what one invocation is hit by.
fn hit(engine: &Engine, request_id: &str) -> Vec<(String, f64)> {
    let invocation = Invocation {
        request_id,
        deadline: None,
        now: Timestamp(1_000_000),
        cold_start: false,
        streaming: false,
        facts: Facts::default(),
    };
    let Some(mut decision) = engine.decide(&invocation) else { return Vec::new() };
    let records = decision.before(&mut Unbounded).records;
    let injected = records.into_iter().filter(|record| record.action == Action::Injected);
    injected.map(|record| (record.fault, record.details["delay_ms"].as_f64().unwrap())).collect()
}

#[test]
fn of_1000_plans_under_16_callers_each_decision_is_by_one_and_limits_are_exact() {
    const LIMIT: u64 = 5000;
    let of = |number: u64| {
        // One of them comes and goes, and comes in another place.
        let faults: [(&str, Option<u64>); 3] = [("a", None), ("limited", Some(LIMIT)), ("b", None)];
        if number.is_multiple_of(3) { plan(number, "one", &[faults[0], faults[2]]) } else { plan(number, "one", &faults) }
    };
    let engine = Arc::new(Engine::new(of(1)));
    let (over, limited) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    std::thread::scope(|scope| {
        for caller in 0..16 {
            let (engine, over, limited) = (Arc::clone(&engine), Arc::clone(&over), Arc::clone(&limited));
            scope.spawn(move || {
                for call in 0.. {
                    let hit = hit(&engine, &format!("{caller}-{call}"));
                    let ids: Vec<_> = hit.iter().map(|(fault, _)| fault.as_str()).collect();
                    assert!(ids == ["a", "limited", "b"] || ids == ["a", "b"], "{ids:?}");
                    assert!(hit.iter().all(|(_, number)| (number - hit[0].1).abs() < 0.1), "{hit:?}");
                    limited.fetch_add((ids.len() - 2) as u64, Ordering::Relaxed);
                    if over.load(Ordering::Relaxed) && limited.load(Ordering::Relaxed) >= LIMIT && call > 100 {
                        break;
                    }
                }
            });
        }
        (2..=1000).for_each(|number| engine.replace(Some(of(number))));
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(limited.load(Ordering::Relaxed), LIMIT);
}

#[test]
fn what_limits_have_counted_is_the_experiments_own_and_goes_by_the_faults_ids() {
    let engine = Engine::new(plan(1, "one", &[("a", Some(2)), ("b", None)]));
    let ids = |engine: &Engine| hit(engine, "request").into_iter().map(|(fault, _)| fault).collect::<Vec<_>>();
    assert_eq!(ids(&engine), ["a", "b"]);
    engine.replace(Some(plan(1, "one", &[("b", Some(2)), ("a", Some(1))])));
    assert_eq!(ids(&engine), ["b"], "a fault's limit may come to be less than was injected");
    assert_eq!(ids(&engine), [""; 0]);
    engine.replace(Some(plan(1, "one", &[("c", Some(1))])));
    assert_eq!(ids(&engine), ["c"]);
    engine.replace(Some(plan(1, "one", &[("a", Some(2)), ("b", Some(2)), ("c", Some(2))])));
    assert_eq!(ids(&engine), ["a", "c"], "what a plan between has not is remembered");
    engine.replace(Some(plan(1, "other", &[("a", Some(1))])));
    assert_eq!(ids(&engine), ["a"], "another experiment counts by itself");
}
