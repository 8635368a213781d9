//! `aws-chunked`: a body in pieces that are signed each, with headers that come after it. Clients send what they do not know the
//! checksum of beforehand this way: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>.

use bytes::{Bytes, BytesMut};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::cloud::call::ApiError;

const CODING: &str = "aws-chunked";

/// Takes a body out of its pieces, and puts the headers after it among the others; any other body stays what it is.
pub fn unwrapped(headers: &mut HeaderMap, body: Bytes) -> Result<Bytes, ApiError> {
    let said = |headers: &HeaderMap, name: &str| headers.get(name).and_then(|text| text.to_str().ok()).map(str::to_owned);
    let streams = said(headers, "x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    let codings = said(headers, "content-encoding").unwrap_or_default();
    if !streams && !codings.split(',').any(|coding| coding.trim() == CODING) {
        return Ok(body);
    }
    let rest: Vec<&str> = codings.split(',').map(str::trim).filter(|coding| *coding != CODING && !coding.is_empty()).collect();
    headers.remove("content-encoding");
    if let (false, Ok(rest)) = (rest.is_empty(), HeaderValue::from_str(&rest.join(","))) {
        headers.insert("content-encoding", rest);
    }
    let whole = parsed(headers, body).ok_or_else(incomplete)?;
    let announced = said(headers, "x-amz-decoded-content-length").and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length != whole.len()) {
        return Err(incomplete());
    }
    Ok(whole)
}

fn incomplete() -> ApiError {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    ApiError::bad("IncompleteBody", message)
}

fn parsed(headers: &mut HeaderMap, mut body: Bytes) -> Option<Bytes> {
    let mut whole = BytesMut::new();
    loop {
        let line = line(&mut body)?;
        let size = line.split(';').next().and_then(|size| usize::from_str_radix(size.trim(), 16).ok())?;
        if size == 0 {
            break;
        }
        if body.len() < size + 2 {
            return None;
        }
        whole.extend_from_slice(&body.split_to(size));
        if body.split_to(2) != "\r\n" {
            return None;
        }
    }
    // Some clients leave out the empty line at the very end.
    while let Some(line) = line(&mut body).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::try_from(name.trim()).ok()?;
        headers.insert(name, HeaderValue::try_from(value.trim()).ok()?);
    }
    Some(whole.freeze())
}

/// The next line, without its end.
fn line(body: &mut Bytes) -> Option<String> {
    let end = body.windows(2).position(|pair| pair == b"\r\n")?;
    let line = body.split_to(end);
    let _end = body.split_to(2);
    String::from_utf8(line.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn pieces_become_a_body_and_trailers_become_headers() {
        let mut given = headers(&[
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("content-encoding", "gzip, aws-chunked"),
            ("x-amz-decoded-content-length", "10"),
        ]);
        let body = "8\r\n01\r\n4567\r\n2;chunk-signature=ab\r\n89\r\n0\r\nx-amz-checksum-crc32:abcd==\r\n\r\n";
        assert_eq!(unwrapped(&mut given, Bytes::from_static(body.as_bytes())).unwrap(), "01\r\n456789");
        assert_eq!(
            (&given["x-amz-checksum-crc32"], &given["content-encoding"]),
            (&"abcd==".parse().unwrap(), &"gzip".parse().unwrap())
        );
        let mut plain = headers(&[("content-encoding", "gzip")]);
        assert_eq!(unwrapped(&mut plain, Bytes::from_static(b"0\r\n")).unwrap(), "0\r\n");
    }

    #[test]
    fn what_is_cut_off_or_shorter_than_announced_is_refused() {
        for body in
            ["", "5\r\n012", "5\r\n01234", "5\r\n0123456\r\n0\r\n\r\n", "x\r\n", "4\r\n0123\r\n0\r\n\r\n", "5\r\n01234\r\n0"]
        {
            let mut given = headers(&[("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "5")]);
            let error = unwrapped(&mut given, Bytes::from_static(body.as_bytes())).unwrap_err();
            assert_eq!((error.code.as_str(), error.status), ("IncompleteBody", 400), "{body}");
        }
    }
}
