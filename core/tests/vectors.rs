//! The shared vectors, run through the boundary that every binding uses: exact steps and records, exact problems.
//!
//! `FAULTLAYER_BLESS=1 cargo test -p faultlayer-core --test vectors` writes what the engine answers into the files; read
//! the difference before you keep it. The samples in them are checked against `sampling.py` by `tests/vectors/check.py`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test reads files and may fail"
)]

use std::sync::{Arc, Mutex};

use faultlayer_core::attach::{self, Window};
use faultlayer_core::boundary::{
    Answer, Call, Calls, EventInput, Identity, Language, Library, Met, Request, Session, Sink, Step, Steps,
};
use faultlayer_core::timestamp::Timestamp;
use serde_json::{Value, json};

fn path(name: &str) -> String {
    format!("{}/../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs `answer` over all cases of a file: holds them against `expect`, or writes it when blessing.
fn run(name: &str, answer: impl Fn(&Value) -> Value) {
    let mut cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path(name)).unwrap()).unwrap();
    let bless = std::env::var("FAULTLAYER_BLESS").is_ok();
    for case in &mut cases {
        let answered = answer(case);
        if bless {
            case["expect"] = answered;
        } else {
            assert_eq!(case["expect"], answered, "{name}: {}", case["name"]);
        }
    }
    assert!(!cases.is_empty());
    if bless {
        std::fs::write(path(name), serde_json::to_string_pretty(&cases).unwrap() + "\n").unwrap();
    }
}

/// A plan stands in a vector as an object, or as text where its exact spelling matters.
fn text(plan: &Value) -> String {
    plan.as_str().map_or_else(|| plan.to_string(), str::to_owned)
}

fn language(case: &Value) -> Language {
    match case["language"].as_str() {
        Some("python") => Language::Python,
        Some("node") => Language::Node,
        Some("java") => Language::Java,
        other => panic!("no language: {other:?}"),
    }
}

fn step(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn ask(session: &mut Session, question: impl FnOnce(&mut Steps) -> Step) -> Step {
    session.ask(question).unwrap()
}

/// A sink, and the lines that it gets.
fn sink() -> (Sink, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    (Sink::callback(move |line| kept.lock().unwrap().push(line.to_owned())), lines)
}

fn decide(case: &Value) -> Value {
    let (sink, lines) = sink();
    let language = language(case);
    let identity = Identity {
        function_name: case["identity"]["function_name"].as_str().map(str::to_owned),
        function_version: case["identity"]["function_version"].as_str().map(str::to_owned),
        memory_mb: case["identity"]["memory_mb"].as_u64().map(|size| u32::try_from(size).unwrap()),
        runtime: case["identity"]["runtime"].as_str().map(str::to_owned),
    };
    let library =
        Library::open(&text(&case["plan"]), language, identity, sink).unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
    let calls = case["calls"].as_array().unwrap().iter().map(|call| {
        let event = call.get("event").map(Value::to_string);
        let client_context = call.get("client_context").map(Value::to_string);
        let call_told = Call {
            request_id: call["request_id"].as_str().unwrap(),
            deadline_ms: call["deadline_ms"].as_i64(),
            function_arn: call["function_arn"].as_str(),
            client_context: client_context.as_deref(),
            event: event.as_ref().map_or(EventInput::Absent, |event| EventInput::Json(event.as_bytes())),
            streaming: call["streaming"] == true,
            now_us: call["now_us"].as_i64(),
        };
        let session = library.ask(|host| host.decide(&call_told)).unwrap();
        let mut borders = Vec::new();
        let steps = session.map(|mut session| {
            let mut steps = vec![step(ask(&mut session, |steps| steps.before(None)).to_json(language))];
            borders = session.ask(|steps| steps.borders()).unwrap();
            for then in call["then"].as_array().unwrap() {
                let (how, with) = then.as_object().unwrap().iter().next().unwrap();
                let now_us = with["now_us"].as_i64();
                let next = ask(&mut session, |steps| match how.as_str() {
                    "returned" => steps.returned(with["text"].as_str(), now_us),
                    "failed" => steps.failed(now_us),
                    "chunk" => steps.chunk(with["text"].as_str().unwrap(), now_us),
                    "reached" => steps.reached(usize::try_from(with["border"].as_u64().unwrap()).unwrap(), now_us),
                    other => panic!("no step `{other}`"),
                });
                steps.push(step(next.to_json(language)));
            }
            steps
        });
        let borders: Vec<_> = borders
            .iter()
            .map(|border| json!({"index": border.index, "after_bytes": border.after_bytes, "after_ms": border.after_ms}))
            .collect();
        json!({"steps": steps, "borders": borders, "records": std::mem::take(&mut *lines.lock().unwrap())})
    });
    Value::Array(calls.collect())
}

#[test]
fn every_decision_is_met_exactly() {
    run("decisions.json", decide);
}

/// An answer as vectors have it: its body as text, or in hexadecimal where it is none.
fn answered(answer: &Answer) -> Value {
    let headers: serde_json::Map<_, _> = answer.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    match std::str::from_utf8(&answer.body) {
        Ok(body) => json!({"status": answer.status, "headers": headers, "body": body}),
        Err(_) => {
            let body: String = answer.body.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"status": answer.status, "headers": headers, "body_hex": body})
        }
    }
}

