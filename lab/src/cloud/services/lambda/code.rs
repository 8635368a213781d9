//! Zips by content: kept once in the state folder, measured, and unpacked for whoever runs them.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Lambda;
use super::function::Code;
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::text;
use crate::cloud::state::folder::{FRESH, replace};

fn file_name(sha256: &str) -> String {
    sha256.replace('/', "_").replace('+', "-").replace('=', "")
}

/// Where the zip of a hash lies.
pub fn path(folder: &Path, sha256: &str) -> PathBuf {
    folder.join("code").join(format!("{}.zip", file_name(sha256)))
}

/// Takes the code of a request: a zip in the request itself. The lab has no S3.
pub fn take(lambda: &Lambda, given: &Value) -> Result<Code, ApiError> {
    if let Some(image) = text(given, "ImageUri") {
        let sha256 = Sha256::digest(image.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        return Ok(Code { sha256, size: 0, unzipped: 0, image: Some(image.to_owned()) });
    }
    let Some(zip) = text(given, "ZipFile") else {
        return Err(ApiError::invalid("Please provide a source for function code."));
    };
    let bytes = STANDARD.decode(zip).map_err(|error| ApiError::bad("SerializationException", error.to_string()))?;
    keep(lambda.folder.path(), &bytes)
}

/// Keeps a zip.
pub fn keep(folder: &Path, bytes: &[u8]) -> Result<Code, ApiError> {
    if bytes.len() > 52_428_800 {
        return Err(ApiError::new(
            "RequestEntityTooLargeException",
            413,
            "Request must be smaller than 70167211 bytes for the operation",
        ));
    }
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
