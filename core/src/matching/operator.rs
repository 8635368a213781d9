//! One element of a field's array, as the pattern writes it, to an [`Alternative`].
//!
//! The errors carry what is allowed; [`super::compile`] adds where.

use serde_json::{Map, Number, Value};

use super::address::AddressRange;
use super::alternative::{Alternative, NumberRange, Other};
use super::fold::Fold;
use super::glob::Glob;
use super::table::{Affixes, NO_FACT, Table, number_key};

/// What an element of a field means.
pub(super) enum Element {
    /// `{"exists": false}`: the path must not be there.
    Absent,
    /// A leaf must pass.
    Leaf(Alternative),
}

/// What is wrong with an element: where below it (as in `.prefix` or `.numeric[1]`), what stands there, what is allowed.
pub(super) struct Refusal {
    pub(super) below: String,
    pub(super) value: Value,
    pub(super) expected: String,
}

type Read<T> = Result<T, Refusal>;

fn refuse<T>(below: impl Into<String>, value: &Value, expected: impl Into<String>) -> Read<T> {
    Err(Refusal { below: below.into(), value: value.clone(), expected: expected.into() })
}

/// Reads one element. `legacy`: the older compiler of the library, which knows fewer forms of `anything-but`.
pub(super) fn read(element: &Value, legacy: bool) -> Read<Element> {
    let alternative = match element {
        Value::Null => Alternative::Null,
        Value::Bool(value) => Alternative::Bool(*value),
        Value::Number(number) => Alternative::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => {
            AddressRange::of_address(text).map_or_else(|| Alternative::Text(text.as_str().into()), Alternative::Address)
        }
        Value::Object(object) => return operator(element, object, legacy),
        Value::Array(_) => return refuse("", element, "a string, a number, true, false, null or an operator"),
    };
    Ok(Element::Leaf(alternative))
}

const OPERATORS: &str =
    "one of the operators prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists, cidr, exactly";

fn operator(element: &Value, object: &Map<String, Value>, legacy: bool) -> Read<Element> {
    let (name, value) = only(element, object, "", OPERATORS)?;
    Ok(Element::Leaf(match name {
        "exactly" => Alternative::Text(text(name, value)?.into()),
        "prefix" => match value {
            Value::Object(nested) => Other::PrefixFold(Fold::new(folded(name, value, nested)?)).into(),
            _ => Alternative::Prefix(text(name, value)?.into()),
        },
        "suffix" => match value {
            Value::Object(nested) => Other::SuffixFold(Fold::new(folded(name, value, nested)?)).into(),
            _ => Alternative::Suffix(text(name, value)?.into()),
        },
        "equals-ignore-case" => Other::Fold(Fold::new(text(name, value)?)).into(),
        "wildcard" => Other::Glob(glob(".wildcard", value, text(name, value)?)?).into(),
        "anything-but" => anything_but(value, legacy)?.into(),
        "numeric" => numeric(value)?,
        "cidr" => match AddressRange::of_cidr(text(name, value)?) {
            Ok(range) => Alternative::Address(range),
            Err(expected) => return refuse(".cidr", value, expected),
        },
        "exists" => match value {
            Value::Bool(true) => Alternative::Exists,
            Value::Bool(false) => return Ok(Element::Absent),
            _ => return refuse(".exists", value, "true or false"),
        },
        _ => return refuse("", element, OPERATORS),
    }))
}

/// The only entry of an operator's object.
fn only<'a>(whole: &Value, object: &'a Map<String, Value>, below: &str, expected: &str) -> Read<(&'a str, &'a Value)> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        (None, _) => refuse(below, whole, expected),
        (Some(_), Some(_)) => refuse(below, whole, "one operator in one object"),
    }
}

fn text<'a>(name: &str, value: &'a Value) -> Read<&'a str> {
    match value {
        Value::String(text) => Ok(text),
        _ => refuse(format!(".{name}"), value, "a string"),
    }
}

/// The text of `{"equals-ignore-case": TEXT}` inside `prefix` or `suffix`.
fn folded<'a>(name: &str, value: &Value, nested: &'a Map<String, Value>) -> Read<&'a str> {
    let below = format!(".{name}");
    match only(value, nested, &below, "a string or equals-ignore-case")? {
        ("equals-ignore-case", Value::String(text)) => Ok(text),
        ("equals-ignore-case", other) => refuse(format!("{below}.equals-ignore-case"), other, "a string"),
        _ => refuse(below, value, "a string or equals-ignore-case"),
    }
}

fn glob(below: &str, value: &Value, text: &str) -> Read<Glob> {
    Glob::new(text).or_else(|expected| refuse(below, value, expected))
}

/// A number that is exactly what its text says; the library refuses others where it has to compare them.
fn exact(below: impl Into<String>, value: &Value) -> Read<f64> {
    match value {
        Value::Number(number) => match number.as_f64().filter(|float| float.is_finite() && is_exact(number, *float)) {
            Some(float) => Ok(float),
            None => refuse(below, value, "a number that binary64 gives back digit by digit"),
        },
        _ => refuse(below, value, "a number"),
    }
}

