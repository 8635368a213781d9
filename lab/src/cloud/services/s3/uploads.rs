//! Uploads in parts. A part is a file; completing an upload gives the files to an object, in one write of its row.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::buckets::{find, named, owner};
use super::checksums::{self, Checksum, Sum};
use super::data::Piece;
use super::object::{self, Version};
use super::objects::{bounded, fits, read_source, unreadable};
use super::refusals::{argument, no_upload, not_served, request};
use super::{S3, Tables, conditions};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{list as items, text};
use crate::cloud::state::Row;

/// Parts have numbers up to this.
const MOST_PARTS: u64 = 10_000;
/// The least bytes of a part that is not the last.
const LEAST: u64 = 5 << 20;

/// An upload that is not completed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The bucket.
    pub bucket: String,
    key: String,
    begun: i64,
    shown: Map<String, Value>,
    /// The algorithm that was asked for.
    algorithm: Option<String>,
    /// `FULL_OBJECT` or `COMPOSITE`.
    kind: String,
    parts: BTreeMap<u64, Part>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    piece: Piece,
    etag: String,
    checksum: Checksum,
    modified: i64,
}

impl Row for Upload {
    const TABLE: &'static str = "uploads";

    #[expect(clippy::misnamed_getters, reason = "a row's key in its table is not the object's in its bucket")]
    fn key(&self) -> &str {
        &self.id
    }
}

impl Upload {
    /// Its files.
    pub fn pieces(&self) -> Vec<Piece> {
        self.parts.values().map(|part| part.piece.clone()).collect()
    }

    /// The names of its files.
    pub fn files(&self) -> impl Iterator<Item = String> {
        self.parts.values().map(|part| part.piece.name.clone())
    }

    fn algorithm(&self) -> &str {
        self.algorithm.as_deref().unwrap_or(checksums::USUAL)
    }
}

/// The upload that a request names.
fn upload<'t>(tables: &'t Tables, input: &Value) -> Result<&'t Upload, ApiError> {
    find(tables, input)?;
    let found = tables.uploads.get(text(input, "UploadId").unwrap_or_default());
    found.filter(|one| one.bucket == named(input) && Some(one.key.as_str()) == text(input, "Key")).ok_or_else(no_upload)
}

/// CreateMultipartUpload.
pub fn create(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    bounded(input)?;
    let algorithm = text(input, "ChecksumAlgorithm").map(str::to_owned);
    Sum::new(algorithm.as_deref().unwrap_or(checksums::USUAL))?;
    let whole = algorithm.as_deref().is_none_or(|algorithm| algorithm == checksums::USUAL);
    let kind = text(input, "ChecksumType").unwrap_or(if whole { "FULL_OBJECT" } else { "COMPOSITE" });
    let hashes = algorithm.as_deref().is_some_and(|algorithm| algorithm.starts_with("SHA"));
    if (hashes && kind == "FULL_OBJECT") || (whole && kind == "COMPOSITE") {
        let algorithm = algorithm.as_deref().unwrap_or(checksums::USUAL).to_lowercase();
        return Err(request(format!("The {kind} checksum type cannot be used with the {algorithm} checksum algorithm.")));
    }
    let upload = Upload {
        id: clock::id().replace('-', ""),
        bucket: named(input).to_owned(),
        key: text(input, "Key").unwrap_or_default().to_owned(),
        begun: clock::now_ms(),
        shown: object::shown(input),
        algorithm,
        kind: kind.to_owned(),
        parts: BTreeMap::new(),
    };
    let mut answer = json!({"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id});
    if let Some(fields) = answer.as_object_mut() {
        fields.extend(upload.shown.get("ServerSideEncryption").map(|value| ("ServerSideEncryption".to_owned(), value.clone())));
        if let Some(algorithm) = &upload.algorithm {
            fields.insert("ChecksumAlgorithm".into(), json!(algorithm));
            fields.insert("ChecksumType".into(), json!(upload.kind));
        }
    }
    s3.tables(|tables| {
        find(tables, input)?;
        tables.uploads.put(upload)
    })?;
    Ok(answer)
}

/// Keeps a part in place of one of the same number.
fn keep(s3: &S3, input: &Value, body: &[u8]) -> Result<Part, ApiError> {
    let number = input.get("PartNumber").and_then(Value::as_u64).unwrap_or_default();
    if !(1..=MOST_PARTS).contains(&number) {
        return Err(argument("Part number must be an integer between 1 and 10000, inclusive"));
    }
    let algorithm = s3.tables(|tables| upload(tables, input).map(|upload| upload.algorithm.clone()))?;
    let sent = checksums::given(input)?.map(|(algorithm, _)| algorithm);
    if let (Some(wanted), Some(sent)) = (algorithm.as_deref(), sent.filter(|sent| Some(*sent) != algorithm.as_deref())) {
        return Err(request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {wanted}, actual checksum Type: {sent}"
        )));
    }
    let mut checksum = checksums::verified(input, body, algorithm.as_deref().unwrap_or(checksums::USUAL))?;
    if algorithm.is_none() && checksum.algorithm != checksums::USUAL {
        checksum = Checksum::full(checksums::USUAL, checksums::of(checksums::USUAL, body)?);
    }
    let etag = format!("\"{}\"", checksums::md5(body));
    let part = Part { piece: s3.data.keep(body)?, etag, checksum, modified: clock::now_ms() };
    let kept = s3.tables(|tables| {
        let id = upload(tables, input)?.id.clone();
        let changed = tables.uploads.change(&id, |upload| Ok(upload.parts.insert(number, part.clone())));
        changed.unwrap_or_else(|| Err(no_upload()))
    });
    match kept {
        Ok(old) => s3.data.forget(old.iter().map(|old| &old.piece)),
        Err(error) => {
            s3.data.forget([&part.piece]);
            return Err(error);
        }
    }
    Ok(part)
}

