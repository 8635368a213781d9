//! Code-signing configurations. Nothing in the lab is ever signed: an enforcing configuration refuses all code and layers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::clock;
use super::super::error::ApiError;
use super::super::lab::{Lab, text};
use super::super::world::World;
use super::naming;

/// One configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SigningConfig {
    /// Its id.
    pub id: String,
    /// As it is shown.
    pub view: Value,
}

fn get<'a>(world: &'a World, arn: &str) -> Result<&'a SigningConfig, ApiError> {
    let id = arn.rsplit(':').next().unwrap_or_default();
    world.signing.get(id).ok_or_else(|| {
        ApiError::new("CodeSigningConfigNotFoundException", 404, format!("The code signing configuration cannot be found: {arn}"))
    })
}

/// Refuses a configuration that is not there.
pub fn exists(world: &World, arn: Option<&str>) -> Result<(), ApiError> {
    arn.map_or(Ok(()), |arn| get(world, arn).map(|_| ()))
}

/// Refuses unsigned code where signing is enforced.
pub fn check(world: &World, arn: Option<&str>) -> Result<(), ApiError> {
    let Some(arn) = arn else {
        return Ok(());
    };
    let policy = get(world, arn)?.view.pointer("/CodeSigningPolicies/UntrustedArtifactOnDeployment");
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
pub fn create(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let id: String = format!("csc-{}", clock::id().replace('-', "")).chars().take(21).collect();
    let arn = format!("arn:aws:lambda:{}:{}:code-signing-config:{id}", lab.place.region, lab.place.account);
    let policies = input.get("CodeSigningPolicies").cloned().unwrap_or_else(|| json!({"UntrustedArtifactOnDeployment": "Warn"}));
    let view = json!({
        "CodeSigningConfigId": id, "CodeSigningConfigArn": arn, "Description": text(input, "Description").unwrap_or_default(),
        "AllowedPublishers": input.get("AllowedPublishers"), "CodeSigningPolicies": policies,
        "LastModified": clock::lambda_time(clock::now_ms()),
    });
    lab.world(|world| {
        let config = SigningConfig { id: id.clone(), view: view.clone() };
        lab.save("signing", &id, &config);
        world.signing.insert(id, config);
    });
    Ok(json!({"CodeSigningConfig": view}))
}

/// GetCodeSigningConfig.
pub fn get_config(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "CodeSigningConfigArn").unwrap_or_default();
    lab.world(|world| Ok(json!({"CodeSigningConfig": get(world, arn)?.view})))
}

/// PutFunctionCodeSigningConfig.
pub fn put(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "CodeSigningConfigArn").unwrap_or_default();
    lab.world(|world| exists(world, Some(arn)))?;
    naming::change(lab, input, |function, _| {
        function.signing = Some(arn.to_owned());
        Ok(json!({"CodeSigningConfigArn": arn, "FunctionName": function.name}))
    })
}

/// GetFunctionCodeSigningConfig; empty where there is none, whatever the model says of its members.
pub fn of_function(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::read(lab, input, |_, function, _| {
        let answer = |arn: &String| json!({"FunctionName": function.name, "CodeSigningConfigArn": arn});
        Ok(function.signing.as_ref().map_or_else(|| json!({}), answer))
    })
}

/// DeleteFunctionCodeSigningConfig.
pub fn delete(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::change(lab, input, |function, _| {
        function.signing = None;
        Ok(Value::Null)
    })
}
