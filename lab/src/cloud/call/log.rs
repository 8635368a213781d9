//! The call log: every API call with its action, resource, caller and outcome, in memory and in `calls.jsonl`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::{Principal, Request};
use crate::cloud::clock;
use crate::cloud::state::Appended;

#[derive(Debug, Default)]
struct Inner {
    rows: Vec<Value>,
    counts: HashMap<String, u64>,
    file: Option<Appended>,
}

/// The log.
#[derive(Debug, Default)]
pub struct CallLog {
    inner: Mutex<Inner>,
}

/// One call as it stands in the log.
#[derive(Debug)]
pub struct Row<'a> {
    /// Who called.
    pub who: &'a Principal,
    /// Its number within its execution.
    pub nth: Option<u64>,
    /// What was asked.
    pub request: &'a Request,
    /// The action in policies.
    pub action: &'a str,
    /// The first of the resources.
    pub resource: &'a str,
    /// The HTTP status; 0: none.
    pub status: u16,
    /// `ok`, an error's code, or `dropped`.
    pub outcome: &'a str,
    /// The hook that acted on it.
    pub hook: Option<u64>,
    /// The statements of policies that decided.
    pub statements: &'a [Option<String>],
}

/// The next row's sequence number. Rows may be missing where the disk was full.
fn next(rows: &[Value]) -> u64 {
    rows.last().and_then(|row| row["seq"].as_u64()).unwrap_or(0) + 1
}

impl CallLog {
    /// Opens the log in a state folder and reads what stands there.
    pub fn open(folder: &Path) -> io::Result<CallLog> {
        let path = folder.join("calls.jsonl");
        let mut inner = Inner::default();
        if let Ok(file) = File::open(&path) {
            for line in BufReader::new(file).split(b'\n') {
                // A line cut off by a kill is left out.
                if let Ok(row) = serde_json::from_slice::<Value>(&line?) {
                    if let Some(execution) = row.get("execution").and_then(Value::as_str) {
                        *inner.counts.entry(execution.to_owned()).or_default() += 1;
                    }
                    inner.rows.push(row);
                }
            }
        }
        inner.file = Some(Appended::open(&path)?);
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
    pub fn end(&self, row: &Row<'_>) {
        self.locked(|inner| {
            let Row { who, request, .. } = row;
            let line = json!({
                "seq": next(&inner.rows), "time": clock::rfc3339(clock::now_ms()), "service": request.service,
                "operation": request.operation, "action": row.action, "resource": row.resource, "caller": who.arn, "role": who.role,
                "execution": who.execution, "document": who.document, "step": who.step, "nth": row.nth, "status": row.status,
                "outcome": row.outcome, "hook": row.hook, "statements": row.statements,
            });
            if let Some(file) = &mut inner.file {
                // The log in memory stays true even where the disk is full.
                let _lost = file.line(&line.to_string()).is_err();
            }
            inner.rows.push(line);
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
            answer.insert("next".into(), json!(next(&inner.rows)));
            Value::Object(answer)
        })
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.locked(|inner| {
            inner.rows.clear();
            inner.counts.clear();
            if let Some(file) = &mut inner.file {
                let _kept = file.empty().is_err();
            }
        });
    }
}
