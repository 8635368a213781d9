//! Strings as the library compares them: between two quotation marks, so that a number is never a string, and a prefix
//! or suffix may reach over the mark.

/// The text between quotation marks.
pub(super) fn quoted(text: &str) -> Box<str> {
    format!("\"{text}\"").into()
}

/// What every string with this prefix begins with.
pub(super) fn prefix(text: &str) -> Box<str> {
    format!("\"{text}").into()
}

/// What every string with this suffix ends with.
pub(super) fn suffix(text: &str) -> Box<str> {
    format!("{text}\"").into()
}

/// The text without its quotation marks.
pub(super) fn inner(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted)
}
