//! Conditions: operators, what they compare, and how often.

use std::cmp::Ordering;

use serde_json::Value;

use super::pattern::{Arn, Pattern};
use super::{Facts, keys, texts};
use crate::cloud::clock;

/// One key of one operator. All conditions of a statement must hold.
#[derive(Debug, Clone)]
pub struct Condition {
    key: String,
    /// With `Not`: none of the values may fit.
    negated: bool,
    /// `IfExists`: holds where the request has no such key.
    if_exists: bool,
    each: Each,
    test: Test,
}

/// Which of a request's values count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Each {
    /// The value; of several, any.
    Plain,
    /// `ForAllValues:`; none is all.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// What the policy's values are.
#[derive(Debug, Clone)]
enum Test {
    Text(Vec<Pattern>, bool),
    Arn(Vec<Arn>),
    Number(Vec<f64>, fn(Ordering) -> bool),
    Date(Vec<f64>, fn(Ordering) -> bool),
    Bool(Vec<bool>),
    /// `Null`: whether the key shall be missing.
    Null(Vec<bool>),
}

impl Condition {
    /// Reads what stands below `Condition`: operators, their keys, their values.
    pub fn read(block: &Value, variables: bool) -> Result<Vec<Condition>, String> {
        let operators = block.as_object().ok_or("Syntax errors in policy.")?;
        let mut found = Vec::new();
        for (operator, by_key) in operators {
            for (key, values) in by_key.as_object().ok_or("Syntax errors in policy.")? {
                keys::known(key)?;
                found.push(one(operator, key, &texts(values)?, variables)?);
            }
        }
        Ok(found)
    }

    /// Whether it holds.
    pub fn holds(&self, facts: &Facts) -> bool {
        let given = facts.all(&self.key);
        if let Test::Null(missing) = &self.test {
            return missing.contains(&given.is_none());
        }
        let Some(given) = given else {
            return match self.each {
                Each::All => true,
                Each::Any => self.if_exists,
                Each::Plain => self.if_exists || self.negated,
            };
        };
        let fits = |value: &String| self.test.fits(value, facts) != self.negated;
        match (self.each, self.negated) {
            (Each::All, _) | (Each::Plain, true) => given.iter().all(fits),
            (Each::Any, _) | (Each::Plain, false) => given.iter().any(fits),
        }
    }
}

impl Test {
    fn fits(&self, value: &str, facts: &Facts) -> bool {
        match self {
            Test::Text(patterns, ignore_case) => patterns.iter().any(|pattern| pattern.fits(value, facts, *ignore_case)),
            Test::Arn(arns) => arns.iter().any(|arn| arn.names(value, facts)),
            Test::Number(wanted, holds) => compares(value.parse().ok(), wanted, *holds),
            Test::Date(wanted, holds) => compares(date(value), wanted, *holds),
            Test::Bool(wanted) => value.parse().is_ok_and(|value| wanted.contains(&value)),
            Test::Null(_) => false,
        }
    }
}

fn compares(value: Option<f64>, wanted: &[f64], holds: fn(Ordering) -> bool) -> bool {
    wanted.iter().filter_map(|wanted| value?.partial_cmp(wanted)).any(holds)
}

/// Seconds since 1970 of a date as ISO 8601 or as those seconds.
fn date(text: &str) -> Option<f64> {
    let day = || clock::parse_rfc3339(&format!("{text}T00:00:00Z"));
    let moment = clock::parse_rfc3339(text).or_else(day).and_then(|ms| clock::seconds(ms).as_f64());
    moment.or_else(|| text.parse().ok())
}

