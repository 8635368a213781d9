//! Every kind of fault, alone and in every ordered pair, in every phase, around a handler that answers and one that fails:
//! what happens is what the rules say, written down here a second time, and nothing of it is left afterwards.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail, and looks at the process from outside"
)]

use std::sync::{Arc, Mutex};

use faultlayer_core::boundary::{Call, Identity, Language, Library, Sink, Steps};
use serde_json::{Value, json};

const OUTCOMES: [&str; 4] = ["error", "response", "exit", "timeout"];

/// All kinds in all phases they can stand in.
fn variants() -> Vec<Value> {
    let mut variants = Vec::new();
    for when in [json!({}), json!({"when": "during", "after_bytes": 1}), json!({"when": "after"})] {
        for own in [
            json!({"kind": "latency", "delay_ms": 3}),
            json!({"kind": "error", "type": "E"}),
            json!({"kind": "response"}),
            json!({"kind": "exit"}),
            json!({"kind": "timeout"}),
        ] {
            let mut variant = own;
            variant.as_object_mut().unwrap().extend(when.as_object().unwrap().clone());
            variants.push(variant);
        }
    }
    variants.extend([
        json!({"kind": "corrupt"}),
        json!({"kind": "disk", "size_mib": 2}),
        json!({"kind": "memory", "size_mib": 2}),
        json!({"kind": "cpu", "duration_ms": 1, "threads": 2}),
        json!({"kind": "aws_call", "target": {"service": ["s3"]}, "error": "Throttling"}),
        json!({"kind": "network", "target": {"host": ["192.0.2.1"]}, "effect": "refuse"}),
    ]);
    variants
}

fn kind(fault: &Value) -> &str {
    fault["kind"].as_str().unwrap()
}

fn when(fault: &Value) -> &str {
    let default = if kind(fault) == "corrupt" { "after" } else { "before" };
    fault["when"].as_str().unwrap_or(default)
}

/// Each fault's fate, in the plan's order, what stands instead of the handler, and what stands after it.
struct Rule {
    fates: Vec<&'static str>,
    before: (u64, Option<&'static str>),
    after: (u64, Option<&'static str>),
}

fn outcome(kind: &str) -> Option<&'static str> {
    OUTCOMES.into_iter().find(|outcome| *outcome == kind)
}

/// The rules for a handler that does not stream.
fn rule(faults: &[Value], fails: bool) -> Rule {
    let mut rule = Rule { fates: vec![""; faults.len()], before: (0, None), after: (0, None) };
    let first = |phase: &str, may: &dyn Fn(&str) -> bool| {
        faults.iter().position(|fault| when(fault) == phase && outcome(kind(fault)).is_some() && may(kind(fault)))
    };
    // 2: before the handler.
    let stands = first("before", &|_| true);
    let stands_kind = stands.map_or("", |at| kind(&faults[at]));
    for (at, fault) in faults.iter().enumerate().filter(|(_, fault)| when(fault) == "before") {
        rule.fates[at] = match kind(fault) {
            "disk" | "memory" | "cpu" => "injected",
            "aws_call" | "network" if stands.is_some() => "handler_not_run",
            // The handler makes no call.
            "aws_call" | "network" => "no_call",
            "latency" if stands_kind == "timeout" => "superseded",
            "latency" => {
                rule.before.0 += 3_000;
                "injected"
            }
            _ if stands == Some(at) => "injected",
            _ => "superseded",
        };
    }
    rule.before.1 = outcome(stands_kind);
    // 3, 4: after it.
    let stopped = |kind: &str| fails && ["error", "response", "corrupt"].contains(&kind);
    let after = first("after", &|kind| !stopped(kind));
    let after_kind = after.map_or("", |at| kind(&faults[at]));
    let mut corrupted = false;
    for (at, fault) in faults.iter().enumerate().filter(|(_, fault)| when(fault) != "before") {
        rule.fates[at] = match (when(fault), kind(fault)) {
            _ if stands.is_some() => "handler_not_run",
            ("during", _) => "not_streaming",
            (_, kind) if stopped(kind) => "handler_failed",
            (_, "latency") if after_kind == "timeout" => "superseded",
            (_, "latency") => {
                rule.after.0 += 3_000;
                "injected"
            }
            (_, "corrupt") if after.is_none() && !corrupted => {
                corrupted = true;
                "injected"
            }
            _ if after == Some(at) => "injected",
            _ => "superseded",
        };
    }
    rule.after.1 = outcome(after_kind).or(corrupted.then_some("corrupt"));
    if rule.before.1.is_some() {
        rule.after = (0, None);
    }
    rule
}

/// What the engine made of it: the fates, and the delay and outcome before and after the handler.
fn live(faults: &[Value], fails: bool) -> (Vec<String>, [(u64, Value); 2]) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let sink = Sink::callback(move |line| sink.lock().unwrap().push(line.to_owned()));
    let mut written = faults.to_vec();
    for (at, fault) in written.iter_mut().enumerate() {
        fault["id"] = json!(at.to_string());
        fault["rate"] = json!(1);
    }
    let plan = json!({"version": 1, "expires_at": "never", "faults": written}).to_string();
    let library =
        Library::open(&plan, Language::Python, Identity::default(), sink).unwrap_or_else(|error| panic!("{error}\n{plan}"));
    let mut session = library.ask(|host| host.decide(&Call::of("one"))).unwrap().unwrap();
    let read = |step: String| {
        let step: Value = serde_json::from_str(&step).unwrap();
        (step["delay_us"].as_u64().unwrap(), step["outcome"].clone())
    };
    let before = read(session.ask(|steps| steps.before(None).to_json(Language::Python)).unwrap());
    let _ = session.ask(Steps::calls).unwrap();
    let mut after = (0, json!("run"));
    if before.1 == "run" {
        let end = |steps: &mut Steps| if fails { steps.failed(None) } else { steps.returned(Some("an answer"), None) };
        let step = session.ask(end).unwrap();
        after = read(step.to_json(Language::Python));
    }
    drop(session);
    let mut fates = vec![String::new(); faults.len()];
    for line in lines.lock().unwrap().iter() {
        let record: Value = serde_json::from_str(line).unwrap();
        if record["reason"] == "network_unavailable" {
            // This process is of one piece with the engine, which leaves itself alone.
            continue;
        }
        let fate = if record["action"] == "skipped" { &record["reason"] } else { &record["action"] };
        let at: usize = record["fault"].as_str().unwrap().parse().unwrap();
        assert_eq!(fates[at], "", "two records for one fault: {line}");
        fate.as_str().unwrap().clone_into(&mut fates[at]);
    }
    (fates, [before, after])
}