/// Whole numbers keep their digits while they are read; whether binary64 gives them back is told by writing it.
fn is_exact(number: &Number, float: f64) -> bool {
    number.is_f64() || float.to_string() == number.to_string()
}

fn numeric(value: &Value) -> Read<Alternative> {
    const FORM: &str = "an operator (`=`, `<`, `<=`, `>`, `>=`) and a number, or a range such as [\">\", 0, \"<=\", 5]";
    let Value::Array(terms) = value else { return refuse(".numeric", value, FORM) };
    let number = |index: usize| exact(format!(".numeric[{index}]"), terms.get(index).unwrap_or(&Value::Null));
    let all = NumberRange { low: -f64::MAX, low_open: false, high: f64::MAX, high_open: false };
    let operators: Vec<&str> = terms.iter().step_by(2).map(|term| term.as_str().unwrap_or_default()).collect();
    let range = match (operators.as_slice(), terms.len()) {
        (["="], 2) => return Ok(Alternative::Number(number(1)?)),
        ([operator @ ("<" | "<=")], 2) => NumberRange { high: number(1)?, high_open: *operator == "<", ..all },
        ([operator @ (">" | ">=")], 2) => NumberRange { low: number(1)?, low_open: *operator == ">", ..all },
        ([lower @ (">" | ">="), upper @ ("<" | "<=")], 4) => {
            NumberRange { low: number(1)?, low_open: *lower == ">", high: number(3)?, high_open: *upper == "<" }
        }
        _ => return refuse(".numeric", value, FORM),
    };
    // An open end counts as the greatest number of its sign, so that not even it leaves a range.
    if range.low >= range.high {
        return refuse(".numeric", value, "a lower end below the upper end");
    }
    Ok(Other::Range(range).into())
}

fn anything_but(value: &Value, legacy: bool) -> Read<Other> {
    const FORM: &str = "a string, a number, a list of one of them, or one of prefix, suffix, equals-ignore-case, wildcard";
    const AT: &str = ".anything-but";
    match value {
        Value::String(text) => Ok(Other::NotText(Table::of(std::iter::once(text.as_str())))),
        Value::Number(_) => Ok(Other::NotNumber(numbers([exact(AT, value)?]))),
        Value::Array(items) if items.is_empty() => refuse(AT, value, FORM),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            Ok(Other::NotText(Table::of(items.iter().filter_map(Value::as_str))))
        }
        Value::Array(items) if items.iter().all(Value::is_number) => {
            let exact = items.iter().enumerate().map(|(index, item)| exact(format!("{AT}[{index}]"), item));
            Ok(Other::NotNumber(numbers(exact.collect::<Read<Vec<_>>>()?)))
        }
        Value::Array(_) => refuse(AT, value, "a list of strings alone or of numbers alone"),
        Value::Object(nested) => {
            let (name, inner) = only(value, nested, AT, FORM)?;
            let below = format!("{AT}.{name}");
            match name {
                "equals-ignore-case" => {
                    Ok(Other::NotFold(texts(&below, inner, true)?.iter().map(|(_, text)| Fold::new(text)).collect()))
                }
                "prefix" | "suffix" => {
                    let texts = texts(&below, inner, !legacy)?;
                    if let Some((at, _)) = texts.iter().find(|(_, text)| text.is_empty()) {
                        return refuse(at, inner, format!("a {name} of at least one character"));
                    }
                    let mut affixes = if name == "prefix" { Affixes::prefixes() } else { Affixes::suffixes() };
                    texts.iter().for_each(|(_, text)| affixes.insert(text, NO_FACT));
                    Ok(Other::NotAffix(affixes))
                }
                "wildcard" if !legacy => {
                    let texts = texts(&below, inner, true)?;
                    let globs = texts.iter().map(|(at, text)| glob(at, &Value::from(*text), text));
                    Ok(Other::NotGlob(globs.collect::<Read<_>>()?))
                }
                _ => refuse(AT, value, FORM),
            }
        }
        Value::Null | Value::Bool(_) => refuse(AT, value, FORM),
    }
}

fn numbers(numbers: impl IntoIterator<Item = f64>) -> Table {
    let mut table = Table::default();
    numbers.into_iter().for_each(|number| table.insert(&number_key(number), NO_FACT));
    table
}

/// One string, or a list of them where `lists` are allowed, each with its place.
fn texts<'a>(below: &str, value: &'a Value, lists: bool) -> Read<Vec<(String, &'a str)>> {
    match value {
        Value::String(text) => Ok(vec![(below.to_owned(), text)]),
        Value::Array(items) if lists && !items.is_empty() => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let at = format!("{below}[{index}]");
                item.as_str().map_or_else(|| refuse(at.clone(), item, "a string"), |text| Ok((at.clone(), text)))
            })
            .collect(),
        _ => refuse(below, value, if lists { "a string or a list of strings" } else { "a string" }),
    }
}
