//! ListObjects, ListObjectsV2 and ListObjectVersions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as TOKEN;
use serde_json::{Map, Value, json};

use super::buckets::{find, named, owner};
use super::object::{Object, Version, under};
use super::refusals::{argument, not_served};
use super::{S3, Tables};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{on, text};

/// The most rows of a page.
const MOST: usize = 1000;

/// What a list is asked for.
struct Asked<'a> {
    input: &'a Value,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    /// The rows of a page.
    most: usize,
}

impl<'a> Asked<'a> {
    fn new(input: &'a Value) -> Result<Asked<'a>, ApiError> {
        let given = input.get("MaxKeys").and_then(Value::as_i64);
        let given = given.map(usize::try_from).transpose();
        let most = given.map_err(|_| argument("Argument maxKeys must be an integer between 0 and 2147483647"))?;
        let delimiter = text(input, "Delimiter").filter(|text| !text.is_empty());
        Ok(Asked { input, prefix: text(input, "Prefix").unwrap_or_default(), delimiter, most: most.unwrap_or(MOST).min(MOST) })
    }

    /// A key as it stands in the answer.
    fn written(&self, key: &str) -> Value {
        if text(self.input, "EncodingType") != Some("url") {
            return json!(key);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
        let text: String =
            key.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
        json!(text)
    }

    /// The members that every list repeats.
    fn repeated(&self, truncated: bool, prefixes: &[String]) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("Name".into(), json!(named(self.input)));
        fields.insert("Prefix".into(), self.written(self.prefix));
        fields.insert("MaxKeys".into(), json!(self.most));
        fields.insert("IsTruncated".into(), json!(truncated));
        fields.extend(self.delimiter.map(|text| ("Delimiter".to_owned(), self.written(text))));
        fields.extend(text(self.input, "EncodingType").map(|text| ("EncodingType".to_owned(), json!(text))));
        if !prefixes.is_empty() {
            let rows = prefixes.iter().map(|prefix| json!({"Prefix": self.written(prefix)}));
            fields.insert("CommonPrefixes".into(), rows.collect());
        }
        fields
    }

    /// What stands for all keys that go on alike up to the delimiter.
    fn common<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let rest = key.get(self.prefix.len()..)?;
        key.get(..self.prefix.len() + rest.find(delimiter)? + delimiter.len())
    }

    /// The page after a key or a common prefix: objects, common prefixes, and the last row if there are more.
    fn page<'t>(&self, tables: &'t Tables, after: &str) -> (Vec<(&'t Object, &'t Version)>, Vec<String>, Option<String>) {
        let (mut rows, mut prefixes) = (Vec::new(), Vec::<String>::new());
        let mut last = String::new();
        for object in under(tables, named(self.input), self.prefix) {
            let Some(version) = object.current() else { continue };
            let common = self.common(&object.key);
            let row = common.unwrap_or(&object.key);
            // A page that ended with a common prefix ended with all that it stands for.
            if object.key.as_str() <= after || (common.is_some() && row == after) || (common.is_some() && row == last) {
                continue;
            }
            if rows.len() + prefixes.len() >= self.most {
                // Whoever wants no rows gets none, and no end of them.
                return (rows, prefixes, Some(last).filter(|last| !last.is_empty()));
            }
            row.clone_into(&mut last);
            match common {
                Some(prefix) => prefixes.push(prefix.to_owned()),
                None => rows.push((object, version)),
            }
        }
        (rows, prefixes, None)
    }

    fn contents(&self, rows: &[(&Object, &Version)], owner: Option<&Value>) -> Option<(String, Value)> {
        let row = |(object, version): &(&Object, &Version)| {
            let mut row = shown(version);
            row.insert("Key".into(), self.written(&object.key));
            row.extend(owner.map(|owner| ("Owner".to_owned(), owner.clone())));
            Value::Object(row)
        };
        (!rows.is_empty()).then(|| ("Contents".to_owned(), rows.iter().map(row).collect()))
    }
}

fn shown(version: &Version) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("LastModified".into(), clock::seconds(version.modified));
    if version.is_marker() {
        return row;
    }
    row.insert("ETag".into(), json!(version.etag));
    row.insert("Size".into(), json!(version.size));
    row.insert("StorageClass".into(), json!(version.class()));
    if let Some(checksum) = &version.checksum {
        row.insert("ChecksumAlgorithm".into(), json!([checksum.algorithm]));
        row.insert("ChecksumType".into(), json!(checksum.kind));
    }
    row
}