/// UploadPart.
pub fn part(s3: &S3, input: &Value, body: &Bytes) -> Result<Value, ApiError> {
    let part = keep(s3, input, body)?;
    let mut answer = json!({"ETag": part.etag});
    if let Some(fields) = answer.as_object_mut() {
        // What the client sent, if it did, else what the upload has.
        let sent = checksums::given(input)?.map(|(algorithm, value)| Checksum::full(algorithm, value.to_owned()));
        let [(name, value), _] = sent.unwrap_or(part.checksum).shown();
        fields.insert(name, value);
    }
    Ok(answer)
}

/// UploadPartCopy.
pub fn part_copy(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    s3.tables(|tables| upload(tables, input).map(|_| ()))?;
    let (_, _, bytes) = read_source(s3, input, text(input, "CopySourceRange"))?;
    let part = keep(s3, input, &bytes)?;
    let [(name, value), _] = part.checksum.shown();
    Ok(json!({"CopyPartResult": {"ETag": part.etag, "LastModified": clock::seconds(part.modified), name: value}}))
}

/// The parts that a request lists, in their order.
fn chosen(upload: &Upload, input: &Value) -> Result<Vec<Part>, ApiError> {
    let asked = input.get("MultipartUpload").unwrap_or(&Value::Null);
    let mut parts: Vec<Part> = Vec::new();
    let mut last = 0;
    for row in items(asked, "Parts") {
        let number = row.get("PartNumber").and_then(Value::as_u64).unwrap_or_default();
        if number <= last {
            let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(ApiError::bad("InvalidPartOrder", message));
        }
        last = number;
        let named = text(row, "ETag").unwrap_or_default().trim_matches('"');
        let part = upload.parts.get(&number).filter(|part| part.etag.trim_matches('"') == named);
        let part = part.filter(|part| {
            text(row, &format!("Checksum{}", part.checksum.algorithm)).is_none_or(|value| value == part.checksum.value)
        });
        let part = part.ok_or_else(|| {
            let message = "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
                           specified entity tag may not match the part's entity tag.";
            ApiError::bad("InvalidPart", message)
        })?;
        parts.push(part.clone());
    }
    let Some((_, others)) = parts.split_last() else {
        return Err(ApiError::bad("MalformedXML", "You must specify at least one part"));
    };
    if others.iter().any(|part| part.piece.size < LEAST) {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(ApiError::bad("EntityTooSmall", message));
    }
    Ok(parts)
}

/// The checksum of a completed object.
fn checksum(s3: &S3, upload: &Upload, parts: &[Part]) -> Result<Checksum, ApiError> {
    let algorithm = upload.algorithm();
    let decoded = |value: &str| STANDARD.decode(value).unwrap_or_default();
    if upload.kind == "COMPOSITE" {
        let all: Vec<u8> = parts.iter().flat_map(|part| decoded(&part.checksum.value)).collect();
        let value = format!("{}-{}", checksums::of(algorithm, &all)?, parts.len());
        return Ok(Checksum { algorithm: algorithm.to_owned(), value, kind: "COMPOSITE".to_owned() });
    }
    let mut sum = Sum::new(algorithm)?;
    let pieces: Vec<Piece> = parts.iter().map(|part| part.piece.clone()).collect();
    s3.data.each(&pieces, 0, u64::MAX, |bytes| sum.add(bytes)).map_err(|error| unreadable(&error))?;
    Ok(Checksum::full(algorithm, sum.end()))
}

