//! Preconditions of reads and writes, and ranges of bytes.

use serde_json::Value;

use super::object::Version;
use super::refusals::{no_key, not_served};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::text;

fn failed() -> ApiError {
    ApiError::new("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold")
}

/// Whether one of the tags in a header is this one.
fn names(header: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    header.trim() == "*" || header.split(',').any(|tag| bare(tag) == bare(etag))
}

/// Of a read; members of a copy's source have a prefix, and a copy has nothing to say about what was not modified.
pub fn read(input: &Value, prefix: &str, version: &Version) -> Result<(), ApiError> {
    let member = |name: &str| format!("{prefix}{name}");
    // Headers tell whole seconds.
    let modified = version.modified.div_euclid(1000);
    let time = |name: &str| {
        let given = input.get(member(name)).and_then(Value::as_f64)?;
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        Some(given as i64)
    };
    let is_match = text(input, &member("IfMatch")).map(|header| names(header, &version.etag));
    let is_other = text(input, &member("IfNoneMatch")).map(|header| !names(header, &version.etag));
    let unmodified = time("IfUnmodifiedSince").map(|since| modified <= since);
    let changed = time("IfModifiedSince").map(|since| modified > since);
    if is_match.or(unmodified) == Some(false) {
        return Err(failed());
    }
    if is_other.or(changed) == Some(false) {
        return Err(if prefix.is_empty() { ApiError::new("NotModified", 304, "Not Modified") } else { failed() });
    }
    Ok(())
}

/// Of a write, by what is there.
pub fn write(input: &Value, current: Option<&Version>) -> Result<(), ApiError> {
    match text(input, "IfNoneMatch") {
        Some("*") if current.is_some() => return Err(failed()),
        None | Some("*") => {}
        Some(_) => return Err(not_served("IfNoneMatch other than *")),
    }
    match (text(input, "IfMatch"), current) {
        (Some(_), None) => Err(no_key()),
        (Some(header), Some(version)) if !names(header, &version.etag) => Err(failed()),
        _ => Ok(()),
    }
}

/// The first byte and how many, as `bytes=…` says of so many; what is no range means all, as everywhere in HTTP.
pub fn range(header: &str, size: u64) -> Result<Option<(u64, u64)>, ApiError> {
    let Some((from, to)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let found = match (number(from), number(to)) {
        (Some(from), None) if to.trim().is_empty() => (from, size.saturating_sub(from)),
        (Some(from), Some(to)) if from <= to => (from, to.saturating_add(1).min(size).saturating_sub(from)),
        (None, Some(last)) if from.trim().is_empty() => (size.saturating_sub(last), last.min(size)),
        _ => return Ok(None),
    };
    if found.1 == 0 {
        return Err(ApiError::new("InvalidRange", 416, "The requested range is not satisfiable"));
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        let cases =
            [("bytes=0-0", (0, 1)), ("bytes=3-", (3, 7)), ("bytes=-4", (6, 4)), ("bytes=5-99", (5, 5)), ("bytes=-99", (0, 10))];
        for (header, expected) in cases {
            assert_eq!(range(header, 10).unwrap(), Some(expected), "{header}");
        }
        for header in ["bytes=5-3", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=-"] {
            assert_eq!(range(header, 10).unwrap(), None, "{header}");
        }
        for (header, size) in [("bytes=10-", 10), ("bytes=10-12", 10), ("bytes=-0", 10), ("bytes=0-", 0)] {
            assert_eq!(range(header, size).unwrap_err().status, 416, "{header}");
        }
    }

    #[test]
    fn tags_stand_before_times() {
        let version = Version { etag: "\"e\"".into(), modified: 5_900, ..Version::default() };
        let cases: [(Value, u16); 8] = [
            (json!({"IfMatch": "e"}), 200),
            (json!({"IfMatch": "\"x\", \"e\"", "IfUnmodifiedSince": 1}), 200),
            (json!({"IfMatch": "x"}), 412),
            (json!({"IfUnmodifiedSince": 4}), 412),
            (json!({"IfUnmodifiedSince": 5}), 200),
            (json!({"IfNoneMatch": "*"}), 304),
            (json!({"IfNoneMatch": "x", "IfModifiedSince": 9}), 200),
            (json!({"IfModifiedSince": 5}), 304),
        ];
        for (input, expected) in cases {
            let status = read(&input, "", &version).map_or_else(|error| error.status, |()| 200);
            assert_eq!(status, expected, "{input}");
        }
        assert_eq!(read(&json!({"CopySourceIfNoneMatch": "e"}), "CopySource", &version).unwrap_err().status, 412);
        assert_eq!(write(&json!({"IfNoneMatch": "*"}), Some(&version)).unwrap_err().status, 412);
        assert_eq!(write(&json!({"IfMatch": "e"}), None).unwrap_err().code, "NoSuchKey");
        assert_eq!(write(&json!({"IfMatch": "e"}), Some(&version)), Ok(()));
    }
}
