//! Calling functions, as a load does while an experiment runs.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;

use crate::Error;
use crate::error::call;
use crate::report::service::{Place, connection, refused, without_region};

const LAMBDA: Place = Place { name: "lambda", endpoint: "AWS_ENDPOINT_URL_LAMBDA" };

/// A little longer than any function may take.
const LONGEST: Duration = Duration::from_secs(905);

/// Calls functions, each call once: one that is repeated would hide what its caller met.
#[derive(Debug, Clone)]
pub struct Caller {
    /// None without a region.
    operation: Option<Operation<Input, Called, ErrorMetadata>>,
}

/// How a call ended that Lambda took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// With an answer.
    Answered,
    /// The function failed: an error, a timeout, a crash.
    Failed,
}

#[derive(Debug)]
struct Input {
    path: String,
    event: String,
}

impl Caller {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        let builder = connection(config, &LAMBDA, LONGEST).map(|builder| {
            let builder = builder.no_retry().serializer(|input: Input| {
                let mut request = HttpRequest::new(SdkBody::from(input.event));
                request.set_method("POST")?;
                request.set_uri(input.path)?;
                request.headers_mut().insert("content-type", "application/json");
                Ok(request)
            });
            builder.deserializer(read).build()
        });
        Self { operation: builder }
    }

    /// Calls a function by its bare name, by an alias or as it is, and waits for its answer. `event` is JSON.
    ///
    /// # Errors
    /// [`Error::Call`] for what Lambda refuses, [`Error::Input`] without a region.
    pub async fn call(&self, function: &str, alias: Option<&str>, event: &str) -> Result<Called, Error> {
        let operation = self.operation.as_ref().ok_or_else(without_region)?;
        let qualifier = alias.map(|alias| format!("?Qualifier={alias}")).unwrap_or_default();
        let path = format!("/2015-03-31/functions/{function}/invocations{qualifier}");
        operation.invoke(Input { path, event: event.to_owned() }).await.map_err(call("lambda:InvokeFunction"))
    }
}

fn read(response: &HttpResponse) -> Result<Called, OrchestratorError<ErrorMetadata>> {
    if !response.status().is_success() {
        return Err(refused(response));
    }
    let failed = response.headers().contains_key("x-amz-function-error");
    Ok(if failed { Called::Failed } else { Called::Answered })
}
