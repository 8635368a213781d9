//! The connection: credentials, region and endpoint from where every AWS tool takes them.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// The documents of one prefix in one account and region.
#[derive(Debug, Clone)]
pub struct Documents {
    pub(crate) client: aws_sdk_ssm::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) region: String,
    pub(crate) prefix: String,
}

impl Documents {
    /// Connects as the environment says (`AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` and so on). No call is made yet.
    /// `prefix` is the documents', as in `Faultlayer` for `Faultlayer-Attach`; their parameters lie below it as well.
    pub async fn connect(prefix: impl Into<String>) -> Self {
        Self::with_config(&sdk_config().await, prefix)
    }

    /// As [`Documents::connect`], with a configuration that others share.
    #[must_use]
    pub fn with_config(config: &SdkConfig, prefix: impl Into<String>) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let (client, sts) = (aws_sdk_ssm::Client::new(config), aws_sdk_sts::Client::new(config));
        Self { client, sts, region, prefix: prefix.into() }
    }

    /// A document's name: the prefix and what it does, as in `Attach`.
    #[must_use]
    pub fn name(&self, document: &str) -> String {
        format!("{}-{document}", self.prefix)
    }

    /// The path of the stack's own parameters of a kind: `record`, `closed` or `once`.
    pub(crate) fn below(&self, kind: &str) -> String {
        format!("/faultlayer/{}/{kind}", self.prefix)
    }
}

/// What the environment says, for every client of this process: the chain of credentials is walked once.
pub async fn sdk_config() -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}
