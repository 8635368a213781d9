//! PutObject, GetObject, HeadObject, CopyObject, DeleteObject, DeleteObjects.

use std::io;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::buckets::{find, named};
use super::checksums::{self, Checksum};
use super::data::Piece;
use super::object::{self, NULL, Version, add};
use super::refusals::{argument, no_key, request, too_large};
use super::{LARGEST_OBJECT, S3, Tables, conditions};
use crate::cloud::call::{ApiError, Reply};
use crate::cloud::clock;
use crate::cloud::gateway::routing::decode;
use crate::cloud::services::members::{list, on, text};

/// An answer's headers that a request can replace.
const REPLACED: [&str; 6] =
    ["CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires"];
/// The most bytes of names and values of an object's own metadata.
const MOST_METADATA: usize = 2048;

fn key(input: &Value) -> &str {
    text(input, "Key").unwrap_or_default()
}

/// The trouble of a file that cannot be read.
pub fn unreadable(error: &io::Error) -> ApiError {
    ApiError::internal(format!("cannot read the bytes: {error}"))
}

/// Refuses more of an object's own metadata than S3 takes.
pub fn bounded(input: &Value) -> Result<(), ApiError> {
    let pairs = input.get("Metadata").and_then(Value::as_object).into_iter().flatten();
    let bytes: usize = pairs.map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    if bytes > MOST_METADATA {
        return Err(ApiError::bad("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"));
    }
    Ok(())
}

/// PutObject.
pub fn put(s3: &S3, input: &Value, body: &Bytes) -> Result<Value, ApiError> {
    bounded(input)?;
    s3.tables(|tables| find(tables, input).map(|_| ()))?;
    let checksum = checksums::verified(input, body, checksums::USUAL)?;
    add(s3, input, whole(s3, body, checksum, object::shown(input))?, |current| conditions::write(input, current))
}

/// A version of these bytes, which are kept.
fn whole(s3: &S3, body: &[u8], checksum: Checksum, shown: Map<String, Value>) -> Result<Version, ApiError> {
    let piece = s3.data.keep(body)?;
    let etag = format!("\"{}\"", checksums::md5(body));
    Ok(Version { size: piece.size, pieces: Some(vec![piece]), etag, shown, checksum: Some(checksum), ..Version::default() })
}

/// Which bytes of a version a request wants: the first, how many, and whether these are not all.
fn wanted(input: &Value, version: &Version) -> Result<(u64, u64, bool), ApiError> {
    let size = version.size;
    if let Some(number) = input.get("PartNumber").and_then(Value::as_u64) {
        let pieces = if version.in_parts { version.pieces().len() as u64 } else { 1 };
        if !(1..=pieces).contains(&number) {
            return Err(ApiError::new("InvalidPartNumber", 416, "The requested partnumber is not satisfiable"));
        }
        if !version.in_parts {
            return Ok((0, size, true));
        }
        let before = usize::try_from(number - 1).unwrap_or(usize::MAX);
        let from = version.pieces().iter().take(before).map(|piece| piece.size).sum();
        let length = version.pieces().get(before).map_or(0, |piece| piece.size);
        return Ok((from, length, true));
    }
    let range = text(input, "Range").map(|range| conditions::range(range, size)).transpose()?.flatten();
    Ok(range.map_or((0, size, false), |(from, length)| (from, length, true)))
}

