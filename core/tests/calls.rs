//! What holds for the calls of an invocation, whoever makes them and whatever their requests say.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use faultlayer_core::aws::{Answer, Request};
use faultlayer_core::boundary::{Call, Identity, Language, Library, Sink, Steps};
use faultlayer_core::decision::{Action, Facts, Invocation, Reason, explain};
use faultlayer_core::plan::Plan;
use faultlayer_core::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn plan(fields: &Value) -> Value {
    let mut fault = json!({"id": "f", "kind": "aws_call", "rate": 1, "target": {"service": ["s3"]}, "error": "SlowDown"});
    fault.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"version": 1, "expires_at": "never", "faults": [fault, {"id": "slow", "kind": "latency", "rate": 1, "delay_ms": 0}]})
}

fn library(plan: &Value) -> (Library, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let sink = Sink::callback(move |line| kept.lock().unwrap().push(line.to_owned()));
    (Library::open(&plan.to_string(), Language::Python, Identity::default(), sink).unwrap(), lines)
}

const GET: Request<'_> = Request {
    method: "GET",
    url: "https://bucket.s3.eu-west-1.amazonaws.com/key",
    authorization: None,
    target: None,
    content_type: None,
    retry: None,
    body: b"",
    operation: Some("GetObject"),
};

#[test]
fn an_explanation_says_that_what_waits_for_calls_would_hit_them() {
    let fate = |plan: &Value, request_id: &str| {
        let invocation = Invocation {
            request_id,
            deadline: None,
            now: Timestamp(1_795_435_200_000_000),
            cold_start: false,
            streaming: false,
            facts: Facts::default(),
        };
        let [fate, _] = explain(&Arc::new(Plan::parse(&plan.to_string()).unwrap()), &invocation).try_into().unwrap();
        (fate.drawn, fate.action, fate.reason)
    };
    assert_eq!(fate(&plan(&json!({})), "a"), (true, Some(Action::Injected), None));
    assert_eq!(fate(&plan(&json!({"rate": 0})), "a"), (false, None, Some(Reason::NotSampled)));
    let mut dry = plan(&json!({}));
    dry.as_object_mut().unwrap().insert("dry_run".into(), true.into());
    assert_eq!(fate(&dry, "a"), (true, Some(Action::DryRun), None));
}

#[test]
fn a_limit_is_exact_under_threads_and_what_no_call_used_comes_back() {
    let (library, _) = library(&plan(&json!({"limit": 100})));
    let hits = AtomicUsize::new(0);
    let invoke = |calls: usize| {
        let mut session = library.ask(|host| host.decide(&Call::of("one"))).unwrap().unwrap();
        session.ask(|steps| steps.before(None)).unwrap();
        let waiting = session.ask(Steps::calls).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..calls {
                        let met = waiting.as_ref().map(|calls| calls.met(&GET, None).unwrap());
                        hits.fetch_add(usize::from(met.is_some_and(|met| met.answer.is_some())), Ordering::Relaxed);
                    }
                });
            }
        });
        session.ask(|steps| steps.returned(None, None)).unwrap();
        // Whoever calls after the end meets nothing.
        assert!(waiting.is_none_or(|calls| calls.met(&GET, None).unwrap().answer.is_none()));
    };
    for calls in [0, 0, 5, 0, 40] {
        invoke(calls);
    }
    assert_eq!(hits.load(Ordering::Relaxed), 100);
    invoke(40);
    assert_eq!(hits.load(Ordering::Relaxed), 100);
}

fn signed(service: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential=A/20261123/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0")
}

