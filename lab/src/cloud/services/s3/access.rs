//! What requests are about, as ARNs, and what must be allowed for them:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::objects::source;
use crate::cloud::call::Request;
use crate::cloud::call::access::Need;
use crate::cloud::services::members::{list, text};

fn arn(bucket: &str, key: Option<&str>) -> String {
    let key = key.map(|key| format!("/{key}")).unwrap_or_default();
    format!("arn:aws:s3:::{bucket}{key}")
}

/// The object, the objects or the bucket.
pub fn resources(request: &Request) -> Vec<String> {
    let input = &request.input;
    let Some(bucket) = text(input, "Bucket") else {
        return vec!["*".to_owned()];
    };
    let many = input.get("Delete").into_iter().flat_map(|delete| list(delete, "Objects")).filter_map(|one| text(one, "Key"));
    let keys: Vec<&str> = text(input, "Key").into_iter().chain(many).collect();
    if keys.is_empty() { vec![arn(bucket, None)] } else { keys.into_iter().map(|key| arn(bucket, Some(key))).collect() }
}

/// The action; several operations share one.
pub fn action(request: &Request) -> String {
    let versioned = if text(&request.input, "VersionId").is_some() { "Version" } else { "" };
    let action = match request.operation.as_str() {
        "GetObject" | "HeadObject" => format!("GetObject{versioned}"),
        "DeleteObject" | "DeleteObjects" => format!("DeleteObject{versioned}"),
        "PutObject" | "CopyObject" | "CreateMultipartUpload" | "UploadPart" | "UploadPartCopy" | "CompleteMultipartUpload" => {
            "PutObject".to_owned()
        }
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket".to_owned(),
        "ListObjectVersions" => "ListBucketVersions".to_owned(),
        "ListBuckets" => "ListAllMyBuckets".to_owned(),
        "ListParts" => "ListMultipartUploadParts".to_owned(),
        "ListMultipartUploads" => "ListBucketMultipartUploads".to_owned(),
        other => other.to_owned(),
    };
    format!("s3:{action}")
}

/// What must be allowed: a copy reads its source as well.
pub fn needs(request: &Request) -> Vec<Need> {
    let input = &request.input;
    let keys = [("s3:prefix", "Prefix"), ("s3:delimiter", "Delimiter"), ("s3:versionid", "VersionId")];
    let conditions: BTreeMap<String, Vec<String>> =
        keys.iter().filter_map(|(key, member)| Some(((*key).to_owned(), vec![text(input, member)?.to_owned()]))).collect();
    let mut needs = Vec::new();
    if request.operation == "DeleteObjects" {
        // One of a version is another action than one of whatever is the latest.
        for one in input.get("Delete").into_iter().flat_map(|delete| list(delete, "Objects")) {
            let bucket = text(input, "Bucket").unwrap_or_default();
            let one = Request::new("s3", "DeleteObject", with_bucket(one, bucket));
            needs.push(Need { action: action(&one), resources: resources(&one), ..Need::default() });
        }
        return needs;
    }
    needs.push(Need { action: action(request), resources: resources(request), conditions });
    if let Some(from) = text(input, "CopySource").and_then(source) {
        let versioned = if from.version.is_some() { "Version" } else { "" };
        let resources = vec![arn(&from.bucket, Some(&from.key))];
        needs.push(Need { action: format!("s3:GetObject{versioned}"), resources, ..Need::default() });
    }
    needs
}

fn with_bucket(one: &Value, bucket: &str) -> Value {
    let mut one = one.clone();
    if let Some(fields) = one.as_object_mut() {
        fields.insert("Bucket".to_owned(), Value::from(bucket));
    }
    one
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn needed(operation: &str, input: Value) -> Vec<(String, Vec<String>)> {
        needs(&Request::new("s3", operation, input)).into_iter().map(|need| (need.action, need.resources)).collect()
    }

    fn pair(action: &str, arn: &str) -> (String, Vec<String>) {
        (action.to_owned(), vec![arn.to_owned()])
    }

    #[test]
    fn objects_buckets_versions_and_sources_have_actions_of_their_own() {
        let (object, bucket) = ("arn:aws:s3:::b/a/c d", "arn:aws:s3:::b");
        let at = json!({"Bucket": "b", "Key": "a/c d"});
        assert_eq!(needed("HeadObject", at.clone()), [pair("s3:GetObject", object)]);
        assert_eq!(needed("UploadPart", at.clone()), [pair("s3:PutObject", object)]);
        assert_eq!(needed("AbortMultipartUpload", at), [pair("s3:AbortMultipartUpload", object)]);
        assert_eq!(needed("ListObjectsV2", json!({"Bucket": "b"})), [pair("s3:ListBucket", bucket)]);
        assert_eq!(needed("ListBuckets", json!({})), [pair("s3:ListAllMyBuckets", "*")]);
        let copy = json!({"Bucket": "b", "Key": "a/c d", "CopySource": "/o/a%20b?versionId=3"});
        assert_eq!(needed("CopyObject", copy), [pair("s3:PutObject", object), pair("s3:GetObjectVersion", "arn:aws:s3:::o/a b")]);
        let many = json!({"Bucket": "b", "Delete": {"Objects": [{"Key": "a/c d"}, {"Key": "e", "VersionId": "1"}]}});
        let expected = [pair("s3:DeleteObject", object), pair("s3:DeleteObjectVersion", "arn:aws:s3:::b/e")];
        assert_eq!(needed("DeleteObjects", many), expected);
    }
}
