//! What people expect: every figure, every way to end, and what is no expectation.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use faultlayer_report::document::Phase;
use faultlayer_report::expect::{Measured, State};
use faultlayer_report::figures::Latency;
use faultlayer_report::{Expectation, Judged};

fn phase() -> Phase {
    Phase {
        calls: 200,
        ok: 190,
        statuses: BTreeMap::from([(503, 4), (404, 1)]),
        errors: BTreeMap::from([("E".to_owned(), 6)]),
        timeouts: 3,
        crashes: 1,
        latency_ms: Latency { p50: 1.0, p90: 20.0, p99: 800.0, max: 3000.0, mean: 30.0 },
        ..Phase::default()
    }
}

fn judge(text: &str, phase: &Phase, alarms: Option<&BTreeMap<String, Vec<String>>>) -> Judged {
    Expectation::parse(text).unwrap().judge(Measured { phase, injections: 12, alarms })
}

#[test]
fn every_figure_is_measured() {
    let phase = phase();
    let states = |texts: &[&str]| texts.iter().map(|text| judge(text, &phase, None).state).collect::<Vec<_>>();
    let held = [
        "errors <= 5%",
        "errors=10",
        "error E < 4%",
        "error Other = 0",
        "timeouts < 2 %",
        "crashes = 1",
        "status 503 = 4",
        "status 5xx <= 2%",
        "status 4xx = 1",
        "calls >= 200",
        "injections > 0",
        "p50 < 2ms",
        "p90 <= 0.02s",
        "p99 <= 800ms",
        "max < 1m",
        "mean > 29.5 ms",
    ];
    assert_eq!(states(&held), vec![State::Held; held.len()]);
    let broken = ["errors < 5%", "errors < 10", "error E = 0", "p99 < 800ms", "injections = 0", "status 503 < 2%"];
    assert_eq!(states(&broken), vec![State::Broken; broken.len()]);
    assert_eq!(judge("errors < 1%", &phase, None).measured.as_deref(), Some("5.0 % (10 of 200)"));
    assert_eq!(judge("p99 < 1s", &phase, None).measured.as_deref(), Some("800 ms"));
}

#[test]
fn what_cannot_be_measured_says_why() {
    let why = |text, phase: &Phase| {
        let judged = judge(text, phase, None);
        assert_eq!(judged.state, State::NotMeasurable, "{text}");
        judged.why.unwrap()
    };
    let few = Phase { calls: 20, ..phase() };
    assert_eq!(why("p99 < 1s", &few), "20 calls are too few, at least 100 are needed");
    assert_eq!(why("errors < 1%", &Phase::default()), "no call was made");
    let cut = Phase { incomplete: Some("interrupted after 5 of 20 calls".to_owned()), ..few };
    assert_eq!(why("errors < 1%", &cut), "interrupted after 5 of 20 calls");
    assert_eq!(why("alarm a stays OK", &phase()), "there are no alarms here, only in an account or in the lab");
}

#[test]
fn an_alarm_stays_ok_or_does_not() {
    let states = |states: &[&str]| states.iter().map(ToString::to_string).collect::<Vec<_>>();
    let alarms = BTreeMap::from([
        ("checkout 5xx".to_owned(), states(&["OK"])),
        ("fired".to_owned(), states(&["OK", "ALARM"])),
        ("blind".to_owned(), states(&["INSUFFICIENT_DATA"])),
    ]);
    let state = |name: &str| judge(&format!("alarm {name} stays OK"), &phase(), Some(&alarms)).state;
    assert_eq!(
        ["checkout 5xx", "fired", "blind", "none"].map(state),
        [State::Held, State::Broken, State::NotMeasurable, State::NotMeasurable]
    );
}

#[test]
fn what_is_no_expectation_is_refused_with_what_is_allowed() {
    for (text, words) in [
        ("errors", "expected a figure, one of < <= > >= = and a value"),
        ("", "expected a figure"),
        ("latency < 3ms", "unknown figure `latency`, expected one of errors, error TYPE"),
        ("errors < few", "expected a whole number or a share, as in `5` or `1%`, got `few`"),
        ("errors < -1", "got `-1`"),
        ("errors < 101%", "expected a share from 0% to 100%, got `101%`"),
        ("errors < NaN%", "expected a share from 0% to 100%"),
        ("p99 < 800", "expected a time with its unit, as in `800ms` or `2s`, got `800`"),
        ("p99 < 5 hours", "expected a time with its unit"),
        ("p99 << 5ms", "expected a time with its unit"),
        ("calls > 5%", "expected a whole number"),
        ("status 200 = 5", "expected a status from 400 to 599, 4xx or 5xx, got `200`"),
        ("alarm x", "expected `alarm NAME stays OK`"),
        ("alarm stays OK", "expected `alarm NAME stays OK`"),
    ] {
        let said = Expectation::parse(text).unwrap_err();
        assert!(said.starts_with(&format!("`{text}`: ")) && said.contains(words), "{said}");
    }
}

#[test]
fn a_file_has_one_a_line_and_all_its_problems_are_said() {
    let read = Expectation::parse_lines("# ours\n\nerrors < 1%   # few\np99 < 1s\n").unwrap();
    assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), ["errors < 1%", "p99 < 1s"]);
    let said = Expectation::parse_lines("errors < x\n\np99 < 1\n").unwrap_err();
    assert_eq!(said.lines().map(|line| line.split(':').next().unwrap()).collect::<Vec<_>>(), ["line 1", "line 3"]);
}
