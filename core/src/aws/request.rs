//! Who is called: service, region and operation, read from what every SDK's request carries.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::Protocol;
use crate::matching::{Key, Kind, Node, Source, Walk};

/// One attempt of a call as its request shows it. What a language's SDK does not say stays absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// As in `POST`.
    pub method: &'a str,
    /// The whole URL.
    pub url: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `X-Amz-Target`.
    pub target: Option<&'a str>,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `Amz-Sdk-Request` (`attempt=2; max=3`), or `Amz-Sdk-Retry` of older SDKs (`1/0/500`).
    pub retry: Option<&'a str>,
    /// The body, or as much of it as is at hand.
    pub body: &'a [u8],
    /// The operation, where the SDK tells it.
    pub operation: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// From one text, which crosses from another language at a fraction of what seven cost: a line for each of method, URL,
    /// authorization, target, content type, retry and operation; what is not known is empty, or missing at the end.
    #[must_use]
    pub fn told(lines: &'a str, body: &'a [u8]) -> Self {
        let mut lines = lines.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty());
        Self {
            method: line().unwrap_or_default(),
            url: line().unwrap_or_default(),
            authorization: line(),
            target: line(),
            content_type: line(),
            retry: line(),
            operation: line(),
            body,
        }
    }
}

/// What a request says of its call.
#[derive(Debug)]
pub struct Seen<'a> {
    /// How the service speaks.
    pub protocol: Protocol,
    /// The service's `SigV4` signing name, as in `dynamodb`.
    pub service: &'a str,
    /// As in `PutItem`; `None` where the request does not say.
    pub operation: Option<&'a str>,
    /// 1 for the first; `None` where the SDK does not say.
    pub attempt: Option<u32>,
    /// Absent in a signature for many regions.
    pub region: Option<&'a str>,
    /// Of the URL, without its port.
    pub host: &'a str,
    /// As in `POST`.
    pub method: &'a str,
    /// Of the URL, from its `/` on.
    pub path: &'a str,
    /// Of the URL, without its `?`.
    pub query: &'a str,
}

impl Source for Seen<'_> {
    fn read(&self, walk: &mut Walk<'_>) {
        walk.node(&Fact::All(self));
    }
}

/// A call as patterns see it: in place, since every attempt is looked at.
enum Fact<'s> {
    All(&'s Seen<'s>),
    Text(&'s str),
    Attempt(u32),
}

impl Node for Fact<'_> {
    fn kind(&self) -> Kind {
        match self {
            Self::All(_) => Kind::Object,
            Self::Text(_) => Kind::Text,
            Self::Attempt(number) => Kind::Number((*number).into()),
        }
    }

    fn text(&self, _enough: usize) -> Option<Cow<'_, str>> {
        if let Self::Text(text) = self { Some(Cow::Borrowed(text)) } else { None }
    }

    fn get(&self, key: Key<'_>) -> Option<Self> {
        let Self::All(seen) = self else { return None };
        let text = match key.text {
            "service" => Some(seen.service),
            "operation" => seen.operation,
            "region" => seen.region,
            "host" => Some(seen.host),
            "method" => Some(seen.method),
            "path" => Some(seen.path),
            "attempt" => return seen.attempt.map(Self::Attempt),
            _ => None,
        };
        text.map(Self::Text)
    }

    fn each(&self, _visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {}
}

impl<'a> Request<'a> {
    /// Reads it.
    #[must_use]
    pub fn seen(&self) -> Seen<'a> {
        let (host, path, query) = parts(self.url);
        let (service, region) = self.scope(query).unwrap_or_else(|| by_host(host));
        let rpc = Some(path).filter(|path| path.len() > "/service//operation/".len());
        let rpc = rpc.and_then(|path| path.split_once("/service/")).and_then(|(_, rest)| rest.split_once("/operation/"));
        let rpc = rpc.map(|(_, operation)| operation);
        let form = std::str::from_utf8(self.body).ok().filter(|_| self.is_form());
        let action = form.and_then(|form| parameter(form, "Action")).or_else(|| parameter(query, "Action"));
        let named = self.target.map(|target| target.rsplit('.').next().unwrap_or(target));
        let protocol = if rpc.is_some() {
            Protocol::RpcCbor
        } else if self.target.is_some() {
            Protocol::Json
        } else if action.is_some() || self.is_form() {
            if service == "ec2" { Protocol::Ec2 } else { Protocol::Query }
        } else if service.starts_with("s3") || ["cloudfront", "route53"].contains(&service) {
            Protocol::RestXml
        } else {
            Protocol::RestJson
        };
        let operation = self.operation.or(rpc).or(named).or(action).or_else(|| parameter(query, "x-id"));
        let attempt = self.retry.and_then(attempt);
        Seen { protocol, service, operation, attempt, region, host, method: self.method, path, query }
    }

    fn is_form(&self) -> bool {
        self.content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    /// Service and region of the signature's credential scope: `KEY/DATE/REGION/SERVICE/aws4_request`, without a region in
    /// a signature for many of them.
    fn scope(&self, query: &'a str) -> Option<(&'a str, Option<&'a str>)> {
        let in_header = self.authorization.and_then(|header| {
            // What almost all begin with needs no search.
            let begun = header.strip_prefix("AWS4-HMAC-SHA256 Credential=");
            begun.or_else(|| header.split_once("Credential=").map(|(_, rest)| rest))
        });
        let scope = in_header.or_else(|| parameter(query, "X-Amz-Credential"))?;
        let scope = scope.split([',', ' ']).next()?;
        let (region, service) = if scope.contains('/') { of_scope(scope.rsplit('/')) } else { of_scope(scope.rsplit("%2F")) }?;
        let is_date = region.bytes().all(|byte| byte.is_ascii_digit());
        Some((service, (!is_date).then_some(region)))
    }
}

