//! Resource policies: which services may write into the account's groups. Kept and shown; nothing is decided by them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Logs, invalid, not_served};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{page, text, with};
use crate::cloud::state::Row;

/// As many as an account and region may have.
const MOST: usize = 10;

/// A policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    name: String,
    document: String,
    updated: i64,
}

impl Row for Policy {
    const TABLE: &'static str = "policies";

    fn key(&self) -> &str {
        &self.name
    }
}

impl Policy {
    fn shown(&self) -> Value {
        json!({"policyName": self.name, "policyDocument": self.document, "lastUpdatedTime": self.updated, "policyScope": "ACCOUNT"})
    }
}

fn named(input: &Value) -> Result<&str, ApiError> {
    if text(input, "resourceArn").is_some() {
        return Err(not_served("policies of one resource"));
    }
    text(input, "policyName").ok_or_else(|| invalid("policyName is required"))
}

/// PutResourcePolicy.
pub fn put(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let (name, document) = (named(input)?.to_owned(), text(input, "policyDocument").unwrap_or_default().to_owned());
    if !serde_json::from_str::<Value>(&document).is_ok_and(|value| value.get("Statement").is_some()) {
        return Err(invalid("Policy document is not valid: a JSON object with a Statement is expected"));
    }
    let policy = Policy { name, document, updated: clock::now_ms() };
    let shown = policy.shown();
    logs.tables(|tables| {
        if !tables.policies.contains_key(&policy.name) && tables.policies.len() >= MOST {
            return Err(ApiError::bad("LimitExceededException", "Resource limit exceeded."));
        }
        tables.policies.put(policy)
    })?;
    Ok(json!({"resourcePolicy": shown}))
}

/// DescribeResourcePolicies.
pub fn describe(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    if text(input, "resourceArn").is_some() {
        return Err(not_served("policies of one resource"));
    }
    let rows: Vec<Value> = logs.tables(|tables| tables.policies.values().map(Policy::shown).collect());
    let (rows, next) = page(rows, text(input, "nextToken"), input.get("limit").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"resourcePolicies": rows}), "nextToken", next))
}

/// DeleteResourcePolicy.
pub fn delete(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let name = named(input)?;
    let gone = logs.tables(|tables| tables.policies.remove(name))?;
    let missing = || ApiError::bad("ResourceNotFoundException", "Policy with this name does not exist.");
    gone.map(|_| Value::Null).ok_or_else(missing)
}
