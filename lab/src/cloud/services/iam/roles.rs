//! Roles and their tags.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::policy::{Kind, Policy};
use super::{Iam, counted, document, encoded, id, missing, too_many};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{page, tag_list, tags, text, texts, with};
use crate::cloud::state::Row;

/// The most characters of a trust policy.
const LONGEST_TRUST: usize = 2048;
/// The most tags of a role.
const MOST_TAGS: usize = 50;
/// Members that mean something the lab does not judge by.
const NOT_SERVED: &str = "PermissionsBoundary";

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its path, `/` or `/…/`.
    pub path: String,
    id: String,
    /// Who may be it.
    pub trust: Policy,
    description: Option<String>,
    longest_s: u64,
    /// Its tags.
    pub tags: Map<String, Value>,
    created: i64,
    /// Its own policies by name.
    pub inline: BTreeMap<String, Policy>,
    /// The ARNs of the managed policies attached to it.
    pub attached: Vec<String>,
}

impl Row for Role {
    const TABLE: &'static str = "roles";

    fn key(&self) -> &str {
        &self.name
    }
}

/// A role that was deleted. Sessions of it may still run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gone {
    arn: String,
}

impl Row for Gone {
    const TABLE: &'static str = "gone";

    fn key(&self) -> &str {
        &self.arn
    }
}

impl Role {
    /// Its ARN.
    pub fn arn(&self, iam: &Iam) -> String {
        iam.arn("role", &self.path, &self.name)
    }

    fn view(&self, iam: &Iam) -> Value {
        let view = json!({
            "Path": self.path, "RoleName": self.name, "RoleId": self.id, "Arn": self.arn(iam), "CreateDate": clock::seconds(self.created),
            "AssumeRolePolicyDocument": encoded(&self.trust), "MaxSessionDuration": self.longest_s,
        });
        with(view, "Description", self.description.clone())
    }

    fn full(&self, iam: &Iam) -> Value {
        let mut view = self.view(iam);
        if let Some(fields) = view.as_object_mut() {
            if !self.tags.is_empty() {
                fields.insert("Tags".into(), tag_list(&self.tags));
            }
            fields.insert("RoleLastUsed".into(), json!({}));
        }
        view
    }
}

/// The name of a request's role.
pub fn name(input: &Value) -> &str {
    text(input, "RoleName").unwrap_or_default()
}

/// Changes the role that a request names.
pub fn change<T>(iam: &Iam, input: &Value, work: impl FnOnce(&mut Role) -> Result<T, ApiError>) -> Result<T, ApiError> {
    let changed = iam.tables(|tables| tables.roles.change(name(input), work));
    changed.unwrap_or_else(|| Err(missing("role", name(input))))
}

/// Reads the role that a request names.
pub fn read<T>(iam: &Iam, input: &Value, work: impl FnOnce(&Role) -> Result<T, ApiError>) -> Result<T, ApiError> {
    iam.tables(|tables| tables.roles.get(name(input)).map(work)).unwrap_or_else(|| Err(missing("role", name(input))))
}

fn trust_of(input: &Value, member: &str) -> Result<Policy, ApiError> {
    let policy = document(Kind::Trust, input, member)?;
    if counted(&policy) > LONGEST_TRUST {
        return Err(too_many(format!("Cannot exceed quota for ACLSizePerRole: {LONGEST_TRUST}")));
    }
    Ok(policy)
}

