//! Filter patterns: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>. Terms, quoted ones, and
//! comparisons of JSON's fields; regular expressions, parentheses and patterns of columns are refused by name.

use serde_json::Value;

/// What an event must say.
#[derive(Debug, PartialEq)]
pub enum Pattern {
    /// All of `all`, none of `none`, and one of `any` where there is nothing else.
    Terms { all: Vec<String>, any: Vec<String>, none: Vec<String> },
    /// One of these, each of which needs all of its comparisons.
    Json(Vec<Vec<Comparison>>),
}

/// One comparison of a field.
#[derive(Debug, PartialEq)]
pub struct Comparison {
    path: Vec<String>,
    operator: &'static str,
    value: String,
}

const OPERATORS: [&str; 6] = ["!=", "<=", ">=", "=", "<", ">"];

impl Pattern {
    /// Reads a pattern.
    pub fn read(text: &str) -> Result<Pattern, String> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix('{') {
            let inner = inner.strip_suffix('}').ok_or_else(|| format!("Invalid filter pattern: `{text}`"))?;
            return json(inner);
        }
        if text.starts_with('[') || text.starts_with('%') {
            return Err(format!("the lab does not serve filter patterns of columns or regular expressions: `{text}`"));
        }
        let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let (list, term) = match rest.split_at_checked(1) {
                Some(("?", tail)) => (&mut any, tail),
                Some(("-", tail)) => (&mut none, tail),
                _ => (&mut all, rest),
            };
            let (word, tail) = word(term)?;
            list.push(word);
            rest = tail.trim_start();
        }
        Ok(Pattern::Terms { all, any, none })
    }

    /// Whether a message fits.
    pub fn matches(&self, message: &str) -> bool {
        match self {
            Pattern::Terms { all, any, none } => {
                let has = |term: &String| message.contains(term.as_str());
                // Beside other terms, a choice counts for nothing.
                let choice = any.is_empty() || !all.is_empty() || any.iter().any(has);
                all.iter().all(has) && choice && !none.iter().any(has)
            }
            Pattern::Json(choices) => {
                let Ok(value) = serde_json::from_str::<Value>(message) else { return false };
                choices.iter().any(|all| all.iter().all(|one| one.holds(&value)))
            }
        }
    }
}

/// A word or a quoted text, and what follows.
fn word(text: &str) -> Result<(String, &str), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        return Ok((word.to_owned(), rest));
    };
    let mut word = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((word, quoted.get(at + 1..).unwrap_or_default())),
            '\\' => word.extend(letters.next().map(|(_, letter)| letter)),
            other => word.push(other),
        }
    }
    Err(format!("Invalid filter pattern: `{text}` has no end"))
}

fn json(text: &str) -> Result<Pattern, String> {
    let (mut choices, mut rest) = (vec![Vec::new()], text.trim());
    loop {
        let (one, tail) = comparison(rest)?;
        if let Some(last) = choices.last_mut() {
            last.push(one);
        }
        rest = tail.trim_start();
        if let Some(tail) = rest.strip_prefix("&&") {
            rest = tail.trim_start();
        } else if let Some(tail) = rest.strip_prefix("||") {
            choices.push(Vec::new());
            rest = tail.trim_start();
        } else if rest.is_empty() {
            return Ok(Pattern::Json(choices));
        } else {
            return Err(format!("Invalid filter pattern at `{rest}`"));
        }
    }
}

fn comparison(text: &str) -> Result<(Comparison, &str), String> {
    if text.starts_with('(') {
        return Err("the lab does not serve parentheses in filter patterns".to_owned());
    }
    let end = text.find(|letter: char| letter.is_whitespace() || "=!<>".contains(letter)).unwrap_or(text.len());
    let (selector, rest) = text.split_at(end);
    let inner =
        selector.strip_prefix("$.").ok_or_else(|| format!("Invalid filter pattern: expected `$.FIELD`, got `{selector}`"))?;
    let path = inner.replace('[', ".").replace(']', "").split('.').map(str::to_owned).collect();
    let rest = rest.trim_start();
    let found = OPERATORS.iter().find_map(|operator| Some((*operator, rest.strip_prefix(operator)?)));
    let Some((operator, rest)) = found else {
        return Err(format!("the lab serves the comparisons {} in filter patterns, not `{rest}`", OPERATORS.join(" ")));
    };
    let rest = rest.trim_start();
    if rest.starts_with('%') {
        return Err("the lab does not serve regular expressions in filter patterns".to_owned());
    }
    let (value, rest) = word(rest)?;
    Ok((Comparison { path, operator, value }, rest))
}

impl Comparison {
    fn holds(&self, value: &Value) -> bool {
        let found = self.path.iter().try_fold(value, |value, name| match value {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            other => other.get(name),
        });
        let Some(found) = found.filter(|found| !found.is_object() && !found.is_array()) else { return false };
        if let (Some(found), Ok(wanted)) = (found.as_f64(), self.value.parse::<f64>()) {
            return match self.operator {
                "=" => found == wanted,
                "!=" => found != wanted,
                "<" => found < wanted,
                ">" => found > wanted,
                "<=" => found <= wanted,
                _ => found >= wanted,
            };
        }
        let shown = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        match self.operator {
            "=" => like(&self.value, &shown),
            "!=" => !like(&self.value, &shown),
            _ => false,
        }
    }
}

/// Whether a text is what a pattern says, `*` for anything.
fn like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_must_all_be_there_or_one_of_a_choice_and_none_of_the_excluded() {
        let cases = [
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR", "an error here", false),
            ("one two", "two and one", true),
            ("one two", "one alone", false),
            ("\"two words\"", "these two words", true),
            ("\"two words\"", "words, two", false),
            ("\"a \\\" b\"", "a \" b", true),
            ("?one ?two", "two", true),
            ("?one ?two", "three", false),
            ("three ?one", "three", true),
            ("one -two", "one two", false),
            ("one -two", "one", true),
        ];
        for (pattern, message, expected) in cases {
            assert_eq!(Pattern::read(pattern).unwrap().matches(message), expected, "{pattern} {message}");
        }
    }

    #[test]
    fn fields_of_json_are_compared() {
        let message = r#"{"a":"b","n":3,"deep":{"list":[{"x":"start-end"}]},"on":true}"#;
        let cases = [
            ("{ $.a = \"b\" }", true),
            ("{$.a=b}", true),
            ("{ $.a != \"b\" }", false),
            ("{ $.none = \"b\" }", false),
            ("{ $.n > 2 && $.n <= 3 }", true),
            ("{ $.n > 3 || $.on = true }", true),
            ("{ $.deep.list[0].x = \"start*\" }", true),
            ("{ $.deep.list[0].x = \"*t-e*\" }", true),
            ("{ $.deep.list[0].x = \"*start\" }", false),
            ("{ $.deep = \"*\" }", false),
        ];
        for (pattern, expected) in cases {
            assert_eq!(Pattern::read(pattern).unwrap().matches(message), expected, "{pattern}");
        }
        assert!(!Pattern::read("{ $.a = \"b\" }").unwrap().matches("no JSON"));
        for pattern in
            ["{ $.a = \"b\"", "{ a = 1 }", "{ ($.a = 1) }", "{ $.a IS NULL }", "[a, b]", "%x%", "{ $.a = %x% }", "\"open"]
        {
            assert!(Pattern::read(pattern).is_err(), "{pattern}");
        }
    }
}
