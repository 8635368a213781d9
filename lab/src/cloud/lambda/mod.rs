//! Lambda's control plane and Invoke.
//!
//! - [`function`]: what is kept of a function, and its answer's shape; updates that take a moment.
//! - [`functions`]: create, read, list, update, delete.
//! - [`versions`], [`aliases`]: publishing, and names for versions with routing.
//! - [`layers`], [`signing`], [`extras`]: layers; code signing; tags and concurrency.
//! - [`checks`]: what Lambda refuses beyond its model.
//! - [`code`], [`naming`]: zips by content; names in requests.
//! - [`invoke`]: running functions.

pub mod aliases;
pub mod checks;
pub mod code;
pub mod extras;
pub mod function;
pub mod functions;
pub mod invoke;
pub mod layers;
pub mod naming;
pub mod signing;
pub mod versions;

use std::sync::Arc;

use serde_json::Value;

pub use invoke::Environments;

use super::error::ApiError;
use super::lab::Lab;
use super::wire::{Reply, Request};

/// One operation.
pub async fn operate(lab: &Arc<Lab>, request: &Request) -> Result<Reply, ApiError> {
    let input = &request.input;
    let answer: Value = match request.operation {
        "Invoke" => return invoke::invoke(lab, request).await,
        "CreateFunction" => functions::create(lab, input),
        "GetFunction" => functions::get(lab, input),
        "GetFunctionConfiguration" => functions::configuration(lab, input),
        "ListFunctions" => functions::list(lab, input),
        "UpdateFunctionConfiguration" => functions::update_configuration(lab, input),
        "UpdateFunctionCode" => functions::update_code(lab, input),
        "DeleteFunction" => {
            functions::delete(lab, input)?;
            let named = naming::of(&lab.place, input)?;
            if named.qualifier.is_none() {
                lab.environments.forget(&named.name).await;
            }
            return Ok(Reply { status: Some(204), ..Reply::default() });
        }
        "PublishVersion" => versions::publish_version(lab, input),
        "ListVersionsByFunction" => versions::list(lab, input),
        "CreateAlias" => aliases::create(lab, input),
        "GetAlias" => aliases::get(lab, input),
        "ListAliases" => aliases::list(lab, input),
        "UpdateAlias" => aliases::update(lab, input),
        "DeleteAlias" => aliases::delete(lab, input),
        "PublishLayerVersion" => layers::publish(lab, input),
        "GetLayerVersion" => layers::get_version(lab, input),
        "GetLayerVersionByArn" => layers::get_by_arn(lab, input),
        "ListLayerVersions" => layers::list_versions(lab, input),
        "ListLayers" => layers::list(lab, input),
        "DeleteLayerVersion" => layers::delete(lab, input),
        "CreateCodeSigningConfig" => signing::create(lab, input),
        "GetCodeSigningConfig" => signing::get_config(lab, input),
        "PutFunctionCodeSigningConfig" => signing::put(lab, input),
        "GetFunctionCodeSigningConfig" => signing::of_function(lab, input),
        "DeleteFunctionCodeSigningConfig" => signing::delete(lab, input),
        "TagResource" => extras::tag(lab, input),
        "UntagResource" => extras::untag(lab, input),
        "ListTags" => extras::list_tags(lab, input),
        "PutFunctionConcurrency" => extras::put_reserved(lab, input),
        "GetFunctionConcurrency" => extras::get_reserved(lab, input),
        "DeleteFunctionConcurrency" => extras::delete_reserved(lab, input),
        "PutProvisionedConcurrencyConfig" => extras::put_provisioned(lab, input),
        "GetProvisionedConcurrencyConfig" => extras::get_provisioned(lab, input),
        "ListProvisionedConcurrencyConfigs" => extras::list_provisioned(lab, input),
        "DeleteProvisionedConcurrencyConfig" => extras::delete_provisioned(lab, input),
        "GetAccountSettings" => Ok(extras::account(lab)),
        other => Err(ApiError::bad("UnknownOperationException", format!("the lab does not serve `{other}`"))),
    }?;
    Ok(Reply::from(answer))
}