/// CreateRole.
pub fn create(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    if input.get(NOT_SERVED).is_some() {
        return Err(ApiError::bad("InvalidInputException", format!("the lab does not serve `{NOT_SERVED}`")));
    }
    let role = Role {
        name: name(input).to_owned(),
        path: text(input, "Path").unwrap_or("/").to_owned(),
        id: id("AROA"),
        trust: trust_of(input, "AssumeRolePolicyDocument")?,
        description: text(input, "Description").map(str::to_owned),
        longest_s: input.get("MaxSessionDuration").and_then(Value::as_u64).unwrap_or(3600),
        tags: tags(input, "Tags"),
        created: clock::now_ms(),
        inline: BTreeMap::new(),
        attached: Vec::new(),
    };
    let view = role.full(iam);
    iam.tables(|tables| {
        // Names differ by more than their case.
        if tables.roles.keys().any(|had| had.eq_ignore_ascii_case(&role.name)) {
            return Err(ApiError::new(
                "EntityAlreadyExistsException",
                409,
                format!("Role with name {} already exists.", role.name),
            ));
        }
        tables.roles.put(role)
    })?;
    let mut view = view;
    if let Some(fields) = view.as_object_mut() {
        fields.remove("RoleLastUsed");
    }
    Ok(json!({"Role": view}))
}

/// GetRole.
pub fn get(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    read(iam, input, |role| Ok(json!({"Role": role.full(iam)})))
}

fn put_description(role: &mut Role, input: &Value) {
    if let Some(description) = text(input, "Description") {
        role.description = Some(description.to_owned());
    }
}

/// UpdateRole.
pub fn update(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    change(iam, input, |role| {
        put_description(role, input);
        role.longest_s = input.get("MaxSessionDuration").and_then(Value::as_u64).unwrap_or(role.longest_s);
        Ok(json!({}))
    })
}

/// UpdateRoleDescription.
pub fn describe(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    change(iam, input, |role| {
        put_description(role, input);
        Ok(json!({"Role": role.view(iam)}))
    })
}

/// UpdateAssumeRolePolicy.
pub fn trust(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let policy = trust_of(input, "PolicyDocument")?;
    change(iam, input, |role| {
        role.trust = policy;
        Ok(json!({}))
    })
}

/// DeleteRole: only one without policies.
pub fn delete(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let arn = read(iam, input, |role| {
        let first = match (role.inline.is_empty(), role.attached.is_empty()) {
            (true, true) => return Ok(role.arn(iam)),
            (false, _) => "delete policies",
            (true, false) => "detach all policies",
        };
        Err(ApiError::new("DeleteConflictException", 409, format!("Cannot delete entity, must {first} first.")))
    })?;
    iam.tables(|tables| {
        tables.gone.put(Gone { arn })?;
        tables.roles.remove(name(input))
    })?;
    Ok(json!({}))
}

/// A page of a list, as IAM says whether there is more.
pub fn paged(rows: Vec<Value>, input: &Value, member: &str) -> Result<Value, ApiError> {
    let most = input.get("MaxItems").and_then(Value::as_u64);
    let page = page(rows, text(input, "Marker"), most, 100);
    let (rows, next) = page.map_err(|error| ApiError::bad("InvalidInputException", error.message))?;
    Ok(with(json!({member: rows, "IsTruncated": next.is_some()}), "Marker", next))
}

/// ListRoles.
pub fn list(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let prefix = text(input, "PathPrefix").unwrap_or("/");
    let rows = iam.tables(|tables| {
        let found = tables.roles.values().filter(|role| role.path.starts_with(prefix));
        found.map(|role| role.view(iam)).collect()
    });
    paged(rows, input, "Roles")
}

/// TagRole.
pub fn tag(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    change(iam, input, |role| {
        role.tags.extend(tags(input, "Tags"));
        if role.tags.len() > MOST_TAGS {
            return Err(too_many(format!("Cannot exceed quota for TagsPerRole: {MOST_TAGS}")));
        }
        Ok(json!({}))
    })
}

/// UntagRole.
pub fn untag(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    change(iam, input, |role| {
        let keys: Vec<&str> = texts(input, "TagKeys").collect();
        role.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(json!({}))
    })
}

/// ListRoleTags.
pub fn tags_of(iam: &Iam, input: &Value) -> Result<Value, ApiError> {
    let rows = read(iam, input, |role| Ok(tag_list(&role.tags)))?;
    paged(rows.as_array().cloned().unwrap_or_default(), input, "Tags")
}