/// ListObjects.
pub fn first(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let asked = Asked::new(input)?;
    let marker = text(input, "Marker").unwrap_or_default();
    s3.tables(|tables| {
        find(tables, input)?;
        let (rows, prefixes, more) = asked.page(tables, marker);
        let mut answer = asked.repeated(more.is_some(), &prefixes);
        answer.insert("Marker".into(), asked.written(marker));
        answer.extend(asked.contents(&rows, Some(&owner(&s3.site.place))));
        // Without a delimiter the last key is the next marker.
        let next = more.filter(|_| asked.delimiter.is_some());
        answer.extend(next.map(|last| ("NextMarker".to_owned(), asked.written(&last))));
        Ok(Value::Object(answer))
    })
}

/// ListObjectsV2.
pub fn second(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let asked = Asked::new(input)?;
    let token = text(input, "ContinuationToken");
    let decoded = token.map(|token| TOKEN.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()));
    let decoded =
        decoded.map(|after| after.ok_or_else(|| argument("The continuation token provided is incorrect"))).transpose()?;
    let start = text(input, "StartAfter");
    let after = decoded.as_deref().or(start).unwrap_or_default();
    s3.tables(|tables| {
        find(tables, input)?;
        let (rows, prefixes, more) = asked.page(tables, after);
        let mut answer = asked.repeated(more.is_some(), &prefixes);
        answer.insert("KeyCount".into(), json!(rows.len() + prefixes.len()));
        answer.extend(token.map(|token| ("ContinuationToken".to_owned(), json!(token))));
        answer.extend(start.map(|start| ("StartAfter".to_owned(), asked.written(start))));
        let owner = on(input, "FetchOwner").then(|| owner(&s3.site.place));
        answer.extend(asked.contents(&rows, owner.as_ref()));
        answer.extend(more.map(|last| ("NextContinuationToken".to_owned(), json!(TOKEN.encode(last)))));
        Ok(Value::Object(answer))
    })
}

/// ListObjectVersions.
pub fn versions(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let asked = Asked::new(input)?;
    if asked.delimiter.is_some() {
        return Err(not_served("Delimiter of ListObjectVersions"));
    }
    let (after, after_id) = (text(input, "KeyMarker").unwrap_or_default(), text(input, "VersionIdMarker"));
    let owner = owner(&s3.site.place);
    s3.tables(|tables| {
        find(tables, input)?;
        let mut rows: Vec<(&Object, usize, &Version)> = Vec::new();
        for object in under(tables, named(input), asked.prefix).filter(|object| object.key.as_str() >= after) {
            let ids = object.versions.iter().position(|version| Some(version.id.as_str()) == after_id);
            let skipped = match ids {
                _ if object.key != after || after.is_empty() => 0,
                Some(at) => at + 1,
                None => object.versions.len(),
            };
            rows.extend(object.versions.iter().enumerate().skip(skipped).map(|(at, version)| (object, at, version)));
            if rows.len() > asked.most {
                break;
            }
        }
        let truncated = rows.len() > asked.most && asked.most > 0;
        rows.truncate(asked.most);
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for (object, at, version) in &rows {
            let mut row = shown(version);
            row.insert("Key".into(), asked.written(&object.key));
            row.insert("VersionId".into(), json!(version.id));
            row.insert("IsLatest".into(), json!(*at == 0));
            row.insert("Owner".into(), owner.clone());
            if version.is_marker() { &mut markers } else { &mut versions }.push(Value::Object(row));
        }
        let mut answer = asked.repeated(truncated, &[]);
        answer.insert("KeyMarker".into(), asked.written(after));
        answer.insert("VersionIdMarker".into(), json!(after_id.unwrap_or_default()));
        if let (true, Some((object, _, version))) = (truncated, rows.last()) {
            answer.insert("NextKeyMarker".into(), asked.written(&object.key));
            answer.insert("NextVersionIdMarker".into(), json!(version.id));
        }
        answer.insert("Versions".into(), Value::Array(versions));
        answer.insert("DeleteMarkers".into(), Value::Array(markers));
        Ok(Value::Object(answer))
    })
}
