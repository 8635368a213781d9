//! Starting and stopping executions.

use std::collections::HashMap;

use aws_sdk_ssm::types::{ParameterTier, ParameterType, StopType};

use crate::error::call;
use crate::plan::{VALUE_LIMIT, one_line};
use crate::{Documents, Error, Layers};

/// The longest list of an Automation parameter.
const LIST_LIMIT: usize = 50;

/// Which functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// By name or ARN, at most 50.
    Functions(Vec<String>),
    /// Every function with this tag: key and value.
    Tag(String, String),
}

/// Where a plan comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The plan's JSON, or `parameter:NAME`. JSON over 512 characters goes through a parameter that the execution deletes.
    Plan(String),
    /// Where functions read it: `file:PATH`, `appconfig:APPLICATION/ENVIRONMENT/PROFILE`, `parameter:/NAME`.
    Live(String),
}

/// What attaching is asked for.
#[derive(Debug, Clone)]
pub struct Attach {
    /// Which functions.
    pub targets: Targets,
    /// Which plan, or where functions read it.
    pub plan: Source,
    /// How long the faults are held.
    pub minutes: u32,
    /// Attach, but only log what would be injected.
    pub dry_run: bool,
    /// The alias callers use.
    pub alias: Option<String>,
    /// A timeout to set while attached, in seconds.
    pub timeout: Option<u32>,
    /// A memory size to set while attached, in MiB.
    pub memory: Option<u32>,
    /// Layers in place of the documents' defaults.
    pub layers: Layers,
    /// The role the automation assumes.
    pub role: Option<String>,
    /// Hold for `minutes` and roll back in the same execution.
    pub experiment: bool,
}

/// What a roll-back is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollback {
    /// Functions by name or ARN, at most 50.
    Functions(Vec<String>),
    /// Every function an execution attached.
    Execution(String),
    /// Every function that carries the marker.
    AllMarked,
}

type Parameters = HashMap<String, Vec<String>>;

fn listed(names: Vec<String>) -> Result<Vec<String>, Error> {
    match names.len() {
        0 => Err(Error::Input("functions: expected at least one".into())),
        1..=LIST_LIMIT => Ok(names),
        more => Err(Error::Input(format!("functions: expected at most {LIST_LIMIT}, got {more}; use a tag"))),
    }
}

impl Attach {
    /// The parameters but for the plan.
    fn parameters(&self) -> Result<Parameters, Error> {
        let mut parameters = Parameters::new();
        let mut set = |name: &str, value: String| parameters.insert(name.into(), vec![value]);
        set("DurationMinutes", self.minutes.to_string());
        set("DryRun", self.dry_run.to_string());
        let numbers = [("TimeoutSeconds", self.timeout), ("MemoryMiB", self.memory)];
        for (name, number) in numbers {
            if let Some(number) = number {
                set(name, number.to_string());
            }
        }
        for (name, text) in [("Alias", &self.alias), ("AutomationAssumeRole", &self.role)] {
            if let Some(text) = text {
                set(name, text.clone());
            }
        }
        for (name, arn) in self.layers.iter() {
            set(name, arn.to_owned());
        }
        match &self.targets {
            Targets::Functions(names) => {
                parameters.insert("FunctionNames".into(), listed(names.clone())?);
            }
            Targets::Tag(key, value) => {
                set("TagKey", key.clone());
                set("TagValue", value.clone());
            }
        }
        Ok(parameters)
    }
}

impl Documents {
    /// Starts attaching; the execution's id.
    ///
    /// # Errors
    /// [`Error::Input`] for a list that is empty or too long, [`Error::Call`] for what AWS refuses.
    pub async fn attach(&self, request: &Attach) -> Result<String, Error> {
        let mut parameters = request.parameters()?;
        let document = if request.experiment { "Experiment" } else { "Attach" };
        match &request.plan {
            Source::Plan(plan) => self.start_with(document, parameters, plan).await,
            Source::Live(source) => {
                parameters.insert("PlanSource".into(), vec![source.clone()]);
                self.start(document, parameters).await
            }
        }
    }

