//! Automation documents, schema 0.3: read, and checked as far as can be without running them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{parameters, selector, values};
use crate::cloud::services::pattern::compiled;

/// A document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Document {
    schema_version: String,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    /// The role of its steps, mostly `{{ AutomationAssumeRole }}`.
    pub assume_role: Option<String>,
    /// Its parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Its steps, in order.
    pub main_steps: Vec<Step>,
    /// `step.output` names.
    #[serde(default)]
    pub outputs: Vec<String>,
}

/// A declared parameter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Parameter {
    /// `String`, `StringList`, `Boolean`, `Integer`, `StringMap`, `MapList` or a resource type, which is a string.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    /// Its default.
    pub default: Option<Value>,
    /// What each value must match.
    pub allowed_pattern: Option<String>,
    /// The values there are.
    #[serde(default)]
    pub allowed_values: Vec<Value>,
    /// Of a list.
    pub min_items: Option<usize>,
    /// Of a list.
    pub max_items: Option<usize>,
    /// Of a text.
    pub min_chars: Option<usize>,
    /// Of a text.
    pub max_chars: Option<usize>,
    #[serde(default, rename = "displayType")]
    _display: Option<String>,
}

/// A step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    /// Its name.
    pub name: String,
    /// As in `aws:executeScript`.
    pub action: String,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    /// Its inputs, with references.
    #[serde(default)]
    pub inputs: Value,
    /// Its declared outputs.
    #[serde(default)]
    pub outputs: Vec<Output>,
    /// `Abort`, `Continue` or `step:NAME`.
    pub on_failure: Option<String>,
    /// `Abort` or `step:NAME`.
    pub on_cancel: Option<String>,
    /// How often it is tried.
    pub max_attempts: Option<u32>,
    /// How long one try may take.
    pub timeout_seconds: Option<Value>,
    /// Whether the execution ends here.
    pub is_end: Option<bool>,
    /// The step after success.
    pub next_step: Option<String>,
    /// Whether its failure is the execution's.
    pub is_critical: Option<bool>,
}

/// A declared output.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Output {
    /// Its name.
    pub name: String,
    /// As in `$.Payload.x`.
    pub selector: String,
    /// `String`, `StringList`, `Integer`, `Boolean`, `StringMap` or `MapList`.
    #[serde(rename = "Type", default = "string")]
    pub kind: String,
}

fn string() -> String {
    "String".to_owned()
}

/// Where a step leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jump {
    /// Ends the execution.
    Abort,
    /// Goes on with the next step.
    Continue,
    /// Goes on with this step.
    Step(String),
}

const ACTIONS: [(&str, &[&str]); 6] = [
    ("aws:executeScript", &["Runtime", "Handler", "Script"]),
    ("aws:executeAwsApi", &["Service", "Api"]),
    ("aws:waitForAwsResourceProperty", &["Service", "Api", "PropertySelector", "DesiredValues"]),
    ("aws:assertAwsResourceProperty", &["Service", "Api", "PropertySelector", "DesiredValues"]),
    ("aws:branch", &["Choices"]),
    ("aws:sleep", &[]),
];
/// Steps that the workflow of a cancelled execution may not begin with.
const NOT_ON_CANCEL: [&str; 3] = ["aws:sleep", "aws:pause", "aws:loop"];

impl Step {
    /// Where a failure leads.
    pub fn failure(&self) -> Jump {
        jump(self.on_failure.as_deref())
    }

    /// Where a cancellation leads.
    pub fn cancel(&self) -> Jump {
        jump(self.on_cancel.as_deref())
    }

    /// Whether its failure is the execution's: said, or told from `onFailure`.
    pub fn critical(&self) -> bool {
        self.is_critical.unwrap_or_else(|| self.failure() != Jump::Continue)
    }
}

fn jump(text: Option<&str>) -> Jump {
    match text {
        Some("Continue") => Jump::Continue,
        Some(text) => text.strip_prefix("step:").map_or(Jump::Abort, |name| Jump::Step(name.to_owned())),
        None => Jump::Abort,
    }
}

impl Document {
    /// Reads and checks a document. The error is a sentence.
    pub fn parse(content: &str) -> Result<Document, String> {
        let document = Document::read(content)?;
        document.check()?;
        Ok(document)
    }

    /// Reads a document that was checked when it was taken: whoever waits for an execution asks for it again and again, and compiling each
    /// parameter's pattern would be most of the answer's cost.
    pub fn read(content: &str) -> Result<Document, String> {
        serde_json::from_str(content).map_err(|error| error.to_string())
    }