/// Names in the temporary folder that could be ours, threads of ours, and the resident set in pages.
fn left_behind() -> (usize, usize, u64) {
    let ours = |name: &std::ffi::OsStr| name.to_string_lossy().contains("faultlayer-");
    let files =
        std::fs::read_dir(std::env::temp_dir()).unwrap().filter(|entry| ours(&entry.as_ref().unwrap().file_name())).count();
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let named =
        |path: std::path::PathBuf| std::fs::read_to_string(path.join("comm")).unwrap_or_default().starts_with("faultlayer");
    let threads = tasks.filter(|task| task.as_ref().is_ok_and(|task| named(task.path()))).count();
    let resident = std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    (files, threads, resident)
}

#[test]
fn every_kind_alone_and_in_every_pair_ends_as_the_rules_say() {
    let (files, threads, resident) = left_behind();
    assert_eq!(threads, 0);
    let variants = variants();
    let alone = variants.iter().map(|fault| vec![fault.clone()]);
    let pairs = variants.iter().flat_map(|one| variants.iter().map(move |other| vec![one.clone(), other.clone()]));
    let mut cases = 0;
    for faults in alone.chain(pairs) {
        for fails in [false, true] {
            let rule = rule(&faults, fails);
            let (fates, [before, after]) = live(&faults, fails);
            let told = format!("{} around a handler that {}", json!(faults), if fails { "fails" } else { "answers" });
            assert_eq!(fates, rule.fates, "{told}");
            let outcome = |outcome: Option<&'static str>| json!(outcome.unwrap_or("run"));
            assert_eq!(before, (rule.before.0, outcome(rule.before.1)), "before: {told}");
            assert_eq!(after, (rule.after.0, outcome(rule.after.1)), "after: {told}");
            cases += 1;
        }
    }
    assert_eq!(cases, 2 * (21 + 21 * 21));
    let (files_after, threads_after, resident_after) = left_behind();
    assert_eq!((files_after, threads_after), (files, 0));
    // 2 MiB each would be more than 200 MiB if it stayed.
    assert!(resident_after < resident + 10_000, "{resident} pages before, {resident_after} after");
}
