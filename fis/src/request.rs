//! A template's JSON as the SDK's request: the names are the API's own.

use aws_sdk_fis::error::BuildError;
use aws_sdk_fis::operation::create_experiment_template::builders::CreateExperimentTemplateFluentBuilder as Request;
use aws_sdk_fis::types::{
    AccountTargeting, CreateExperimentTemplateActionInput as Action, CreateExperimentTemplateExperimentOptionsInput as Options,
    CreateExperimentTemplateLogConfigurationInput as Logs, CreateExperimentTemplateStopConditionInput as Stop,
    EmptyTargetResolutionMode, ExperimentTemplateCloudWatchLogsLogConfigurationInput as LogGroup,
    ExperimentTemplateS3LogConfigurationInput as LogBucket,
};
use serde_json::{Map, Value};

use crate::Error;

/// What a template of ours may hold; a field beside these is refused rather than dropped.
const FIELDS: [&str; 9] = [
    "clientToken",
    "description",
    "targets",
    "actions",
    "stopConditions",
    "roleArn",
    "logConfiguration",
    "experimentOptions",
    "tags",
];

fn texts(value: &Value) -> impl Iterator<Item = (String, String)> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A required field is not there; the SDK names it.
fn lacks(error: BuildError) -> Error {
    Error::Input(format!("template: {error}"))
}

/// Fills the request in.
///
/// # Errors
/// [`Error::Input`] for a field that this crate does not pass on.
pub(crate) fn fill(mut request: Request, template: &Value) -> Result<Request, Error> {
    let empty = Map::new();
    let fields = template.as_object().unwrap_or(&empty);
    if let Some(other) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(Error::Input(format!("{other}: not passed on; use `aws fis create-experiment-template` for it")));
    }
    if template["targets"].as_object().is_some_and(|targets| !targets.is_empty()) {
        return Err(Error::Input(
            "targets: not passed on, the actions used here have none; use `aws fis create-experiment-template`".into(),
        ));
    }
    request = request.set_client_token(text(&template["clientToken"]));
    request = request.set_description(text(&template["description"])).set_role_arn(text(&template["roleArn"]));
    for (key, value) in texts(&template["tags"]) {
        request = request.tags(key, value);
    }
    for condition in template["stopConditions"].as_array().into_iter().flatten() {
        let stop = Stop::builder().set_source(text(&condition["source"])).set_value(text(&condition["value"]));
        request = request.stop_conditions(stop.build().map_err(lacks)?);
    }
    for (name, action) in template["actions"].as_object().unwrap_or(&empty) {
        let mut built = Action::builder().set_action_id(text(&action["actionId"])).set_description(text(&action["description"]));
        for (key, value) in texts(&action["parameters"]) {
            built = built.parameters(key, value);
        }
        for before in action["startAfter"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            built = built.start_after(before);
        }
        request = request.actions(name, built.build().map_err(lacks)?);
    }
    let options = &template["experimentOptions"];
    if options.is_object() {
        request = request.experiment_options(
            Options::builder()
                .set_account_targeting(options["accountTargeting"].as_str().map(AccountTargeting::from))
                .set_empty_target_resolution_mode(
                    options["emptyTargetResolutionMode"].as_str().map(EmptyTargetResolutionMode::from),
                )
                .build(),
        );
    }
    let logs = &template["logConfiguration"];
    if logs.is_object() {
        let mut built = Logs::builder();
        if let Some(version) = logs["logSchemaVersion"].as_i64().and_then(|version| i32::try_from(version).ok()) {
            built = built.log_schema_version(version);
        }
        if let Some(arn) = logs.pointer("/cloudWatchLogsConfiguration/logGroupArn").and_then(text) {
            built = built.cloud_watch_logs_configuration(LogGroup::builder().log_group_arn(arn).build().map_err(lacks)?);
        }
        let bucket = &logs["s3Configuration"];
        if bucket.is_object() {
            let built_bucket =
                LogBucket::builder().set_bucket_name(text(&bucket["bucketName"])).set_prefix(text(&bucket["prefix"]));
            built = built.s3_configuration(built_bucket.build().map_err(lacks)?);
        }
        request = request.log_configuration(built.build().map_err(lacks)?);
    }
    Ok(request)
}
