//! Where an answer has the text that `corrupt` mangles, in its raw bytes: all else is kept byte for byte. Owns no decision.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The text of an answer and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// The string's value.
    pub text: String,
    /// The bytes of its JSON, quotes included.
    span: Range<usize>,
}

/// The answer's fields that matter here; as in every parser, the last of several `body` stands.
struct Body<'a>(Option<&'a RawValue>);

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> serde::de::Visitor<'de> for Fields {
            type Value = Body<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
                let mut body = None;
                while let Some(key) = map.next_key::<String>()? {
                    let value = map.next_value::<&RawValue>()?;
                    if key == "body" {
                        body = Some(value);
                    }
                }
                Ok(Body(body))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Found {
    /// The answer itself if it is a string, or the string `body` of an object; `None` for anything else, text that is
    /// no JSON included.
    pub fn of(answer: &[u8]) -> Option<Self> {
        let whole = std::str::from_utf8(answer).ok()?;
        let json = match whole.trim_start().as_bytes().first()? {
            b'"' => whole.trim_matches([' ', '\t', '\r', '\n']),
            b'{' => serde_json::from_str::<Body<'_>>(whole).ok()?.0?.get(),
            _ => return None,
        };
        let text = serde_json::from_str::<String>(json).ok()?;
        let start = (json.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
        Some(Self { text, span: start..start.checked_add(json.len())? })
    }

    /// The answer with another text in the place of its own.
    pub fn splice(&self, answer: &[u8], text: &str) -> Option<String> {
        let whole = std::str::from_utf8(answer).ok()?;
        let quoted = serde_json::to_string(text).ok()?;
        Some([whole.get(..self.span.start)?, &quoted, whole.get(self.span.end..)?].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::Found;

    fn spliced(answer: &str) -> Option<(String, String)> {
        let found = Found::of(answer.as_bytes())?;
        let other = found.splice(answer.as_bytes(), "x\"\u{1f600}")?;
        Some((found.text, other))
    }

    #[test]
    fn only_the_string_changes() {
        let cases = [
            (r#""abc""#, "abc", r#""x\"😀""#),
            (" \"a\\u00e9\\n\"\n", "aé\n", " \"x\\\"😀\"\n"),
            (
                r#"{"statusCode" : 200.0, "body":"{\"a\":1}","z":1e2}"#,
                r#"{"a":1}"#,
                r#"{"statusCode" : 200.0, "body":"x\"😀","z":1e2}"#,
            ),
            (
                r#"{"body":"first","nested":{"body":"inner"},"body": "last" }"#,
                "last",
                r#"{"body":"first","nested":{"body":"inner"},"body": "x\"😀" }"#,
            ),
            (r#"{"b\u006fdy":"escaped key"}"#, "escaped key", r#"{"b\u006fdy":"x\"😀"}"#),
        ];
        for (answer, text, other) in cases {
            assert_eq!(spliced(answer), Some((text.to_owned(), other.to_owned())), "{answer}");
        }
    }

    #[test]
    fn anything_else_has_no_text() {
        for answer in [
            "",
            "null",
            "1",
            "[\"a\"]",
            "{}",
            r#"{"body":null}"#,
            r#"{"body":{"body":"x"}}"#,
            "plain",
            "\"cut",
            r#"{"body":"x"} trailing"#,
            r#""\ud800""#,
        ] {
            assert_eq!(Found::of(answer.as_bytes()), None, "{answer}");
        }
        assert_eq!(Found::of(b"\"\xff\""), None);
    }
}
