//! Matching: the shared vectors through both ways of reading an event, and what the scanner may and may not accept.

#![expect(clippy::unwrap_used, reason = "a test may fail")]
#![expect(clippy::indexing_slicing, clippy::disallowed_methods, reason = "a test reads files and may fail")]

use faultlayer_core::decision::{Engine, Event, Facts, Invocation, Unbounded, explain};
use faultlayer_core::matching::{
    Budget, MAX_BRANCHES, MAX_DEPTH, MAX_EVENT_DEPTH, MAX_FIELDS, PatternId, Patterns, Source, Walk,
};
use faultlayer_core::plan::Plan;
use faultlayer_core::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

struct Compiled {
    patterns: Patterns,
    id: PatternId,
}

/// An event as objects.
struct Objects<'a>(&'a Value);

impl Source for Objects<'_> {
    fn read(&self, walk: &mut Walk<'_>) {
        walk.node(&self.0);
    }
}

impl Compiled {
    fn new(pattern: &Value) -> Result<Self, String> {
        let mut patterns = Patterns::default();
        let id = patterns.add(pattern, "pattern").map_err(|problems| problems[0].path.clone())?;
        Ok(Self { patterns, id })
    }

    fn hold(&self, event: &dyn Source) -> (Option<bool>, Budget) {
        let mut budget = Budget::default();
        let matches = self.patterns.hold([self.id].into_iter(), event, &mut budget);
        (matches.of(self.id), budget)
    }

    fn on_text(&self, event: &str) -> bool {
        self.hold(&event.as_bytes()).0.unwrap()
    }

    fn on_value(&self, event: &Value) -> bool {
        self.hold(&Objects(event)).0.unwrap()
    }
}

