//! S3's errors in its own words, and what the lab refuses because it does not serve it.

use serde_json::Value;

use crate::cloud::call::ApiError;
use crate::cloud::lab::Place;
use crate::cloud::services::members::text;

/// The lab's own trouble as S3 shows its own.
pub fn internal() -> ApiError {
    ApiError::new("InternalError", 500, "We encountered an internal error. Please try again.")
}

/// What the rest of the lab says, in S3's codes.
pub fn worded(error: ApiError) -> ApiError {
    if error.code == "InternalServerError" { ApiError { code: "InternalError".to_owned(), ..error } } else { error }
}

/// Not served, by name.
pub fn not_served(what: &str) -> ApiError {
    ApiError::new("NotImplemented", 501, format!("the lab does not serve `{what}`"))
}

pub fn no_bucket() -> ApiError {
    ApiError::new("NoSuchBucket", 404, "The specified bucket does not exist")
}

pub fn no_key() -> ApiError {
    ApiError::new("NoSuchKey", 404, "The specified key does not exist.")
}

pub fn no_version() -> ApiError {
    ApiError::new("NoSuchVersion", 404, "The specified version does not exist.")
}

pub fn no_upload() -> ApiError {
    let message =
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    ApiError::new("NoSuchUpload", 404, message)
}

/// More bytes than that.
pub fn too_large(most: u64) -> ApiError {
    ApiError::bad("EntityTooLarge", format!("Your proposed upload exceeds the maximum allowed size: {most} bytes in the lab"))
}

pub fn argument(message: &str) -> ApiError {
    ApiError::bad("InvalidArgument", message)
}

pub fn request(message: impl Into<String>) -> ApiError {
    ApiError::bad("InvalidRequest", message)
}

/// Members that mean more than the lab does; the ones that name a default mean nothing.
const UNSERVED: [&str; 12] = [
    "SSECustomer",
    "CopySourceSSECustomer",
    "SSEKMSEncryptionContext",
    "ObjectLock",
    "Tagging",
    "WriteOffsetBytes",
    "MFA",
    "IfMatchLast",
    "IfMatchSize",
    "OptionalObjectAttributes",
    "BucketNamespace",
    "AnnotationDirective",
];

/// Refuses a request of which a part would be dropped silently, and one that is meant for another account's bucket.
pub fn refuse(place: &Place, input: &Value) -> Result<(), ApiError> {
    for (name, value) in input.as_object().into_iter().flatten() {
        let harmless = value.is_null() || *value == false || (name == "TaggingDirective" && *value == "COPY");
        if !harmless && UNSERVED.iter().any(|start| name.starts_with(start)) {
            return Err(not_served(name));
        }
        // Buckets have no access lists unless somebody asks for them.
        let own = name == "ACL" && ["private", "bucket-owner-full-control"].iter().any(|acl| value == acl);
        let enforced = name == "ObjectOwnership" && *value == "BucketOwnerEnforced";
        if !own && !enforced && (name == "ACL" || name == "ObjectOwnership" || name.starts_with("Grant")) {
            return Err(ApiError::bad("AccessControlListNotSupported", "The bucket does not allow ACLs"));
        }
    }
    let others = ["ExpectedBucketOwner", "ExpectedSourceBucketOwner"].iter().filter_map(|name| text(input, name));
    if others.into_iter().any(|owner| owner != place.account) {
        return Err(ApiError::new("AccessDenied", 403, "Access Denied"));
    }
    if text(input, "Key").is_some_and(|key| key.len() > 1024) {
        return Err(ApiError::bad("KeyTooLongError", "Your key is too long"));
    }
    Ok(())
}
