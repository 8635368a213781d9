//! What matching costs, counted: double the input takes at most double the work, for every operator and shape, and nothing
//! passes the budget. Beyond it there is no answer, and one record says so.

#![expect(clippy::unwrap_used, reason = "a test may fail")]
#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::{Arc, Mutex};

use faultlayer_core::boundary::{Call, EventInput, Identity, Language, Library, Sink};
use faultlayer_core::matching::{Budget, MAX_BYTES, MAX_STEPS, Patterns, Source, Walk};
use serde_json::{Map, Value, json};

struct Counting;

thread_local! {
    /// Of this thread: bytes allocated now, and the most since it was looked at.
    static HEAP: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn count(bytes: isize) {
    let _ = HEAP.try_with(|heap| {
        let (now, peak) = heap.get();
        heap.set((now + bytes, peak.max(now + bytes)));
    });
}

// SAFETY: the system's allocator does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that the heap held during `work` beyond what it held before.
fn heap_peak<T>(work: impl FnOnce() -> T) -> (T, isize) {
    let before = HEAP.get().0;
    HEAP.set((before, before));
    let done = work();
    (done, HEAP.get().1 - before)
}

/// An event as objects.
struct Objects<'a>(&'a Value);

impl Source for Objects<'_> {
    fn read(&self, walk: &mut Walk<'_>) {
        walk.node(&self.0);
    }
}

struct Cost {
    answer: Option<bool>,
    steps: u64,
    bytes: usize,
}

/// Of the event as text and as objects.
fn cost(pattern: &Value, event: &Value) -> [Cost; 2] {
    let mut patterns = Patterns::default();
    let id = patterns.add(pattern, "pattern").unwrap();
    let text = event.to_string();
    let (text, objects) = (text.as_bytes(), Objects(event));
    let sources: [&dyn Source; 2] = [&text, &objects];
    sources.map(|source| {
        let mut budget = Budget::default();
        let (matches, heap) = heap_peak(|| patterns.hold([id].into_iter(), source, &mut budget));
        // A vector has room for up to twice what it holds, and has both while it grows.
        let allowed = 8_192 + 3 * budget.peak_bytes();
        assert!(heap.cast_unsigned() <= allowed, "{heap} bytes, counted {}: {pattern}", budget.peak_bytes());
        Cost { answer: matches.of(id), steps: budget.steps(), bytes: budget.peak_bytes() }
    })
}

fn assert_doubles(what: &str, one: [Cost; 2], two: [Cost; 2]) {
    for (way, (one, two)) in ["text", "objects"].into_iter().zip(one.into_iter().zip(two)) {
        assert!(one.answer.is_some() && two.answer.is_some(), "{what} as {way}");
        assert!(two.steps <= 2 * one.steps + 64, "{what} as {way}: {} steps, then {}", one.steps, two.steps);
        assert!(two.bytes <= 2 * one.bytes + 64, "{what} as {way}: {} bytes, then {}", one.bytes, two.bytes);
    }
}

/// So many alternatives of each operator; none of what the events below have passes one, but for the negative ones.
fn alternatives(count: usize) -> Vec<(&'static str, Value)> {
    let each = |make: fn(usize) -> Value| Value::from((0..count).map(make).collect::<Vec<_>>());
    let list = |make: fn(usize) -> Value| (0..count).map(make).collect::<Vec<_>>();
    vec![
        ("numbers", each(|n| json!(n + 10_000_000))),
        ("texts", each(|n| json!(format!("other{n}")))),
        ("addresses", each(|n| json!(format!("10.0.{}.{}", n / 200, n % 200)))),
        ("exactly", each(|n| json!({"exactly": format!("other{n}")}))),
        ("prefix", each(|n| json!({"prefix": format!("t{}", "x".repeat(n % 90 + 1))}))),
        ("nested prefixes", each(|n| json!({"prefix": format!("text0{}", "0".repeat(n))}))),
        ("suffix", each(|n| json!({"suffix": format!("{}z", "0".repeat(n % 90))}))),
        ("prefix-ignore-case", each(|n| json!({"prefix": {"equals-ignore-case": format!("TEXTS{n}")}}))),
        ("suffix-ignore-case", each(|n| json!({"suffix": {"equals-ignore-case": format!("TEXTS{n}")}}))),
        ("equals-ignore-case", each(|n| json!({"equals-ignore-case": format!("TEXTS{n}")}))),
        ("wildcard", each(|n| json!({"wildcard": format!("t*x*{n}z")}))),
        ("numeric", each(|n| json!({"numeric": [">", 10_000_000 + n, "<", 20_000_000 + n]}))),
        ("cidr", each(|n| json!({"cidr": format!("10.{}.{}.0/24", n / 200, n % 200)}))),
        ("anything-but numbers", json!([{"anything-but": list(|n| json!(n + 10_000_000))}])),
        ("anything-but texts", json!([{"anything-but": list(|n| json!(format!("other{n}")))}])),
        ("anything-but prefix", json!([{"anything-but": {"prefix": list(|n| json!(format!("other{n}")))}}])),
        ("anything-but suffix", json!([{"anything-but": {"suffix": list(|n| json!(format!("other{n}")))}}])),
        ("anything-but wildcard", json!([{"anything-but": {"wildcard": list(|n| json!(format!("o*{n}z")))}}])),
        ("anything-but ignoring case", json!([{"anything-but": {"equals-ignore-case": list(|n| json!(format!("OTHER{n}")))}}])),
        ("exists", json!([{"exists": true}])),
        ("absent", json!([{"exists": false}])),
        ("null", json!([null])),
    ]
}

