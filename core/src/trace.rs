//! An injection as a subsegment of its invocation's trace in AWS X-Ray. Sending it is [`crate::rim`]'s business.

use serde_json::{Map, Value};

use crate::decision::put;
use crate::plan::millis_to_micros;
use crate::record::Record;
use crate::sampling::RequestHash;

/// What stands before a document.
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

/// What the X-Ray daemon takes of an injection, from its record's time for as long as the fault holds the invocation. `None`
/// where the invocation's trace header, as in `Root=1-…;Parent=…;Sampled=1`, does not say that it is sampled, and of what.
/// `serial` tells records of one invocation apart.
#[must_use]
pub fn datagram(record: &Record, header: &str, serial: u64) -> Option<String> {
    let find = |name| header.split(';').find_map(|field| field.strip_prefix(name)).filter(|found| !found.is_empty());
    let (root, parent) = (find("Root=")?, find("Parent=")?);
    if find("Sampled=") != Some("1") {
        return None;
    }
    let at = record.timestamp.0;
    let held_us = millis_to_micros(record.details.get("delay_ms").and_then(Value::as_f64).unwrap_or_default());
    let id = RequestHash::of_request(serial ^ at.cast_unsigned(), &record.request_id).bits();
    let mut annotations = Map::new();
    put(&mut annotations, "fault", record.fault.as_str().into());
    put(&mut annotations, "kind", record.kind.into());
    if let Some(experiment) = &record.experiment {
        put(&mut annotations, "experiment", experiment.as_str().into());
    }
    let mut document = Map::new();
    put(&mut document, "name", format!("faultlayer:{}", record.kind).into());
    put(&mut document, "type", "subsegment".into());
    put(&mut document, "id", format!("{id:016x}").into());
    put(&mut document, "trace_id", root.into());
    put(&mut document, "parent_id", parent.into());
    put(&mut document, "start_time", seconds(at));
    put(&mut document, "end_time", seconds(at.saturating_add(held_us)));
    put(&mut document, "annotations", annotations.into());
    Some(format!("{HEADER}{}", Value::Object(document)))
}

/// As X-Ray tells time.
#[expect(clippy::cast_precision_loss, reason = "microseconds since the epoch are exact in a double until the year 2255")]
fn seconds(micros: i64) -> Value {
    Value::from(micros as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value, json};

    use super::datagram;
    use crate::record::{Action, Record};
    use crate::timestamp::Timestamp;

    const SAMPLED: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    fn record() -> Record {
        Record {
            timestamp: Timestamp(1_763_901_112_069_123),
            experiment: Some("check\"out".into()),
            fault: "slow".into(),
            kind: "latency",
            action: Action::Injected,
            reason: None,
            request_id: "one".into(),
            sample: 0.1,
            rate: 1.0,
            details: Map::from_iter([("delay_ms".to_owned(), json!(106.187))]),
            cold_start: false,
            namespace: None,
            traced: true,
        }
    }

    /// The document without its id.
    fn document(record: &Record, header: &str) -> Option<Value> {
        let datagram = datagram(record, header, 0)?;
        let (first, document) = datagram.split_once('\n').unwrap();
        assert_eq!(first, r#"{"format":"json","version":1}"#);
        let mut document: Value = serde_json::from_str(document).unwrap();
        let id = document["id"].take();
        assert!(id.as_str().is_some_and(|id| id.len() == 16 && id.chars().all(|digit| digit.is_ascii_hexdigit())), "{id}");
        Some(document)
    }

    #[test]
    fn an_invocation_is_traced_where_its_header_says_so_and_of_what() {
        let document = |header: &str| document(&record(), header);
        assert!(document(SAMPLED).is_some());
        let other = "Sampled=1;Lineage=1:abc:0;Parent=53995c3f42cd8ad8;Root=1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(document(other), document(SAMPLED));
        for header in [
            "",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=;Parent=;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=?",
        ] {
            assert_eq!(document(header), None, "{header}");
        }
    }

    #[test]
    fn an_injection_is_a_subsegment_from_its_record_for_as_long_as_it_holds() {
        let mut record = record();
        let expected = json!({
            "name": "faultlayer:latency",
            "type": "subsegment",
            "id": null,
            "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
            "parent_id": "53995c3f42cd8ad8",
            "start_time": 1_763_901_112.069_123,
            "end_time": 1_763_901_112.175_31,
            "annotations": {"fault": "slow", "kind": "latency", "experiment": "check\"out"},
        });
        assert_eq!(document(&record, SAMPLED), Some(expected));
        (record.kind, record.experiment, record.details) = ("exit", None, Map::new());
        let plain = document(&record, SAMPLED).unwrap();
        assert_eq!(plain["end_time"], plain["start_time"]);
        assert_eq!(plain["annotations"], json!({"fault": "slow", "kind": "exit"}));
    }

    #[test]
    fn records_of_one_moment_have_ids_of_their_own() {
        let record = record();
        let all: BTreeSet<_> = (0..1000).map(|serial| datagram(&record, SAMPLED, serial)).collect();
        assert_eq!(all.len(), 1000);
    }
}