/// The service in a header `Authorization` that has its credential scope first, as all SDKs write it.
#[must_use]
pub fn signed_service(authorization: &str) -> Option<&str> {
    let scope = authorization.strip_prefix("AWS4-")?.split(',').next()?;
    of_scope(scope.rsplit('/')).map(|(_, service)| service)
}

/// Region and service, from the parts of a scope in reverse.
fn of_scope<'a>(mut parts: impl Iterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    parts.next().filter(|last| *last == "aws4_request")?;
    let service = parts.next()?;
    Some((parts.next()?, service))
}

/// Host, path and query of a URL.
fn parts(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//")).unwrap_or(url);
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = before.split_at(before.find('/').unwrap_or(before.len()));
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    (name.map_or(host, |(name, _)| name), if path.is_empty() { "/" } else { path }, query)
}

/// Of a request without a signature: `SERVICE.REGION.amazonaws.com`, with more before it or without the region.
fn by_host(host: &str) -> (&str, Option<&str>) {
    let own = host.split_once(".amazonaws.com").map_or(host, |(own, _)| own);
    let mut labels = own.rsplit('.');
    let last = labels.next().unwrap_or_default();
    let is_region = last.contains('-') && last.ends_with(|letter: char| letter.is_ascii_digit());
    match labels.next() {
        Some(before) if is_region => (before, Some(last)),
        _ => (last, None),
    }
}

fn parameter<'a>(form: &'a str, name: &str) -> Option<&'a str> {
    form.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name)).map(|(_, value)| value)
}

fn attempt(header: &str) -> Option<u32> {
    match header.split_once("attempt=") {
        Some((_, rest)) => rest.split(';').next()?.trim().parse().ok(),
        // How many attempts came before.
        None => header.split('/').next()?.parse::<u32>().ok()?.checked_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::{Protocol, Request};

    const SIGNED: &str =
        "AWS4-HMAC-SHA256 Credential=AKIA/20261126/eu-west-1/SERVICE/aws4_request, SignedHeaders=host, Signature=0";

    #[test]
    fn who_is_called_stands_in_the_signature_and_in_what_each_protocol_adds() {
        let signed = |service: &str| SIGNED.replace("SERVICE", service);
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        let base = Request { method: "POST", url: "https://host/", ..Request::default() };
        let cases = [
            (Request { target: Some("DynamoDB_20120810.PutItem"), ..base }, "dynamodb", Protocol::Json, Some("PutItem")),
            (Request { content_type: form, body: b"Action=Publish&Message=a", ..base }, "sns", Protocol::Query, Some("Publish")),
            (
                Request { content_type: form, body: b"Version=1&Action=RunInstances", ..base },
                "ec2",
                Protocol::Ec2,
                Some("RunInstances"),
            ),
            (Request { url: "https://host/?Action=ListUsers", ..base }, "iam", Protocol::Query, Some("ListUsers")),
            (Request { url: "https://b.host/k?x-id=GetObject", ..base }, "s3", Protocol::RestXml, Some("GetObject")),
            (Request { url: "https://host/2015-03-31/functions", ..base }, "lambda", Protocol::RestJson, None),
            (Request { operation: Some("Invoke"), ..base }, "lambda", Protocol::RestJson, Some("Invoke")),
            (
                Request { url: "https://host/service/GraniteService/operation/PutMetricData", ..base },
                "monitoring",
                Protocol::RpcCbor,
                Some("PutMetricData"),
            ),
        ];
        for (request, service, protocol, operation) in cases {
            let authorization = signed(service);
            let seen = Request { authorization: Some(&authorization), ..request }.seen();
            assert_eq!((seen.service, seen.protocol, seen.operation), (service, protocol, operation), "{request:?}");
            assert_eq!(seen.region, Some("eu-west-1"));
        }
    }

    #[test]
    fn a_presigned_url_a_signature_for_many_regions_and_none_at_all_are_read_too() {
        let seen = |url: &'static str, authorization| Request { url, authorization, ..Request::default() }.seen();
        let presigned =
            seen("https://b.s3.host:9000/k?X-Amz-Credential=A%2F20261126%2Fus-east-2%2Fs3%2Faws4_request&x-id=PutObject", None);
        assert_eq!((presigned.service, presigned.region, presigned.host), ("s3", Some("us-east-2"), "b.s3.host"));
        assert_eq!((presigned.path, presigned.operation), ("/k", Some("PutObject")));
        let many = seen("https://h", Some("AWS4-ECDSA-P256-SHA256 Credential=A/20261126/s3/aws4_request, Signature=0"));
        assert_eq!((many.service, many.region, many.path), ("s3", None, "/"));
        let unsigned = seen("https://cognito-idp.eu-west-1.amazonaws.com/", None);
        assert_eq!((unsigned.service, unsigned.region), ("cognito-idp", Some("eu-west-1")));
        assert_eq!(seen("https://sts.amazonaws.com/", Some("Bearer x")).service, "sts");
        assert_eq!(seen("", None).service, "");
    }

    #[test]
    fn the_attempt_is_counted_from_one_in_both_headers() {
        let attempt = |retry| Request { retry: Some(retry), ..Request::default() }.seen().attempt;
        assert_eq!(
            (attempt("attempt=2; max=3"), attempt("ttl=2026; attempt=1"), attempt("1/0/500")),
            (Some(2), Some(1), Some(2))
        );
        assert_eq!((attempt("attempt=x"), attempt("")), (None, None));
    }
}
