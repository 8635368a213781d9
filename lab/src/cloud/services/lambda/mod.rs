//! Lambda's control plane and Invoke.
//!
//! - [`function`]: what is kept of a function, and its answer's shape; updates that take a moment.
//! - [`functions`]: create, read, list, update, delete.
//! - [`versions`], [`aliases`]: publishing, and names for versions with routing.
//! - [`layers`], [`signing`], [`extras`]: layers; code signing; tags and concurrency.
//! - [`checks`]: what Lambda refuses beyond its model.  [`resources`]: ARNs, rates and sizes of requests.
//! - [`code`], [`naming`]: zips by content; names in requests.
//! - [`invoke`]: running functions.  [`logs`]: what they write.  [`metrics`]: what is counted of it.

pub mod aliases;
pub mod checks;
pub mod code;
pub mod extras;
pub mod function;
pub mod functions;
pub mod invoke;
pub mod layers;
pub mod logs;
mod metrics;
pub mod naming;
pub mod resources;
pub mod signing;
pub mod versions;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Answer, Done, Service, Tagged};
use crate::cloud::call::access::Need;
use crate::cloud::call::rates::Rate;
use crate::cloud::call::{ApiError, Call, Reply, Request};
use crate::cloud::gateway::control::{Ask, Own, changed};
use crate::cloud::gateway::routing::decode;
use crate::cloud::lab::{Home, Site};
use crate::cloud::state::{Folder, Table};
use function::Function;
use invoke::Environments;
use layers::Layer;
use signing::SigningConfig;

/// The service.
#[derive(Debug)]
pub struct Lambda {
    site: Arc<Site>,
    folder: Folder,
    environments: Environments,
    tables: Mutex<Tables>,
}

/// What is kept.
#[derive(Debug)]
pub struct Tables {
    functions: Table<Function>,
    layers: Table<Layer>,
    signing: Table<SigningConfig>,
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let Home { site, folder } = home;
    let tables = Tables { functions: Table::open(&folder)?, layers: Table::open(&folder)?, signing: Table::open(&folder)? };
    let environments = Environments::new(folder.path());
    Ok(Arc::new(Lambda { site, folder, environments, tables: Mutex::new(tables) }))
}

impl Lambda {
    /// Works on what is kept. Never hold it over an `await`.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes a function's switches for tests.
    fn switch(&self, name: &str, changes: &Value) -> Result<Own, String> {
        self.tables(|tables| {
            let switched = tables.functions.change(name, |function| {
                function.switches = changed(&function.switches, changes).map_err(ApiError::validation)?;
                Ok(function.switches.clone())
            });
            let switches = switched.ok_or_else(|| format!("there is no function `{name}`"))?.map_err(|error| error.message)?;
            serde_json::to_value(switches).map(Own::Json).map_err(|error| error.to_string())
        })
    }
}

impl Service for Lambda {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        Box::pin(async move { operate(&self, &call).await })
    }

    fn resources(&self, request: &Request) -> Vec<String> {
        vec![resources::arn(&self.site.place, request)]
    }

    fn action(&self, request: &Request) -> String {
        match request.operation.as_str() {
            "Invoke" => "lambda:InvokeFunction".to_owned(),
            "GetLayerVersionByArn" => "lambda:GetLayerVersion".to_owned(),
            operation => format!("lambda:{operation}"),
        }
    }

    fn needs(&self, request: &Request) -> Vec<Need> {
        resources::needs(&self.site.place, request, &self.action(request))
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        resources::rate_of(operation)
    }

    fn largest(&self, operation: &str) -> usize {
        resources::largest(operation)
    }

    fn throttled(&self) -> ApiError {
        ApiError::new("TooManyRequestsException", 429, "Rate exceeded")
    }

    fn trouble(&self) -> ApiError {
        ApiError::new("ServiceException", 500, "An error occurred and the request cannot be processed.")
    }

    fn denied(&self, message: String) -> ApiError {
        ApiError::new("AccessDeniedException", 403, message)
    }

    fn tagged(&self) -> Vec<Tagged> {
        let place = &self.site.place;
        self.tables(|tables| {
            let tagged =
                |function: &Function| Tagged { arn: function.arn(place), kind: "lambda:function", tags: function.tags.clone() };
            tables.functions.values().map(tagged).collect()
        })
    }

    fn tags_of(&self, arn: &str) -> Option<Map<String, Value>> {
        let name = arn.strip_prefix(&self.site.place.arn("lambda", "function:"))?;
        self.tables(|tables| tables.functions.get(name.split(':').next()?).map(|function| function.tags.clone()))
    }

    fn control(&self, ask: &Ask<'_>) -> Option<Result<Own, String>> {
        if let Some(name) = ask.path.strip_prefix("functions/").filter(|_| ask.post) {
            return Some(ask.read().and_then(|changes| self.switch(name, &changes)));
        }
        let hash = ask.path.strip_prefix("code/")?;
        let zip = std::fs::read(code::path(self.folder.path(), &decode(hash)));
        Some(Ok(zip.map_or(Own::Missing, |bytes| Own::Bytes("application/zip", Bytes::from(bytes)))))
    }

    fn reset(self: Arc<Self>) -> Done {
        Box::pin(async move {
            self.environments.clear().await;
            // Under the lock, so that nobody keeps again what was just forgotten.
            self.tables(|tables| {
                tables.functions.clear()?;
                tables.layers.clear()?;
                tables.signing.clear()?;
                self.folder.remove()
            })
        })
    }

    fn stop(self: Arc<Self>) -> Done {
        Box::pin(async move {
            self.environments.clear().await;
            Ok(())
        })
    }
}