/// Events of so many parts, with values at `a.x`, `a.y`, `a.z`.
fn events(size: usize) -> Vec<(&'static str, Value)> {
    let each = |make: &dyn Fn(usize) -> Value| Value::from((0..size).map(make).collect::<Vec<_>>());
    let keys = |make: &dyn Fn(usize) -> Value| (0..size).map(|n| (format!("key{n}"), make(n))).collect::<Map<_, _>>();
    let row = |n: usize| json!({"x": n, "y": format!("text{n}"), "z": n % 7});
    vec![
        ("numbers", json!({"a": {"x": each(&|n| json!(n)), "y": 1}})),
        ("texts", json!({"a": {"x": each(&|n| json!(format!("text{n}"))), "y": 1}})),
        ("elements", json!({"a": each(&row)})),
        ("elements apart", json!({"a": {"x": each(&|n| json!({"x": n})), "y": each(&|n| json!({"y": n}))}})),
        ("elements of elements", json!({"a": each(&|n| json!([row(n), [row(n + 1)], [[row(n), row(n)]]]))})),
        ("elements among leaves", json!({"a": {"x": each(&|n| if n % 2 == 0 { json!(n) } else { json!([n]) })}})),
        ("dotted keys", json!({"a": each(&|n| json!({"x": n})), "a.y": each(&|n| json!(n)), "a.z": each(&|n| json!([{"": n}]))})),
        ("unnamed keys", json!({"b": keys(&row), "a": {"x": 1}})),
        ("unnamed keys beside", {
            let mut event = keys(&row);
            event.insert("a".to_owned(), json!({"x": 1, "y": 2}));
            Value::Object(event)
        }),
        ("a text", json!({"a": {"x": "0".repeat(size), "y": "\u{1}\u{e9}".repeat(size / 2)}})),
    ]
}

#[test]
fn double_the_event_is_at_most_double_the_work_for_every_operator_and_shape() {
    for (operator, alternatives) in alternatives(20) {
        let one_field = json!({"a": {"x": alternatives}});
        let more = json!({"a": {"x": alternatives, "y": [{"exists": true}, {"exists": false}], "z": [{"anything-but": [0, 1]}, {"exists": false}]}});
        let either = json!({"$or": [{"a": {"x": alternatives}}, {"a": {"y": [5], "z": [{"exists": false}]}}]});
        for (form, pattern) in [("one field", one_field), ("more fields", more), ("either", either)] {
            for ((shape, event), (_, double)) in events(200).into_iter().zip(events(400)) {
                assert_doubles(&format!("{operator}, {form}, {shape}"), cost(&pattern, &event), cost(&pattern, &double));
            }
        }
    }
}

#[test]
fn double_the_alternatives_are_at_most_double_the_work() {
    for ((operator, one), (_, two)) in alternatives(200).into_iter().zip(alternatives(400)) {
        for (shape, event) in events(40) {
            let of = |alternatives: &Value| cost(&json!({"a": {"x": alternatives, "y": [{"exists": true}]}}), &event);
            assert_doubles(&format!("{operator}, {shape}"), of(&one), of(&two));
        }
    }
}

#[test]
fn many_equal_tests_are_one_look_up() {
    let event = json!({"a": (0..1_000).collect::<Vec<_>>(), "b": "text"});
    let steps = |faults: usize, alternatives: usize| {
        let values: Vec<_> = (0..alternatives).map(|value| value + 5_000).collect();
        let mut patterns = Patterns::default();
        let pattern = json!({"a": values, "b": [{"wildcard": "x*y"}, {"anything-but": {"suffix": "t"}}]});
        let ids: Vec<_> = (0..faults).map(|_| patterns.add(&pattern, "").unwrap()).collect();
        let mut budget = Budget::default();
        let _ = patterns.hold(ids.into_iter(), &Objects(&event), &mut budget);
        budget.steps()
    };
    assert!(steps(1, 1_000) < steps(1, 1) + 10);
    assert!(steps(100, 1) < steps(1, 1) + 500);
}

#[test]
fn an_event_of_three_million_numbers_is_answered_and_keeps_nothing() {
    let text = format!("{{\"a\":[{}0]}}", "0,".repeat(2_999_999));
    for (pattern, answer) in [
        (json!({"a": [1]}), false),
        (json!({"a": (1..=899).collect::<Vec<_>>()}), false),
        (json!({"a": [{"numeric": ["=", 0]}]}), true),
        (json!({"a": [{"exists": false}]}), false),
    ] {
        let mut patterns = Patterns::default();
        let id = patterns.add(&pattern, "").unwrap();
        let mut budget = Budget::default();
        let (matches, heap) = heap_peak(|| patterns.hold([id].into_iter(), &text.as_bytes(), &mut budget));
        assert_eq!((matches.of(id), heap < 4_096), (Some(answer), true), "{heap} bytes: {pattern}");
    }
}

