//! Code-signing configurations. Nothing in the lab is ever signed: an enforcing configuration refuses all code and layers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Lambda, Tables, naming};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::text;
use crate::cloud::state::Row;

/// One configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SigningConfig {
    /// Its id.
    pub id: String,
    /// As it is shown.
    pub view: Value,
}

impl Row for SigningConfig {
    const TABLE: &'static str = "signing";

    fn key(&self) -> &str {
        &self.id
    }
}

fn get<'a>(tables: &'a Tables, arn: &str) -> Result<&'a SigningConfig, ApiError> {
    let id = arn.rsplit(':').next().unwrap_or_default();
    tables.signing.get(id).ok_or_else(|| {
        ApiError::new("CodeSigningConfigNotFoundException", 404, format!("The code signing configuration cannot be found: {arn}"))
    })
}

/// Refuses a configuration that is not there.
pub fn exists(tables: &Tables, arn: Option<&str>) -> Result<(), ApiError> {
    arn.map_or(Ok(()), |arn| get(tables, arn).map(|_| ()))
}

/// Refuses unsigned code where signing is enforced.
pub fn check(tables: &Tables, arn: Option<&str>) -> Result<(), ApiError> {
    let Some(arn) = arn else {
        return Ok(());
    };
    let policy = get(tables, arn)?.view.pointer("/CodeSigningPolicies/UntrustedArtifactOnDeployment");
    if policy.and_then(Value::as_str) != Some("Enforce") {
        return Ok(());
    }
    Err(ApiError::bad(
        "CodeVerificationFailedException",
        "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured \
         to accept. Check the provided signature for unsigned.",
    ))
}

/// CreateCodeSigningConfig.
pub fn create(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let id: String = format!("csc-{}", clock::id().replace('-', "")).chars().take(21).collect();
    let arn = lambda.site.place.arn("lambda", &format!("code-signing-config:{id}"));
    let policies = input.get("CodeSigningPolicies").cloned().unwrap_or_else(|| json!({"UntrustedArtifactOnDeployment": "Warn"}));
    let view = json!({
        "CodeSigningConfigId": id, "CodeSigningConfigArn": arn, "Description": text(input, "Description").unwrap_or_default(),
        "AllowedPublishers": input.get("AllowedPublishers"), "CodeSigningPolicies": policies,
        "LastModified": clock::lambda_time(clock::now_ms()),
    });
    lambda.tables(|tables| tables.signing.put(SigningConfig { id, view: view.clone() }))?;
    Ok(json!({"CodeSigningConfig": view}))
}

/// GetCodeSigningConfig.
pub fn get_config(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "CodeSigningConfigArn").unwrap_or_default();
    lambda.tables(|tables| Ok(json!({"CodeSigningConfig": get(tables, arn)?.view})))
}

/// PutFunctionCodeSigningConfig.
pub fn put(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "CodeSigningConfigArn").unwrap_or_default();
    naming::change(lambda, input, |tables, function, _| {
        exists(tables, Some(arn))?;
        function.signing = Some(arn.to_owned());
        Ok(json!({"CodeSigningConfigArn": arn, "FunctionName": function.name}))
    })
}

/// GetFunctionCodeSigningConfig; empty where there is none, whatever the model says of its members.
pub fn of_function(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::read(lambda, input, |_, function, _| {
        let answer = |arn: &String| json!({"FunctionName": function.name, "CodeSigningConfigArn": arn});
        Ok(function.signing.as_ref().map_or_else(|| json!({}), answer))
    })
}

/// DeleteFunctionCodeSigningConfig.
pub fn delete(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::change(lambda, input, |_, function, _| {
        function.signing = None;
        Ok(Value::Null)
    })
}
