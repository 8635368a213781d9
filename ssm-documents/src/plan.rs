//! The plan on its way into a parameter value: one line, and nothing Systems Manager takes for a variable.

use faultlayer_core::attach::minified;

/// The longest value of an Automation parameter, in characters.
pub(crate) const VALUE_LIMIT: usize = 512;

/// The same JSON without space between its parts, and without the double braces that Systems Manager refuses: they can
/// stand only inside texts, where the second one is written as an escape.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut escaped, mut before) = (false, false, ' ');
    for char in minified(text).chars() {
        let doubled = inside && matches!((before, char), ('{', '{') | ('}', '}'));
        match (doubled, char) {
            (true, '{') => out.push_str("\\u007b"),
            (true, _) => out.push_str("\\u007d"),
            _ => out.push(char),
        }
        before = if doubled { ' ' } else { char };
        if char == '"' && !escaped {
            inside = !inside;
        }
        escaped = inside && char == '\\' && !escaped;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn space_goes_and_texts_stay() {
        assert_eq!(
            one_line("{ \"a\" : 1.10,\n \"b\": \"x \\\" y\\\\\" , \"c\":[ {} ] }"),
            r#"{"a":1.10,"b":"x \" y\\","c":[{}]}"#
        );
    }

    #[test]
    fn double_braces_in_texts_are_escaped() {
        let line = one_line(r#"{"a":"{{x}} {{{"}"#);
        assert_eq!(line, r#"{"a":"{\u007bx}\u007d {\u007b{"}"#);
        assert!(!line.contains("{{"));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value, serde_json::json!({"a": "{{x}} {{{"}));
    }
}
