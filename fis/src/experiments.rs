//! The connection, and the calls: one method for each.

use std::collections::BTreeMap;

use aws_sdk_fis::types::{ActionsMode, Experiment, StartExperimentExperimentOptionsInput};
use faultlayer_ssm_documents::Documents;
use serde_json::Value;

use crate::aim::Aim;
use crate::error::call;
use crate::invoke::Caller;
use crate::report::service::{CLOUDWATCH, LOGS, Service, TAGGING};
use crate::view::{ActionView, View};
use crate::{Error, problems, request};

/// FIS and the documents of one stack, in one account and region.
#[derive(Debug, Clone)]
pub struct Experiments {
    pub(crate) fis: aws_sdk_fis::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
    pub(crate) cloudwatch: Service,
    pub(crate) logs: Service,
    pub(crate) tagging: Service,
    /// What calls functions.
    pub caller: Caller,
    sts: aws_sdk_sts::Client,
    pub(crate) documents: Documents,
    region: Option<String>,
    stack: String,
}

/// What the templates of a stack have in common, read from one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// `arn:PARTITION:ssm:REGION:ACCOUNT`.
    pub documents: String,
    /// The role that FIS assumes; none without a template of the stack's.
    pub role_arn: Option<String>,
    /// The alarms that stop them.
    pub stop_alarms: Vec<String>,
    /// The log group's ARN.
    pub log_group_arn: Option<String>,
}

