//! What an execution is doing.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ssm::types::{AutomationExecutionFilter, AutomationExecutionFilterKey, AutomationExecutionStatus as Status};

use crate::error::call;
use crate::{Documents, Error};

/// An execution as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// A step of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, as in `Attach`.
    pub name: String,
    /// `Pending`, `InProgress`, `Success`, `Failed`, `Cancelled`, …
    pub status: String,
    /// Why it failed; empty if it did not.
    pub failure: String,
    /// Its outputs, as in `Estimate`.
    pub outputs: BTreeMap<String, String>,
}

impl Execution {
    /// Whether it has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        ["Success", "Failed", "TimedOut", "Cancelled", "CompletedWithSuccess", "CompletedWithFailure", "Exited", "Rejected"]
            .contains(&self.status.as_str())
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
        });
        Ok(Execution {
            id: id.to_owned(),
            document: found.document_name().unwrap_or_default().to_owned(),
            status: text(found.automation_execution_status()),
            started: stamp(found.execution_start_time()),
            failure: found.failure_message().unwrap_or_default().to_owned(),
            steps: steps.collect(),
            outputs: joined(found.outputs()),
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
        });
        Ok(executions.collect())
    }

    /// The executions that have a record: what they attached is not all rolled back yet. Sorted by id.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn attached(&self) -> Result<Vec<String>, Error> {
        let mut pages = self.client.get_parameters_by_path().path(format!("/faultlayer/{}/record", self.prefix)).recursive(true).into_paginator().send();
        let mut found = std::collections::BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(call("GetParametersByPath"))?;
            let names = page.parameters().iter().filter_map(|parameter| parameter.name()?.split('/').nth(4));
            found.extend(names.map(str::to_owned));
        }
        Ok(found.into_iter().collect())
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
