//! Calls to AWS as their HTTP requests show them: who is called, and what an error of AWS's looks like on the wire. Here
//! once for all languages, whose shims hand in what a request says and hand out what is answered.

mod answer;
mod request;
mod status;

pub use answer::Answer;
pub use request::{Request, Seen, signed_service};

/// How a service speaks, which decides how it says an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// JSON 1.0 or 1.1 with `X-Amz-Target`.
    Json,
    /// A form with `Action`, answered in XML.
    Query,
    /// As `Query`, with EC2's own form of errors.
    Ec2,
    /// Paths and XML; S3's errors stand in no envelope.
    RestXml,
    /// Paths and JSON.
    RestJson,
    /// Smithy's RPC version 2 in CBOR.
    RpcCbor,
}