/// GetObject, and without the body HeadObject.
pub fn get(s3: &S3, input: &Value, with_body: bool) -> Result<Reply, ApiError> {
    let mut tries = 0;
    loop {
        let (version, versioned) = s3.tables(|tables| {
            let version = object::read(tables, named(input), key(input), text(input, "VersionId"))?;
            Ok((version, find(tables, input)?.versioning.is_some()))
        })?;
        conditions::read(input, "", &version)?;
        let (from, length, is_part) = wanted(input, &version)?;
        let mut body = described(input, &version, versioned);
        if is_part {
            let last = (from + length).saturating_sub(1);
            body.insert("ContentRange".into(), json!(format!("bytes {from}-{last}/{}", version.size)));
        } else if text(input, "ChecksumMode") == Some("ENABLED") {
            body.extend(version.checksum.iter().flat_map(Checksum::shown));
        }
        let status = is_part.then_some(206);
        if !with_body {
            body.insert("ContentLength".into(), json!(length));
            return Ok(Reply { body: Value::Object(body), raw: None, status });
        }
        match s3.data.read(version.pieces(), from, length) {
            Ok(bytes) => return Ok(Reply { body: Value::Object(body), raw: Some(bytes), status }),
            // Replaced or deleted meanwhile: what is there now counts.
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 5 => tries += 1,
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

fn described(input: &Value, version: &Version, versioned: bool) -> Map<String, Value> {
    let mut body = version.shown.clone();
    if version.class() == "STANDARD" {
        body.remove("StorageClass");
    }
    for member in REPLACED {
        body.extend(input.get(format!("Response{member}")).map(|value| (member.to_owned(), value.clone())));
    }
    body.insert("ETag".into(), json!(version.etag));
    body.insert("LastModified".into(), clock::seconds(version.modified));
    body.insert("AcceptRanges".into(), json!("bytes"));
    if versioned {
        body.insert("VersionId".into(), json!(version.id));
    }
    if version.in_parts && input.get("PartNumber").is_some() {
        body.insert("PartsCount".into(), json!(version.pieces().len()));
    }
    body
}

/// What a copy reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version, if it is not the newest.
    pub version: Option<String>,
}

/// Reads `BUCKET/KEY?versionId=ID`, in the encoding of addresses.
pub fn source(text: &str) -> Option<Source> {
    let (path, version) = match text.split_once("?versionId=") {
        Some((path, version)) => (path, Some(decode(version))),
        None => (text, None),
    };
    let path = decode(path);
    let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/')?;
    (!key.is_empty()).then(|| Source { bucket: bucket.to_owned(), key: key.to_owned(), version })
}

/// The bytes of a copy's source, or a part of them, and the version that they are.
pub fn read_source(s3: &S3, input: &Value, part: Option<&str>) -> Result<(Source, Version, Bytes), ApiError> {
    let from = text(input, "CopySource").and_then(source);
    let from = from.ok_or_else(|| argument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey"))?;
    let version = s3.tables(|tables| object::read(tables, &from.bucket, &from.key, from.version.as_deref()))?;
    conditions::read(input, "CopySource", &version)?;
    let (start, length) = match part {
        None => (0, version.size),
        Some(range) => {
            let found = conditions::range(range, version.size)?;
            let inside = |(start, length): &(u64, u64)| range == format!("bytes={start}-{}", start + length - 1);
            found
                .filter(inside)
                .ok_or_else(|| argument("The x-amz-copy-source-range value must be of the form bytes=first-last"))?
        }
    };
    let bytes = s3.data.read(version.pieces(), start, length).map_err(|error| unreadable(&error))?;
    Ok((from, version, bytes))
}

/// CopyObject.
pub fn copy(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    bounded(input)?;
    s3.tables(|tables| find(tables, input).map(|_| ()))?;
    let replaces = text(input, "MetadataDirective") == Some("REPLACE");
    let (from, version, bytes) = read_source(s3, input, None)?;
    let changes =
        ["StorageClass", "ServerSideEncryption", "WebsiteRedirectLocation"].iter().any(|name| input.get(name).is_some());
    if from.bucket == named(input) && from.key == key(input) && from.version.is_none() && !replaces && !changes {
        return Err(request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, \
             storage class, website redirect location or encryption attributes.",
        ));
    }
    let mut shown = object::shown(input);
    if !replaces {
        // Neither where it lies nor how it is encrypted is copied.
        let kept = version
            .shown
            .iter()
            .filter(|(name, _)| !["StorageClass", "ServerSideEncryption", "SSEKMSKeyId"].contains(&name.as_str()));
        shown.remove("Metadata");
        shown.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    }
    let had = version.checksum.as_ref().map(|checksum| checksum.algorithm.as_str());
    let algorithm = text(input, "ChecksumAlgorithm").or(had).unwrap_or(checksums::USUAL);
    let checksum = Checksum::full(algorithm, checksums::of(algorithm, &bytes)?);
    let copied = whole(s3, &bytes, checksum, shown)?;
    let mut result = add(s3, input, copied, |current| conditions::write(input, current))?;
    let fields = result.as_object_mut().map(std::mem::take).unwrap_or_default();
    let inside = |name: &str| name == "ETag" || name.starts_with("Checksum");
    let (mut inner, mut outer): (Map<_, _>, Map<_, _>) = fields.into_iter().partition(|(name, _)| inside(name));
    inner.insert("LastModified".into(), clock::seconds(clock::now_ms()));
    outer.insert("CopyObjectResult".into(), Value::Object(inner));
    Ok(Value::Object(outer))
}

/// Deletes one key, or one version of it; the members of the answer, and the files that nobody names any more.
fn delete_one(tables: &mut Tables, bucket: &Value, one: &Value) -> Result<(Map<String, Value>, Vec<Piece>), ApiError> {
    let (bucket, key) = (named(bucket), key(one));
    let versioning = find(tables, &json!({"Bucket": bucket}))?.versioning.clone();
    let current = object::of(tables, bucket, key).and_then(object::Object::current);
    match (text(one, "IfMatch").or_else(|| text(one, "ETag")), current) {
        (Some(_), None) => return Err(no_key()),
        (Some(tag), Some(current)) => conditions::read(&json!({"IfMatch": tag}), "", current)?,
        (None, _) => {}
    }
    let mut answer = Map::new();
    if let Some(id) = text(one, "VersionId") {
        let (was_marker, gone) = object::remove(tables, bucket, key, id)?.unwrap_or_default();
        answer.insert("VersionId".into(), json!(id));
        if was_marker {
            answer.insert("DeleteMarker".into(), json!(true));
        }
        return Ok((answer, gone));
    }
    if versioning.is_none() {
        let gone = object::remove(tables, bucket, key, NULL)?.map(|(_, gone)| gone);
        return Ok((answer, gone.unwrap_or_default()));
    }
    let (marker, gone) = object::put(tables, &json!({"Bucket": bucket, "Key": key}), Version::default(), |_| Ok(()))?;
    answer.insert("DeleteMarker".into(), json!(true));
    answer.extend(marker.get("VersionId").map(|id| ("VersionId".to_owned(), id.clone())));
    Ok((answer, gone))
}

/// DeleteObject; one that is not there is no error.
pub fn delete(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let (answer, gone) = s3.tables(|tables| delete_one(tables, input, input))?;
    s3.data.forget(&gone);
    Ok(Value::Object(answer))
}

/// DeleteObjects: up to 1000, each with an outcome of its own.
pub fn delete_many(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let asked = input.get("Delete").unwrap_or(&Value::Null);
    let wanted: Vec<&Value> = list(asked, "Objects").collect();
    if !(1..=1000).contains(&wanted.len()) {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(ApiError::bad("MalformedXML", message));
    }
    s3.tables(|tables| find(tables, input).map(|_| ()))?;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for one in wanted {
        let mut row = Map::new();
        row.insert("Key".into(), json!(key(one)));
        let id = text(one, "VersionId").map(|id| ("VersionId".to_owned(), json!(id)));
        row.extend(id.clone());
        match s3.tables(|tables| delete_one(tables, input, one)) {
            Ok((answer, gone)) => {
                s3.data.forget(&gone);
                let marked = answer.get("DeleteMarker").is_some();
                let marker = answer.get("VersionId").filter(|_| marked).cloned();
                row.extend(marker.map(|id| ("DeleteMarkerVersionId".to_owned(), id)));
                row.extend(marked.then(|| ("DeleteMarker".to_owned(), json!(true))));
                deleted.push(Value::Object(row));
            }
            Err(error) => {
                let error = super::refusals::worded(error);
                row.extend([("Code".to_owned(), json!(error.code)), ("Message".to_owned(), json!(error.message))]);
                errors.push(Value::Object(row));
            }
        }
    }
    let mut answer = Map::new();
    if !on(asked, "Quiet") && !deleted.is_empty() {
        answer.insert("Deleted".into(), Value::Array(deleted));
    }
    if !errors.is_empty() {
        answer.insert("Errors".into(), Value::Array(errors));
    }
    Ok(Value::Object(answer))
}

/// Refuses an object of more bytes than the lab takes.
pub fn fits(size: u64) -> Result<(), ApiError> {
    if size > LARGEST_OBJECT { Err(too_large(LARGEST_OBJECT)) } else { Ok(()) }
}