#[test]
fn which_services_can_be_hit_is_told_where_each_target_names_them() {
    let calls = |targets: &[Value]| {
        let faults = targets.iter().enumerate().map(|(index, target)| {
            json!({"id": index.to_string(), "kind": "aws_call", "rate": 1, "target": target, "error": "SlowDown"})
        });
        let (library, _) = library(&json!({"version": 1, "expires_at": "never", "faults": faults.collect::<Vec<_>>()}));
        let mut session = library.ask(|host| host.decide(&Call::of("one"))).unwrap().unwrap();
        session.ask(|steps| steps.before(None)).unwrap();
        session.ask(Steps::calls).unwrap().unwrap()
    };
    let scopes = |targets: &[Value]| calls(targets).scopes();
    let (s3, sqs) = (json!({"service": ["s3"], "operation": ["GetObject"]}), json!({"service": ["sqs", "sns"]}));
    let of = |named: &[(&str, &str)]| {
        Some(named.iter().map(|(service, by)| [format!("/{service}/aws4_request"), (*by).to_owned()]).collect::<Vec<_>>())
    };
    assert_eq!(scopes(std::slice::from_ref(&s3)), of(&[("s3", "GetObject")]));
    assert_eq!(scopes(&[s3.clone(), sqs]), of(&[("s3", "GetObject"), ("sqs", ""), ("sns", "")]));
    for other in
        [json!({"operation": ["PutItem"]}), json!({"service": [{"prefix": "dyn"}]}), json!({"service": ["a", {"exists": true}]})]
    {
        assert_eq!(scopes(&[s3.clone(), other.clone()]), None);
        assert!(!calls(&[s3.clone(), other]).is_nobodys(&signed("lambda"), None));
    }
    let of_s3 = calls(&[s3]);
    assert!(of_s3.is_nobodys(&signed("lambda"), None) && of_s3.is_nobodys(&signed("s3"), Some("PutObject")));
    assert!(!of_s3.is_nobodys(&signed("s3"), None) && !of_s3.is_nobodys(&signed("s3"), Some("GetObject")));
    let of_any = calls(&[json!({"service": ["s3"], "operation": [{"prefix": "Get"}]}), json!({"operation": ["PutItem"]})]);
    assert!(!of_any.is_nobodys(&signed("s3"), Some("PutObject")) && !of_any.is_nobodys(&signed("lambda"), Some("PutItem")));
    assert!(of_any.is_nobodys(&signed("lambda"), Some("Invoke")));
    // What says nothing of its service, or says it elsewhere, has to be asked for.
    let elsewhere = signed("lambda").replace("Credential", "SignedHeaders=host, Credential");
    for other in ["", "Bearer lambda/aws4_request", "AWS s3:signature", &signed("lambda").replace("aws4", "aws5"), &elsewhere] {
        assert!(!of_s3.is_nobodys(other, None), "{other}");
    }
}

#[test]
fn an_invocation_that_is_dropped_ends_for_its_calls_and_keeps_what_they_took() {
    let (library, lines) = library(&plan(&json!({"limit": 2})));
    let mut answered = Vec::new();
    for calls in [0, 1, 3] {
        let mut session = library.ask(|host| host.decide(&Call::of("one"))).unwrap().unwrap();
        session.ask(|steps| steps.before(None)).unwrap();
        let waiting = session.ask(Steps::calls).unwrap().unwrap();
        let hit = (0..calls).filter(|_| waiting.met(&GET, None).unwrap().answer.is_some()).count();
        drop(session);
        assert!(waiting.met(&GET, None).unwrap().answer.is_none());
        answered.push(hit);
    }
    assert_eq!(answered, [0, 1, 1]);
    let hits = lines.lock().unwrap().iter().filter(|line| line.contains("GetObject")).count();
    assert_eq!(hits, 2);
}

#[test]
fn code_without_steps_draws_faults_in_calls_alone() {
    let (library, _) = library(&plan(&json!({})));
    let mut session = library.ask(|host| host.decide_calls(&Call::of("one"))).unwrap().unwrap();
    let step = session.ask(|steps| steps.before(None)).unwrap();
    assert_eq!(step.delay_us, 0);
    let missed = library.ask(|host| host.no_chance()).unwrap();
    assert_eq!(missed.iter().map(|missed| missed.fault.as_str()).collect::<Vec<_>>(), ["slow"]);
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9./:?&=%-]{0,40}",
        Just("AWS4-HMAC-SHA256 Credential=A/20261123/eu-west-1/s3/aws4_request, Signature=0".to_owned()),
        Just("https://h/service/S/operation/O".to_owned()),
        Just("application/x-www-form-urlencoded".to_owned()),
        Just("application/x-amz-json-1.1".to_owned()),
        Just("HEAD".to_owned()),
    ]
}

proptest! {
    #[test]
    fn every_request_has_an_answer_that_is_well_formed(
        texts in proptest::collection::vec(text(), 8),
        given in any::<[bool; 5]>(),
        body in proptest::collection::vec(any::<u8>(), 0..40),
        status in proptest::option::of(400..=599_u16),
    ) {
        let at = |index: usize| texts.get(index).map(String::as_str).unwrap_or_default();
        let some = |index: usize| given.get(index).is_some_and(|given| *given).then(|| at(index));
        let request = Request {
            method: at(5),
            url: at(6),
            authorization: some(0),
            target: some(1),
            content_type: some(2),
            retry: some(3),
            body: &body,
            operation: some(4),
        };
        let answer = Answer::error(&request, &request.seen(), at(7), status, at(0), "faultlayer-1");
        prop_assert!((400..=599).contains(&answer.status));
        let plain = |text: &str| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        prop_assert!(answer.headers.iter().all(|(name, value)| plain(name) && plain(value)));
        let header = |name: &str| answer.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
        prop_assert_eq!(header("content-length"), Some(answer.body.len().to_string()));
        prop_assert_eq!(answer.body.is_empty(), request.method == "HEAD");
        if header("content-type").unwrap().contains("json") && !answer.body.is_empty() {
            let said: Value = serde_json::from_slice(&answer.body).unwrap();
            prop_assert_eq!(&said, &json!({"__type": at(7), "message": at(0)}));
        }
    }
}
