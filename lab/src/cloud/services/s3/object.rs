//! Objects: what is kept of them, version by version.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::buckets::{find, named};
use super::checksums::Checksum;
use super::data::Piece;
use super::refusals::{no_key, no_version};
use super::{S3, Tables};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::text;
use crate::cloud::state::Row;

/// The id of the version that a bucket without versioning gives.
pub const NULL: &str = "null";

/// Members of a request that are kept and shown under the same names.
const SHOWN: [&str; 11] = [
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
    "StorageClass",
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "Metadata",
];

/// The object of a key: all its versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Object {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    name: String,
    /// Its versions, the newest first; never none.
    pub versions: Vec<Version>,
}

impl Row for Object {
    const TABLE: &'static str = "objects";

    #[expect(clippy::misnamed_getters, reason = "a row's key in its table is not the object's in its bucket")]
    fn key(&self) -> &str {
        &self.name
    }
}

/// One version, which never changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Version {
    /// Its id.
    pub id: String,
    /// Its bytes; none: a delete marker.
    pub pieces: Option<Vec<Piece>>,
    /// How many bytes.
    pub size: u64,
    /// In quotes, as everybody writes it.
    pub etag: String,
    /// When it was put.
    pub modified: i64,
    /// The members that are shown as they came.
    pub shown: Map<String, Value>,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// Whether its pieces were uploaded as parts.
    pub in_parts: bool,
}

impl Version {
    /// Whether it only says that there is no object any more.
    pub fn is_marker(&self) -> bool {
        self.pieces.is_none()
    }

    /// Its files.
    pub fn pieces(&self) -> &[Piece] {
        self.pieces.as_deref().unwrap_or_default()
    }

    /// Its storage class.
    pub fn class(&self) -> &str {
        self.shown.get("StorageClass").and_then(Value::as_str).unwrap_or("STANDARD")
    }
}

impl Object {
    /// The names of its files.
    pub fn files(&self) -> impl Iterator<Item = String> {
        self.versions.iter().flat_map(|version| version.pieces().iter().map(|piece| piece.name.clone()))
    }

    /// What a reader gets who names no version.
    pub fn current(&self) -> Option<&Version> {
        self.versions.first().filter(|version| !version.is_marker())
    }
}

fn row_name(bucket: &str, key: &str) -> String {
    // No bucket's name has a slash.
    format!("{bucket}/{key}")
}

/// The objects of a bucket whose keys begin with a prefix, in the order of their keys.
pub fn under<'t>(tables: &'t Tables, bucket: &str, prefix: &str) -> impl Iterator<Item = &'t Object> {
    let start = row_name(bucket, prefix);
    tables.objects.range(start.clone()..).map(|(_, object)| object).take_while(move |object| object.name.starts_with(&start))
}

/// The object of a key.
pub fn of<'t>(tables: &'t Tables, bucket: &str, key: &str) -> Option<&'t Object> {
    tables.objects.get(&row_name(bucket, key))
}

/// The version that a request reads.
pub fn read(tables: &Tables, bucket: &str, key: &str, id: Option<&str>) -> Result<Version, ApiError> {
    find(tables, &json!({"Bucket": bucket}))?;
    let object = of(tables, bucket, key);
    let Some(id) = id else {
        return object.and_then(Object::current).cloned().ok_or_else(no_key);
    };
    let version = object.and_then(|object| object.versions.iter().find(|version| version.id == id)).ok_or_else(no_version)?;
    if version.is_marker() {
        let message = "The specified method is not allowed against this resource.";
        return Err(ApiError::new("MethodNotAllowed", 405, message));
    }
    Ok(version.clone())
}

/// The members of a request that are shown again.
pub fn shown(input: &Value) -> Map<String, Value> {
    let fields =
        input.as_object().into_iter().flatten().filter(|(name, value)| SHOWN.contains(&name.as_str()) && !value.is_null());
    let mut shown: Map<String, Value> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
    shown.entry("ContentType").or_insert_with(|| json!("binary/octet-stream"));
    shown.entry("ServerSideEncryption").or_insert_with(|| json!("AES256"));
    shown
}

/// Adds a version to a key, if `may` says so of what is there. What it replaces is forgotten, and what could not be kept too.
pub fn add(
    s3: &S3,
    input: &Value,
    version: Version,
    may: impl FnOnce(Option<&Version>) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let new: Vec<Piece> = version.pieces().to_vec();
    match s3.tables(|tables| put(tables, input, version, may)) {
        Ok((answer, old)) => {
            s3.data.forget(&old);
            Ok(answer)
        }
        Err(error) => {
            s3.data.forget(&new);
            Err(error)
        }
    }
}

/// Adds a version to a key; its members in an answer, and the files that nobody names any more.
pub fn put(
    tables: &mut Tables,
    input: &Value,
    mut version: Version,
    may: impl FnOnce(Option<&Version>) -> Result<(), ApiError>,
) -> Result<(Value, Vec<Piece>), ApiError> {
    let (bucket, key) = (named(input), text(input, "Key").unwrap_or_default());
    let versioning = find(tables, input)?.versioning.clone();
    let name = row_name(bucket, key);
    let mut object = tables.objects.get(&name).cloned().unwrap_or_else(|| Object {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        name,
        versions: Vec::new(),
    });
    may(object.current())?;
    version.id = if versioning.as_deref() == Some("Enabled") { clock::id().replace('-', "") } else { NULL.to_owned() };
    version.modified = clock::now_ms();
    let mut old = Vec::new();
    if version.id == NULL {
        object.versions.retain(|had| {
            let stays = had.id != NULL;
            if !stays {
                old.extend_from_slice(had.pieces());
            }
            stays
        });
    }
    let mut answer = Map::new();
    answer.insert("ETag".into(), json!(version.etag));
    answer.extend(versioning.map(|_| ("VersionId".to_owned(), json!(version.id))));
    for member in ["ServerSideEncryption", "SSEKMSKeyId"] {
        answer.extend(version.shown.get(member).map(|value| (member.to_owned(), value.clone())));
    }
    answer.extend(version.checksum.iter().flat_map(Checksum::shown));
    object.versions.insert(0, version);
    tables.objects.put(object)?;
    Ok((Value::Object(answer), old))
}

/// Removes a version of a key, if it is there; whether it was a marker, and its files.
pub fn remove(tables: &mut Tables, bucket: &str, key: &str, id: &str) -> Result<Option<(bool, Vec<Piece>)>, ApiError> {
    let Some(mut object) = of(tables, bucket, key).cloned() else {
        return Ok(None);
    };
    let Some(at) = object.versions.iter().position(|version| version.id == id) else {
        return Ok(None);
    };
    let version = object.versions.remove(at);
    if object.versions.is_empty() {
        tables.objects.remove(&object.name)?;
    } else {
        tables.objects.put(object)?;
    }
    Ok(Some((version.is_marker(), version.pieces().to_vec())))
}
