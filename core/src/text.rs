//! Text that others wrote, where a terminal or a log shows it.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with every character escaped, as JSON does it, that could move a cursor, end a line or start a control
/// sequence: C0, delete, C1 and the two separators of Unicode. JSON itself escapes C0 alone, so that this is good for a JSON
/// line too.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            // Writing to a string cannot fail.
            _ if acts(character) => drop(write!(shown, "\\u{:04x}", u32::from(character))),
            _ => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

fn acts(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_acts_on_a_terminal_or_ends_a_line_is_escaped_and_all_else_stays() {
        assert_eq!(printable("größe 日本 \\ \u{a0}🦀"), "größe 日本 \\ \u{a0}🦀");
        assert_eq!(printable("a\u{1b}[31mb\n\r\t\u{7f}"), "a\\u001b[31mb\\n\\r\\t\\u007f");
        assert_eq!(printable("\u{85}\u{9b}\u{2028}\u{2029}"), "\\u0085\\u009b\\u2028\\u2029");
    }
}
