//! The safety lever: one of an account and region, called `default`. Engaged, it stops what runs and lets nothing start.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fis, Tables, missing};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::text;
use crate::cloud::state::Row;

const ID: &str = "default";

/// The lever, once somebody has moved it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lever {
    id: String,
    status: String,
    reason: String,
}

impl Row for Lever {
    const TABLE: &'static str = "levers";

    fn key(&self) -> &str {
        &self.id
    }
}

/// Whether it is engaged.
pub fn engaged(tables: &Tables) -> bool {
    tables.levers.get(ID).is_some_and(|lever| lever.status == "engaged")
}

fn described(fis: &Fis) -> Value {
    let lever = fis.tables(|tables| tables.levers.get(ID).cloned());
    let (status, reason) = lever.map_or_else(|| ("disengaged".to_owned(), String::new()), |lever| (lever.status, lever.reason));
    json!({"safetyLever": {"id": ID, "arn": fis.arn("safety-lever", ID), "state": {"status": status, "reason": reason}}})
}

fn named(input: &Value) -> Result<(), ApiError> {
    match text(input, "id") {
        Some(ID) => Ok(()),
        other => Err(missing("Safety lever", other.unwrap_or_default())),
    }
}

/// GetSafetyLever.
pub fn get(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    named(input)?;
    Ok(described(fis))
}

/// UpdateSafetyLeverState.
pub fn update(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    named(input)?;
    let state = input.get("state").unwrap_or(&Value::Null);
    let lever = Lever {
        id: ID.to_owned(),
        status: text(state, "status").unwrap_or_default().to_owned(),
        reason: text(state, "reason").unwrap_or_default().to_owned(),
    };
    fis.tables(|tables| tables.levers.put(lever))?;
    Ok(described(fis))
}
