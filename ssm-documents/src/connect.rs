//! The connection: credentials, region and endpoint from where every AWS tool takes them.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// The documents of one prefix in one account and region.
#[derive(Debug, Clone)]
pub struct Documents {
    pub(crate) client: aws_sdk_ssm::Client,
    pub(crate) prefix: String,
}

impl Documents {
    /// Connects as the environment says (`AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` and so on). No call is made yet.
    /// `prefix` is the documents', as in `Faultlayer` for `Faultlayer-Attach`.
    pub async fn connect(prefix: impl Into<String>) -> Self {
        Self::with_config(&sdk_config().await, prefix)
    }

    /// As [`Documents::connect`], with a configuration that others share.
    #[must_use]
    pub fn with_config(config: &SdkConfig, prefix: impl Into<String>) -> Self {
        Self { client: aws_sdk_ssm::Client::new(config), prefix: prefix.into() }
    }

    /// A document's name: the prefix and what it does, as in `Attach`.
    #[must_use]
    pub fn name(&self, document: &str) -> String {
        format!("{}-{document}", self.prefix)
    }
}

/// What the environment says, for every client of this process: the chain of credentials is walked once.
pub async fn sdk_config() -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}
