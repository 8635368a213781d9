//! Which connections of a hit invocation a `network` fault hits, with what, and what its records say.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use faultlayer_core::boundary::EventInput;
use faultlayer_core::decision::{Calls, Context, Decision, Engine, Facts, Invocation};
use faultlayer_core::faults::Peer;
use faultlayer_core::matching::Budget;
use faultlayer_core::plan::Plan;
use faultlayer_core::timestamp::Timestamp;
use faultlayer_network::Effect;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

struct Asked {
    decision: Decision,
    calls: Arc<Calls>,
}

fn engine(faults: &str, more: &str) -> Engine {
    let text = format!(r#"{{"version":1,"expires_at":"never","seed":7{more},"faults":[{faults}]}}"#);
    Engine::new(Plan::parse_to_run(&text).unwrap())
}

fn asked(engine: &Engine) -> Asked {
    let invocation = Invocation {
        request_id: "one",
        deadline: Some(Timestamp(NOW.0 + 3_000_000)),
        now: NOW,
        cold_start: false,
        streaming: false,
        facts: Facts { event: EventInput::Absent, context: Context::default() },
    };
    let mut decision = engine.standing().decide(&mut Budget::default(), &invocation, false, false).unwrap();
    decision.before(&mut NoResources);
    let calls = decision.connections().unwrap();
    Asked { decision, calls }
}

struct NoResources;

impl faultlayer_core::decision::Resources for NoResources {
    fn grant(&mut self, _: faultlayer_core::decision::Resource) -> Result<Option<u64>, faultlayer_core::decision::Reason> {
        Ok(None)
    }
}

/// `NAME@ADDRESS:PORT`, as somebody connects to it; `~` before it is an address that must be named exactly.
fn effect(asked: &Asked, peer: &str) -> Option<Effect> {
    let (peer, exactly) = peer.strip_prefix('~').map_or((peer, false), |peer| (peer, true));
    let (name, address) = peer.split_once('@').unwrap();
    let (address, port) = address.rsplit_once(':').unwrap();
    let peer = Peer {
        name: (!name.is_empty()).then_some(name),
        address: Some(address.parse().unwrap()),
        port: Some(port.parse().unwrap()),
        exactly,
    };
    asked.calls.reached(&peer, NOW).hit.map(|(effect, _)| effect)
}

fn hits(target: &str, peers: &[&str]) -> Vec<bool> {
    let engine = engine(&format!(r#"{{"id":"f","kind":"network","rate":1,"target":{target},"effect":"refuse"}}"#), "");
    let asked = asked(&engine);
    peers.iter().map(|peer| effect(&asked, peer).is_some()).collect()
}

#[test]
fn a_host_is_matched_by_name_suffix_and_address() {
    assert_eq!(
        hits(
            r#"{"host":["db.internal"],"port":[5432]}"#,
            &["db.internal@10.0.0.1:5432", "db.internal@10.0.0.1:5433", "@10.0.0.1:5432"]
        ),
        [true, false, false]
    );
    assert_eq!(
        hits(r#"{"host":[{"suffix":".stripe.com"}]}"#, &["api.stripe.com@1.2.3.4:443", "stripe.com@1.2.3.4:443"]),
        [true, false]
    );
    assert_eq!(
        hits(r#"{"host":[{"cidr":"10.0.0.0/8"}]}"#, &["db.internal@10.0.0.1:5432", "@10.9.9.9:1", "a.example@11.0.0.1:1"]),
        [true, true, false]
    );
    // An address counts beside a name only where the target is about addresses.
    assert_eq!(
        hits(r#"{"host":[{"anything-but":["a.example"]}]}"#, &["a.example@1.2.3.4:1", "b.example@1.2.3.4:1"]),
        [false, true]
    );
}

#[test]
fn loopback_is_hit_only_where_it_is_named_exactly() {
    let near = ["~localhost@127.0.0.1:5432"];
    assert_eq!(hits(r#"{"host":["localhost"]}"#, &near), [true]);
    assert_eq!(hits(r#"{"host":["LocalHost."]}"#, &near), [false], "names are compared as they are resolved, in lower case");
    assert_eq!(hits(r#"{"host":["127.0.0.1"]}"#, &near), [true]);
    for pattern in [r#"{"host":[{"suffix":"host"}]}"#, r#"{"port":[5432]}"#, r#"{"host":[{"cidr":"127.0.0.0/8"}]}"#] {
        assert_eq!(hits(pattern, &near), [false], "{pattern}");
    }
}

#[test]
fn each_effect_is_what_the_plan_says_and_a_delay_is_cut() {
    let fault = |id: &str, port: u32, more: &str| {
        format!(r#"{{"id":"{id}","kind":"network","rate":1,"target":{{"host":["h"],"port":[{port}]}},{more}}}"#)
    };
    let faults = [
        fault("a", 1, r#""effect":"refuse""#),
        fault("b", 2, r#""effect":"blackhole""#),
        fault("c", 3, r#""effect":"reset","after_bytes":7"#),
        fault("d", 4, r#""effect":"latency","delay_ms":200"#),
        fault("e", 5, r#""effect":"bandwidth","kib_per_s":2.5"#),
        fault("g", 6, r#""effect":"latency","delay_ms":10000"#),
    ];
    let engine = engine(&faults.join(","), r#","limits":{"deadline_margin_ms":500}"#);
    let asked = asked(&engine);
    let effects: Vec<_> = (1..7).map(|port| effect(&asked, &format!("h@10.0.0.1:{port}")).unwrap()).collect();
    assert_eq!(
        effects,
        [
            Effect::Refuse,
            Effect::Blackhole,
            Effect::Reset { after_bytes: 7 },
            Effect::Latency { delay_us: 200_000 },
            Effect::Bandwidth { bytes_per_s: 2560 },
            Effect::Latency { delay_us: 2_500_000 },
        ]
    );
    let peer = Peer { name: Some("h"), address: Some([10, 0, 0, 1].into()), port: Some(4), exactly: false };
    assert_eq!(asked.calls.reached(&peer, NOW).hit.unwrap().1, Some(2_500_000), "nor does it last beyond the margin");
}

#[test]
fn names_are_resolved_under_dns_faults_alone() {
    let fault = |more: &str| format!(r#"{{"id":"f","kind":"network","rate":1,"target":{{"host":["h"]}},{more}}}"#);
    for (more, expected) in [
        (r#""effect":"dns""#, Some(Effect::NotFound)),
        (r#""effect":"dns","answer":"timeout""#, Some(Effect::NoAnswer { delay_us: 10_000_000 })),
        (r#""effect":"refuse""#, None),
    ] {
        let engine = engine(&fault(more), "");
        let asked = asked(&engine);
        let name = Peer { name: Some("h"), address: None, port: None, exactly: false };
        assert_eq!(asked.calls.reached(&name, NOW).hit.map(|hit| hit.0), expected);
        assert_eq!(effect(&asked, "h@10.0.0.1:1").is_some(), expected.is_none());
    }
}

#[test]
fn each_connection_takes_from_the_limits_and_is_recorded_and_an_invocation_without_any_says_so() {
    let fault = r#"{"id":"f","kind":"network","rate":1,"target":{"host":["h"]},"effect":"refuse","calls":{"first":2}}"#;
    let engine = engine(fault, r#","limits":{"injections":3}"#);
    let mut first = asked(&engine);
    let peer = Peer { name: Some("h"), address: Some([10, 0, 0, 1].into()), port: Some(443), exactly: false };
    let met: Vec<_> = (0..3).map(|_| first.calls.reached(&peer, NOW)).collect();
    assert_eq!(met.iter().map(|met| met.hit.is_some()).collect::<Vec<_>>(), [true, true, false]);
    let line = met[0].records[0].to_line();
    assert!(
        line.contains(r#""kind":"network","action":"injected""#) && line.contains(r#""host":"h","port":443,"effect":"refuse""#),
        "{line}"
    );
    let rest = first.decision.returned(None, NOW).records;
    assert_eq!(rest.len(), 1);
    assert!(rest[0].to_line().contains(r#""reason":"not_chosen""#));
    let mut second = asked(&engine);
    let said = second.decision.returned(None, NOW).records[0].to_line();
    assert!(said.contains(r#""reason":"no_call""#), "{said}");
    // It gave its own back.
    assert!(asked(&engine).calls.reached(&peer, NOW).hit.is_some());
}

#[test]
fn a_dry_run_records_and_lets_through() {
    let fault = r#"{"id":"f","kind":"network","rate":1,"target":{"host":["h"]},"effect":"refuse"}"#;
    let engine = engine(fault, r#","dry_run":true"#);
    let peer = Peer { name: Some("h"), address: Some([10, 0, 0, 1].into()), port: Some(443), exactly: false };
    let met = asked(&engine).calls.reached(&peer, NOW);
    assert_eq!((met.hit, met.records.len()), (None, 1));
    assert!(met.records[0].to_line().contains(r#""action":"dry_run""#));
}

#[test]
fn the_first_fault_that_hits_a_connection_stands() {
    let fault = |id: &str, effect: &str| {
        format!(r#"{{"id":"{id}","kind":"network","rate":1,"target":{{"host":["h"]}},"effect":"{effect}"}}"#)
    };
    let engine = engine(&[fault("a", "refuse"), fault("b", "blackhole")].join(","), "");
    let mut asked = asked(&engine);
    assert_eq!(effect(&asked, "h@10.0.0.1:1"), Some(Effect::Refuse));
    let rest = asked.decision.returned(None, NOW).records;
    assert!(rest[0].to_line().contains(r#""fault":"b""#) && rest[0].to_line().contains(r#""reason":"superseded""#));
}
