//! An error of AWS's as bytes, in each of its protocols.

use std::fmt::Write;

use super::{Protocol, Request, Seen, status};

/// What the SDK's HTTP client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A service that speaks JSON answers in the version that it was asked in.
const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

impl Answer {
    /// The error `code`, as the service that is called would say it. `id` stands for the request's id.
    #[must_use]
    pub fn error(request: &Request<'_>, seen: &Seen<'_>, code: &str, status: Option<u16>, message: &str, id: &str) -> Self {
        let protocol = seen.protocol;
        let status = status.unwrap_or_else(|| status::status(code, protocol));
        let is_json = matches!(protocol, Protocol::Json | Protocol::RestJson);
        let (kind, id_header) = match protocol {
            Protocol::Json => (request.content_type.filter(|kind| *kind == JSON_1_1).unwrap_or(JSON_1_0), "x-amzn-requestid"),
            Protocol::RestJson => ("application/json", "x-amzn-requestid"),
            Protocol::RpcCbor => ("application/cbor", "x-amzn-requestid"),
            Protocol::Query => ("text/xml", "x-amzn-requestid"),
            Protocol::Ec2 => ("text/xml;charset=UTF-8", "x-amzn-requestid"),
            Protocol::RestXml => ("application/xml", "x-amz-request-id"),
        };
        let body = match protocol {
            _ if request.method == "HEAD" => Vec::new(),
            _ if is_json => serde_json::json!({"__type": code, "message": message}).to_string().into_bytes(),
            Protocol::RpcCbor => cbor(code, message),
            _ => xml(protocol, seen.service, status, [code, message, id]).into_bytes(),
        };
        let mut headers = vec![("content-type", kind.to_owned()), (id_header, id.to_owned())];
        // No header can carry other letters; the body says it too.
        if is_json && code.bytes().all(|byte| byte.is_ascii_graphic()) {
            headers.push(("x-amzn-errortype", code.to_owned()));
        }
        if protocol == Protocol::RpcCbor {
            headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
        }
        if protocol == Protocol::RestXml {
            headers.push(("x-amz-id-2", id.to_owned()));
        }
        headers.push(("content-length", body.len().to_string()));
        Self { status, headers, body }
    }
}

fn xml(protocol: Protocol, service: &str, status: u16, texts: [&str; 3]) -> String {
    let [code, message, id] = texts.map(escaped);
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let plain = format!("<Code>{code}</Code><Message>{message}</Message>");
    let inner = match protocol {
        Protocol::Ec2 => format!("<Response><Errors><Error>{plain}</Error></Errors><RequestID>{id}</RequestID></Response>"),
        Protocol::RestXml if service.starts_with("s3") => {
            format!("<Error>{plain}<RequestId>{id}</RequestId><HostId>{id}</HostId></Error>")
        }
        _ => format!("<ErrorResponse><Error><Type>{fault}</Type>{plain}</Error><RequestId>{id}</RequestId></ErrorResponse>"),
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{inner}")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // XML has no way to say the others.
            letter if letter < ' ' && !matches!(letter, '\t' | '\n' | '\r') => escaped.push('\u{FFFD}'),
            '\r' => escaped.push_str("&#13;"),
            // `U+FFFE` and `U+FFFF` are no characters of XML either.
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            letter => {
                // Writing to a string cannot fail.
                let _ = escaped.write_char(letter);
            }
        }
    }
    escaped
}

/// A map of two texts.
fn cbor(code: &str, message: &str) -> Vec<u8> {
    let mut bytes = vec![0xA2];
    for text in ["__type", code, "message", message] {
        match u16::try_from(text.len()) {
            Ok(length @ 0..24) => bytes.push(0x60 | length.to_be_bytes()[1]),
            Ok(length) => {
                bytes.push(0x79);
                bytes.extend(length.to_be_bytes());
            }
            Err(_) => {
                bytes.push(0x7B);
                bytes.extend((text.len() as u64).to_be_bytes());
            }
        }
        bytes.extend(text.bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{cbor, escaped};

    #[test]
    fn texts_of_every_length_have_their_own_head_in_cbor() {
        let head = |text: &str| cbor(text, "").into_iter().skip(8).take(3).collect::<Vec<_>>();
        assert_eq!(head("E"), [0x61, b'E', 0x67]);
        assert_eq!(head(&"x".repeat(23))[0], 0x77);
        assert_eq!(head(&"x".repeat(24)), [0x79, 0, 24]);
        assert_eq!(head(&"x".repeat(70_000)), [0x7B, 0, 0]);
    }

    #[test]
    fn xml_says_what_it_can() {
        assert_eq!(escaped("a<b>&\"c\"\u{1}\n\u{FFFF}é"), "a&lt;b&gt;&amp;\"c\"\u{FFFD}\n\u{FFFD}é");
    }
}
