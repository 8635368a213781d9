//! Texts of policies: with wildcards, with variables, ARNs among them. Read once, when the policy is put.

use super::{Facts, keys};

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// One letter, which stands for itself.
    Letter(char),
    /// `?`: any letter.
    One,
    /// `*`: any letters.
    Any,
    /// `${KEY}` or `${KEY, 'otherwise'}`: what the request has.
    Variable(String, Option<String>),
}

/// A text of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

impl Pattern {
    /// Reads a text. `wild`: whether `*` and `?` are wildcards; `variables`: whether `${…}` means something.
    pub fn read(text: &str, wild: bool, variables: bool) -> Result<Pattern, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let Some(inner) = rest.strip_prefix("${").filter(|_| variables) {
                let (inside, after) = inner.split_once('}').ok_or_else(|| format!("`{text}`: `${{` has no end"))?;
                parts.push(variable(inside)?);
                rest = after;
                continue;
            }
            parts.push(match letter {
                '*' if wild => Part::Any,
                '?' if wild => Part::One,
                other => Part::Letter(other),
            });
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
        Ok(Pattern(parts))
    }

    /// Whether a text is of this form. What a variable stands for is taken as it is; one that is not there fits nothing.
    pub fn fits(&self, text: &str, facts: &Facts, ignore_case: bool) -> bool {
        let mut parts = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::Variable(key, otherwise) => match facts.one(key).or(otherwise.as_deref()) {
                    Some(value) => parts.extend(value.chars().map(Part::Letter)),
                    None => return false,
                },
                other => parts.push(other.clone()),
            }
        }
        let letters: Vec<char> = text.chars().collect();
        fits(&parts, &letters, ignore_case)
    }
}

/// What stands between `${` and `}`.
fn variable(inside: &str) -> Result<Part, String> {
    if let "*" | "?" | "$" = inside {
        return Ok(Part::Letter(inside.chars().next().unwrap_or_default()));
    }
    let (key, otherwise) = match inside.split_once(',') {
        None => (inside.trim(), None),
        Some((key, rest)) => {
            let quoted = rest.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            (key.trim(), Some(quoted.ok_or_else(|| format!("`${{{inside}}}`: what stands otherwise is in single quotes"))?))
        }
    };
    keys::known(key)?;
    Ok(Part::Variable(key.to_ascii_lowercase(), otherwise.map(str::to_owned)))
}

/// Goes along both, and back to the last `*` where they part.
fn fits(parts: &[Part], letters: &[char], ignore_case: bool) -> bool {
    let same = |one: char, other: char| one == other || (ignore_case && one.to_lowercase().eq(other.to_lowercase()));
    let (mut at, mut seen) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(letter) = letters.get(seen) {
        match parts.get(at) {
            Some(Part::Any) => {
                back = Some((at + 1, seen));
                at += 1;
            }
            Some(Part::One) => (at, seen) = (at + 1, seen + 1),
            Some(Part::Letter(wanted)) if same(*wanted, *letter) => (at, seen) = (at + 1, seen + 1),
            _ => match back {
                Some((after, from)) => {
                    back = Some((after, from + 1));
                    (at, seen) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    parts.iter().skip(at).all(|part| *part == Part::Any)
}

/// An ARN of a policy: its six parts each by itself, so that no wildcard reaches over a colon before the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arn {
    /// `*`.
    All,
    /// The parts.
    Parts(Vec<Pattern>),
}

impl Arn {
    /// Reads one; parts that are missing at the end are `*`.
    pub fn read(text: &str, variables: bool) -> Result<Arn, String> {
        if text == "*" {
            return Ok(Arn::All);
        }
        let mut texts = split(text);
        if texts.first() != Some(&"arn") || texts.len() < 3 {
            return Err(format!("{text} must be in ARN format or \"*\"."));
        }
        texts.resize(6, "*");
        let parts = texts.into_iter().map(|part| Pattern::read(part, true, variables)).collect::<Result<_, _>>()?;
        Ok(Arn::Parts(parts))
    }

    /// Whether it names this resource. `*`, a call about nothing in particular, is named by `*` alone.
    pub fn names(&self, resource: &str, facts: &Facts) -> bool {
        let Arn::Parts(parts) = self else { return true };
        let given = split(resource);
        given.len() == parts.len() && parts.iter().zip(given).all(|(part, given)| part.fits(given, facts, false))
    }
}

/// The six parts of an ARN. A variable may hold a colon (`${aws:PrincipalTag/x}`) and is not cut there.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && parts.len() < 5 => {
                parts.extend(text.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(from..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_variables() {
        let mut facts = Facts::default();
        facts.put("aws:PrincipalTag/team", vec!["a*".to_owned()]);
        let cases = [
            ("", "", true),
            ("a*c", "abbc", true),
            ("a*c", "ac", true),
            ("a*c", "acb", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xaxbx", true),
            ("**", "x", true),
            ("a${*}c", "a*c", true),
            ("a${*}c", "abc", false),
            ("${?}${$}", "?$", true),
            ("x-${aws:PrincipalTag/team}", "x-a*", true),
            ("x-${aws:PrincipalTag/TEAM}", "x-a*", true),
            ("x-${aws:PrincipalTag/team}", "x-ab", false),
            ("x-${aws:PrincipalTag/other}", "x-", false),
            ("x-${aws:PrincipalTag/other, 'b,c'}", "x-b,c", true),
        ];
        for (pattern, text, wanted) in cases {
            assert_eq!(Pattern::read(pattern, true, true).unwrap().fits(text, &facts, false), wanted, "{pattern} {text}");
        }
        assert!(!Pattern::read("a*c", false, true).unwrap().fits("abc", &facts, false), "no wildcard");
        assert!(Pattern::read("${*}", true, false).unwrap().fits("${x}", &facts, false), "no variable");
        assert!(Pattern::read("LAMBDA:get*", true, false).unwrap().fits("lambda:GetFunction", &facts, true));
        for text in ["${aws:PrincipalTag/x", "${aws:PrincipalTag/x, y}", "${aws:MultiFactorAuthAge}"] {
            assert!(Pattern::read(text, true, true).is_err(), "{text}");
        }
    }

    #[test]
    fn arns_part_by_part() {
        let facts = Facts::default();
        let function = "arn:aws:lambda:eu-central-1:123456789012:function:one";
        let cases = [
            ("*", function, true),
            ("*", "*", true),
            ("arn:aws:lambda:*:*:function:*", "*", false),
            ("arn:aws:lambda:*:*:function:*", function, true),
            ("arn:aws:lambda:*:*:function:one", function, true),
            ("arn:aws:lambda:*:*:function:*:*", function, false),
            ("arn:aws:lambda:*:*:function:*:*", "arn:aws:lambda:eu-central-1:123456789012:function:one:7", true),
            ("arn:aws:lambda:*:*:function:*", "arn:aws:lambda:eu-central-1:123456789012:function:one:7", true),
            ("arn:aws:lambda:*:function:one", function, false),
            ("arn:aws:lambda:*one", function, false),
            ("arn:aws:lambda", function, true),
            ("arn:aws:ssm", function, false),
            ("arn:aws:lambda:*:*:FUNCTION:one", function, false),
        ];
        for (pattern, resource, wanted) in cases {
            assert_eq!(Arn::read(pattern, true).unwrap().names(resource, &facts), wanted, "{pattern} {resource}");
        }
        assert!(Arn::read("function:one", true).is_err());
        assert!(Arn::read("arn:aws", true).is_err());
    }
}