    /// Starts giving what an execution attached another plan, as [`Source::Plan`] has it; the id of the execution that does.
    ///
    /// # Errors
    /// As [`Documents::attach`].
    pub async fn change(&self, execution: &str, plan: &str, role: Option<&str>) -> Result<String, Error> {
        let mut parameters = Parameters::from([("ExecutionId".into(), vec![execution.to_owned()])]);
        if let Some(role) = role {
            parameters.insert("AutomationAssumeRole".into(), vec![role.to_owned()]);
        }
        self.start_with("Change", parameters, plan).await
    }

    /// Starts a roll-back; the execution's id.
    ///
    /// # Errors
    /// As [`Documents::attach`].
    pub async fn rollback(&self, request: Rollback, role: Option<&str>) -> Result<String, Error> {
        let mut parameters = match request {
            Rollback::Functions(names) => Parameters::from([("FunctionNames".into(), listed(names)?)]),
            Rollback::Execution(id) => Parameters::from([("ExecutionId".into(), vec![id])]),
            Rollback::AllMarked => Parameters::from([("AllMarked".into(), vec!["true".into()])]),
        };
        if let Some(role) = role {
            parameters.insert("AutomationAssumeRole".into(), vec![role.to_owned()]);
        }
        self.start("Rollback", parameters).await
    }

    /// Cancels an execution; its document then takes off what it attached.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn cancel(&self, execution: &str) -> Result<(), Error> {
        let request = self.client.stop_automation_execution().automation_execution_id(execution);
        request.r#type(StopType::Cancel).send().await.map_err(call("StopAutomationExecution"))?;
        Ok(())
    }

    /// Starts a document that takes a plan.
    async fn start_with(&self, document: &str, mut parameters: Parameters, plan: &str) -> Result<String, Error> {
        let (value, made) = self.plan_value(plan).await?;
        parameters.insert("Plan".into(), vec![value]);
        let started = self.start(document, parameters).await;
        if let (Err(_), Some(name)) = (&started, made) {
            // What never started reads it no more; what is left is deleted by the next roll-back a day later.
            let _ = self.client.delete_parameter().name(name).send().await;
        }
        started
    }

    async fn start(&self, document: &str, parameters: Parameters) -> Result<String, Error> {
        let request = self.client.start_automation_execution().document_name(self.name(document));
        let answer = request.set_parameters(Some(parameters)).send().await.map_err(call("StartAutomationExecution"))?;
        answer
            .automation_execution_id()
            .map(str::to_owned)
            .ok_or_else(|| Error::Input("StartAutomationExecution: no id in the answer".into()))
    }

    /// The value of `Plan`: the plan itself, or the parameter that holds it, whose name is the second then. It lies below
    /// the stack's own path, is for this execution alone, and is deleted once it is read.
    async fn plan_value(&self, plan: &str) -> Result<(String, Option<String>), Error> {
        if plan.starts_with("parameter:") {
            return Ok((plan.to_owned(), None));
        }
        let line = one_line(plan);
        if line.chars().count() <= VALUE_LIMIT {
            return Ok((line, None));
        }
        let name = format!("{}/{:016x}{:016x}", self.below("once"), random(), random());
        let request = self.client.put_parameter().name(&name).value(line).r#type(ParameterType::String);
        request.tier(ParameterTier::Standard).send().await.map_err(call("PutParameter"))?;
        Ok((format!("parameter:{name}"), Some(name)))
    }
}

/// Of the process's own random state: enough that no two plans have one name.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attach(targets: Targets) -> Attach {
        Attach {
            targets,
            plan: Source::Plan("{}".into()),
            minutes: 10,
            dry_run: true,
            alias: Some("live".into()),
            timeout: Some(30),
            memory: None,
            layers: Layers::default(),
            role: None,
            experiment: false,
        }
    }

    #[test]
    fn parameters_are_texts_and_only_what_was_asked_for() {
        let parameters = attach(Targets::Tag("team".into(), "a b".into())).parameters().unwrap();
        let mut texts: Vec<_> = parameters.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
        texts.sort();
        assert_eq!(
            texts,
            ["Alias=live", "DryRun=true", "DurationMinutes=10", "TagKey=team", "TagValue=a b", "TimeoutSeconds=30"]
        );
    }

    #[test]
    fn lists_are_limited_as_automation_limits_them() {
        assert!(attach(Targets::Functions(vec![])).parameters().unwrap_err().to_string().contains("at least one"));
        let names = vec!["f".to_owned(); 51];
        assert!(attach(Targets::Functions(names)).parameters().unwrap_err().to_string().contains("at most 50, got 51"));
    }
}
