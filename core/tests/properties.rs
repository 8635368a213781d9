//! What holds for every plan and every invocation, over generated ones.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use faultlayer_core::decision::{Action, Decision, Engine, Facts, Invocation, Outcome, Phase, Record, Unbounded, explain};
use faultlayer_core::plan::Plan;
use faultlayer_core::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp(1_795_435_200_000_000);

fn fault(index: usize) -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        (0..6000_u32).prop_map(|delay| json!({"kind": "latency", "delay_ms": delay})),
        Just(json!({"kind": "latency", "delay_ms": {"pareto": {"scale": 1, "shape": 0.7, "max": 9000}}})),
        Just(json!({"kind": "error", "type": "E"})),
        Just(json!({"kind": "response", "status": 503})),
        Just(json!({"kind": "exit"})),
        Just(json!({"kind": "timeout"})),
    ];
    let other = prop_oneof![
        Just(json!({"kind": "corrupt"})),
        Just(json!({"kind": "corrupt", "body": null})),
        Just(json!({"kind": "disk", "size_mib": 1})),
        Just(json!({"kind": "cpu", "duration_ms": 0})),
    ];
    let when = prop_oneof![
        Just(json!({})),
        Just(json!({"when": "after"})),
        (0..100_u32).prop_map(|bytes| json!({"when": "during", "after_bytes": bytes})),
    ];
    let limit = prop_oneof![3 => Just(json!({})), 1 => (0..3_u32).prop_map(|limit| json!({"limit": limit}))];
    let rate = prop_oneof![Just(1.0), Just(0.0), 0.0..=1.0];
    let what = prop_oneof![3 => (kind, when).boxed(), 1 => (other, Just(json!({}))).boxed()];
    (what, limit, rate).prop_map(move |((kind, when), limit, rate)| {
        let mut fault = json!({"id": format!("f{index}"), "rate": rate});
        for part in [kind, when, limit] {
            fault.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        fault
    })
}

fn plan() -> impl Strategy<Value = Value> {
    let faults = (1..7_usize).prop_flat_map(|count| (0..count).map(fault).collect::<Vec<_>>());
    let limits = prop_oneof![
        Just(json!({})),
        (0..5_u32, 0..3000_u32).prop_map(|(injections, margin)| json!({"injections": injections, "deadline_margin_ms": margin})),
    ];
    (faults, limits, any::<bool>(), 0..=9_007_199_254_740_991_u64).prop_map(|(faults, limits, dry_run, seed)| {
        json!({"version": 1, "seed": seed, "expires_at": "never", "dry_run": dry_run, "limits": limits, "faults": faults})
    })
}

/// Any JSON of some depth.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The whole of one invocation: everything that the phases brought.
fn live(mut decision: Decision, fails: bool) -> (Vec<Phase>, usize) {
    let mut phases = vec![decision.before(&mut Unbounded)];
    if matches!(phases[0].step.outcome, Outcome::Run) {
        for border in decision.borders() {
            phases.push(decision.reached(border.index, NOW));
        }
        phases.push(if fails { decision.failed(NOW) } else { decision.returned(Some("text"), NOW) });
    }
    let left = decision.borders().len();
    (phases, left)
}

