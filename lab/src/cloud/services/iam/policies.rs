//! Policies within a role, and managed policies, which are attached.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::policy::{Kind, Policy};
use super::roles::{change, paged, read};
use super::{Iam, counted, document, encoded, id, missing, too_many};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{tag_list, tags, text, with};
use crate::cloud::state::Row;

/// The most characters of all policies within a role.
const LONGEST_INLINE: usize = 10_240;
/// The most characters of a managed policy.
const LONGEST_MANAGED: usize = 6144;
/// The most managed policies of a role.
const MOST_ATTACHED: usize = 10;
/// The lab keeps one version.
const VERSION: &str = "v1";

/// A managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Managed {
    arn: String,
    /// Its name.
    pub name: String,
    path: String,
    id: String,
    /// What it says.
    pub policy: Policy,
    description: Option<String>,
    tags: Map<String, Value>,
    created: i64,
}

impl Row for Managed {
    const TABLE: &'static str = "managed";

    fn key(&self) -> &str {
        &self.arn
    }
}

fn policy_name(input: &Value) -> &str {
    text(input, "PolicyName").unwrap_or_default()
}

/// PutRolePolicy.
pub fn put(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let policy = document(Kind::Identity, input, "PolicyDocument")?;
    change(iam, input, |role| {
        role.inline.insert(policy_name(input).to_owned(), policy);
        if role.inline.values().map(counted).sum::<usize>() > LONGEST_INLINE {
            return Err(too_many(format!("Maximum policy size of {LONGEST_INLINE} bytes exceeded for role {}", role.name)));
        }
        Ok(json!({}))
    })
}

/// GetRolePolicy.
pub fn get(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    read(iam, input, |role| {
        let name = policy_name(input);
        let policy = role.inline.get(name).ok_or_else(|| missing("role policy", name))?;
        Ok(json!({"RoleName": role.name, "PolicyName": name, "PolicyDocument": encoded(policy)}))
    })
}

/// DeleteRolePolicy.
pub fn delete(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    change(iam, input, |role| {
        let name = policy_name(input);
        role.inline.remove(name).map(|_| json!({})).ok_or_else(|| missing("role policy", name))
    })
}

/// ListRolePolicies.
pub fn list(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let names = read(iam, input, |role| Ok(role.inline.keys().map(|name| json!(name)).collect()))?;
    paged(names, input, "PolicyNames")
}

fn arn(input: &Value) -> &str {
    text(input, "PolicyArn").unwrap_or_default()
}

fn no_policy(arn: &str) -> ApiError {
    ApiError::new("NoSuchEntityException", 404, format!("Policy {arn} does not exist or is not attachable."))
}

/// How many roles a managed policy is attached to.
fn attachments(iam: &Iam, arn: &str) -> usize {
    iam.tables(|tables| tables.roles.values().filter(|role| role.attached.iter().any(|one| one == arn)).count())
}

impl Managed {
    fn view(&self, iam: &Iam) -> Value {
        let made = clock::seconds(self.created);
        let view = json!({
            "PolicyName": self.name, "PolicyId": self.id, "Arn": self.arn, "Path": self.path, "DefaultVersionId": VERSION,
            "AttachmentCount": attachments(iam, &self.arn), "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
            "CreateDate": made, "UpdateDate": made, "Tags": tag_list(&self.tags),
        });
        with(view, "Description", self.description.clone())
    }
}

fn managed<T>(iam: &Iam, arn: &str, work: impl FnOnce(&Managed) -> T) -> Result<T, ApiError> {
    let found = iam.tables(|tables| tables.managed.get(arn).cloned());
    found.map(|managed| work(&managed)).ok_or_else(|| no_policy(arn))
}

/// CreatePolicy.
pub fn create(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let policy = document(Kind::Identity, input, "PolicyDocument")?;
    if counted(&policy) > LONGEST_MANAGED {
        return Err(too_many(format!("Cannot exceed quota for PolicySize: {LONGEST_MANAGED}")));
    }
    let (name, path) = (policy_name(input).to_owned(), text(input, "Path").unwrap_or("/").to_owned());
    let arn = iam.arn("policy", &path, &name);
    let description = text(input, "Description").map(str::to_owned);
    let (tags, created) = (tags(input, "Tags"), clock::now_ms());
    let made = Managed { arn, name, path, id: id("ANPA"), policy, description, tags, created };
    iam.tables(|tables| {
        if tables.managed.values().any(|had| had.name.eq_ignore_ascii_case(&made.name)) {
            let message = format!("A policy called {} already exists. Duplicate names are not allowed.", made.name);
            return Err(ApiError::new("EntityAlreadyExistsException", 409, message));
        }
        tables.managed.put(made.clone())
    })?;
    Ok(json!({"Policy": made.view(iam)}))
}

/// GetPolicy.
pub fn described(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    managed(iam, arn(input), |managed| json!({"Policy": managed.view(iam)}))
}

/// GetPolicyVersion.
pub fn version(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    match text(input, "VersionId") {
        Some(VERSION) => managed(iam, arn(input), |managed| {
            let made = clock::seconds(managed.created);
            let document = encoded(&managed.policy);
            json!({"PolicyVersion": {"Document": document, "VersionId": VERSION, "IsDefaultVersion": true, "CreateDate": made}})
        }),
        other => Err(missing("policy version", other.unwrap_or_default())),
    }
}

/// DeletePolicy: only one that is attached to nothing.
pub fn remove(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    managed(iam, arn(input), |_| ())?;
    if attachments(iam, arn(input)) > 0 {
        return Err(ApiError::new("DeleteConflictException", 409, "Cannot delete a policy attached to entities."));
    }
    iam.tables(|tables| tables.managed.remove(arn(input)))?;
    Ok(json!({}))
}

/// ListPolicies: the account's own; AWS's are not here.
pub fn all(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let prefix = text(input, "PathPrefix").unwrap_or("/");
    let found: Vec<Managed> = iam.tables(|tables| tables.managed.values().cloned().collect());
    let own = found.iter().filter(|_| text(input, "Scope") != Some("AWS")).filter(|managed| managed.path.starts_with(prefix));
    let wanted = |view: &Value| input.get("OnlyAttached") != Some(&json!(true)) || view.get("AttachmentCount") != Some(&json!(0));
    paged(own.map(|managed| managed.view(iam)).filter(wanted).collect(), input, "Policies")
}

/// AttachRolePolicy; again is no error.
pub fn attach(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    read(iam, input, |_| Ok(()))?;
    managed(iam, arn(input), |_| ())?;
    change(iam, input, |role| {
        if !role.attached.iter().any(|had| had == arn(input)) {
            role.attached.push(arn(input).to_owned());
        }
        if role.attached.len() > MOST_ATTACHED {
            return Err(too_many(format!("Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}")));
        }
        Ok(json!({}))
    })
}

/// DetachRolePolicy.
pub fn detach(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    change(iam, input, |role| {
        let had = role.attached.len();
        role.attached.retain(|one| one != arn(input));
        if role.attached.len() < had { Ok(json!({})) } else { Err(no_policy(arn(input))) }
    })
}

/// ListAttachedRolePolicies.
pub fn attached(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let prefix = text(input, "PathPrefix").unwrap_or("/");
    let arns = read(iam, input, |role| Ok(role.attached.clone()))?;
    let rows = iam.tables(|tables| {
        let found = arns.iter().filter_map(|arn| tables.managed.get(arn)).filter(|managed| managed.path.starts_with(prefix));
        found.map(|managed| json!({"PolicyName": managed.name, "PolicyArn": managed.arn})).collect()
    });
    paged(rows, input, "AttachedPolicies")
}
