//! Calls to services of which a handful is needed: by the machinery that AWS's own clients are made of, signed, retried and timed as
//! theirs, with JSON as it is. Whole generated clients take longer to build than all the rest of the command.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value;

use crate::Error;
use crate::error::call;

/// How long one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(30);

/// Where a service is.
pub struct Place {
    /// As its host and its signature name it.
    pub name: &'static str,
    /// Where somebody sets an endpoint of its own: `AWS_ENDPOINT_URL_NAME`.
    pub endpoint: &'static str,
}

/// What is particular about a service that takes JSON alone.
pub struct Api {
    pub place: Place,
    /// What stands before an operation's name in `x-amz-target`.
    pub target: &'static str,
    pub version: &'static str,
}

/// CloudWatch.
pub const CLOUDWATCH: Api = Api {
    place: Place { name: "monitoring", endpoint: "AWS_ENDPOINT_URL_CLOUDWATCH" },
    target: "GraniteServiceVersion20100801",
    version: "1.0",
};

/// CloudWatch Logs.
pub const LOGS: Api =
    Api { place: Place { name: "logs", endpoint: "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS" }, target: "Logs_20140328", version: "1.1" };

/// The Resource Groups Tagging API.
pub const TAGGING: Api = Api {
    place: Place { name: "tagging", endpoint: "AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API" },
    target: "ResourceGroupsTaggingAPI_20170126",
    version: "1.1",
};

/// One call: the target and the input.
#[derive(Debug)]
struct Input {
    target: String,
    body: String,
}

/// A service in a region.
#[derive(Debug, Clone)]
pub struct Service {
    target: &'static str,
    /// None without a region.
    operation: Option<Operation<Input, Value, ErrorMetadata>>,
}

impl Service {
    /// Connects as the environment says. No call is made yet.
    pub fn new(config: &SdkConfig, api: &Api) -> Service {
        Service { target: api.target, operation: operation(config, api) }
    }

    /// Calls an operation, named with its service as permissions are: `logs:FilterLogEvents`.
    pub async fn call(&self, name: &'static str, input: &Value) -> Result<Value, Error> {
        let operation = self.operation.as_ref().ok_or_else(without_region)?;
        let bare = name.split_once(':').map_or(name, |(_, bare)| bare);
        let input = Input { target: format!("{}.{bare}", self.target), body: input.to_string() };
        operation.invoke(input).await.map_err(call(name))
    }

    /// All pages of an operation whose token is called `token` in its input and answer, until `take` has enough.
    pub async fn pages(
        &self,
        name: &'static str,
        mut input: Value,
        token: &str,
        mut take: impl FnMut(&Value) -> bool,
    ) -> Result<(), Error> {
        loop {
            let page = self.call(name, &input).await?;
            let next = page.get(token).filter(|next| next.as_str().is_some_and(|next| !next.is_empty())).cloned();
            let (true, Some(next)) = (take(&page), next) else { return Ok(()) };
            if let Some(members) = input.as_object_mut() {
                members.insert(token.to_owned(), next);
            }
        }
    }
}

/// A moment as these services write it: seconds since the Unix epoch.
#[expect(clippy::cast_precision_loss, reason = "a moment in ms is below 2^53")]
pub fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// A moment as these services write it, in ms.
pub fn ms(seconds: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a moment in ms is below 2^53")]
    seconds.as_f64().map(|seconds| (seconds * 1000.0).round() as i64)
}

