//! Buckets: what is kept of them, and their operations.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::object::under;
use super::refusals::{argument, no_bucket, not_served};
use super::{S3, Tables};
use crate::cloud::call::{ApiError, Reply};
use crate::cloud::clock;
use crate::cloud::lab::Place;
use crate::cloud::services::members::{text, with};
use crate::cloud::state::Row;

/// A bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// `Enabled` or `Suspended`, once somebody has said so.
    pub versioning: Option<String>,
    created: i64,
}

impl Row for Bucket {
    const TABLE: &'static str = "buckets";

    fn key(&self) -> &str {
        &self.name
    }
}

/// The name that a request gives.
pub fn named(input: &Value) -> &str {
    text(input, "Bucket").unwrap_or_default()
}

/// The bucket that a request names.
pub fn find<'t>(tables: &'t Tables, input: &Value) -> Result<&'t Bucket, ApiError> {
    tables.buckets.get(named(input)).ok_or_else(no_bucket)
}

/// Who owns everything: an account's canonical user.
pub fn owner(place: &Place) -> Value {
    let id: String = Sha256::digest(&place.account).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"ID": id})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_name(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let ends = name.bytes().next().into_iter().chain(name.bytes().last()).all(|byte| byte.is_ascii_alphanumeric());
    let starts = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|start| name.starts_with(start));
    let closes = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|end| name.ends_with(end));
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    (3..=63).contains(&name.len()) && letters && ends && !name.contains("..") && !is_address && !starts && !closes
}

/// CreateBucket.
pub fn create(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let (name, region) = (named(input), s3.site.place.region.as_str());
    if !is_name(name) {
        return Err(ApiError::bad("InvalidBucketName", "The specified bucket is not valid."));
    }
    let asked = input.get("CreateBucketConfiguration").unwrap_or(&Value::Null);
    if let Some(member) = ["Location", "Bucket", "Tags"].iter().find(|member| asked.get(**member).is_some()) {
        return Err(not_served(member));
    }
    // The oldest region has no constraint, and takes none of its own name.
    let place = text(asked, "LocationConstraint").unwrap_or("unspecified");
    let expected = if region == "us-east-1" { "unspecified" } else { region };
    if place != expected {
        let message =
            format!("The {place} location constraint is incompatible for the region specific endpoint this request was sent to.");
        return Err(ApiError::bad("IllegalLocationConstraintException", message));
    }
    s3.tables(|tables| match tables.buckets.get(name) {
        Some(_) if region == "us-east-1" => Ok(()),
        Some(_) => {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            Err(ApiError::new("BucketAlreadyOwnedByYou", 409, message))
        }
        None => tables.buckets.put(Bucket { name: name.to_owned(), versioning: None, created: clock::now_ms() }),
    })?;
    Ok(json!({"Location": format!("/{name}"), "BucketArn": format!("arn:aws:s3:::{name}")}))
}

/// HeadBucket.
pub fn head(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    s3.tables(|tables| find(tables, input).map(|_| ()))?;
    Ok(json!({"BucketRegion": s3.site.place.region}))
}

/// ListBuckets.
pub fn list(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let (prefix, after) = (text(input, "Prefix").unwrap_or_default(), text(input, "ContinuationToken").unwrap_or_default());
    let region = s3.site.place.region.as_str();
    let most = input.get("MaxBuckets").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok()).unwrap_or(10_000);
    let elsewhere = text(input, "BucketRegion").is_some_and(|wanted| wanted != region);
    let mut rows: Vec<Value> = s3.tables(|tables| {
        let fitting = |bucket: &&Bucket| bucket.name.starts_with(prefix) && bucket.name.as_str() > after && !elsewhere;
        let row = |bucket: &Bucket| {
            json!({"Name": bucket.name, "CreationDate": clock::seconds(bucket.created), "BucketRegion": region,
                "BucketArn": format!("arn:aws:s3:::{}", bucket.name)})
        };
        tables.buckets.values().filter(fitting).map(row).collect()
    });
    let more = rows.len() > most;
    rows.truncate(most);
    let last = rows.last().and_then(|row| text(row, "Name")).map(str::to_owned).filter(|_| more);
    Ok(with(json!({"Buckets": rows, "Owner": owner(&s3.site.place)}), "ContinuationToken", last))
}

/// DeleteBucket: refused while anything is in it; uploads that were never completed end with it.
pub fn delete(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let name = named(input);
    let gone = s3.tables(|tables| {
        find(tables, input)?;
        if under(tables, name, "").next().is_some() {
            return Err(ApiError::new("BucketNotEmpty", 409, "The bucket you tried to delete is not empty"));
        }
        let open: Vec<String> = tables.uploads.values().filter(|one| one.bucket == name).map(|one| one.id.clone()).collect();
        let mut gone = Vec::new();
        for id in open {
            gone.extend(tables.uploads.remove(&id)?.into_iter().flat_map(|upload| upload.pieces()));
        }
        tables.buckets.remove(name)?;
        Ok(gone)
    })?;
    s3.data.forget(&gone);
    Ok(Value::Null)
}

/// GetBucketLocation, whose answer is one element that no model describes.
pub fn location(s3: &S3, input: &Value) -> Result<Reply, ApiError> {
    s3.tables(|tables| find(tables, input).map(|_| ()))?;
    let region = s3.site.place.region.as_str();
    let region = if region == "us-east-1" { "" } else { region };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{region}</LocationConstraint>"
    );
    Ok(Reply { raw: Some(text.into()), ..Reply::default() })
}

/// GetBucketVersioning.
pub fn versioning(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let status = s3.tables(|tables| find(tables, input).map(|bucket| bucket.versioning.clone()))?;
    Ok(with(json!({}), "Status", status))
}

/// PutBucketVersioning.
pub fn put_versioning(s3: &S3, input: &Value) -> Result<Value, ApiError> {
    let asked = input.get("VersioningConfiguration").unwrap_or(&Value::Null);
    let status = text(asked, "Status").ok_or_else(|| argument("The Versioning element must be specified"))?;
    if text(asked, "MFADelete") == Some("Enabled") {
        return Err(not_served("MFADelete"));
    }
    s3.tables(|tables| {
        let changed = tables.buckets.change(named(input), |bucket| {
            bucket.versioning = Some(status.to_owned());
            Ok(())
        });
        changed.unwrap_or_else(|| Err(no_bucket()))
    })?;
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_what_s3_takes() {
        assert!(["abc", "a.b-c", "1ab", "my-bucket.example.com"].into_iter().all(is_name));
        let long = "a".repeat(64);
        for name in ["ab", &long, "Abc", "a_b", "-ab", "ab-", "a..b", "10.0.0.1", "xn--abc", "abc--x-s3", ""] {
            assert!(!is_name(name), "{name}");
        }
    }
}