/// CompleteMultipartUpload.
pub fn complete(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let begun = s3.tables(|tables| upload(tables, input).cloned())?;
    let parts = chosen(&begun, input)?;
    let size = parts.iter().map(|part| part.piece.size).sum();
    fits(size)?;
    if input.get("MpuObjectSize").and_then(Value::as_u64).is_some_and(|said| said != size) {
        return Err(request("The provided 'x-amz-mp-object-size' header does not match what was computed."));
    }
    let checksum = checksum(s3, &begun, &parts)?;
    if let Some((algorithm, value)) = checksums::given(input)? {
        // Some clients leave the count out.
        let bare = checksum.value.split('-').next().unwrap_or_default();
        let meant = if value.contains('-') { checksum.value.as_str() } else { bare };
        checksums::matches((algorithm == checksum.algorithm).then_some((algorithm, value)), meant)?;
    }
    let digests: Vec<u8> = parts.iter().flat_map(|part| hex(part.etag.trim_matches('"'))).collect();
    let version = Version {
        pieces: Some(parts.iter().map(|part| part.piece.clone()).collect()),
        size,
        etag: format!("\"{}-{}\"", checksums::md5(&digests), parts.len()),
        shown: begun.shown.clone(),
        checksum: Some(checksum),
        in_parts: true,
        ..Version::default()
    };
    let (mut answer, gone) = s3.tables(|tables| {
        // What was replaced meanwhile is not what was summed up.
        if chosen(upload(tables, input)?, input)? != parts {
            return Err(no_upload());
        }
        let (answer, mut gone) = object::put(tables, input, version, |current| conditions::write(input, current))?;
        let left = tables.uploads.remove(&begun.id).ok().flatten();
        let used = |piece: &Piece| parts.iter().any(|part| part.piece == *piece);
        gone.extend(left.iter().flat_map(Upload::pieces).filter(|piece| !used(piece)));
        Ok((answer, gone))
    })?;
    s3.data.forget(&gone);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("Bucket".into(), json!(begun.bucket));
        fields.insert("Key".into(), json!(begun.key));
        fields.insert("Location".into(), json!(format!("{}/{}/{}", s3.site.endpoint(), begun.bucket, begun.key)));
    }
    Ok(answer)
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// AbortMultipartUpload.
pub fn abort(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let gone = s3.tables(|tables| {
        let id = upload(tables, input)?.id.clone();
        tables.uploads.remove(&id)
    })?;
    s3.data.forget(&gone.map(|upload| upload.pieces()).unwrap_or_default());
    Ok(Value::Null)
}

/// ListParts.
pub fn list_parts(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let upload = s3.tables(|tables| upload(tables, input).cloned())?;
    let after = text(input, "PartNumberMarker").and_then(|text| text.parse().ok());
    let after: u64 = after.or_else(|| input.get("PartNumberMarker").and_then(Value::as_u64)).unwrap_or(0);
    let most = input.get("MaxParts").and_then(Value::as_u64).unwrap_or(1000).min(1000);
    let row = |(number, part): (&u64, &Part)| {
        let [(name, value), _] = part.checksum.shown();
        json!({"PartNumber": number, "ETag": part.etag, "Size": part.piece.size, "LastModified": clock::seconds(part.modified), name: value})
    };
    let most = usize::try_from(most).unwrap_or(1000);
    let mut rows = upload.parts.range(after + 1..);
    let parts: Vec<Value> = rows.by_ref().take(most).map(row).collect();
    let last = parts.last().and_then(|part| part.get("PartNumber")).cloned();
    let who = owner(&s3.site.place);
    let mut answer = json!({
        "Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id, "PartNumberMarker": after, "MaxParts": most,
        "IsTruncated": rows.next().is_some(), "Parts": parts, "StorageClass": upload.shown.get("StorageClass").unwrap_or(&json!("STANDARD")),
        "Owner": who, "Initiator": who,
    });
    if let (Some(fields), Some(last)) = (answer.as_object_mut(), last) {
        fields.insert("NextPartNumberMarker".into(), last);
    }
    Ok(answer)
}

/// ListMultipartUploads.
pub fn list(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    for member in ["Delimiter", "KeyMarker", "UploadIdMarker"] {
        if text(input, member).is_some_and(|text| !text.is_empty()) {
            return Err(not_served(&format!("{member} of ListMultipartUploads")));
        }
    }
    let prefix = text(input, "Prefix").unwrap_or_default();
    let who = owner(&s3.site.place);
    let mut open = s3.tables(|tables| {
        find(tables, input)?;
        let fitting = |one: &&Upload| one.bucket == named(input) && one.key.starts_with(prefix);
        Ok::<_, ApiError>(tables.uploads.values().filter(fitting).cloned().collect::<Vec<_>>())
    })?;
    open.sort_by(|one, other| (&one.key, one.begun).cmp(&(&other.key, other.begun)));
    let row = |one: &Upload| {
        json!({"UploadId": one.id, "Key": one.key, "Initiated": clock::seconds(one.begun), "StorageClass": "STANDARD", "Owner": who,
            "Initiator": who})
    };
    let rows: Vec<Value> = open.iter().map(row).collect();
    Ok(json!({"Bucket": named(input), "Prefix": prefix, "MaxUploads": 1000, "IsTruncated": false, "Uploads": rows}))
}