fn operation(config: &SdkConfig, api: &Api) -> Option<Operation<Input, Value, ErrorMetadata>> {
    let version = api.version;
    let builder = connection(config, &api.place, ATTEMPT)?
        .standard_retry(&config.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .serializer(move |input: Input| {
            let mut request = HttpRequest::new(SdkBody::from(input.body));
            request.set_method("POST")?;
            request.headers_mut().insert("content-type", format!("application/x-amz-json-{version}"));
            request.headers_mut().insert("x-amz-target", input.target);
            Ok(request)
        });
    Some(builder.deserializer(read).build())
}

/// What is said of a call that there is no region for.
pub fn without_region() -> Error {
    Error::Input("region: expected AWS_REGION, or one in the profile".into())
}

/// A service of the environment's region, but for what is asked of it and how often; none without a region.
pub fn connection(config: &SdkConfig, place: &Place, attempt: Duration) -> Option<OperationBuilder> {
    let region = config.region()?.clone();
    let suffix = if region.as_ref().starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let own = std::env::var(place.endpoint).ok().filter(|url| !url.is_empty());
    let given = own.or_else(|| config.endpoint_url().map(str::to_owned));
    let endpoint = given.unwrap_or_else(|| format!("https://{}.{region}.{suffix}", place.name));
    let mut builder = Operation::builder()
        .service_name(place.name)
        .operation_name(place.name)
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&endpoint)
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(attempt).build())
        .with_connection_poisoning()
        .runtime_plugin(signing(config, SigningRegion::from(region), place.name));
    if let Some(http) = config.http_client() {
        builder = builder.http_client(http);
    }
    if let Some(sleep) = config.sleep_impl() {
        builder = builder.sleep_impl(sleep);
    }
    if let Some(time) = config.time_source() {
        builder = builder.time_source(time);
    }
    Some(builder)
}

/// Signature version 4, with the credentials of the environment.
fn signing(config: &SdkConfig, region: SigningRegion, name: &'static str) -> StaticRuntimePlugin {
    let mut layer = Layer::new("signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(region);
    layer.store_put(SigningName::from_static(name));
    let mut options = SigningOptions::default();
    options.double_uri_encode = true;
    options.normalize_uri_path = true;
    layer.store_put(SigV4OperationSigningConfig { signing_options: options, ..SigV4OperationSigningConfig::default() });
    let mut components = RuntimeComponentsBuilder::new("signing")
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_identity_cache(config.identity_cache());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// An answer, or AWS's error.
fn read(response: &HttpResponse) -> Result<Value, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    let answer: Result<Value, _> = serde_json::from_slice(body);
    if response.status().is_success() {
        return answer.map_err(|error| OrchestratorError::response(Box::new(error)));
    }
    Err(refused(response))
}

/// AWS's error.
pub fn refused(response: &HttpResponse) -> OrchestratorError<ErrorMetadata> {
    let answer: Value = serde_json::from_slice(response.body().bytes().unwrap_or_default()).unwrap_or_default();
    let header = response.headers().get("x-amzn-errortype").map(str::to_owned);
    let member = |names: &[&str]| names.iter().find_map(|name| answer.get(name)?.as_str()).map(str::to_owned);
    // `namespace#Code:where`, in services of REST in a header; CloudWatch names the code of its older protocol beside it.
    let code = header.or_else(|| member(&["__type", "code"])).unwrap_or_else(|| response.status().as_u16().to_string());
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
    let mut error = ErrorMetadata::builder().code(code);
    if let Some(message) = member(&["message", "Message"]) {
        error = error.message(message);
    }
    OrchestratorError::operation(error.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> HttpResponse {
        HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
    }

    #[test]
    fn an_answer_is_its_json_and_an_error_its_code_and_message() {
        assert_eq!(read(&answered(200, r#"{"a":1}"#)).unwrap()["a"], 1);
        let said = |status, body| {
            let error = read(&answered(status, body)).unwrap_err();
            let error = error.as_operation_error().cloned().unwrap();
            (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
        };
        let body = r#"{"__type":"com.amazonaws.logs#ResourceNotFoundException","message":"no group"}"#;
        assert_eq!(said(400, body), ("ResourceNotFoundException".to_owned(), "no group".to_owned()));
        assert_eq!(said(503, "<html>"), ("503".to_owned(), String::new()));
        assert!(read(&answered(200, "<html>")).unwrap_err().as_operation_error().is_none());
    }
}
