//! The call log: every API call with its action, resource, caller and outcome, in memory and in `calls.jsonl`.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::clock;
use super::principal::Principal;

#[derive(Debug, Default)]
struct Inner {
    rows: Vec<Value>,
    counts: HashMap<String, u64>,
    file: Option<File>,
}

/// The log.
#[derive(Debug, Default)]
pub struct CallLog {
    inner: Mutex<Inner>,
}

/// The name of an operation in IAM policies.
fn action(service: &str, operation: &str) -> String {
    match (service, operation) {
        ("lambda", "Invoke") => "lambda:InvokeFunction".to_owned(),
        ("lambda", "GetLayerVersionByArn") => "lambda:GetLayerVersion".to_owned(),
        ("resourcegroupstaggingapi", _) => format!("tag:{operation}"),
        _ => format!("{service}:{operation}"),
    }
}

impl CallLog {
    /// Opens the log in a state folder and reads what stands there.
    pub fn open(folder: &Path) -> io::Result<CallLog> {
        let path = folder.join("calls.jsonl");
        let mut inner = Inner::default();
        if let Ok(file) = File::open(&path) {
            for line in BufReader::new(file).lines() {
                // A line cut off by a kill is left out.
                if let Ok(row) = serde_json::from_str::<Value>(&line?) {
                    if let Some(execution) = row.get("execution").and_then(Value::as_str) {
                        *inner.counts.entry(execution.to_owned()).or_default() += 1;
                    }
                    inner.rows.push(row);
                }
            }
        }
        inner.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        Ok(CallLog { inner: Mutex::new(inner) })
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a call that begins; its number within its execution, from 1.
    pub fn begin(&self, who: &Principal) -> Option<u64> {
        let execution = who.execution.clone()?;
        self.locked(|inner| {
            let count = inner.counts.entry(execution).or_default();
            *count += 1;
            Some(*count)
        })
    }

    /// Writes a call that has ended.
    #[expect(clippy::too_many_arguments, reason = "one argument a column")]
    pub fn end(
        &self,
        who: &Principal,
        nth: Option<u64>,
        service: &str,
        operation: &str,
        resource: &str,
        status: u16,
        outcome: &str,
        hook: Option<u64>,
    ) {
        self.locked(|inner| {
            let row = json!({
                "seq": inner.rows.len() + 1, "time": clock::rfc3339(clock::now_ms()), "service": service, "operation": operation,
                "action": action(service, operation), "resource": resource, "caller": who.arn, "role": who.role,
                "execution": who.execution, "document": who.document, "step": who.step, "nth": nth, "status": status,
                "outcome": outcome, "hook": hook,
            });
            if let Some(file) = &mut inner.file {
                // The log in memory stays true even where the disk is full.
                let _lost = writeln!(file, "{row}").is_err();
            }
            inner.rows.push(row);
        });
    }

    /// The rows from a sequence number on, of one execution or of all.
    pub fn since(&self, first: u64, execution: Option<&str>) -> Value {
        self.locked(|inner| {
            let rows: Vec<Value> = inner
                .rows
                .iter()
                .filter(|row| row["seq"].as_u64().unwrap_or(0) >= first)
                .filter(|row| execution.is_none_or(|wanted| row["execution"].as_str() == Some(wanted)))
                .cloned()
                .collect();
            let mut answer = Map::new();
            answer.insert("calls".into(), Value::Array(rows));
            answer.insert("next".into(), json!(inner.rows.len() + 1));
            Value::Object(answer)
        })
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.locked(|inner| {
            inner.rows.clear();
            inner.counts.clear();
            if let Some(file) = &inner.file {
                let _kept = file.set_len(0).is_err();
            }
        });
    }
}
