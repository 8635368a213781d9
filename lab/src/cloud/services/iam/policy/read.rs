//! Reads a document, and refuses what IAM refuses in its words, and what the lab cannot judge by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::condition::Condition;
use super::pattern::{self, Pattern};
use super::{Kind, Listed, Policy, Statement, Who, texts};

const SYNTAX: &str = "Syntax errors in policy.";

impl Policy {
    /// Reads a document.
    pub fn read(kind: Kind, text: &str) -> Result<Policy, String> {
        let document: Value = serde_json::from_str(text).map_err(|_| SYNTAX)?;
        let document = document.as_object().ok_or(SYNTAX)?;
        only(document, &["Version", "Id", "Statement"])?;
        let version = document.get("Version").map(|version| version.as_str().unwrap_or_default());
        match (version, kind) {
            (Some("2012-10-17"), _) | (Some("2008-10-17") | None, Kind::Trust) => {}
            (Some("2008-10-17") | None, Kind::Identity) => {
                return Err("Policy document must be version 2012-10-17 or greater.".to_owned());
            }
            _ => return Err(SYNTAX.to_owned()),
        }
        // The older language has none.
        let variables = version == Some("2012-10-17");
        let rows = match document.get("Statement") {
            Some(Value::Array(rows)) => rows.iter().collect(),
            Some(row @ Value::Object(_)) => vec![row],
            _ => return Err(SYNTAX.to_owned()),
        };
        let mut sids = BTreeSet::new();
        let mut statements = Vec::new();
        for row in rows {
            let statement = statement(kind, row.as_object().ok_or(SYNTAX)?, variables)?;
            if statement.name.as_ref().is_some_and(|sid| !sids.insert(sid.clone())) {
                return Err("Statement IDs (SID) in a single policy must be unique.".to_owned());
            }
            statements.push(statement);
        }
        Ok(Policy { kind, text: text.to_owned(), statements: Arc::new(statements) })
    }
}

fn only(fields: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    if fields.keys().all(|key| known.contains(&key.as_str())) { Ok(()) } else { Err(SYNTAX.to_owned()) }
}

