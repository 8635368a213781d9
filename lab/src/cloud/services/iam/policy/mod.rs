//! Policies: read once, when they are put, and asked for each call. Pure: everything that a decision depends on is handed in.
//!
//! - [`read`]: what IAM refuses of a document, and what the lab cannot judge.
//! - [`condition`], [`pattern`], [`keys`]: the parts of a statement.
//!
//! Of what crates.io has, `iam-rs` 0.8 is the one library that evaluates these policies (`cedar-policy` is another language). It
//! was looked at and left: it takes no `*` as a call's resource, replaces no variables in conditions and makes nothing of `${*}`,
//! compares `ArnEquals` letter by letter and lets wildcards of `ArnLike` reach over the parts of an ARN, refuses a document with
//! `ForAllValues:…IfExists`, passes over members that it does not know, and converts every condition anew for every call.

pub mod condition;
pub mod keys;
pub mod pattern;
pub mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use condition::Condition;
use pattern::{Arn, Pattern};

/// What a request has: the values of condition keys, by their names in small letters.
#[derive(Debug, Clone, Default)]
pub struct Facts(BTreeMap<String, Vec<String>>);

impl Facts {
    /// Adds a key.
    pub fn put(&mut self, key: &str, values: Vec<String>) {
        self.0.insert(key.to_ascii_lowercase(), values);
    }

    fn all(&self, key: &str) -> Option<&[String]> {
        self.0.get(key).map(Vec::as_slice)
    }

    fn one(&self, key: &str) -> Option<&str> {
        match self.all(key) {
            Some([value]) => Some(value),
            _ => None,
        }
    }
}

/// Who a trust policy is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller<'a> {
    /// A service, as in `ssm.amazonaws.com`.
    Service(&'a str),
    /// The account's own user or a role of it, by its ARN.
    Aws(&'a str),
}

/// What is asked.
#[derive(Debug)]
pub struct Asked<'a> {
    /// As in `lambda:GetFunction`.
    pub action: &'a str,
    /// An ARN, or `*`.
    pub resource: &'a str,
    /// Everything else.
    pub facts: &'a Facts,
    /// Who asks, for policies that name principals.
    pub caller: Option<Caller<'a>>,
}

/// What policies say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it.
    Allowed(String),
    /// A statement denies it, whatever others allow.
    Denied(String),
    /// No statement speaks of it.
    Nothing,
}

/// Whom a statement of a trust policy is for.
#[derive(Debug, Clone)]
enum Who {
    Service(String),
    /// An ARN or an account's number.
    Aws(String),
    All,
}

impl Who {
    fn is(&self, caller: &Caller<'_>) -> bool {
        match (self, caller) {
            (Who::All, _) => true,
            (Who::Service(name), Caller::Service(given)) => name == given,
            // A whole account is everybody in it.
            (Who::Aws(name), Caller::Aws(given)) => {
                let account = given.split(':').nth(4).unwrap_or_default();
                name == given || name == account || *name == format!("arn:aws:iam::{account}:root")
            }
            _ => false,
        }
    }
}

/// A list that counts, or everything but it.
#[derive(Debug, Clone)]
struct Listed<T> {
    not: bool,
    items: Vec<T>,
}

impl<T> Listed<T> {
    fn has(&self, fits: impl FnMut(&T) -> bool) -> bool {
        self.items.iter().any(fits) != self.not
    }
}

#[derive(Debug)]
struct Statement {
    /// `Sid`, else the policy's name and the statement's number in it.
    name: Option<String>,
    allows: bool,
    who: Option<Listed<Who>>,
    actions: Listed<Pattern>,
    resources: Option<Listed<Arn>>,
    conditions: Vec<Condition>,
}

impl Statement {
    fn applies(&self, asked: &Asked<'_>) -> bool {
        let who = |who: &Listed<Who>| asked.caller.as_ref().is_some_and(|caller| who.has(|one| one.is(caller)));
        self.who.as_ref().is_none_or(who)
            && self.actions.has(|action| action.fits(asked.action, asked.facts, true))
            && self.resources.as_ref().is_none_or(|resources| resources.has(|arn| arn.names(asked.resource, asked.facts)))
            && self.conditions.iter().all(|condition| condition.holds(asked.facts))
    }
}

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// What a role may do.
    Identity,
    /// Who may be the role.
    Trust,
}

/// A document as it was put, and what it says. It is kept as its text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Policy {
    kind: Kind,
    /// As it was put.
    pub text: String,
    statements: Arc<Vec<Statement>>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    kind: Kind,
    text: String,
}

impl From<Policy> for Kept {
    fn from(policy: Policy) -> Kept {
        Kept { kind: policy.kind, text: policy.text }
    }
}

impl TryFrom<Kept> for Policy {
    type Error = String;

    fn try_from(kept: Kept) -> Result<Policy, String> {
        Policy::read(kept.kind, &kept.text)
    }
}

impl Policy {
    /// Whether one of its statements allows this to exactly that principal, not to its whole account.
    pub fn names(&self, arn: &str) -> bool {
        let named = |who: &Listed<Who>| !who.not && who.items.iter().any(|one| matches!(one, Who::Aws(name) if name == arn));
        self.statements.iter().any(|statement| statement.allows && statement.who.as_ref().is_some_and(named))
    }
}

/// What policies, each with its name, say together: a denial before everything, else whatever allows it first.
pub fn decide<'a>(policies: impl Iterator<Item = (&'a str, &'a Policy)>, asked: &Asked<'_>) -> Decision {
    let mut decision = Decision::Nothing;
    for (policy, statements) in policies.map(|(name, policy)| (name, &policy.statements)) {
        for (index, statement) in statements.iter().enumerate().filter(|(_, statement)| statement.applies(asked)) {
            let name = || statement.name.clone().unwrap_or_else(|| format!("{policy}#{}", index + 1));
            if !statement.allows {
                return Decision::Denied(name());
            }
            if decision == Decision::Nothing {
                decision = Decision::Allowed(name());
            }
        }
    }
    decision
}

/// A text or a list of texts; numbers and switches as their texts.
fn texts(value: &Value) -> Result<Vec<String>, String> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(on) => Ok(on.to_string()),
        _ => Err("Syntax errors in policy.".to_owned()),
    };
    match value {
        Value::Array(items) => items.iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}
