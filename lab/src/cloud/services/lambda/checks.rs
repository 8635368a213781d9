//! What Lambda checks of a configuration beyond its model: variables, layers, sizes, timeouts.

use serde_json::{Map, Value};

use super::Tables;
use super::function::Config;
use crate::cloud::call::ApiError;
use crate::cloud::lab::Place;

const RESERVED: [&str; 25] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_LOG_FORMAT",
    "AWS_LAMBDA_LOG_LEVEL",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// Variables: no reserved names, at most 4 KB as JSON.
pub fn variables(given: &Map<String, Value>) -> Result<(), ApiError> {
    let reserved: Vec<&str> = given.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(ApiError::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided contains \
             reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = Value::Object(given.clone()).to_string();
    if measured.len() > 4096 {
        return Err(ApiError::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded \
             the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(())
}

/// Layers: at most five, one version of each, all of them there and, where signing is enforced, signed.
pub fn layers(tables: &Tables, place: &Place, given: &[String], had: &[String], signing: Option<&str>) -> Result<(), ApiError> {
    if given.len() > 5 {
        return Err(ApiError::invalid("Cannot reference more than 5 layers."));
    }
    for (index, arn) in given.iter().enumerate() {
        let layer = arn.rsplit_once(':').map_or(arn.as_str(), |(layer, _)| layer);
        let twin = given.iter().skip(index + 1).find(|other| other.rsplit_once(':').is_some_and(|(other, _)| other == layer));
        if let Some(twin) = twin {
            return Err(ApiError::invalid(format!(
                "Two different versions of the same layer are not allowed to be referenced in the function. {arn} and {twin} are \
                 versions of the same layer."
            )));
        }
        let account = arn.split(':').nth(4).unwrap_or_default();
        if account != place.account {
            return Err(ApiError::new(
                "AccessDeniedException",
                403,
                format!(
                    "User: arn:aws:iam::{}:root is not authorized to perform: lambda:GetLayerVersion on resource: {arn} because no \
                     resource-based policy allows the lambda:GetLayerVersion action",
                    place.account
                ),
            ));
        }
        // A version that was deleted keeps working where it is, yet no update may list it again.
        if super::layers::find(tables, arn).is_none_or(|version| version.deleted) {
            return Err(ApiError::invalid(format!("Layer version {arn} does not exist.")));
        }
        if !had.contains(arn) {
            super::signing::check(tables, signing)?;
        }
    }
    Ok(())
}

/// Timeout, memory, handler and runtime as their package needs them.
pub fn shape(config: &Config) -> Result<(), ApiError> {
    if config.package == "Image" {
        if config.runtime.is_some() || config.handler.is_some() || !config.layers.is_empty() {
            return Err(ApiError::invalid(
                "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
            ));
        }
    } else if config.runtime.is_none() {
        return Err(ApiError::invalid("Runtime is mandatory for functions created with deployment packages."));
    } else if config.handler.is_none() {
        return Err(ApiError::invalid("Handler is mandatory for functions created with deployment packages."));
    }
    let managed = config.rest.contains_key("CapacityProviderConfig");
    if config.timeout > 900 && !managed {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{}' at 'timeout' failed to satisfy constraint: Member must have value less than or \
             equal to 900",
            config.timeout
        )));
    }
    if config.memory > 10240 && !managed {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{}' at 'memorySize' failed to satisfy constraint: Member must have value less than \
             or equal to 10240",
            config.memory
        )));
    }
    Ok(())
}

/// Code and layers unpacked: at most 250 MB together.
pub fn unzipped(tables: &Tables, config: &Config) -> Result<(), ApiError> {
    let layers = config.layers.iter().filter_map(|arn| super::layers::find(tables, arn));
    let total = layers.fold(config.code.unzipped, |sum, layer| sum + layer.code.unzipped);
    if total > 262_144_000 {
        return Err(ApiError::invalid(format!(
            "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is {total} bytes."
        )));
    }
    Ok(())
}
