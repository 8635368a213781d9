//! What a decision costs: in time, alone and beside others, and, under callgrind, in instructions.
//!
//!     engine              nanoseconds of each path as JSON: every round's, so that whoever reads it sees the spread
//!     engine patterns RULES EVENTS   holds events against all rules at once, each a line of its file: how many matched, then the
//!                         events a second of a round for each line of standard input
//!     engine marked N     every path N times, each behind a call of `getppid`, by which callgrind parts the counts
//!
//! `bench/` runs both; `cargo bench -p faultlayer-core` runs the first.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark reads the clock and prints, and may fail"
)]

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use faultlayer_core::boundary::{Call, Identity, Language, Library, Sink};
use faultlayer_core::decision::{Context, Engine, Event, Facts, Invocation};
use faultlayer_core::matching::{Budget, Patterns, Source, Walk};
use faultlayer_core::plan::Plan;
use faultlayer_core::timestamp::Timestamp;
use serde_json::{Value, json};

const ROUNDS: usize = 9;
const REQUEST_ID: &str = "8f5c7d1e-7b61-11e6-9a41-93e8deadbeef";

/// What an engine is asked, over and over.
struct Path {
    name: String,
    engine: Engine,
    event: Given,
}

/// An event, as it comes or as objects, which is how Python has it.
enum Given {
    Text(Vec<u8>),
    Objects(Value),
}

impl Source for Given {
    fn read(&self, walk: &mut Walk<'_>) {
        match self {
            Self::Text(text) => walk.json(text),
            Self::Objects(event) => walk.node(&event),
        }
    }
}

impl Path {
    fn new(name: impl Into<String>, faults: usize, rate: f64, pattern: Option<&Value>, event: Vec<u8>) -> Self {
        let engine = Engine::new(Plan::parse_to_run(&plan(faults, rate, pattern)).unwrap());
        Self { name: name.into(), engine, event: Given::Text(event) }
    }

    fn decide(&self) {
        black_box(self.engine.decide(black_box(&Invocation {
            request_id: REQUEST_ID,
            deadline: None,
            now: Timestamp(1_795_000_000_000_000),
            cold_start: false,
            streaming: false,
            facts: Facts { event: Event::Source(&self.event), context: Context::default() },
        })));
    }
}

fn plan(faults: usize, rate: f64, pattern: Option<&Value>) -> String {
    let fault = |number: usize| {
        let mut fault = json!({"id": format!("fault-{number}"), "kind": "latency", "rate": rate, "delay_ms": 1});
        if let (Some(pattern), Some(fields)) = (pattern, fault.as_object_mut()) {
            fields.insert("match".into(), json!({"event": pattern}));
        }
        fault
    };
    json!({"version": 1, "expires_at": "2099-01-01T00:00:00Z", "faults": (0..faults).map(fault).collect::<Vec<_>>()}).to_string()
}

/// Drawn for one in 10^15: for no id that is here.
const SELDOM: f64 = 1e-15;

/// The state of an order, and what it costs.
fn pattern(state: &str) -> Value {
    json!({"detail": {"state": [state], "amount": [{"numeric": [">", 10]}]}})
}

