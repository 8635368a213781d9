//! The HTTP status that belongs to one of AWS's error codes, where a plan does not say it.
//!
//! Sources: the `httpStatusCode` of the error shapes in AWS's own service models (as botocore 1.44 ships them; services that
//! speak JSON have none, and answer 400 for a client's fault and 500 for their own), "Common errors" in the services'
//! references, and "Error responses" in the references of S3 and EC2.

use super::Protocol;

/// What AWS answers with for `code`, over this protocol.
pub(super) fn status(code: &str, protocol: Protocol) -> u16 {
    // Answers without a body have no code but the status itself: `404` of S3's HeadObject.
    if let Some(status) = code.parse().ok().filter(|status| (400..=599).contains(status)) {
        return status;
    }
    if code.starts_with("Internal") || ["ServiceException", "ServerException", "ServiceFailure"].contains(&code) {
        return 500;
    }
    if code.starts_with("ServiceUnavailable") || ["SlowDown", "Unavailable", "RequestLimitExceeded"].contains(&code) {
        return 503;
    }
    if matches!(protocol, Protocol::Json | Protocol::Ec2) {
        return 400;
    }
    for (status, codes) in BY_STATUS {
        if codes.contains(&code) {
            return *status;
        }
    }
    let rest = !matches!(protocol, Protocol::Query | Protocol::RestXml);
    match code {
        "ThrottlingException" | "ThrottledException" | "TooManyRequestsException" | "RequestThrottledException" if rest => 429,
        _ if code.starts_with("NoSuch") || code.ends_with("NotFound") || code.ends_with("NotFoundException") => 404,
        _ if code.ends_with("ConflictException") => 409,
        _ => 400,
    }
}

/// Codes whose name does not tell.
static BY_STATUS: &[(u16, &[&str])] = &[
    (
        403,
        &[
            "AccessDenied",
            "AccessDeniedException",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidObjectState",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "OptInRequired",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
    ),
    (405, &["MethodNotAllowed"]),
    (408, &["ModelTimeoutException", "RequestTimeoutException", "SnapStartTimeoutException"]),
    (409, &["BucketAlreadyExists", "BucketAlreadyOwnedByYou", "BucketNotEmpty", "OperationAborted"]),
    (412, &["PreconditionFailed"]),
    (413, &["RequestEntityTooLargeException", "RequestTooLargeException"]),
    (416, &["InvalidRange"]),
    (502, &["EC2ThrottledException"]),
    (504, &["GatewayTimeoutException"]),
];

#[cfg(test)]
mod tests {
    use super::{Protocol, status};

    #[test]
    fn a_code_has_the_status_that_its_protocol_gives_it() {
        for (code, protocol, expected) in [
            ("ProvisionedThroughputExceededException", Protocol::Json, 400),
            ("ResourceNotFoundException", Protocol::Json, 400),
            ("InternalServerError", Protocol::Json, 500),
            ("ResourceNotFoundException", Protocol::RestJson, 404),
            ("TooManyRequestsException", Protocol::RestJson, 429),
            ("ThrottlingException", Protocol::Json, 400),
            ("Throttling", Protocol::Query, 400),
            ("RequestLimitExceeded", Protocol::Ec2, 503),
            ("SlowDown", Protocol::RestXml, 503),
            ("NoSuchKey", Protocol::RestXml, 404),
            ("AccessDenied", Protocol::RestXml, 403),
            ("404", Protocol::RestXml, 404),
            ("777", Protocol::RestXml, 400),
            ("SomethingNobodyKnows", Protocol::RpcCbor, 400),
        ] {
            assert_eq!(status(code, protocol), expected, "{code} {protocol:?}");
        }
    }
}
