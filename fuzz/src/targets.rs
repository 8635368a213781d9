//! What must hold for any bytes: one function a target. `fuzz_targets/` hands it to libFuzzer, `src/bin/bounded.rs` to a loop.

use faultlayer_core::decision::{Engine, Facts, Invocation, Unbounded};
use faultlayer_core::matching::{Budget, MAX_BYTES, MAX_STEPS, PatternId, Patterns, Source, Walk};
use faultlayer_core::plan::{Plan, locate, locate_all};
use faultlayer_core::timestamp::Timestamp;
use serde_json::Value;

/// The targets by name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[("plan", plan), ("matching", matching), ("together", together)];

/// Any text is a plan or is refused, without a panic; every problem has a place in the text that it was found in, the same one
/// by itself as among all.
pub fn plan(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Plan::parse_to_run(text) {
        Ok(plan) => {
            let now = Timestamp(1_795_435_200_000_000);
            let invocation = Invocation {
                request_id: text,
                deadline: Some(now),
                now,
                cold_start: true,
                streaming: true,
                facts: Facts::default(),
            };
            if let Some(mut decision) = Engine::new(plan).decide(&invocation) {
                decision.before(&mut Unbounded);
                decision.returned(Some(text), now);
            }
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            let paths: Vec<&str> = error.problems.iter().map(|problem| problem.path.as_str()).take(50).collect();
            let apart: Vec<_> = paths.iter().map(|path| locate(text, path)).collect();
            assert_eq!(apart, locate_all(text, &paths));
        }
    }
}

struct Objects<'a>(&'a Value);

impl Source for Objects<'_> {
    fn read(&self, walk: &mut Walk<'_>) {
        walk.node(&self.0);
    }
}

fn hold(patterns: &Patterns, wanted: &[PatternId], event: &dyn Source) -> Vec<Option<bool>> {
    let mut budget = Budget::default();
    let matches = patterns.hold(wanted.iter().copied(), event, &mut budget);
    // What spends the budget is counted before it is noticed.
    assert!(budget.is_spent() || (budget.steps() <= MAX_STEPS && budget.peak_bytes() <= MAX_BYTES), "{budget:?}");
    let answers: Vec<_> = wanted.iter().map(|pattern| matches.of(*pattern)).collect();
    assert!(budget.is_spent() || answers.iter().all(Option::is_some));
    answers
}

/// Nothing that can stand in a pattern or an event makes matching panic, and an event gives the same answer from its text as
/// from its objects. The pattern, a line break, the event.
pub fn matching(bytes: &[u8]) {
    let Some(at) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (pattern, event) = (&bytes[..at], &bytes[at + 1..]);
    let Ok(pattern) = serde_json::from_slice::<Value>(pattern) else { return };
    let mut patterns = Patterns::default();
    let Ok(pattern) = patterns.add(&pattern, "pattern") else { return };
    let as_it_came = hold(&patterns, &[pattern], &event);
    let Ok(event) = serde_json::from_slice::<Value>(event) else {
        // Text that is no JSON to another parser, which has limits of its own, may still be an event; it only must not panic.
        let _ = as_it_came;
        return;
    };
    // Read and written again, so that a key which stands twice is gone.
    let text = event.to_string();
    let from_text = hold(&patterns, &[pattern], &text.as_bytes());
    let from_objects = hold(&patterns, &[pattern], &Objects(&event));
    if let (Some(text), Some(objects)) = (from_text[0], from_objects[0]) {
        assert_eq!(text, objects);
    }
}

/// Patterns that are held together answer what each answers alone. A JSON array of patterns, a line break, the event.
pub fn together(bytes: &[u8]) {
    let Some(at) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (written, event) = (&bytes[..at], &bytes[at + 1..]);
    let Ok(Value::Array(written)) = serde_json::from_slice::<Value>(written) else { return };
    let mut all = Patterns::default();
    let mut added = Vec::new();
    for pattern in &written {
        let mut alone = Patterns::default();
        if let (Ok(alone_id), Ok(id)) = (alone.add(pattern, ""), all.add(pattern, "")) {
            added.push((id, alone, alone_id));
        }
    }
    let ids: Vec<_> = added.iter().map(|(id, ..)| *id).collect();
    let answers = hold(&all, &ids, &event);
    for (answer, (id, alone, alone_id)) in answers.into_iter().zip(&added) {
        let by_itself = hold(alone, &[*alone_id], &event)[0];
        let among = hold(&all, &[*id], &event)[0];
        // Text that is broken behind a certain answer is no event only to those who read that far.
        if serde_json::from_slice::<Value>(event).is_ok() && answer.is_some() {
            assert_eq!((answer, among), (by_itself, by_itself));
        }
    }
}