#[test]
fn vectors() {
    let path = format!("{}/../tests/vectors/matching.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() > 200);
    for case in &cases {
        match Compiled::new(&case["pattern"]) {
            Err(at) => assert_eq!(case["expect"], json!({"refused": at}), "{case}"),
            Ok(compiled) => {
                assert_eq!(case["expect"], compiled.on_value(&case["event"]), "from objects: {case}");
                assert_eq!(case["expect"], compiled.on_text(&case["event"].to_string()), "from text: {case}");
            }
        }
    }
}

#[test]
fn only_one_whole_json_object_is_an_event() {
    let anything = Compiled::new(&json!({"a": [{"exists": false}]})).unwrap();
    for good in ["{}", " {\"b\" : [ ] }\n", "{\"b\":{\"a\":1}}", "{\"b\":\"\\ud83e\\udd80\\u0000\\/\",\"c\":-0.5E+10}"] {
        assert!(anything.on_text(good), "{good}");
    }
    let bad = [
        "",
        "{",
        "}",
        "[]",
        "{}{}",
        "{} x",
        "null",
        "{\"b\"}",
        "{\"b\":}",
        "{\"b\":1,}",
        "{,}",
        "{b:1}",
        "{'b':1}",
        "{\"b\":01}",
        "{\"b\":1.}",
        "{\"b\":.5}",
        "{\"b\":+1}",
        "{\"b\":1e}",
        "{\"b\":tru}",
        "{\"b\":truex}",
        "{\"b\":NaN}",
        "{\"b\":[1,]}",
        "{\"b\":[1 2]}",
        "{\"b\":[1}",
        "{\"b\":{]}",
        "{\"b\":\"\n\"}",
        "{\"b\":\"\\x\"}",
        "{\"b\":\"\\u12g4\"}",
        "{\"b\":\"\\u12\"}",
        "{\"b\":\"x}",
        "\u{feff}{}",
        "{\"b\":-}",
    ];
    for bad in bad {
        assert!(!anything.on_text(bad), "{bad}");
    }
    let not_utf_8: &[u8] = b"{\"b\":\"\xff\"}";
    assert_eq!(Some(false), anything.hold(&not_utf_8).0);
}

#[test]
fn escapes_are_read_in_keys_and_values() {
    let compiled = Compiled::new(&json!({"a.é": ["x\"\\/\u{8}\u{c}\n\r\t🦀"]})).unwrap();
    assert!(compiled.on_text(r#"{"\u0061":{"\u00e9":"\u0078\"\\\/\b\f\n\r\t\ud83E\uDD80"}}"#));
    let half = Compiled::new(&json!({"a": ["\u{fffd}x"]})).unwrap();
    assert!(
        half.on_text(r#"{"a":"\ud83ex"}"#) && half.on_text(r#"{"a":"\uDD80x"}"#) && !half.on_text(r#"{"a":"\ud83e\udd80x"}"#)
    );
}

#[test]
fn what_no_path_names_may_nest_without_end_and_costs_nothing_to_keep() {
    let deep = 1_000_000;
    let event = format!("{{\"b\":{}{},\"a\":1}}", "[{\"c\":".repeat(deep), "[]".to_owned() + &"}]".repeat(deep));
    let compiled = Compiled::new(&json!({"a": [1]})).unwrap();
    let (answer, budget) = compiled.hold(&event.as_bytes());
    assert_eq!(Some(true), answer);
    assert!(budget.steps() < 10 && budget.peak_bytes() < 300_000, "{budget:?}");
}

#[test]
fn what_no_path_names_is_closed_as_it_was_opened_however_deep() {
    let compiled = Compiled::new(&json!({"a": [1]})).unwrap();
    // Squares of a prime's remainders: no 64 levels are like the ones before.
    let is_object = |level: usize| (level * level % 131).is_multiple_of(2);
    for depth in [1, 63, 64, 65, 128, 129, 200] {
        let open: String = (0..depth).map(|level| if is_object(level) { "{\"c\":" } else { "[" }).collect();
        let close = |wrong: Option<usize>| -> String {
            let closes = |level| if is_object(level) == (wrong != Some(level)) { '}' } else { ']' };
            (0..depth).rev().map(closes).collect()
        };
        let event = |wrong| format!("{{\"b\":{open}0{},\"a\":1}}", close(wrong));
        assert!(compiled.on_text(&event(None)), "{depth}");
        (0..depth).for_each(|level| assert!(!compiled.on_text(&event(Some(level))), "{level} of {depth}"));
    }
}

#[test]
fn too_deep_on_a_path_never_matches() {
    let compiled = Compiled::new(&json!({"a": [1]})).unwrap();
    for (levels, expected) in [(MAX_EVENT_DEPTH - 1, true), (MAX_EVENT_DEPTH, false), (100_000, false)] {
        let event = format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(expected, compiled.on_text(&event), "{levels}");
    }
    let nest = |levels| json!({"a": (0..levels).fold(json!(1), |inner, _| json!([inner]))});
    assert!(compiled.on_value(&nest(MAX_EVENT_DEPTH - 1)));
    assert!(!compiled.on_value(&nest(MAX_EVENT_DEPTH)));
}

#[test]
fn a_pattern_is_bounded() {
    let nested = |levels| (0..levels).fold(json!(["x"]), |inner, _| json!({"a": inner}));
    assert!(Compiled::new(&nested(MAX_DEPTH)).is_ok());
    assert!(Compiled::new(&nested(MAX_DEPTH + 1)).is_err());
    let dotted = |names| json!({vec!["a"; names].join("."): [1]});
    assert!(Compiled::new(&dotted(MAX_DEPTH)).is_ok());
    assert!(Compiled::new(&dotted(MAX_DEPTH + 1)).is_err());
    let wide = |fields: usize| Value::Object((0..fields).map(|field| (format!("f{field}"), json!([1]))).collect::<Map<_, _>>());
    assert!(Compiled::new(&wide(MAX_FIELDS)).is_ok());
    assert_eq!(Some("pattern".to_owned()), Compiled::new(&wide(MAX_FIELDS + 1)).err());
    let doubled = |times: u32| {
        let or = (0..times).map(|at| (format!("n{at}"), json!({"$or": [{"a": [1]}, {"b": [1]}]})));
        Value::Object(or.collect::<Map<_, _>>())
    };
    let most = MAX_BRANCHES.ilog2();
    assert!(Compiled::new(&doubled(most)).is_ok());
    assert!(Compiled::new(&doubled(most + 1)).is_err());
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let pattern = json!({"a": [{"prefix": 5}, {"numeric": ["=", "x"]}], "b": "x", "$or": [{"c": [[]]}]});
    let problems = Patterns::default().add(&pattern, "faults[0].match.event").unwrap_err();
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    let at = |rest: &str| format!("faults[0].match.event.{rest}");
    assert_eq!(paths, [at("a[0].prefix"), at("a[1].numeric[1]"), at("b"), at("$or"), at("$or[0].c[0]")]);
}

/// Without remembering what failed, each of these would take more steps than there are atoms.
#[test]
fn a_search_that_fails_ends() {
    let elements = |name: &str| Value::from((0..200).map(|value| json!({name: value, "y": value})).collect::<Vec<_>>());
    let siblings: Map<_, _> = (0..20).map(|at| (format!("k{at:02}"), elements("x"))).collect();
    let mut pattern: Map<_, _> = (0..20).map(|at| (format!("k{at:02}"), json!({"x": [{"exists": true}]}))).collect();
    pattern.insert("z".to_owned(), json!([1]));
    assert!(!Compiled::new(&Value::Object(pattern)).unwrap().on_value(&Value::Object(siblings)));

    let rows: Vec<_> = (0..30_000).map(|value| json!({"x": value, "y": value + 1})).collect();
    let same = Compiled::new(&json!({"a": {"x": [{"exists": true}], "y": [0]}})).unwrap();
    assert!(!same.on_value(&json!({"a": rows})));
}

#[test]
fn several_patterns_share_their_paths() {
    let mut patterns = Patterns::default();
    let one = patterns.add(&json!({"a": {"b": [1]}, "c": [1]}), "").unwrap();
    let two = patterns.add(&json!({"a.b": [2], "a": {"d": [{"exists": false}]}}), "").unwrap();
    assert_eq!(vec!["a.b", "c", "a.d"], patterns.paths().iter().collect::<Vec<_>>());
    let event = json!({"a": {"b": [1, 2], "unread": [1, 2, 3]}, "c": 1});
    let matches = patterns.hold([one, two].into_iter(), &Objects(&event), &mut Budget::default());
    assert_eq!((Some(true), Some(true)), (matches.of(one), matches.of(two)));
    let matches = patterns.hold([two].into_iter(), &Objects(&event), &mut Budget::default());
    assert_eq!((Some(false), Some(true)), (matches.of(one), matches.of(two)), "what is not asked for is not answered yes");
}

/// What people are told before an experiment is what happens in it, whichever way the event comes.
#[test]
fn an_explanation_agrees_with_the_decision_on_a_thousand_events() {
    let fault =
        |id: &str, rate: f64, matches: Value| json!({"id": id, "kind": "error", "type": "E", "rate": rate, "match": matches});
    let plan = json!({"version": 1, "seed": 3, "expires_at": "never", "dry_run": true, "faults": [
        fault("state", 1.0, json!({"event": {"detail": {"state": ["run", {"prefix": "st"}]}}})),
        fault("items", 1.0, json!({"event": {"items": {"n": [{"numeric": [">", 2]}], "kind": [{"anything-but": "b"}]}}})),
        fault("either", 0.5, json!({"event": {"$or": [{"detail.state": [{"exists": false}]}, {"items": {"kind": ["c"]}}]}})),
        fault("context", 0.5, json!({"context": {"cold_start": [true]}})),
    ]});
    let engine = Engine::new(Plan::parse(&plan.to_string()).unwrap());
    let plan = engine.plan().unwrap();
    let text = |of: u32, from: &[&str]| json!(from[of as usize % from.len()]);
    let mut hits = std::collections::BTreeMap::<String, usize>::new();
    for n in 0..1_000_u32 {
        let mix = n.wrapping_mul(2_654_435_761) >> 7;
        let item = |at: u32| json!({"n": (mix >> at) % 5, "kind": text(mix >> (at + 3), &["a", "b", "c"])});
        let mut event = json!({"items": (0..mix % 4).map(|at| item(at * 4)).collect::<Vec<_>>()});
        if mix % 3 > 0 {
            event["detail"] = json!({"state": text(mix >> 5, &["run", "stop", "idle"])});
        }
        let written = event.to_string();
        for event in [Event::Json(written.as_bytes()), Event::Source(&Objects(&event))] {
            let request_id = n.to_string();
            let now = Timestamp(1_795_435_200_000_000);
            let facts = Facts { event, ..Facts::default() };
            let invocation =
                Invocation { request_id: &request_id, deadline: None, now, cold_start: true, streaming: false, facts };
            let mut decided = Vec::new();
            if let Some(mut decision) = engine.decide(&invocation) {
                decided.extend(decision.before(&mut Unbounded).records);
                decided.extend(decision.returned(None, now).records);
            }
            let explained = explain(&plan, &invocation).into_iter().filter(|fate| fate.drawn);
            let explained: Vec<_> = explained.map(|fate| (fate.fault, fate.action.unwrap())).collect();
            let decided: Vec<_> = decided.into_iter().map(|record| (record.fault, record.action)).collect();
            assert_eq!(explained, decided, "{written}");
            for (fault, _) in decided {
                *hits.entry(fault).or_default() += 1;
            }
        }
    }
    assert!(["state", "items", "either", "context"].iter().all(|fault| (100..1_900).contains(&hits[*fault])), "{hits:?}");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[ab.\\\\\"é]{0,3}", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    /// The scanner reads exactly what another JSON parser reads, spoiled text included.
    #[test]
    fn the_scanner_accepts_what_json_is(value in json_value(), at in any::<prop::sample::Index>(), byte in prop::option::of(any::<u8>())) {
        let mut text = json!({"x": value}).to_string().into_bytes();
        if let Some(byte) = byte {
            let at = at.index(text.len());
            text[at] = byte;
        }
        let is_object = serde_json::from_slice::<Value>(&text).is_ok_and(|value| value.is_object());
        // Two things are JSON to the scanner alone: half a surrogate pair, and a number beyond binary64.
        let anything = Compiled::new(&json!({"no": [{"exists": false}]})).unwrap();
        let more = anything.hold(&&text[..]).0.unwrap();
        let lenient = String::from_utf8_lossy(&text);
        prop_assert!(is_object == more || (more && (lenient.contains("\\u") || lenient.contains(['e', 'E']) || lenient.len() > 300)));
    }

    /// Text and objects of one event give the same answer.
    #[test]
    fn both_readings_agree(event in json_value(), test in 0..6_usize) {
        let tests = [json!([{"exists": true}]), json!([{"exists": false}]), json!([{"prefix": ""}]), json!([{"numeric": [">", 0]}]), json!([null]), json!([{"anything-but": "a"}])];
        let pattern = Compiled::new(&json!({"a": tests[test], "a.b": [{"exists": true}, {"exists": false}], "b": {"a": [{"anything-but": 5}, {"exists": false}]}})).unwrap();
        prop_assert_eq!(pattern.on_value(&event), pattern.on_text(&event.to_string()));
    }
}