/// A template or an experiment in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// The template's description, or the id of the experiment's template.
    pub about: String,
    /// An experiment's state; empty for a template.
    pub state: String,
    /// When it was made, in seconds since the Unix epoch.
    pub created: i64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Experiments {
    /// Connects as the environment says (`AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` and so on). No call is made yet.
    /// `stack` is the stack's name, which its documents begin with.
    pub async fn connect(stack: impl Into<String>) -> Self {
        let config = faultlayer_ssm_documents::sdk_config().await;
        let stack = stack.into();
        Self {
            fis: aws_sdk_fis::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            cloudwatch: Service::new(&config, &CLOUDWATCH),
            logs: Service::new(&config, &LOGS),
            tagging: Service::new(&config, &TAGGING),
            caller: Caller::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            documents: Documents::with_config(&config, &stack),
            region: config.region().map(ToString::to_string),
            stack,
        }
    }

    /// What a new template of the stack's needs: of the ones that the stack made (by their tag `faultlayer`), as they have it.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses, [`Error::Input`] without a region.
    pub async fn stack(&self) -> Result<Stack, Error> {
        let region =
            self.region.as_deref().ok_or_else(|| Error::Input("region: expected AWS_REGION, or one in the profile".into()))?;
        let identity = self.sts.get_caller_identity().send().await.map_err(call("sts:GetCallerIdentity"))?;
        let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
        let account = identity.account().unwrap_or_default();
        let mut stack = Stack {
            documents: format!("arn:{partition}:ssm:{region}:{account}"),
            role_arn: None,
            stop_alarms: Vec::new(),
            log_group_arn: None,
        };
        let templates = self.templates().await?;
        let Some(own) = templates.iter().find(|template| template.tags.get("faultlayer") == Some(&self.stack)) else {
            return Ok(stack);
        };
        let answer = self.fis.get_experiment_template().id(&own.id).send().await.map_err(call("fis:GetExperimentTemplate"))?;
        if let Some(template) = answer.experiment_template() {
            stack.role_arn = template.role_arn().map(str::to_owned);
            stack.stop_alarms =
                template.stop_conditions().iter().filter_map(|condition| condition.value().map(str::to_owned)).collect();
            let logs = template.log_configuration().and_then(|logs| logs.cloud_watch_logs_configuration());
            stack.log_group_arn = logs.and_then(|group| group.log_group_arn().map(str::to_owned));
        }
        Ok(stack)
    }

    /// Creates a template from its JSON; its id.
    ///
    /// # Errors
    /// [`Error::Template`] with all that is wrong with it, before any call; [`Error::Call`] for what AWS refuses.
    pub async fn create(&self, template: &Value) -> Result<String, Error> {
        let problems = problems(template);
        if !problems.is_empty() {
            return Err(Error::Template(problems));
        }
        let request = request::fill(self.fis.create_experiment_template(), template)?;
        let answer = request.send().await.map_err(call("fis:CreateExperimentTemplate"))?;
        let id = answer.experiment_template().and_then(|template| template.id());
        id.map(str::to_owned).ok_or_else(|| Error::Input("CreateExperimentTemplate: no id in the answer".into()))
    }

    /// Starts an experiment; its id. A preview resolves targets and runs no action.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn start(&self, template: &str, preview: bool) -> Result<String, Error> {
        let mut request = self.fis.start_experiment().experiment_template_id(template).tags("faultlayer", &self.stack);
        if preview {
            let options = StartExperimentExperimentOptionsInput::builder().actions_mode(ActionsMode::SkipAll);
            request = request.experiment_options(options.build());
        }
        let answer = request.send().await.map_err(call("fis:StartExperiment"))?;
        let id = answer.experiment().and_then(Experiment::id);
        id.map(str::to_owned).ok_or_else(|| Error::Input("StartExperiment: no id in the answer".into()))
    }

    /// Stops an experiment: FIS cancels the automation, which then rolls back.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn stop(&self, id: &str) -> Result<(), Error> {
        self.fis.stop_experiment().id(id).send().await.map_err(call("fis:StopExperiment"))?;
        Ok(())
    }

    /// An experiment as FIS sees it.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn view(&self, id: &str) -> Result<View, Error> {
        let experiment = self.experiment(id).await?;
        let mut actions: Vec<ActionView> = experiment
            .actions()
            .into_iter()
            .flatten()
            .map(|(name, action)| ActionView {
                name: name.clone(),
                id: action.action_id().unwrap_or_default().to_owned(),
                state: action.state().and_then(|state| state.status()).map_or("pending", |status| status.as_str()).to_owned(),
                reason: action.state().and_then(|state| state.reason()).unwrap_or_default().to_owned(),
                started: action.start_time().map(aws_sdk_fis::primitives::DateTime::secs),
            })
            .collect();
        // Those that wait come last, in the order of their names.
        actions.sort_by(|a, b| (a.started.unwrap_or(i64::MAX), &a.name).cmp(&(b.started.unwrap_or(i64::MAX), &b.name)));
        let given =
            experiment.actions().into_iter().flatten().filter_map(|(_, action)| action.parameters()?.get("documentParameters"));
        let state = experiment.state();
        Ok(View {
            id: id.to_owned(),
            template: experiment.experiment_template_id().unwrap_or_default().to_owned(),
            state: state.and_then(|state| state.status()).map_or("unknown", |status| status.as_str()).to_owned(),
            reason: state.and_then(|state| state.reason()).unwrap_or_default().to_owned(),
            started: experiment.start_time().map(aws_sdk_fis::primitives::DateTime::secs),
            ended: experiment.end_time().and_then(|time| time.to_millis().ok()),
            actions,
            aim: Aim::of_all(given),
            automation: None,
            hold_ends: None,
        })
    }

    pub(crate) async fn experiment(&self, id: &str) -> Result<Experiment, Error> {
        let answer = self.fis.get_experiment().id(id).send().await.map_err(call("fis:GetExperiment"))?;
        answer.experiment.ok_or_else(|| Error::Input(format!("GetExperiment: nothing about `{id}`")))
    }

    /// The region's templates, newest first.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn templates(&self) -> Result<Vec<Listed>, Error> {
        let mut pages = self.fis.list_experiment_templates().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for one in page.map_err(call("fis:ListExperimentTemplates"))?.experiment_templates() {
                found.push(Listed {
                    id: one.id().unwrap_or_default().to_owned(),
                    about: one.description().unwrap_or_default().to_owned(),
                    state: String::new(),
                    created: one.creation_time().map_or(0, aws_sdk_fis::primitives::DateTime::secs),
                    tags: one.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
                });
            }
        }
        Ok(newest_first(found))
    }

    /// The region's experiments, newest first.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn list(&self) -> Result<Vec<Listed>, Error> {
        let mut pages = self.fis.list_experiments().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for one in page.map_err(call("fis:ListExperiments"))?.experiments() {
                found.push(Listed {
                    id: one.id().unwrap_or_default().to_owned(),
                    about: one.experiment_template_id().unwrap_or_default().to_owned(),
                    state: one.state().and_then(|state| state.status()).map_or("unknown", |status| status.as_str()).to_owned(),
                    created: one.creation_time().map_or(0, aws_sdk_fis::primitives::DateTime::secs),
                    tags: one.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
                });
            }
        }
        Ok(newest_first(found))
    }
}

fn newest_first(mut found: Vec<Listed>) -> Vec<Listed> {
    found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    found
}