fn one(operator: &str, key: &str, values: &[String], variables: bool) -> Result<Condition, String> {
    let unknown = || format!("the lab does not judge by the condition operator `{operator}`");
    let (each, rest) = match operator.split_once(':') {
        None => (Each::Plain, operator),
        Some(("ForAllValues", rest)) => (Each::All, rest),
        Some(("ForAnyValue", rest)) => (Each::Any, rest),
        Some(_) => return Err(unknown()),
    };
    let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
    let bad = |value: &str| format!("the condition operator `{operator}` does not take `{value}`");
    let read = |wild| values.iter().map(|value| Pattern::read(value, wild, variables)).collect::<Result<Vec<_>, _>>();
    let arns = || values.iter().map(|value| Arn::read(value, variables)).collect::<Result<Vec<_>, _>>();
    let numbers = || values.iter().map(|value| value.parse::<f64>().map_err(|_| bad(value))).collect::<Result<Vec<_>, _>>();
    let dates = || values.iter().map(|value| date(value).ok_or_else(|| bad(value))).collect::<Result<Vec<_>, _>>();
    let bools = || values.iter().map(|value| value.parse::<bool>().map_err(|_| bad(value))).collect::<Result<Vec<_>, _>>();
    let (test, negated) = match name {
        "StringEquals" => (Test::Text(read(false)?, false), false),
        "StringNotEquals" => (Test::Text(read(false)?, false), true),
        "StringEqualsIgnoreCase" => (Test::Text(read(false)?, true), false),
        "StringNotEqualsIgnoreCase" => (Test::Text(read(false)?, true), true),
        "StringLike" => (Test::Text(read(true)?, false), false),
        "StringNotLike" => (Test::Text(read(true)?, false), true),
        // AWS takes wildcards in both.
        "ArnEquals" | "ArnLike" => (Test::Arn(arns()?), false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn(arns()?), true),
        "NumericNotEquals" => (Test::Number(numbers()?, Ordering::is_eq), true),
        "DateNotEquals" => (Test::Date(dates()?, Ordering::is_eq), true),
        "Bool" => (Test::Bool(bools()?), false),
        "Null" if each == Each::Plain && !if_exists => (Test::Null(bools()?), false),
        other => {
            let ordered = |prefix: &str| other.strip_prefix(prefix).and_then(ordering);
            match (ordered("Numeric"), ordered("Date")) {
                (Some(holds), _) => (Test::Number(numbers()?, holds), false),
                (_, Some(holds)) => (Test::Date(dates()?, holds), false),
                _ => return Err(unknown()),
            }
        }
    };
    Ok(Condition { key: key.to_ascii_lowercase(), negated, if_exists, each, test })
}

