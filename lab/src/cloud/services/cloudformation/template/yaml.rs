//! YAML as CloudFormation reads it: version 1.1's words for true and false, the short forms of functions, no aliases.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value, json};

use super::invalid;
use crate::cloud::call::ApiError;

/// As deep as a template may be; the reader calls itself for each level.
const DEEPEST: usize = 100;

/// The value of a text, short forms written out.
pub fn read(text: &str) -> Result<Value, ApiError> {
    let mut reader = Reader { parser: Parser::new_from_str(text) };
    // What stands before the content: the stream's and the document's beginning.
    let first = loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            other => break other,
        }
    };
    reader.node(first, 0)
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
}

fn malformed(at: Marker) -> ApiError {
    invalid(format!("Template format error: YAML not well-formed. (line {}, column {})", at.line(), at.col() + 1))
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), ApiError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(malformed(*error.marker())),
            None => Err(invalid("Template format error: unsupported structure.")),
        }
    }

    fn node(&mut self, (event, span): (Event<'t>, Span), depth: usize) -> Result<Value, ApiError> {
        if depth > DEEPEST {
            return Err(invalid("Template format error: the template is nested too deeply"));
        }
        match event {
            Event::Scalar(text, style, _, tag) => {
                let plain = matches!(style, ScalarStyle::Plain);
                match tag.as_deref() {
                    None if plain => Ok(scalar(&text)),
                    None => Ok(Value::from(text.into_owned())),
                    Some(tag) if tag.is_yaml_core_schema() => core(tag, &text),
                    Some(tag) => function(tag, Value::from(text.into_owned())),
                }
            }
            Event::SequenceStart(_, tag) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        item => items.push(self.node(item, depth + 1)?),
                    }
                }
                tagged(tag.as_deref(), Value::Array(items))
            }
            Event::MappingStart(_, tag) => {
                let mut fields = Map::new();
                loop {
                    let (event, span) = match self.next()? {
                        (Event::MappingEnd, _) => break,
                        key => key,
                    };
                    let Event::Scalar(key, ..) = event else {
                        return Err(malformed(span.start));
                    };
                    let value = self.next()?;
                    let value = self.node(value, depth + 1)?;
                    if fields.insert(key.into_owned(), value).is_some() {
                        return Err(malformed(span.start));
                    }
                }
                tagged(tag.as_deref(), Value::Object(fields))
            }
            Event::Alias(_) => Err(invalid("Template format error: YAML aliases are not allowed in CloudFormation templates")),
            _ => Err(malformed(span.start)),
        }
    }
}

fn tagged(tag: Option<&Tag>, value: Value) -> Result<Value, ApiError> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => function(tag, value),
        _ => Ok(value),
    }
}

/// `!Sub x` is `{"Fn::Sub": x}`; which names there are is checked where functions are.
fn function(tag: &Tag, value: Value) -> Result<Value, ApiError> {
    if tag.handle != "!" {
        return Err(invalid(format!("Template format error: unsupported YAML tag `{tag}`")));
    }
    let name = tag.suffix.as_str();
    let value = match (name, value.as_str().and_then(|text| text.split_once('.'))) {
        ("GetAtt", Some((resource, attribute))) => json!([resource, attribute]),
        _ => value,
    };
    let name = if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") };
    Ok(json!({name: value}))
}

fn core(tag: &Tag, text: &str) -> Result<Value, ApiError> {
    match tag.suffix.as_str() {
        "str" => Ok(Value::from(text)),
        "int" | "float" | "bool" | "null" => Ok(scalar(text)),
        other => Err(invalid(format!("Template format error: unsupported YAML tag `!!{other}`"))),
    }
}

/// A scalar without quotation marks, by YAML 1.1. A date stays a text, as `AWSTemplateFormatVersion: 2010-09-09` wants it.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::from(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Value::from(false),
        _ => {}
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // Octal, which eats the zero of an account's number that nobody quoted.
        return i64::from_str_radix(digits, 8)
            .map_or_else(|_| Value::from(text), |octal| Value::from(if text.starts_with('-') { -octal } else { octal }));
    }
    if let Some(hex) = digits.strip_prefix("0x").and_then(|hex| i64::from_str_radix(hex, 16).ok()) {
        return Value::from(hex);
    }
    if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        if let Ok(number) = text.trim_start_matches('+').parse::<i64>() {
            return Value::from(number);
        }
        if digits.contains(['.', 'e', 'E'])
            && let Some(number) = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64)
        {
            return Value::Number(number);
        }
    }
    Value::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        read(text).unwrap_err().message
    }

    #[test]
    fn short_forms_are_the_functions_that_they_stand_for() {
        let text = "a: !Ref X\nb: !GetAtt A.B.C\nc: !Sub\n  - '${x} ${!y}'\n  - x: !If [C, 1, !Ref AWS::NoValue]\nd: !Equals [!Condition Z, 'Yes']\n";
        let expected = json!({
            "a": {"Ref": "X"}, "b": {"Fn::GetAtt": ["A", "B.C"]},
            "c": {"Fn::Sub": ["${x} ${!y}", {"x": {"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]}}]},
            "d": {"Fn::Equals": [{"Condition": "Z"}, "Yes"]},
        });
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn scalars_are_those_of_yaml_1_1() {
        let text =
            "[Yes, off, 'Yes', 12, -3, 1.5, 0x1f, 010, 012345678901, 2010-09-09, 1.2.3, ~, '', 1:2, python3.13, !!str 5, +7]";
        let expected = json!([
            true,
            false,
            "Yes",
            12,
            -3,
            1.5,
            31,
            8,
            "012345678901",
            "2010-09-09",
            "1.2.3",
            null,
            "",
            "1:2",
            "python3.13",
            "5",
            7
        ]);
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn blocks_keep_their_lines_and_keys_their_order() {
        let value = read("z: |\n  one\n  two\na: >-\n  three\n  four\n").unwrap();
        assert_eq!(value, json!({"z": "one\ntwo\n", "a": "three four"}));
        assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), ["z", "a"]);
    }

    #[test]
    fn what_cloudformation_does_not_read_is_refused_with_its_place() {
        assert_eq!(refused("a: [1\nb: 2"), "Template format error: YAML not well-formed. (line 2, column 2)");
        assert_eq!(refused("a: 1\na: 2"), "Template format error: YAML not well-formed. (line 2, column 1)");
        assert!(refused("a: &x 1\nb: *x").contains("aliases are not allowed"));
        assert!(refused("a: !!binary aGk=").contains("unsupported YAML tag `!!binary`"));
        assert!(refused(&format!("a: {}1{}", "[".repeat(200), "]".repeat(200))).contains("too deeply"));
    }
}