proptest! {
    #[test]
    fn every_drawn_fault_is_settled_once_and_at_most_one_outcome_stands_in_a_phase(
        plan in plan(), request_id in ".{0,40}", streaming: bool, fails: bool, time_left_ms in -10..10_000_i64,
    ) {
        let parsed = Plan::parse(&plan.to_string()).unwrap();
        let dry_run = parsed.dry_run;
        let margin_us = parsed.limits.deadline_margin_us;
        let engine = Engine::new(parsed);
        let deadline = Some(Timestamp(NOW.0 + time_left_ms * 1000));
        let invocation = Invocation { request_id: &request_id, deadline, now: NOW, cold_start: true, streaming, facts: Facts::default() };
        let explained = explain(&engine.plan().unwrap(), &invocation);
        let drawn: HashSet<_> = explained.iter().filter(|fate| fate.drawn).map(|fate| fate.fault.clone()).collect();
        let Some(decision) = engine.decide(&invocation) else {
            prop_assert!(drawn.is_empty());
            return Ok(());
        };
        let (phases, left) = live(decision, fails);
        prop_assert_eq!(left, 0);
        let settled: Vec<_> = phases.iter().flat_map(|phase| phase.records.iter().map(|record| record.fault.clone())).collect();
        prop_assert_eq!(settled.len(), drawn.len());
        prop_assert_eq!(settled.into_iter().collect::<HashSet<_>>(), drawn);
        for phase in &phases {
            let beside = ["latency", "disk", "memory", "cpu"];
            let outcome = |record: &&Record| !beside.contains(&record.kind) && record.action != Action::Skipped;
            prop_assert!(phase.records.iter().filter(outcome).count() <= 1);
            prop_assert!(phase.records.is_sorted_by_key(|record| record.fault.clone()));
            prop_assert!(phase.step.delay_us <= u64::try_from(time_left_ms * 1000 - margin_us).unwrap_or(0));
            for record in &phase.records {
                prop_assert!(record.sample < record.rate);
                prop_assert_eq!(record.reason.is_some(), record.action == Action::Skipped);
                prop_assert_eq!(record.action == Action::Injected, !dry_run && record.action != Action::Skipped);
            }
            if dry_run {
                prop_assert_eq!(phase.step.delay_us, 0);
                prop_assert!(matches!(phase.step.outcome, Outcome::Run));
            }
        }
    }

    #[test]
    fn an_explanation_is_what_happens_to_a_handler_that_returns(plan in plan(), request_id in "[a-z0-9-]{0,40}") {
        let engine = Engine::new(Plan::parse(&plan.to_string()).unwrap());
        let invocation = Invocation { request_id: &request_id, deadline: None, now: NOW, cold_start: true, streaming: false, facts: Facts::default() };
        let explained = explain(&engine.plan().unwrap(), &invocation);
        let phases = engine.decide(&invocation).map(|decision| live(decision, false).0).unwrap_or_default();
        for record in phases.iter().flat_map(|phase| &phase.records) {
            let fate = explained.iter().find(|fate| fate.fault == record.fault).unwrap();
            prop_assert_eq!((fate.action, fate.reason, fate.sample), (Some(record.action), record.reason, Some(record.sample)));
        }
    }

    #[test]
    fn injections_never_exceed_a_limit_and_what_is_skipped_is_given_back(plan in plan(), calls in 1..20_usize) {
        let limit = plan["limits"]["injections"].as_u64();
        let engine = Engine::new(Plan::parse(&plan.to_string()).unwrap());
        let mut injected = 0;
        for call in 0..calls {
            let request_id = call.to_string();
            let invocation = Invocation { request_id: &request_id, deadline: None, now: NOW, cold_start: false, streaming: false, facts: Facts::default() };
            let phases = engine.decide(&invocation).map(|decision| live(decision, false).0).unwrap_or_default();
            injected += phases.iter().flat_map(|phase| &phase.records).filter(|record| record.action == Action::Injected).count();
        }
        prop_assert!(limit.is_none_or(|limit| u64::try_from(injected).unwrap() <= limit));
    }

    #[test]
    fn any_json_is_a_plan_or_is_refused_with_its_problems(json in any_json(), mut plan in plan(), at in 0..8_usize) {
        prop_assert!(Plan::parse(&json.to_string()).is_err_and(|error| !error.problems.is_empty()));
        let keys: Vec<_> = plan["faults"][0].as_object().unwrap().keys().cloned().collect();
        plan["faults"][0][&keys[at % keys.len()]] = json;
        if let Err(error) = Plan::parse_to_run(&plan.to_string()) {
            prop_assert!(error.problems.iter().all(|problem| problem.path.starts_with("faults")), "{error}");
        }
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in ".{0,60}") {
        prop_assert!(Plan::parse(&text).is_err());
    }
}

#[test]
fn a_limit_is_exact_under_many_threads_and_a_new_plan_goes_on_counting() {
    let plan = |limit: u32, beside_skipped: bool| {
        let fault = json!({"id": "a", "kind": "latency", "rate": 1, "delay_ms": 0, "limit": limit});
        let skipped = json!({"id": "b", "kind": "error", "type": "E", "rate": 1, "when": "during", "after_bytes": 1});
        let faults = if beside_skipped { vec![skipped, fault] } else { vec![fault] };
        Plan::parse(&json!({"version": 1, "limits": {"injections": limit}, "faults": faults}).to_string()).unwrap()
    };
    let engine = Arc::new(Engine::new(plan(500, false)));
    let run = |engine: &Arc<Engine>| {
        let injected = Arc::new(AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (engine, injected) = (Arc::clone(engine), Arc::clone(&injected));
                scope.spawn(move || {
                    for call in 0..500 {
                        let request_id = format!("{thread}-{call}");
                        let invocation = Invocation {
                            request_id: &request_id,
                            deadline: None,
                            now: NOW,
                            cold_start: false,
                            streaming: false,
                            facts: Facts::default(),
                        };
                        let phases = engine.decide(&invocation).map(|decision| live(decision, false).0).unwrap_or_default();
                        let records = phases.iter().flat_map(|phase| &phase.records);
                        injected.fetch_add(records.filter(|record| record.action == Action::Injected).count(), Ordering::Relaxed);
                    }
                });
            }
        });
        injected.load(Ordering::Relaxed)
    };
    assert_eq!(run(&engine), 500);
    assert_eq!(run(&engine), 0);
    engine.replace(Some(plan(7, false)));
    assert_eq!(run(&engine), 0, "what was injected before counts");
    engine.replace(Some(plan(507, false)));
    assert_eq!(run(&engine), 7);
    engine.replace(None);
    // The other fault comes first, takes from the plan's limit and gives back: the last one is left for a fault after it only
    // where another invocation comes between.
    engine.replace(Some(plan(100, true)));
    let injected = run(&engine) + run(&engine);
    assert!((99..=100).contains(&injected), "{injected}");
    engine.replace(None);
    assert_eq!(run(&engine), 0);
}
