//! Where a layer's plan comes from: `FAULTLAYER_PLAN` holds the plan itself or `file:PATH`.

use crate::record::OwnReason;

/// The most bytes that are read of a file: a plan of 100 faults takes some 20 KB.
const LARGEST_FILE: u64 = 1 << 20;

/// The text of the plan that `value` names.
///
/// # Errors
/// The reason for Faultlayer's own record, and its message.
pub fn read(value: &str) -> Result<String, (OwnReason, String)> {
    let value = value.trim();
    if let Some(path) = value.strip_prefix("file:") {
        return read_file(path)
            .map_err(|error| (OwnReason::PlanUnreadable, format!("cannot read the plan from `{path}`: {error}")));
    }
    // A scheme is a word before a colon; anything else is meant as JSON, and JSON's own errors tell more.
    let scheme = value.split_once(':').map(|(scheme, _)| scheme);
    match scheme.filter(|scheme| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')) {
        Some(scheme) => {
            let message = format!("FAULTLAYER_PLAN: expected the plan itself or `file:PATH`, got the source `{scheme}:`");
            Err((OwnReason::PlanSourceUnknown, message))
        }
        None => Ok(value.to_owned()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads a file")]
fn read_file(path: &str) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST_FILE).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::record::OwnReason;

    #[test]
    fn a_value_is_the_plan_itself_unless_it_names_a_source() {
        assert_eq!(read(" {\"version\":1} ").unwrap(), "{\"version\":1}");
        assert_eq!(read("not a plan").unwrap(), "not a plan");
        for source in ["ssm:/plan", "appconfig:a/b/c", "https://example.com"] {
            assert_eq!(read(source).unwrap_err().0, OwnReason::PlanSourceUnknown, "{source}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let (reason, message) = read("file:/does/not/exist").unwrap_err();
        assert_eq!(reason, OwnReason::PlanUnreadable);
        assert!(message.contains("/does/not/exist"), "{message}");
    }
}
