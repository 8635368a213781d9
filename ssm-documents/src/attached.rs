//! What is attached: the records that attaching leaves and roll-back deletes.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;

use crate::error::call;
use crate::{Documents, Error, Execution};

/// The most bytes that a record's value unfolds to; far above what twenty functions need.
const UNFOLDED_LIMIT: u64 = 524_288;

/// One execution that has something attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The attaching execution's id.
    pub id: String,
    /// The functions in its record.
    pub functions: Vec<String>,
    /// The execution, unless Automation has forgotten it.
    pub execution: Option<Execution>,
}

impl Documents {
    /// The executions that have a record: what they attached is not all rolled back yet. Sorted by id.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn attached(&self) -> Result<Vec<Attached>, Error> {
        let path = self.below("record");
        let mut pages = self.client.get_parameters_by_path().path(&path).recursive(true).into_paginator().send();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for parameter in page.map_err(call("GetParametersByPath"))?.parameters() {
                let within = parameter.name().and_then(|name| name.strip_prefix(&path)?.strip_prefix('/'));
                if let Some((id, _)) = within.and_then(|within| within.split_once('/')) {
                    found.entry(id.to_owned()).or_default().extend(names(parameter.value().unwrap_or_default()));
                }
            }
        }
        let mut attached = Vec::new();
        for (id, functions) in found {
            let execution = match self.execution(&id).await {
                Ok(execution) => Some(execution),
                Err(error) if error.code() == Some("AutomationExecutionNotFoundException") => None,
                Err(error) => return Err(error),
            };
            attached.push(Attached { id, functions, execution });
        }
        Ok(attached)
    }
}

/// The functions that a part of a record names; none for what is no such part.
fn names(value: &str) -> Vec<String> {
    let mut text = String::new();
    let packed = STANDARD.decode(value).unwrap_or_default();
    if ZlibDecoder::new(packed.as_slice()).take(UNFOLDED_LIMIT).read_to_string(&mut text).is_err() {
        return Vec::new();
    }
    let entries: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let entries = entries.as_array().map_or(&[][..], Vec::as_slice);
    entries.iter().filter_map(|entry| Some(entry.get("n")?.as_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_record_names_its_functions_and_anything_else_names_none() {
        // `[{"n":"hello"},{"n":"payments"}]`, compressed as the documents' scripts do.
        let value = "eNqLrlbKU7JSykjNyclXqtWB8AoSK3NT80qKlWpjAalpCro=";
        assert_eq!(names(value), ["hello", "payments"]);
        for other in ["", "closed", "eNqrrgUAAXUA+Q==", "!"] {
            assert!(names(other).is_empty(), "{other}");
        }
    }
}