fn statement(kind: Kind, fields: &Map<String, Value>, variables: bool) -> Result<Statement, String> {
    let known = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    only(fields, &known)?;
    let name = fields.get("Sid").map(|sid| sid.as_str().ok_or(SYNTAX)).transpose()?.filter(|sid| !sid.is_empty());
    if name.is_some_and(|sid| !sid.chars().all(|letter| letter.is_ascii_alphanumeric())) {
        return Err(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [A-Za-z0-9]*"
                .to_owned(),
        );
    }
    let allows = match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err(SYNTAX.to_owned()),
    };
    let (who, resources) = match kind {
        Kind::Identity => {
            if fields.contains_key("Principal") || fields.contains_key("NotPrincipal") {
                return Err("Policy document should not specify a principal.".to_owned());
            }
            let arn = |text: String| pattern::Arn::read(&text, variables).map_err(|error| format!("Resource {error}"));
            let resources = listed(fields, "Resource", "NotResource", arn)?;
            (None, Some(resources.ok_or("Policy statement must contain resources.")?))
        }
        Kind::Trust => {
            if let Some(field) = ["Resource", "NotResource"].into_iter().find(|field| fields.contains_key(*field)) {
                return Err(format!("Has prohibited field {field}"));
            }
            (Some(who(fields)?), None)
        }
    };
    let action = |text: String| {
        let (vendor, rest) = text.split_once(':').unwrap_or(("", &text));
        if text != "*" && (vendor.is_empty() || rest.is_empty()) {
            return Err("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned());
        }
        if vendor.contains(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-') {
            return Err(format!("Vendor {vendor} is not valid"));
        }
        if kind == Kind::Trust && !vendor.eq_ignore_ascii_case("sts") {
            return Err("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
        }
        // An action has no variables.
        Pattern::read(&text, true, false)
    };
    let actions = listed(fields, "Action", "NotAction", action)?.ok_or("Policy statement must contain actions.")?;
    let conditions = fields.get("Condition").map_or(Ok(Vec::new()), |block| Condition::read(block, variables))?;
    Ok(Statement { name: name.map(str::to_owned), allows, who, actions, resources, conditions })
}

/// The list under a name, or under its opposite; both is an error.
fn listed<T>(
    fields: &Map<String, Value>,
    name: &str,
    opposite: &str,
    item: impl Fn(String) -> Result<T, String>,
) -> Result<Option<Listed<T>>, String> {
    let (not, value) = match (fields.get(name), fields.get(opposite)) {
        (Some(_), Some(_)) => return Err(SYNTAX.to_owned()),
        (Some(value), None) => (false, value),
        (None, Some(value)) => (true, value),
        (None, None) => return Ok(None),
    };
    let items: Vec<T> = texts(value)?.into_iter().map(item).collect::<Result<_, _>>()?;
    if items.is_empty() {
        return Ok(None);
    }
    Ok(Some(Listed { not, items }))
}

fn who(fields: &Map<String, Value>) -> Result<Listed<Who>, String> {
    let (not, value) = match (fields.get("Principal"), fields.get("NotPrincipal")) {
        (Some(value), None) => (false, value),
        (None, Some(value)) => (true, value),
        _ => return Err(SYNTAX.to_owned()),
    };
    if value == "*" {
        return Ok(Listed { not, items: vec![Who::All] });
    }
    let mut items = Vec::new();
    for (kind, names) in value.as_object().ok_or(SYNTAX)? {
        for name in texts(names)? {
            let invalid = || format!("Invalid principal in policy: \"{kind}\":\"{name}\"");
            let account = name.len() == 12 && name.bytes().all(|digit| digit.is_ascii_digit());
            items.push(match kind.as_str() {
                "AWS" if name == "*" => Who::All,
                "AWS" if account || (name.starts_with("arn:") && name.split(':').count() >= 6) => Who::Aws(name),
                "Service" if name.contains('.') => Who::Service(name),
                "AWS" | "Service" => return Err(invalid()),
                "Federated" | "CanonicalUser" => return Err(format!("the lab does not know the principal `{kind}`")),
                _ => return Err(SYNTAX.to_owned()),
            });
        }
    }
    if items.is_empty() { Err(SYNTAX.to_owned()) } else { Ok(Listed { not, items }) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Asked, Caller, Decision, Facts, decide};
    use super::*;

    fn policy(kind: Kind, statements: &Value) -> Result<Policy, String> {
        Policy::read(kind, &json!({"Version": "2012-10-17", "Statement": statements}).to_string())
    }

    fn asked(statements: &Value, action: &str, resource: &str) -> Decision {
        let policy = policy(Kind::Identity, statements).unwrap();
        let asked = Asked { action, resource, facts: &Facts::default(), caller: None };
        decide([("p", &policy)].into_iter(), &asked)
    }

    #[test]
    fn denials_come_first_whatever_the_order_and_nothing_is_allowed_by_itself() {
        let allow = |sid: &str, action: &Value| json!({"Sid": sid, "Effect": "Allow", "Action": action, "Resource": "*"});
        let deny = json!({"Effect": "Deny", "NotAction": ["ssm:Get*", "lambda:*"], "Resource": "*"});
        let both = json!([allow("All", &json!("*")), deny]);
        assert_eq!(asked(&both, "ssm:GetParameter", "*"), Decision::Allowed("All".to_owned()));
        assert_eq!(asked(&both, "SSM:getparameters", "*"), Decision::Allowed("All".to_owned()));
        assert_eq!(asked(&both, "ssm:PutParameter", "*"), Decision::Denied("p#2".to_owned()));
        let first = json!([deny, allow("All", &json!("*"))]);
        assert_eq!(asked(&first, "ssm:PutParameter", "*"), Decision::Denied("p#1".to_owned()));
        assert_eq!(asked(&json!([allow("One", &json!(["ssm:Get?arameter"]))]), "ssm:PutParameter", "*"), Decision::Nothing);
        let not = json!({"Effect": "Allow", "Action": "lambda:*", "NotResource": "arn:aws:lambda:*:*:function:prod-*"});
        let arn = |name: &str| format!("arn:aws:lambda:r:123456789012:function:{name}");
        assert_eq!(asked(&not, "lambda:GetFunction", &arn("dev-a")), Decision::Allowed("p#1".to_owned()));
        assert_eq!(asked(&not, "lambda:GetFunction", &arn("prod-a")), Decision::Nothing);
    }

    #[test]
    fn trust_is_for_a_service_a_role_or_an_account() {
        let trust = |principal: &Value| json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        let role = "arn:aws:iam::123456789012:role/r";
        let cases = [
            (json!({"Service": "ssm.amazonaws.com"}), Caller::Service("ssm.amazonaws.com"), true),
            (json!({"Service": ["fis.amazonaws.com", "ssm.amazonaws.com"]}), Caller::Service("ssm.amazonaws.com"), true),
            (json!({"Service": "fis.amazonaws.com"}), Caller::Service("ssm.amazonaws.com"), false),
            (json!({"AWS": role}), Caller::Aws(role), true),
            (json!({"AWS": "123456789012"}), Caller::Aws(role), true),
            (json!({"AWS": "arn:aws:iam::123456789012:root"}), Caller::Aws(role), true),
            (json!({"AWS": "arn:aws:iam::123456789012:role/other"}), Caller::Aws(role), false),
            (json!({"AWS": "210987654321"}), Caller::Aws(role), false),
            (json!({"AWS": role}), Caller::Service("ssm.amazonaws.com"), false),
            (json!("*"), Caller::Service("ssm.amazonaws.com"), true),
        ];
        for (principal, caller, wanted) in cases {
            let policy = policy(Kind::Trust, &trust(&principal)).unwrap();
            let asked = Asked { action: "sts:AssumeRole", resource: role, facts: &Facts::default(), caller: Some(caller) };
            let decision = decide([("trust", &policy)].into_iter(), &asked);
            assert_eq!(decision == Decision::Allowed("trust#1".to_owned()), wanted, "{principal}");
        }
    }

    #[test]
    fn malformed_documents_are_refused_in_iams_words() {
        let good = json!({"Sid": "A", "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"});
        let with = |field: &str, value: Value| {
            let mut row = good.clone();
            row[field] = value;
            row
        };
        let without = |field: &str| {
            let mut row = good.clone();
            row.as_object_mut().unwrap().remove(field);
            row
        };
        assert!(policy(Kind::Identity, &good).is_ok());
        let cases = [
            (json!("text"), SYNTAX),
            (with("Effect", json!("allow")), SYNTAX),
            (with("Efect", json!("Allow")), SYNTAX),
            (with("Action", json!({})), SYNTAX),
            (with("NotAction", json!("ssm:*")), SYNTAX),
            (with("Sid", json!("a b")), "must be alpha-numeric"),
            (json!([good, good]), "must be unique"),
            (without("Action"), "Policy statement must contain actions."),
            (without("Resource"), "Policy statement must contain resources."),
            (with("Resource", json!([])), "Policy statement must contain resources."),
            (with("Resource", json!("function:one")), "Resource function:one must be in ARN format or \"*\"."),
            (with("Action", json!("GetParameter")), "must be prefaced by a vendor"),
            (with("Action", json!("s*m:Get")), "Vendor s*m is not valid"),
            (with("Principal", json!("*")), "should not specify a principal"),
            (with("Condition", json!([])), SYNTAX),
            (with("Condition", json!({"StringEquals": {"aws:SourceIp": "1"}})), "condition key `aws:SourceIp`"),
        ];
        for (statements, wanted) in cases {
            let error = policy(Kind::Identity, &statements).unwrap_err();
            assert!(error.contains(wanted), "{statements}: {error}");
        }
        for text in ["", "[]", "{\"Version\": \"2012-10-17\"}", "{\"Version\": \"2020-01-01\", \"Statement\": []}"] {
            assert_eq!(Policy::read(Kind::Identity, text).unwrap_err(), SYNTAX, "{text}");
        }
        assert!(Policy::read(Kind::Identity, "{\"Statement\": []}").unwrap_err().contains("version 2012-10-17 or greater"));
        let trust = |principal: Value, action: &str| json!({"Effect": "Allow", "Principal": principal, "Action": action});
        let service = json!({"Service": "ssm.amazonaws.com"});
        let cases = [
            (good.clone(), "Has prohibited field Resource"),
            (trust(service, "ssm:GetParameter"), "may only specify STS AssumeRole actions"),
            (trust(json!({"Service": "ssm"}), "sts:AssumeRole"), "Invalid principal in policy: \"Service\":\"ssm\""),
            (trust(json!({"AWS": "me"}), "sts:AssumeRole"), "Invalid principal in policy: \"AWS\":\"me\""),
            (trust(json!({"Federated": "x"}), "sts:AssumeRole"), "the principal `Federated`"),
            (trust(json!({}), "sts:AssumeRole"), SYNTAX),
            (without("Resource"), SYNTAX),
        ];
        for (statements, wanted) in cases {
            let error = policy(Kind::Trust, &statements).unwrap_err();
            assert!(error.contains(wanted), "{statements}: {error}");
        }
    }
}
