//! What must hold for any bytes: one function a target. `fuzz_targets/` hands it to libFuzzer, `src/bin/bounded.rs` to a loop.

use faultlayer_core::attach::{
    Configuration, Options, RESTORE, VARIABLES_LIMIT, Variables, Window, attach, timed, variables_size,
};
use faultlayer_core::decision::{Engine, Facts, Invocation, Unbounded};
use faultlayer_core::matching::{Budget, MAX_BYTES, MAX_STEPS, PatternId, Patterns, Source, Walk};
use faultlayer_core::plan::{Plan, locate, locate_all};
use faultlayer_core::text::printable;
use faultlayer_core::timestamp::Timestamp;
use serde_json::Value;

/// The targets by name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("plan", plan),
    ("matching", matching),
    ("together", together),
    ("streaming", streaming),
    ("projection", projection),
    ("attaching", attaching),
    ("records", records),
];

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

/// The pattern and the event of an input, each by itself as JSON.
fn pair(bytes: &[u8]) -> Option<(Patterns, PatternId, Value)> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    let mut patterns = Patterns::default();
    let pattern = patterns.add(&serde_json::from_slice(&bytes[..at]).ok()?, "").ok()?;
    Some((patterns, pattern, serde_json::from_slice(&bytes[at + 1..]).ok()?))
}

/// The answers of two events are the same, unless one of them takes more than the budget.
fn assert_same(patterns: &Patterns, pattern: PatternId, one: &dyn Source, other: &dyn Source) {
    if let ([Some(one)], [Some(other)]) = (&hold(patterns, &[pattern], one)[..], &hold(patterns, &[pattern], other)[..]) {
        assert_eq!(one, other);
    }
}

/// However an event is written, it gives the same answer: with space, with every character of its strings escaped. The
/// pattern, a line break, the event.
pub fn streaming(bytes: &[u8]) {
    let Some((patterns, pattern, event)) = pair(bytes) else { return };
    let (plain, spaced) = (event.to_string(), serde_json::to_string_pretty(&event).unwrap());
    assert_same(&patterns, pattern, &plain.as_bytes(), &spaced.as_bytes());
    assert_same(&patterns, pattern, &plain.as_bytes(), &escaped(&plain).as_bytes());
}

/// JSON without space, its strings in escapes alone.
fn escaped(json: &str) -> String {
    let (mut text, mut within, mut signs) = (String::new(), false, json.chars());
    while let Some(sign) = signs.next() {
        match sign {
            '"' => {
                within = !within;
                text.push('"');
            }
            // What is an escape already stays one, digits and all.
            '\\' => {
                let kind = signs.next();
                text.extend([Some('\\'), kind].into_iter().flatten());
                text.extend(signs.by_ref().take(if kind == Some('u') { 4 } else { 0 }));
            }
            _ if within => text.extend(sign.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
            _ => text.push(sign),
        }
    }
    text
}

/// What no path of the patterns names can be left out of an event: that is what bindings gather. The pattern, a line break,
/// the event.
pub fn projection(bytes: &[u8]) {
    let Some((patterns, pattern, event)) = pair(bytes) else { return };
    let paths: Vec<String> = patterns.paths().iter().collect();
    let projected = project(&event, "", &paths);
    assert_same(&patterns, pattern, &Objects(&event), &Objects(&projected));
}

fn project(value: &Value, at: &str, paths: &[String]) -> Value {
    match value {
        Value::Object(members) => {
            let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
            let named = |path: &str| {
                paths.iter().any(|one| one.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
            };
            let kept = members.iter().map(|(name, value)| (name, below(name), value)).filter(|(_, path, _)| named(path));
            kept.map(|(name, path, value)| (name.clone(), project(value, &path, paths))).collect()
        }
        Value::Array(elements) => elements.iter().map(|element| project(element, at, paths)).collect(),
        leaf => leaf.clone(),
    }
}

/// Whatever a function is like, attaching makes a configuration that Lambda takes and that nobody attaches to again, or says
/// why not; a plan goes into it as what it was. The configuration, a line break, the plan.
pub fn attaching(bytes: &[u8]) {
    let Some(at) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    if let Ok(text) = std::str::from_utf8(&bytes[at + 1..])
        && let Ok(timed) = timed(text, Window::hold(Timestamp(1_795_435_200_000_000), 40, 10), false)
    {
        assert!(Plan::parse_to_run(&timed.text).is_ok());
        let written: Value = serde_json::from_str(text).unwrap();
        let members = serde_json::from_str::<Value>(&timed.text).unwrap();
        assert!(written.as_object().unwrap().iter().all(|(name, value)| members.get(name) == Some(value)));
    }
    let Ok(mut configuration) = serde_json::from_slice::<Configuration>(&bytes[..at]) else { return };
    let layer = |kind: &str| (format!("{kind}-x86_64"), format!("arn:aws:lambda:r:123456789012:layer:faultlayer-{kind}:1"));
    let options = Options {
        execution: Some("11111111-2222-3333-4444-555555555555".to_owned()),
        layers: ["python", "node", "java"].map(layer).into(),
        plan: "{}".to_owned(),
        ..Options::default()
    };
    match attach(&configuration, &options) {
        Err(reasons) => assert!(!reasons.is_empty()),
        Ok(change) => {
            let variables = change.environment.variables;
            assert!(variables_size(&variables) <= VARIABLES_LIMIT && variables.contains_key(RESTORE));
            configuration.handler = change.handler.unwrap_or(configuration.handler);
            configuration.environment = Some(Variables { variables, error: None });
            let again = attach(&configuration, &options).unwrap_err();
            assert!(again[0].starts_with("is attached already, by execution"), "{again:?}");
        }
    }
}

/// Whatever a record says stands in one line that acts on no terminal, and can be read again.
pub fn records(bytes: &[u8]) {
    let Ok(message) = std::str::from_utf8(bytes) else { return };
    let json = serde_json::to_string(message).unwrap();
    let line = printable(&json);
    assert!(!line.contains(|sign: char| sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}')), "{line}");
    assert_eq!(serde_json::from_str::<String>(&line).unwrap(), message);
}