    /// A step by name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.main_steps.iter().find(|step| step.name == name)
    }

    /// The step after one in the document's order.
    pub fn after(&self, name: &str) -> Option<&Step> {
        let at = self.main_steps.iter().position(|step| step.name == name)?;
        self.main_steps.get(at + 1)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema_version != "0.3" {
            return Err(format!("schemaVersion: expected `0.3`, got `{}`", self.schema_version));
        }
        if self.main_steps.is_empty() {
            return Err("mainSteps: expected at least one step".to_owned());
        }
        for (name, parameter) in &self.parameters {
            parameter.check(name)?;
        }
        let mut seen = BTreeSet::new();
        for step in &self.main_steps {
            let path = format!("mainSteps.{}", step.name);
            let named = !step.name.is_empty() && step.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !named || !seen.insert(&step.name) {
                return Err(format!("{path}: expected a name of its own of letters, digits and `_`"));
            }
            self.check_step(step, &path)?;
        }
        for output in &self.outputs {
            self.check_reference(output).map_err(|error| format!("outputs: {error}"))?;
        }
        if let Some(role) = &self.assume_role {
            for reference in values::references(role) {
                self.check_reference(&reference).map_err(|error| format!("assumeRole: {error}"))?;
            }
        }
        Ok(())
    }

    fn check_step(&self, step: &Step, path: &str) -> Result<(), String> {
        let known = ACTIONS.iter().find(|(action, _)| *action == step.action);
        let Some((_, required)) = known else {
            return Err(format!("{path}.action: the lab does not run `{}`", step.action));
        };
        for input in *required {
            if step.inputs.get(input).is_none() {
                return Err(format!("{path}.inputs.{input}: missing"));
            }
        }
        if step.action == "aws:sleep" && step.inputs.get("Duration").is_none() && step.inputs.get("Timestamp").is_none() {
            return Err(format!("{path}.inputs: expected `Duration` or `Timestamp`"));
        }
        if step.action == "aws:executeScript" {
            let runtime = step.inputs.get("Runtime").and_then(Value::as_str).unwrap_or_default();
            if !matches!(runtime, "python3.10" | "python3.11" | "python3.12") {
                return Err(format!("{path}.inputs.Runtime: expected python3.10, python3.11 or python3.12, got `{runtime}`"));
            }
        }
        for (field, text) in [("onFailure", &step.on_failure), ("onCancel", &step.on_cancel)] {
            let Some(text) = text else { continue };
            let plain = text == "Abort" || (text == "Continue" && field == "onFailure");
            let target = text.strip_prefix("step:").and_then(|name| self.step(name));
            if !plain && target.is_none() {
                return Err(format!("{path}.{field}: expected `Abort`, or `step:` and the name of a step, got `{text}`"));
            }
            if field == "onCancel" && target.is_some_and(|target| NOT_ON_CANCEL.contains(&target.action.as_str())) {
                return Err(format!("{path}.onCancel: a cancellation cannot lead to `{text}`"));
            }
        }
        if let Some(next) = &step.next_step
            && self.step(next).is_none()
        {
            return Err(format!("{path}.nextStep: there is no step `{next}`"));
        }
        for next in super::branch::targets(&step.inputs).iter().filter(|_| step.action == "aws:branch") {
            if self.step(next).is_none() {
                return Err(format!("{path}.inputs: there is no step `{next}`"));
            }
        }
        // A script may hold braces of its own, but what looks like a reference is one.
        for reference in values::all_references(&step.inputs) {
            self.check_reference(&reference).map_err(|error| format!("{path}.inputs: {error}"))?;
        }
        Ok(())
    }

    fn check_reference(&self, reference: &str) -> Result<(), String> {
        if let Some((kind, name)) = reference.split_once(':') {
            let known = match kind {
                "global" => ["ACCOUNT_ID", "DATE", "DATE_TIME", "REGION", "AWS_PARTITION"].contains(&name),
                "automation" => name == "EXECUTION_ID",
                _ => false,
            };
            return if known { Ok(()) } else { Err(format!("`{reference}` is not known")) };
        }
        let Some((step, output)) = reference.split_once('.') else {
            return match self.parameters.contains_key(reference) {
                true => Ok(()),
                false => Err(format!("`{reference}` is no parameter")),
            };
        };
        let Some(found) = self.step(step) else {
            return Err(format!("`{reference}`: there is no step `{step}`"));
        };
        if output == "OutputPayload" || found.outputs.iter().any(|declared| declared.name == output) {
            return Ok(());
        }
        Err(format!("`{reference}`: `{step}` declares no such output"))
    }
}

impl Parameter {
    fn check(&self, name: &str) -> Result<(), String> {
        let known = matches!(self.kind.as_str(), "String" | "StringList" | "Boolean" | "Integer" | "StringMap" | "MapList");
        if !known && !self.kind.starts_with("AWS::") && !self.kind.starts_with("List<AWS::") {
            return Err(format!("parameters.{name}.type: `{}` is not known", self.kind));
        }
        if let Some(pattern) = &self.allowed_pattern {
            compiled(pattern).map_err(|error| format!("parameters.{name}.allowedPattern: {error}"))?;
        }
        let Some(default) = &self.default else {
            return Ok(());
        };
        let fits = match self.kind.as_str() {
            "Boolean" => default.is_boolean(),
            "Integer" => default.is_i64(),
            "StringList" => selector::typed(default, "StringList"),
            "MapList" => default.is_array(),
            "StringMap" => default.is_object(),
            kind if kind.starts_with("List<") => selector::typed(default, "StringList"),
            _ => default.is_string(),
        };
        if !fits {
            return Err(format!("parameters.{name}.default: expected a {}, got `{default}`", self.kind));
        }
        let list = match default {
            Value::Array(items) => items.iter().map(values::plain).collect(),
            other => vec![values::plain(other)],
        };
        // A default that names a Parameter Store parameter is checked when its value is known.
        if list.iter().any(|text| text.contains("{{")) {
            return Ok(());
        }
        parameters::check(name, self, &list).map_err(|error| format!("parameters.{name}.default: {error}"))
    }
}
