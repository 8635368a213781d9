//! What an execution is doing.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ssm::types::{AutomationExecutionFilter, AutomationExecutionFilterKey, AutomationExecutionStatus as Status};

use crate::error::call;
use crate::{Documents, Error};

/// An execution as it is now.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its id.
    pub id: String,
    /// Its document's name.
    pub document: String,
    /// Its status as AWS names it: `InProgress`, `Success`, `Failed`, `Cancelled`, …
    pub status: String,
    /// When it started, RFC 3339.
    pub started: String,
    /// Why it failed; empty if it did not.
    pub failure: String,
    /// Its steps so far, in order; empty where it came from a list.
    pub steps: Vec<Step>,
    /// Its outputs, as in `Restore.Report`.
    pub outputs: BTreeMap<String, String>,
    /// What it was started with, as in `FunctionNames`; empty where it came from a list.
    pub parameters: BTreeMap<String, String>,
}

/// A step of an execution.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, as in `Attach`.
    pub name: String,
    /// `Pending`, `InProgress`, `Success`, `Failed`, `Cancelled`, …
    pub status: String,
    /// Why it failed; empty if it did not.
    pub failure: String,
    /// Its outputs, as in `Estimate`.
    pub outputs: BTreeMap<String, String>,
    /// When it started, RFC 3339; empty before.
    pub started: String,
    /// How long it sleeps, of a step that does.
    pub sleeps: Option<Duration>,
}

impl Execution {
    /// Whether it has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        ["Success", "Failed", "TimedOut", "Cancelled", "CompletedWithSuccess", "CompletedWithFailure", "Exited", "Rejected"]
            .contains(&self.status.as_str())
    }

    /// The first output of that name of any step, as in `Until`.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&str> {
        self.steps.iter().find_map(|step| step.outputs.get(name)).map(String::as_str)
    }

    /// Whether it has ended well.
    #[must_use]
    pub fn is_success(&self) -> bool {
        ["Success", "CompletedWithSuccess"].contains(&self.status.as_str())
    }
}

fn text(status: Option<&Status>) -> String {
    status.map_or("Unknown", Status::as_str).to_owned()
}

fn stamp(time: Option<&aws_sdk_ssm::primitives::DateTime>) -> String {
    time.and_then(|time| time.fmt(aws_sdk_ssm::primitives::DateTimeFormat::DateTime).ok()).unwrap_or_default()
}

/// An ISO 8601 duration of one unit, as Automation's sleeps are written by the documents: `PT10M`.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim_matches('"').strip_prefix("PT")?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "S" => 1,
        "M" => 60,
        "H" => 3600,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))
}

fn joined(outputs: Option<&std::collections::HashMap<String, Vec<String>>>) -> BTreeMap<String, String> {
    outputs.into_iter().flatten().map(|(name, values)| (name.clone(), values.join(","))).collect()
}

impl Documents {
    /// An execution as it is now.
    ///
    /// # Errors
    /// [`Error::Call`], with `AutomationExecutionNotFoundException` for an unknown id.
    pub async fn execution(&self, id: &str) -> Result<Execution, Error> {
        let answer = self
            .client
            .get_automation_execution()
            .automation_execution_id(id)
            .send()
            .await
            .map_err(call("GetAutomationExecution"))?;
        let found =
            answer.automation_execution().ok_or_else(|| Error::Input(format!("GetAutomationExecution: nothing about `{id}`")))?;
        let steps = found.step_executions().iter().map(|step| Step {
            name: step.step_name().unwrap_or_default().to_owned(),
            status: text(step.step_status()),
            failure: step.failure_message().unwrap_or_default().to_owned(),
            outputs: joined(step.outputs()),
            started: stamp(step.execution_start_time()),
            sleeps: step.inputs().and_then(|inputs| duration(inputs.get("Duration")?)),
        });
        Ok(Execution {
            id: id.to_owned(),
            document: found.document_name().unwrap_or_default().to_owned(),
            status: text(found.automation_execution_status()),
            started: stamp(found.execution_start_time()),
            failure: found.failure_message().unwrap_or_default().to_owned(),
            steps: steps.collect(),
            outputs: joined(found.outputs()),
            parameters: joined(found.parameters()),
        })
    }

    /// The latest executions of the documents with this prefix, newest first, without their steps.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn recent(&self, limit: i32) -> Result<Vec<Execution>, Error> {
        let filter = AutomationExecutionFilter::builder()
            .key(AutomationExecutionFilterKey::DocumentNamePrefix)
            .values(format!("{}-", self.prefix));
        let filter = filter.build().map_err(|error| Error::Input(error.to_string()))?;
        let request = self.client.describe_automation_executions().filters(filter).max_results(limit);
        let answer = request.send().await.map_err(call("DescribeAutomationExecutions"))?;
        let executions = answer.automation_execution_metadata_list().iter().map(|found| Execution {
            id: found.automation_execution_id().unwrap_or_default().to_owned(),
            document: found.document_name().unwrap_or_default().to_owned(),
            status: text(found.automation_execution_status()),
            started: stamp(found.execution_start_time()),
            failure: found.failure_message().unwrap_or_default().to_owned(),
            steps: Vec::new(),
            outputs: joined(found.outputs()),
            parameters: BTreeMap::new(),
        });
        Ok(executions.collect())
    }

    /// Watches an execution to its end; `seen` is called with every reading. One read a second: AWS allows three for all.
    ///
    /// # Errors
    /// As [`Documents::execution`]; a throttled read is not one.
    pub async fn watch(&self, id: &str, mut seen: impl FnMut(&Execution)) -> Result<Execution, Error> {
        loop {
            match self.execution(id).await {
                Ok(execution) => {
                    seen(&execution);
                    if execution.is_final() {
                        return Ok(execution);
                    }
                }
                Err(error) if error.code() == Some("ThrottlingException") => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, duration};

    #[test]
    fn a_sleep_is_read_as_the_documents_write_it() {
        assert_eq!(duration("\"PT10M\""), Some(Duration::from_secs(600)));
        assert_eq!(duration("PT1S"), Some(Duration::from_secs(1)));
        for other in ["", "PT", "10", "P1D", "{{ Attach.Hold }}"] {
            assert_eq!(duration(other), None, "{other}");
        }
    }
}
