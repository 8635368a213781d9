//! Zips by content: kept once in the state folder, measured, and unpacked for whoever runs them.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Lambda;
use super::function::Code;
use crate::cloud::call::{ApiError, Call, Request};
use crate::cloud::clock;
use crate::cloud::services::members::{text, with};
use crate::whole::{FRESH, replace};

/// A zip in the request itself has at most so many bytes; one in S3 is bounded by what it unpacks to.
const LARGEST_IN_REQUEST: usize = 52_428_800;

fn file_name(sha256: &str) -> String {
    sha256.replace('/', "_").replace('+', "-").replace('=', "")
}

/// Where the zip of a hash lies.
pub fn path(folder: &Path, sha256: &str) -> PathBuf {
    folder.join("code").join(format!("{}.zip", file_name(sha256)))
}

/// Reads the zip that a request names in S3, as the caller, whose permissions count.
pub async fn fetch(call: &Call) -> Result<Option<Bytes>, ApiError> {
    let input = &call.request.input;
    let given = match call.request.operation.as_str() {
        "CreateFunction" => input.get("Code"),
        "PublishLayerVersion" => input.get("Content"),
        _ => Some(input),
    };
    let given = given.unwrap_or(&Value::Null);
    let (bucket, key) = (text(given, "S3Bucket"), text(given, "S3Key"));
    if bucket.is_none() && key.is_none() {
        return Ok(None);
    }
    if given.get("ZipFile").is_some() {
        return Err(ApiError::invalid("Please do not provide other FunctionCode parameters when providing a ZipFile."));
    }
    let (Some(bucket), Some(key)) = (bucket, key) else {
        return Err(ApiError::invalid("Please provide both the S3 bucket and the S3 key of the code."));
    };
    let asked = with(json!({"Bucket": bucket, "Key": key}), "VersionId", text(given, "S3ObjectVersion").map(str::to_owned));
    let error = match call.lab.call(&call.who, &Request::new("s3", "GetObject", asked)).await.answer() {
        Ok(reply) => return Ok(Some(reply.raw.unwrap_or_default())),
        Err(error) => error,
    };
    let said = format!("S3 Error Code: {}. S3 Error Message: {}", error.code, error.message);
    Err(match error.status {
        403 => {
            let message = format!(
                "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for \
                 {bucket}/{key}. {said}"
            );
            ApiError::new("AccessDeniedException", 403, message)
        }
        500.. => ApiError::new("ServiceException", 500, format!("Error occurred while GetObject. {said}")),
        _ => ApiError::invalid(format!("Error occurred while GetObject. {said}")),
    })
}

/// Takes the code of a request: what was fetched for it from S3, a zip in the request itself, or an image's name.
pub fn take(lambda: &Lambda, given: &Value, fetched: Option<&Bytes>) -> Result<Code, ApiError> {
    if let Some(zip) = fetched {
        return keep(lambda.folder.path(), zip);
    }
    if let Some(image) = text(given, "ImageUri") {
        let sha256 = Sha256::digest(image.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        return Ok(Code { sha256, size: 0, unzipped: 0, image: Some(image.to_owned()) });
    }
    let Some(zip) = text(given, "ZipFile") else {
        return Err(ApiError::invalid("Please provide a source for function code."));
    };
    let bytes = STANDARD.decode(zip).map_err(|error| ApiError::bad("SerializationException", error.to_string()))?;
    if bytes.len() > LARGEST_IN_REQUEST {
        return Err(ApiError::new(
            "RequestEntityTooLargeException",
            413,
            "Request must be smaller than 70167211 bytes for the operation",
        ));
    }
    keep(lambda.folder.path(), &bytes)
}

/// Keeps a zip.
pub fn keep(folder: &Path, bytes: &[u8]) -> Result<Code, ApiError> {
    let unzipped = measure(bytes)
        .map_err(|_| ApiError::invalid("Could not unzip uploaded file. Please check your file, then try to upload again."))?;
    if unzipped > 262_144_000 {
        return Err(ApiError::invalid("Unzipped size must be smaller than 262144000 bytes"));
    }
    let sha256 = STANDARD.encode(Sha256::digest(bytes));
    let target = path(folder, &sha256);
    if !target.exists() {
        replace(&target, bytes).map_err(|error| ApiError::internal(format!("cannot keep the code: {error}")))?;
    }
    Ok(Code { sha256, size: u64::try_from(bytes.len()).unwrap_or(u64::MAX), unzipped, image: None })
}

fn measure(bytes: &[u8]) -> Result<u64, zip::result::ZipError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut total: u64 = 0;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        total = total.saturating_add(file.size());
        // The whole of a small file is read, so that a broken zip is found now and not when it runs.
        if file.size() < 1 << 20 {
            std::io::copy(&mut file.by_ref(), &mut std::io::sink())?;
        }
    }
    Ok(total)
}

/// The folder with the unpacked code; unpacked at its first use.
pub fn unpacked(folder: &Path, code: &Code) -> std::io::Result<PathBuf> {
    let target = folder.join("code").join(file_name(&code.sha256));
    if target.exists() {
        return Ok(target);
    }
    let fresh = folder.join("code").join(format!("{}.{}.{FRESH}", file_name(&code.sha256), clock::id()));
    let made = unpack(&path(folder, &code.sha256), &fresh).and_then(|()| fs::rename(&fresh, &target));
    if let Err(error) = made {
        let gone = fs::remove_dir_all(&fresh);
        // Another invocation may have been faster.
        if !target.exists() {
            return Err(error);
        }
        gone?;
    }
    Ok(target)
}

fn unpack(zip: &Path, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    zip::ZipArchive::new(fs::File::open(zip)?)?.extract(folder)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::state::folder::tests::{names, within};

    fn zip_of(text: &[u8]) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
        out.start_file("app.py", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut out, text).unwrap();
        out.finish().unwrap().into_inner()
    }

    #[test]
    fn an_unpack_that_fails_leaves_nothing_and_the_next_one_may_succeed() {
        within(|folder| {
            let whole = zip_of(&[7; 5000]);
            let code = keep(folder, &whole).unwrap();
            let zip = path(folder, &code.sha256);
            // Its table of contents is whole, its only file is not.
            let mut torn = whole.clone();
            torn[45] ^= 0xff;
            fs::write(&zip, torn).unwrap();
            assert!(unpacked(folder, &code).is_err());
            assert_eq!(names(&folder.join("code")).len(), 1, "the zip alone");
            fs::write(&zip, whole).unwrap();
            let target = unpacked(folder, &code).unwrap();
            assert_eq!(fs::read(target.join("app.py")).unwrap(), [7; 5000]);
            assert_eq!(unpacked(folder, &code).unwrap(), target, "once");
        });
    }
}
