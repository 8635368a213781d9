//! Watching an experiment: FIS says how its actions are, Automation what its steps do.
//!
//! FIS does not say which execution it started. It is the one of the action's document that began after the action and has
//! its parameters.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_ssm::types::{AutomationExecutionFilter, AutomationExecutionFilterKey};
use serde_json::Value;

use crate::error::call;
use crate::view::View;
use crate::{Error, Experiments};

/// One experiment that is watched.
#[derive(Debug)]
pub struct Watching<'a> {
    experiments: &'a Experiments,
    id: String,
    execution: Option<String>,
}

/// How often an experiment is read: FIS and Automation each allow a few reads a second for all of an account.
const PAUSE: Duration = Duration::from_secs(2);

impl Experiments {
    /// Begins to watch an experiment. No call is made yet.
    #[must_use]
    pub fn watch(&self, id: &str) -> Watching<'_> {
        Watching { experiments: self, id: id.to_owned(), execution: None }
    }

    /// The document's name and its parameters, of the experiment's first automation that has begun, and when that was.
    async fn automation_of(&self, id: &str) -> Result<Option<(String, Value, i64)>, Error> {
        let experiment = self.experiment(id).await?;
        let started = experiment.actions().into_iter().flatten().filter_map(|(_, action)| {
            let parameters = action.parameters()?;
            let document = parameters.get("documentArn")?.rsplit('/').next()?.to_owned();
            let values = serde_json::from_str(parameters.get("documentParameters")?).ok()?;
            Some((document, values, action.start_time()?.secs()))
        });
        Ok(started.min_by_key(|(_, _, at)| *at))
    }

    /// The execution that an action started.
    async fn execution_of(&self, document: &str, wanted: &Value, since: i64) -> Result<Option<String>, Error> {
        let filter = AutomationExecutionFilter::builder().key(AutomationExecutionFilterKey::DocumentNamePrefix).values(document);
        let filter = filter.build().map_err(|error| Error::Input(error.to_string()))?;
        let answer = self.ssm.describe_automation_executions().filters(filter).max_results(50).send().await;
        let answer = answer.map_err(call("ssm:DescribeAutomationExecutions"))?;
        let mut candidates: Vec<_> = answer
            .automation_execution_metadata_list()
            .iter()
            .filter(|one| one.document_name() == Some(document))
            .filter_map(|one| Some((one.execution_start_time()?.secs(), one.automation_execution_id()?.to_owned())))
            // The two services' clocks are not one.
            .filter(|(at, _)| *at >= since - 5)
            .collect();
        candidates.sort();
        for (_, id) in candidates {
            let answer = self.ssm.get_automation_execution().automation_execution_id(&id).send().await;
            let answer = answer.map_err(call("ssm:GetAutomationExecution"))?;
            let given = answer.automation_execution().and_then(|execution| execution.parameters().cloned()).unwrap_or_default();
            if holds(&given, wanted) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// Whether an execution has the parameters that were asked for; beside them it has the document's defaults.
fn holds(given: &HashMap<String, Vec<String>>, wanted: &Value) -> bool {
    wanted.as_object().into_iter().flatten().all(|(name, value)| {
        let texts: Vec<&str> = match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        given.get(name).is_some_and(|given| *given == texts)
    })
}

impl Watching<'_> {
    /// The experiment as it is now.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses; a throttled read is not one, it is repeated.
    pub async fn look(&mut self) -> Result<View, Error> {
        loop {
            match self.read().await {
                Err(error) if error.code().is_some_and(|code| code.contains("Throttl")) => tokio::time::sleep(PAUSE).await,
                other => return other,
            }
        }
    }

    async fn read(&mut self) -> Result<View, Error> {
        let mut view = self.experiments.view(&self.id).await?;
        if self.execution.is_none()
            && let Some((document, wanted, since)) = self.experiments.automation_of(&self.id).await?
        {
            self.execution = self.experiments.execution_of(&document, &wanted, since).await?;
        }
        if let Some(execution) = &self.execution {
            view.hold_ends = self.hold_ends(execution).await?;
            view.automation = Some(self.experiments.documents.execution(execution).await?);
        }
        Ok(view)
    }

    /// When the step `Hold` ends, once it has begun.
    async fn hold_ends(&self, execution: &str) -> Result<Option<i64>, Error> {
        let answer = self.experiments.ssm.get_automation_execution().automation_execution_id(execution).send().await;
        let answer = answer.map_err(call("ssm:GetAutomationExecution"))?;
        let Some(found) = answer.automation_execution() else { return Ok(None) };
        let hold = found.step_executions().iter().find(|step| step.step_name() == Some("Hold"));
        let began = hold.and_then(|step| step.execution_start_time()).map(aws_sdk_ssm::primitives::DateTime::secs);
        let minutes = found.parameters().and_then(|values| values.get("DurationMinutes")?.first()?.parse::<i64>().ok());
        Ok(began.zip(minutes).map(|(began, minutes)| began + minutes * 60))
    }

    /// Looks until it has ended; `seen` is called with every reading.
    ///
    /// # Errors
    /// As [`Watching::look`].
    pub async fn to_the_end(&mut self, mut seen: impl FnMut(&View)) -> Result<View, Error> {
        loop {
            let view = self.look().await?;
            seen(&view);
            if view.is_final() {
                return Ok(view);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_execution_is_told_by_its_parameters() {
        let given = HashMap::from([
            ("FunctionNames".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
            ("DurationMinutes".to_owned(), vec!["5".to_owned()]),
            ("DryRun".to_owned(), vec!["false".to_owned()]),
        ]);
        assert!(holds(&given, &json!({"FunctionNames": ["a", "b"], "DurationMinutes": "5"})));
        assert!(!holds(&given, &json!({"FunctionNames": ["a"], "DurationMinutes": "5"})));
        assert!(!holds(&given, &json!({"TagKey": "x"})));
    }
}
