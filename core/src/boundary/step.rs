//! A step as JSON: one form for all languages, parsed by the shim only when something was drawn.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Language;
use crate::decision::{Outcome, Step};

#[derive(Serialize)]
struct Form<'a> {
    delay_us: u64,
    #[serde(flatten)]
    outcome: OutcomeForm<'a>,
}

#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum OutcomeForm<'a> {
    Run,
    Error {
        #[serde(rename = "type")]
        type_name: &'a str,
        message: &'a str,
        properties: &'a Map<String, Value>,
    },
    Response {
        answer: &'a RawValue,
        http: bool,
    },
    Exit {
        code: u8,
    },
    Timeout {
        hold_us: u64,
        message: &'a str,
    },
    Corrupt {
        text: &'a str,
    },
}

impl Step {
    /// `{"delay_us": …, "outcome": …}`; the fields of each outcome are those of [`Outcome`], with an error's class
    /// chosen for the language.
    #[must_use]
    pub fn to_json(&self, language: Language) -> String {
        let outcome = match &self.outcome {
            Outcome::Run => OutcomeForm::Run,
            Outcome::Error { type_name, message, properties } => {
                OutcomeForm::Error { type_name: type_name.of(language), message, properties }
            }
            Outcome::Response { answer, http } => OutcomeForm::Response { answer, http: *http },
            Outcome::Exit { code } => OutcomeForm::Exit { code: *code },
            Outcome::Timeout { hold_us, message } => OutcomeForm::Timeout { hold_us: *hold_us, message },
            Outcome::Corrupt { text } => OutcomeForm::Corrupt { text },
        };
        serde_json::to_string(&Form { delay_us: self.delay_us, outcome })
            .unwrap_or_else(|_| "{\"delay_us\":0,\"outcome\":\"run\"}".into())
    }
}