/// An order among so many bytes of others, at the front or at the end.
fn event(bytes: usize, at_front: bool) -> Vec<u8> {
    let detail = r#""detail":{"state":"paid","amount":12.5}"#;
    let other = r#"{"sku":"A-7","count":2,"tags":["new","blue"],"note":"left at the door"}"#;
    let others = vec![other; (bytes / (other.len() + 1)).max(1)].join(",");
    let (first, second) = if at_front { (detail, "") } else { ("\"source\":\"shop\"", detail) };
    let comma = if second.is_empty() { "" } else { "," };
    format!(r#"{{{first},"orders":[{others}]{comma}{second}}}"#).into_bytes()
}

/// What is compared from change to change.
fn paths() -> Vec<Path> {
    let mut paths: Vec<_> = [1, 7, 10, 100]
        .map(|faults| Path::new(format!("none drawn, faults: {faults}"), faults, SELDOM, None, event(1000, true)))
        .into();
    paths.extend([
        Path::new("none drawn, faults: 7, with match", 7, SELDOM, Some(&pattern("paid")), event(1000, true)),
        Path::new("match fails, faults: 7", 7, 1.0, Some(&pattern("refunded")), event(1000, true)),
        Path::new("match holds, faults: 7", 7, 1.0, Some(&pattern("paid")), event(1000, true)),
        Path::new("drawn, faults: 1", 1, 1.0, None, event(1000, true)),
    ]);
    for state in ["paid", "refunded"] {
        let what = if state == "paid" { "holds" } else { "fails" };
        let text = Path::new(format!("match {what}, faults: 1, a small event"), 1, 1.0, Some(&pattern(state)), event(1, true));
        let Given::Text(event) = &text.event else { continue };
        let event = Given::Objects(serde_json::from_slice(event).unwrap());
        let objects =
            Path::new(format!("match {what}, faults: 1, a small event of objects"), 1, 1.0, Some(&pattern(state)), vec![]);
        paths.extend([text, Path { event, ..objects }]);
    }
    paths
}

/// How the time grows with the event.
fn sizes() -> Vec<Path> {
    let seven = |name: &str, bytes: usize, pattern: Option<Value>, at_front: bool| {
        Path::new(
            format!("{name}, {bytes} bytes"),
            7,
            if pattern.is_some() { 1.0 } else { SELDOM },
            pattern.as_ref(),
            event(bytes, at_front),
        )
    };
    let each = [1_000, 10_000, 100_000, 1_000_000, 6_000_000].into_iter();
    each.flat_map(|bytes| {
        [
            seven("without match", bytes, None, true),
            seven("match holds at the front", bytes, Some(pattern("paid")), true),
            seven("match holds at the end", bytes, Some(pattern("paid")), false),
            seven("match fails at the front", bytes, Some(pattern("refunded")), true),
        ]
    })
    .collect()
}

/// Nanoseconds of one call, in each round.
fn time(call: impl Fn()) -> Vec<f64> {
    let round = |calls: u32| {
        let begun = Instant::now();
        (0..calls).for_each(|_| call());
        begun.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    // Rounds of some 20 ms: long beside the clock, short beside what else the machine does.
    let once = round(1).min(round(10));
    let calls = (2e7 / once.max(1.0)).clamp(1.0, 1e6);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let calls = calls as u32;
    (0..ROUNDS).map(|_| round(calls)).collect()
}

/// Decisions a second of so many threads, each round's; through what bindings call, with all that threads share.
fn together(threads: usize) -> Vec<f64> {
    const CALLS: u32 = 100_000;
    let plan = plan(7, SELDOM, None);
    let library = Library::open(&plan, Language::Python, Identity::default(), Sink::callback(|_| {})).unwrap();
    let round = || {
        let start = Barrier::new(threads + 1);
        let work = || {
            start.wait();
            for _ in 0..CALLS {
                black_box(library.ask(|host| host.decide(&Call::of(black_box(REQUEST_ID)))).unwrap());
            }
        };
        let mut begun = Instant::now();
        std::thread::scope(|scope| {
            (0..threads).for_each(|_| drop(scope.spawn(work)));
            start.wait();
            begun = Instant::now();
        });
        f64::from(CALLS) * f64::from(u32::try_from(threads).unwrap()) / begun.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| round()).collect()
}

fn timed() -> Value {
    let all = |paths: Vec<Path>| {
        paths.iter().map(|path| (path.name.clone(), time(|| path.decide()).into())).collect::<serde_json::Map<_, _>>()
    };
    let threads = [1, 2, 4, 8].map(|threads| (threads.to_string(), together(threads).into()));
    json!({
        "paths_ns": all(paths()),
        "sizes_ns": all(sizes()),
        "threads_per_s": serde_json::Map::from_iter(threads),
    })
}

/// Holds events against all patterns together, in as many rounds as it is asked for.
fn patterns(rules: &str, events: &str) {
    let mut patterns = Patterns::default();
    let rules = std::fs::read_to_string(rules).unwrap();
    let ids: Vec<_> = rules.lines().map(|rule| patterns.add(&serde_json::from_str(rule).unwrap(), "").unwrap()).collect();
    let text = std::fs::read_to_string(events).unwrap();
    let events: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
    let round = || {
        let held = |event: &&[u8]| {
            let matches = patterns.hold(ids.iter().copied(), event, &mut Budget::default());
            ids.iter().filter(|id| matches.of(**id) == Some(true)).count()
        };
        events.iter().map(held).sum::<usize>()
    };
    println!("{}", round());
    for _asked in std::io::stdin().lines() {
        let begun = Instant::now();
        black_box(round());
        println!("{}", f64::from(u32::try_from(events.len()).unwrap()) / begun.elapsed().as_secs_f64());
    }
}

/// By which the counts are parted.
fn mark() {
    black_box(std::os::unix::process::parent_id());
}

/// As `bench/instructions` wants it of every language: the names first, then a mark before each path and one at the end.
fn marked(calls: u32) {
    let library = Library::open(&plan(7, SELDOM, None), Language::Python, Identity::default(), Sink::callback(|_| {})).unwrap();
    let paths = paths();
    let mut names: Vec<_> = paths.iter().map(|path| path.name.as_str()).collect();
    names.push("none drawn, faults: 7, as bindings ask");
    println!("{}", json!(names));
    paths.iter().for_each(Path::decide);
    for path in &paths {
        mark();
        (0..calls).for_each(|_| path.decide());
    }
    mark();
    for _ in 0..calls {
        black_box(library.ask(|host| host.decide(&Call::of(black_box(REQUEST_ID)))).unwrap());
    }
    mark();
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["marked", calls] => marked(calls.parse().unwrap()),
        ["patterns", rules, events] => patterns(rules, events),
        _ => println!("{}", timed()),
    }
}