/// The calls of one invocation: what each meets, and all records.
fn call(case: &Value) -> Value {
    let (sink, lines) = sink();
    let library = Library::open(&text(&case["plan"]), Language::Python, Identity::default(), sink).unwrap();
    let invocation = Call {
        deadline_ms: case["deadline_ms"].as_i64(),
        now_us: case["now_us"].as_i64(),
        ..Call::of(case["request_id"].as_str().unwrap())
    };
    let mut session = library.ask(|host| host.decide(&invocation)).unwrap().unwrap();
    ask(&mut session, |steps| steps.before(None));
    let calls = if case["carries_calls"] == true { session.ask(Steps::calls).unwrap() } else { None };
    let scopes = calls.as_ref().and_then(Calls::scopes);
    let met = case["requests"].as_array().unwrap().iter().map(|request| {
        let told = Request {
            method: request["method"].as_str().unwrap(),
            url: request["url"].as_str().unwrap(),
            authorization: request["authorization"].as_str(),
            target: request["target"].as_str(),
            content_type: request["content_type"].as_str(),
            retry: request["retry"].as_str(),
            body: request["body"].as_str().unwrap().as_bytes(),
            operation: request["operation"].as_str(),
        };
        let met = calls.as_ref().unwrap().met(&told, request["now_us"].as_i64()).unwrap();
        let signed = told.authorization.unwrap_or_default();
        let is_nobodys = calls.as_ref().unwrap().is_nobodys(signed, told.operation);
        assert!(met == Met::default() || !is_nobodys, "{signed}");
        let scope = signed.split(',').next().unwrap_or_default();
        let is_known = scope.starts_with("AWS4-") && scope.ends_with("/aws4_request");
        let by = |operation: &str| operation.is_empty() || told.operation.is_none_or(|told| told == operation);
        let has =
            |scopes: &Vec<[String; 2]>| scopes.iter().any(|[end, operation]| scope.ends_with(end.as_str()) && by(operation));
        assert_eq!(is_nobodys, is_known && scopes.as_ref().is_some_and(|scopes| !has(scopes)), "{scopes:?} {signed}");
        json!({"delay_us": met.delay_us, "answer": met.answer.as_ref().map(answered)})
    });
    let met: Vec<_> = met.collect();
    let end_us = case["end"]["now_us"].as_i64();
    ask(&mut session, |steps| if case["end"]["how"] == "failed" { steps.failed(end_us) } else { steps.returned(None, end_us) });
    json!({"met": met, "records": std::mem::take(&mut *lines.lock().unwrap())})
}

#[test]
fn every_call_is_met_exactly() {
    run("calls.json", call);
}

#[test]
fn every_refusal_names_all_problems() {
    run("refusals.json", |case| {
        let sink = Sink::callback(|_| {});
        match Library::open(&text(&case["plan"]), Language::Python, Identity::default(), sink) {
            Ok(_) => Value::Null,
            Err(error) => serde_json::from_str(&error.to_json()).unwrap(),
        }
    });
}

#[test]
fn what_attaching_changes_or_refuses_is_met_exactly() {
    run("attach.json", |case| match serde_json::from_value(case["options"].clone()) {
        Ok(options) => match attach::attach(&serde_json::from_value(case["config"].clone()).unwrap(), &options) {
            Ok(change) => json!({"change": change}),
            Err(reasons) => json!({"refused": reasons}),
        },
        Err(_) if case["later"].is_object() => {
            let time = |name: &str| Timestamp::parse(case["later"][name].as_str().unwrap());
            told(attach::later(&text(&case["plan"]), time("now").unwrap(), time("until"), case["later"]["dry_run"] == true))
        }
        Err(_) => {
            let number = |name: &str| u32::try_from(case["hold"][name].as_u64().unwrap()).unwrap();
            let now = Timestamp::parse(case["hold"]["now"].as_str().unwrap()).unwrap();
            let window = Window::hold(now, number("attach_s"), number("minutes"));
            told(attach::timed(&text(&case["plan"]), window, case["hold"]["dry_run"] == true))
        }
    });
}

fn told(outcome: Result<attach::Timed, faultlayer_core::plan::PlanError>) -> Value {
    match outcome {
        Ok(timed) => json!({"text": timed.text}),
        Err(error) => json!({"path": error.problems[0].path}),
    }
}

#[test]
fn the_shipped_schema_and_table_are_those_of_the_tables() {
    for (name, generated) in [("schema", faultlayer_core::plan::schema()), ("fields", faultlayer_core::plan::table())] {
        let path = format!("{}/plan.{name}.json", env!("CARGO_MANIFEST_DIR"));
        let generated = serde_json::to_string_pretty(&generated).unwrap() + "\n";
        if std::env::var("FAULTLAYER_BLESS").is_ok() {
            std::fs::write(&path, &generated).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), generated, "FAULTLAYER_BLESS=1 writes it");
    }
}
