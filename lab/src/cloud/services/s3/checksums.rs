//! Checksums of bodies: what clients send is verified, and kept for whoever reads the object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Digest, Table};
use md5::Md5;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::refusals::{not_served, request};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::text;

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// What is computed where nobody asks for another.
pub const USUAL: &str = "CRC64NVME";
const SERVED: [&str; 5] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

/// An object's or a part's checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// As S3 names it.
    pub algorithm: String,
    /// In base64; of parts' checksums with their count, as in `…==-2`.
    pub value: String,
    /// `FULL_OBJECT` or `COMPOSITE`.
    pub kind: String,
}

impl Checksum {
    /// Of all the bytes.
    pub fn full(algorithm: &str, value: String) -> Checksum {
        Checksum { algorithm: algorithm.to_owned(), value, kind: "FULL_OBJECT".to_owned() }
    }

    /// The members of an answer that show it.
    pub fn shown(&self) -> [(String, Value); 2] {
        [
            (format!("Checksum{}", self.algorithm), Value::from(self.value.as_str())),
            ("ChecksumType".to_owned(), Value::from(self.kind.as_str())),
        ]
    }
}

/// One that is under way.
pub enum Sum {
    Crc32(Digest<'static, u32, Table<16>>),
    Crc32c(Digest<'static, u32, Table<16>>),
    Crc64(Digest<'static, u64, Table<16>>),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Sum {
    /// Of no bytes yet.
    pub fn new(algorithm: &str) -> Result<Sum, ApiError> {
        Ok(match algorithm {
            "CRC32" => Sum::Crc32(CRC32.digest()),
            "CRC32C" => Sum::Crc32c(CRC32C.digest()),
            "CRC64NVME" => Sum::Crc64(CRC64NVME.digest()),
            "SHA1" => Sum::Sha1(Sha1::new()),
            "SHA256" => Sum::Sha256(Sha256::new()),
            other => return Err(not_served(&format!("Checksum{other}"))),
        })
    }

    /// And of these.
    pub fn add(&mut self, bytes: &[u8]) {
        match self {
            Sum::Crc32(sum) | Sum::Crc32c(sum) => sum.update(bytes),
            Sum::Crc64(sum) => sum.update(bytes),
            Sum::Sha1(sum) => sum.update(bytes),
            Sum::Sha256(sum) => sum.update(bytes),
        }
    }

    /// In base64.
    pub fn end(self) -> String {
        match self {
            Sum::Crc32(sum) | Sum::Crc32c(sum) => STANDARD.encode(sum.finalize().to_be_bytes()),
            Sum::Crc64(sum) => STANDARD.encode(sum.finalize().to_be_bytes()),
            Sum::Sha1(sum) => STANDARD.encode(sum.finalize()),
            Sum::Sha256(sum) => STANDARD.encode(sum.finalize()),
        }
    }
}

/// The checksum of bytes in base64.
pub fn of(algorithm: &str, bytes: &[u8]) -> Result<String, ApiError> {
    let mut sum = Sum::new(algorithm)?;
    sum.add(bytes);
    Ok(sum.end())
}

/// The algorithm and the value that a request gives, if it gives any.
pub fn given(input: &Value) -> Result<Option<(&str, &str)>, ApiError> {
    let mut found = input.as_object().into_iter().flatten().filter_map(|(name, value)| {
        let algorithm = name.strip_prefix("Checksum").filter(|rest| !matches!(*rest, "Algorithm" | "Type" | "Mode"))?;
        Some((algorithm, value.as_str()?))
    });
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some((algorithm, value)), None) if SERVED.contains(&algorithm) => Ok(Some((algorithm, value))),
        (Some((algorithm, _)), None) => Err(not_served(&format!("Checksum{algorithm}"))),
        _ => Err(request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")),
    }
}

/// Verifies what a request says of its body, and computes what shall be kept.
pub fn verified(input: &Value, body: &[u8], usual: &str) -> Result<Checksum, ApiError> {
    if let Some(wanted) = text(input, "ContentMD5") {
        match STANDARD.decode(wanted) {
            Ok(wanted) if wanted.len() == 16 => {
                if wanted != Md5::digest(body).as_slice() {
                    return Err(ApiError::bad("BadDigest", "The Content-MD5 you specified did not match what we received."));
                }
            }
            _ => return Err(ApiError::bad("InvalidDigest", "The Content-MD5 you specified was invalid.")),
        }
    }
    let given = given(input)?;
    let algorithm = given.map(|(algorithm, _)| algorithm).or_else(|| text(input, "ChecksumAlgorithm")).unwrap_or(usual);
    let value = of(algorithm, body)?;
    matches(given, &value)?;
    Ok(Checksum::full(algorithm, value))
}

/// Refuses a value that is not what was given.
pub fn matches(given: Option<(&str, &str)>, value: &str) -> Result<(), ApiError> {
    match given {
        Some((algorithm, wanted)) if wanted != value => {
            let message = format!("The {algorithm} you specified did not match the calculated checksum.");
            Err(ApiError::bad("BadDigest", message))
        }
        _ => Ok(()),
    }
}

/// The MD5 in hexadecimal digits.
pub fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogues_check_values_come_out() {
        for (algorithm, value) in [("CRC32", "y/Q5Jg=="), ("CRC32C", "4waSgw=="), ("CRC64NVME", "rosUhgp5mIg=")] {
            assert_eq!(of(algorithm, b"123456789").unwrap(), value, "{algorithm}");
        }
        assert_eq!(of("SHA1", b"").unwrap(), "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        assert_eq!(of("SHA256", b"").unwrap(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(md5(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(of("XXHASH3", b"").unwrap_err().status, 501);
    }
}