#[test]
fn what_follows_a_certain_answer_is_not_read() {
    let mut patterns = Patterns::default();
    let id = patterns.add(&json!({"a": {"b": ["x", "y"]}, "c": [{"prefix": "p"}]}), "").unwrap();
    let steps = |rest: usize| {
        let text =
            format!("{{\"a\":{{\"b\":\"y\"}},\"c\":\"pq\",\"rest\":[{}0],\"a.b\":[{}0]}}", "0,".repeat(rest), "0,".repeat(rest));
        let mut budget = Budget::default();
        assert_eq!(Some(true), patterns.hold([id].into_iter(), &text.as_bytes(), &mut budget).of(id));
        budget.steps()
    };
    assert_eq!(steps(0), steps(100_000));
}

/// Arrays at one path by all the ways in which dots can write it; one element of each may be taken, and only one choice among
/// very many has all fields.
fn hard(fields: usize, elements: usize) -> (Value, Value) {
    let named: Map<_, _> = (0..fields).map(|field| (format!("f{field:02}"), json!([1]))).collect();
    let pattern = json!({"a.b.c.d": named});
    let ways = ["a/b/c/d", "a/b/c.d", "a/b.c/d", "a/b.c.d", "a.b/c/d", "a.b/c.d", "a.b.c/d", "a.b.c.d"];
    let mut random = 7_u64;
    let mut next = |bound: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % bound
    };
    let mut event = json!({});
    for (way, path) in ways.iter().enumerate() {
        let element = |fields: &[usize]| Value::Object(fields.iter().map(|field| (format!("f{field:02}"), json!(1))).collect());
        let mut rows: Vec<_> = (0..elements).map(|_| element(&[next(fields), next(fields), next(fields)])).collect();
        rows.push(element(&(0..fields).filter(|field| field % ways.len() == way).collect::<Vec<_>>()));
        let place = path.split('/').fold(&mut event, |at, key| &mut at[key]);
        *place = Value::from(rows);
    }
    (pattern, event)
}

#[test]
fn a_small_choice_is_made_and_a_great_one_ends_without_an_answer() {
    let (pattern, event) = hard(10, 3);
    assert!(cost(&pattern, &event).iter().all(|cost| cost.answer == Some(true)));
    let (pattern, event) = hard(24, 60);
    assert!(event.to_string().len() < 20_000);
    for cost in cost(&pattern, &event) {
        assert_eq!(cost.answer, None);
        assert!(cost.steps <= MAX_STEPS + 1_000 && cost.bytes <= MAX_BYTES + 1_000, "{} steps, {} bytes", cost.steps, cost.bytes);
    }
}

#[test]
fn elements_that_all_differ_end_without_an_answer_before_they_fill_the_memory() {
    let fields: Map<_, _> = (0..24).map(|field| (format!("f{field:02}"), json!([1]))).collect();
    let row = |n: u32| {
        Value::Object((0..24).filter(|field| n >> field & 1 == 1).map(|field| (format!("f{field:02}"), json!(1))).collect())
    };
    let event = json!({"a": (0..50_000_u32).map(|n| row(n.wrapping_mul(2_654_435_761) >> 8)).collect::<Vec<_>>()});
    for cost in cost(&json!({"a": fields}), &event) {
        assert!(cost.answer.is_none() && cost.bytes <= MAX_BYTES + 1_000, "{} bytes", cost.bytes);
    }
}

#[test]
fn a_spent_budget_is_told_once_and_draws_nothing() {
    let (pattern, event) = hard(24, 60);
    let fault =
        |id: &str, pattern: Value| json!({"id": id, "kind": "error", "type": "E", "rate": 1, "match": {"event": pattern}});
    let plan = |faults: Value| json!({"version": 1, "expires_at": "never", "faults": faults}).to_string();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let lines = Arc::clone(&lines);
        Sink::callback(move |line| lines.lock().unwrap().push(serde_json::from_str::<Value>(line).unwrap()))
    };
    let text = event.to_string();
    let call = Call { event: EventInput::Json(text.as_bytes()), ..Call::of("id") };
    let library =
        Library::open(&plan(json!([fault("hard", pattern.clone())])), Language::Python, Identity::default(), sink).unwrap();
    let drawn = || library.ask(|host| host.decide(&call)).unwrap().is_some();
    assert!(!drawn() && !drawn());
    // What the budget was enough for is drawn.
    let easy = fault("easy", json!({"a": {"b": {"c": {"d": {"f00": [1]}}}}}));
    library.replace(&plan(json!([easy, fault("hard", pattern)]))).unwrap();
    assert!(drawn());
    let lines = lines.lock().unwrap();
    let own: Vec<_> = lines.iter().filter(|line| line.get("fault").is_none()).collect();
    assert_eq!(own.len(), 1, "{lines:?}");
    assert_eq!((&own[0]["level"], &own[0]["reason"]), (&json!("ERROR"), &json!("match_budget_spent")));
}