fn ordering(name: &str) -> Option<fn(Ordering) -> bool> {
    Some(match name {
        "Equals" => Ordering::is_eq,
        "LessThan" => Ordering::is_lt,
        "LessThanEquals" => Ordering::is_le,
        "GreaterThan" => Ordering::is_gt,
        "GreaterThanEquals" => Ordering::is_ge,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Facts {
        let mut facts = Facts::default();
        facts.put("aws:ResourceTag/Team", vec!["Blue".to_owned()]);
        facts.put("aws:ResourceTag/Size", vec!["10".to_owned()]);
        facts.put("aws:ResourceTag/On", vec!["true".to_owned()]);
        facts.put("aws:CurrentTime", vec!["2026-11-26T12:00:00Z".to_owned()]);
        facts.put("aws:EpochTime", vec!["1795694400".to_owned()]);
        facts.put("aws:SourceArn", vec!["arn:aws:fis:eu-central-1:123456789012:experiment/EXP1".to_owned()]);
        facts
            .put("lambda:Layer", vec!["arn:aws:lambda:r:1:layer:ours:1".to_owned(), "arn:aws:lambda:r:1:layer:own:2".to_owned()]);
        facts
    }

    #[test]
    fn every_operator() {
        let (team, size, on, layer) = ("aws:ResourceTag/Team", "aws:ResourceTag/Size", "aws:ResourceTag/On", "lambda:Layer");
        let (now, epoch, source, gone) = ("aws:CurrentTime", "aws:EpochTime", "aws:SourceArn", "aws:ResourceTag/Gone");
        let cases: Vec<(&str, &str, Value, bool)> = vec![
            ("StringEquals", team, json!("Blue"), true),
            ("StringEquals", "aws:resourcetag/TEAM", json!("Blue"), true),
            ("StringEquals", team, json!("blue"), false),
            ("StringEquals", team, json!("B*"), false),
            ("StringEquals", team, json!(["Red", "Blue"]), true),
            ("StringEquals", team, json!([]), false),
            ("StringEquals", gone, json!("Blue"), false),
            ("StringEqualsIfExists", gone, json!("Blue"), true),
            ("StringEqualsIfExists", team, json!("Red"), false),
            ("StringEqualsIgnoreCase", team, json!("bLUE"), true),
            ("StringNotEqualsIgnoreCase", team, json!("bLUE"), false),
            ("StringNotEquals", team, json!("Red"), true),
            ("StringNotEquals", team, json!(["Red", "Blue"]), false),
            ("StringNotEquals", gone, json!("Red"), true),
            ("StringLike", team, json!("B??e"), true),
            ("StringLike", team, json!("${aws:ResourceTag/Team}"), true),
            ("StringNotLike", team, json!("B*"), false),
            ("StringNotLike", team, json!("R*"), true),
            ("ArnLike", source, json!("arn:aws:fis:*:*:experiment/*"), true),
            ("ArnLike", source, json!("arn:aws:fis:*:experiment/*"), false),
            ("ArnEquals", source, json!("arn:aws:fis:*:*:experiment/EXP?"), true),
            ("ArnNotLike", source, json!("arn:aws:fis:*:*:experiment/*"), false),
            ("ArnNotEquals", source, json!("arn:aws:fis:*:*:experiment/EXP2"), true),
            ("ArnLike", gone, json!("arn:aws:fis:*:*:*"), false),
            ("Bool", on, json!(true), true),
            ("Bool", on, json!("false"), false),
            ("Bool", team, json!("true"), false),
            ("Null", gone, json!("true"), true),
            ("Null", gone, json!(false), false),
            ("Null", team, json!("false"), true),
            ("NumericEquals", size, json!(10), true),
            ("NumericEquals", size, json!("10.0"), true),
            ("NumericNotEquals", size, json!(10), false),
            ("NumericLessThan", size, json!("9"), false),
            ("NumericLessThan", size, json!("11"), true),
            ("NumericLessThanEquals", size, json!(10), true),
            ("NumericGreaterThan", size, json!([99, 9]), true),
            ("NumericGreaterThanEquals", size, json!(11), false),
            ("NumericGreaterThan", team, json!(1), false),
            ("DateLessThan", now, json!("2026-11-26T12:00:01Z"), true),
            ("DateGreaterThan", now, json!("2026-11-26"), true),
            ("DateEquals", now, json!(1_795_694_400), true),
            ("DateNotEquals", epoch, json!("2026-11-26T12:00:00Z"), false),
            ("DateLessThanEquals", epoch, json!("2026-11-26T11:59:59Z"), false),
            ("DateGreaterThanEquals", epoch, json!("2026-11-26T12:00:00Z"), true),
            ("ForAllValues:StringLike", layer, json!(["*:ours:*", "*:own:*"]), true),
            ("ForAllValues:StringLike", layer, json!(["*:ours:*"]), false),
            ("ForAllValues:StringLike", gone, json!(["*"]), true),
            ("ForAnyValue:StringLike", layer, json!(["*:ours:*"]), true),
            ("ForAnyValue:StringLike", gone, json!(["*"]), false),
            ("ForAnyValue:StringLikeIfExists", gone, json!(["*"]), true),
            ("ForAllValues:StringNotLike", layer, json!(["*:ours:*"]), false),
            ("ForAnyValue:StringNotLike", layer, json!(["*:ours:*"]), true),
            ("ForAllValues:ArnLike", layer, json!(["arn:aws:lambda:*:*:layer:*"]), true),
            ("StringLike", layer, json!("*:ours:*"), true),
            ("StringNotLike", layer, json!("*:ours:*"), false),
        ];
        for (operator, key, values, wanted) in cases {
            let block = json!({operator: {key: values}});
            let [condition] = Condition::read(&block, true).unwrap().try_into().unwrap();
            assert_eq!(condition.holds(&facts()), wanted, "{block}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_refused_by_name() {
        let cases = [
            ("IpAddress", "aws:SourceArn", json!("10.0.0.0/8"), "`IpAddress`"),
            ("BinaryEquals", "aws:SourceArn", json!("aa"), "`BinaryEquals`"),
            ("ForSome:StringLike", "lambda:Layer", json!("a"), "`ForSome:StringLike`"),
            ("ForAllValues:Null", "lambda:Layer", json!("true"), "`ForAllValues:Null`"),
            ("NullIfExists", "lambda:Layer", json!("true"), "`NullIfExists`"),
            ("StringEquals", "aws:MultiFactorAuthPresent", json!("true"), "`aws:MultiFactorAuthPresent`"),
            ("StringEquals", "aws:ResourceTag/", json!("true"), "`aws:ResourceTag/`"),
            ("NumericEquals", "aws:EpochTime", json!("soon"), "`soon`"),
            ("DateEquals", "aws:EpochTime", json!("soon"), "`soon`"),
            ("Bool", "aws:ResourceTag/a", json!("yes"), "`yes`"),
            ("ArnLike", "aws:SourceArn", json!("experiment/*"), "must be in ARN format"),
            ("StringEquals", "aws:SourceArn", json!({"a": "b"}), "Syntax errors"),
        ];
        for (operator, key, values, wanted) in cases {
            let error = Condition::read(&json!({operator: {key: values}}), true).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
