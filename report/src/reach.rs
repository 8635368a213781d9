//! What kept a fault in calls from hitting any, in words for somebody who sees it for the first time.

use crate::counts::FaultCount;
use crate::figures::counted;

/// Why a fault that was drawn has hit nothing, and what is never hit by its kind in this runtime (`python3.12`, `nodejs22.x`,
/// `java21`); `None` where it has hit something, or where it hits no calls.
#[must_use]
pub fn unmet(fault: &FaultCount, runtime: &str) -> Option<String> {
    fault.calls?;
    let skipped = |reason: &str| fault.skipped.get(reason).copied().unwrap_or_default();
    let (drawn, id, kind) = (counted(fault.drawn, "invocation"), &fault.id, &fault.kind);
    if skipped("not_supported") > 0 {
        let needs = if kind == "network" { "it needs Linux with GNU's C library" } else { "its layer may be too old" };
        return Some(format!("`{id}` was drawn for {drawn} and did nothing: `{kind}` is not carried out here, {needs}"));
    }
    if fault.drawn == 0 || skipped("no_call") < fault.drawn {
        return None;
    }
    let (made, names) = if kind == "network" {
        ("opened no connection, and resolved no name,", "`host` and `port`")
    } else {
        ("made no call to AWS", "`service` (as in IAM actions) and `operation`")
    };
    let unseen = unseen(kind, runtime);
    Some(format!(
        "`{id}` was drawn for {drawn} and hit nothing: the function {made} that its target is about. See whether {names} are \
         those that the function uses; never hit: {unseen}"
    ))
}

/// The limits of the kinds' pages that a user may have met.
fn unseen(kind: &str, runtime: &str) -> &'static str {
    if kind == "network" {
        "connections that the function kept open and did not use, programs that it starts, UDP, what makes its system calls by \
         itself, as Go does"
    } else if runtime.starts_with("python") {
        "calls that do not go through botocore, as those of other HTTP clients and S3 transfers by awscrt"
    } else if runtime.starts_with("node") {
        "clients over HTTP/2 (Kinesis, Transcribe, Bedrock's streams in both directions), a dispatcher that `fetch` is given by \
         hand, other programs"
    } else {
        "calls that do not go through AWS's SDK 1 or 2, and S3's client over CRT (`S3AsyncClient.crtCreate`)"
    }
}

#[cfg(test)]
mod tests {
    use faultlayer_core::plan::Plan;
    use serde_json::json;

    use super::*;

    fn after(kind: &str, reasons: &[&str]) -> FaultCount {
        let text = json!({"version": 1, "faults": [
            {"id": "latency", "kind": "latency", "rate": 1, "delay_ms": 1},
            {"id": "aws_call", "kind": "aws_call", "rate": 1, "target": {"service": ["s3"]}, "error": "SlowDown"},
            {"id": "network", "kind": "network", "rate": 1, "target": {"host": ["h"]}, "effect": "refuse"},
        ]});
        let plan = Plan::parse(&text.to_string()).unwrap();
        let mut count = FaultCount::new(plan.faults.iter().find(|fault| fault.id == kind).unwrap());
        for reason in reasons {
            let action = if reason.is_empty() { "injected" } else { "skipped" };
            count.count(&[json!({"action": action, "reason": reason}).as_object().unwrap()]);
        }
        count
    }

    #[test]
    fn what_hit_nothing_says_why_and_what_its_runtime_never_hits() {
        let said = unmet(&after("aws_call", &["no_call", "no_call"]), "python3.12").unwrap();
        assert!(
            said.starts_with("`aws_call` was drawn for 2 invocations and hit nothing: the function made no call to AWS"),
            "{said}"
        );
        assert!(said.contains("botocore"), "{said}");
        let of = |runtime| unmet(&after("aws_call", &["no_call"]), runtime).unwrap();
        assert!(of("nodejs22.x").contains("HTTP/2"));
        assert!(of("java21").contains("crtCreate"));
        assert!(unmet(&after("network", &["no_call"]), "java21").unwrap().contains("opened no connection"));
        assert!(unmet(&after("network", &["not_supported"]), "java21").unwrap().contains("Linux"));
    }

    #[test]
    fn nothing_is_said_of_what_hit_something_or_hits_no_calls() {
        assert_eq!(unmet(&after("aws_call", &["no_call", ""]), "python3.12"), None);
        assert_eq!(unmet(&after("aws_call", &["not_chosen"]), "python3.12"), None);
        assert_eq!(unmet(&after("aws_call", &[]), "python3.12"), None);
        assert_eq!(unmet(&after("latency", &["no_call"]), "python3.12"), None);
    }
}