/// One operation.
async fn operate(lambda: &Arc<Lambda>, call: &Call) -> Result<Reply, ApiError> {
    let input = &call.request.input;
    let fetched = match call.request.operation.as_str() {
        "CreateFunction" | "UpdateFunctionCode" | "PublishLayerVersion" => code::fetch(call).await?,
        _ => None,
    };
    let fetched = fetched.as_ref();
    let answer: Value = match call.request.operation.as_str() {
        "Invoke" => return invoke::invoke(lambda, call).await,
        "CreateFunction" => functions::create(lambda, input, fetched),
        "GetFunction" => functions::get(lambda, input).map(|answer| extras::shown(call, &lambda.site.place, answer)),
        "GetFunctionConfiguration" => functions::configuration(lambda, input),
        "ListFunctions" => functions::list(lambda, input),
        "UpdateFunctionConfiguration" => functions::update_configuration(lambda, input),
        "UpdateFunctionCode" => functions::update_code(lambda, input, fetched),
        "DeleteFunction" => {
            let answer = functions::delete(lambda, input);
            let named = naming::of(&lambda.site.place, input)?;
            if answer.is_ok() && named.qualifier.is_none() {
                lambda.environments.forget(&named.name).await;
            }
            answer
        }
        "PublishVersion" => versions::publish_version(lambda, input),
        "ListVersionsByFunction" => versions::list(lambda, input),
        "CreateAlias" => aliases::create(lambda, input),
        "GetAlias" => aliases::get(lambda, input),
        "ListAliases" => aliases::list(lambda, input),
        "UpdateAlias" => aliases::update(lambda, input),
        "DeleteAlias" => aliases::delete(lambda, input),
        "PublishLayerVersion" => layers::publish(lambda, input, fetched),
        "GetLayerVersion" => layers::get_version(lambda, input),
        "GetLayerVersionByArn" => layers::get_by_arn(lambda, input),
        "ListLayerVersions" => layers::list_versions(lambda, input),
        "ListLayers" => layers::list(lambda, input),
        "DeleteLayerVersion" => layers::delete(lambda, input),
        "CreateCodeSigningConfig" => signing::create(lambda, input),
        "GetCodeSigningConfig" => signing::get_config(lambda, input),
        "PutFunctionCodeSigningConfig" => signing::put(lambda, input),
        "GetFunctionCodeSigningConfig" => signing::of_function(lambda, input),
        "DeleteFunctionCodeSigningConfig" => signing::delete(lambda, input),
        "TagResource" => extras::tag(lambda, input),
        "UntagResource" => extras::untag(lambda, input),
        "ListTags" => extras::list_tags(lambda, input),
        "PutFunctionConcurrency" => extras::put_reserved(lambda, input),
        "GetFunctionConcurrency" => extras::get_reserved(lambda, input),
        "DeleteFunctionConcurrency" => extras::delete_reserved(lambda, input),
        "PutProvisionedConcurrencyConfig" => extras::put_provisioned(lambda, input),
        "GetProvisionedConcurrencyConfig" => extras::get_provisioned(lambda, input),
        "ListProvisionedConcurrencyConfigs" => extras::list_provisioned(lambda, input),
        "DeleteProvisionedConcurrencyConfig" => extras::delete_provisioned(lambda, input),
        "GetAccountSettings" => Ok(extras::account(lambda)),
        _ => Err(call.unknown()),
    }?;
    Ok(Reply::from(answer))
}
