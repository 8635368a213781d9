//! AWS::IAM::Role.

use serde_json::{Map, Value, json};

use super::act::{Act, Tagging, and, listed, tags};
use super::{Doing, Facts, Kind, Tags, fixed, kept};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{list, text};

pub struct Role;

static FACTS: Facts = Facts {
    name: "AWS::IAM::Role",
    properties: &[
        fixed("RoleName"),
        fixed("Path"),
        kept("AssumeRolePolicyDocument").required(),
        kept("Description"),
        kept("ManagedPolicyArns"),
        kept("MaxSessionDuration"),
        kept("PermissionsBoundary"),
        kept("Policies"),
        kept("Tags"),
    ],
    attributes: &["Arn", "RoleId"],
    named: Some(("RoleName", 64)),
    identifier: "RoleName",
    tags: Tags::List,
};

/// A policy as IAM gets it: a text stays itself.
pub fn policy(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

fn inline(properties: &Value) -> Map<String, Value> {
    let policies = list(properties, "Policies");
    policies.filter_map(|one| Some((text(one, "PolicyName")?.to_owned(), json!(policy(one.get("PolicyDocument")))))).collect()
}

fn managed(properties: &Value) -> Vec<&str> {
    list(properties, "ManagedPolicyArns").filter_map(Value::as_str).collect()
}

/// Comes from one set of policies to the other.
async fn policies(act: &Act, role: &str, old: &Value) -> Result<(), ApiError> {
    let (had, wanted) = (inline(old), inline(&act.properties));
    for (name, document) in &wanted {
        let input = json!({"RoleName": role, "PolicyName": name, "PolicyDocument": document});
        act.call("iam", "PutRolePolicy", input).await?;
    }
    for name in had.keys().filter(|name| !wanted.contains_key(*name)) {
        act.delete("iam", "DeleteRolePolicy", json!({"RoleName": role, "PolicyName": name})).await?;
    }
    let (had, wanted) = (managed(old), managed(&act.properties));
    for arn in &wanted {
        act.call("iam", "AttachRolePolicy", json!({"RoleName": role, "PolicyArn": arn})).await?;
    }
    for arn in had.iter().filter(|arn| !wanted.contains(arn)) {
        act.delete("iam", "DetachRolePolicy", json!({"RoleName": role, "PolicyArn": arn})).await?;
    }
    Ok(())
}

const TAGGING: Tagging =
    Tagging { service: "iam", operations: ["TagRole", "UntagRole"], members: ["Tags", "TagKeys"], form: listed };

impl Kind for Role {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn standing<'a>(&'a self, act: &'a Act) -> Doing<'a, Value> {
        Box::pin(async move {
            let found = act.find("iam", "GetRole", json!({"RoleName": act.name})).await?;
            Ok(found.map_or(Value::Null, |_| json!(act.name)))
        })
    }

    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            let mut input = and(
                act.only(&["Path", "Description", "MaxSessionDuration", "PermissionsBoundary"]),
                "RoleName",
                act.name.clone(),
            );
            input = and(input, "AssumeRolePolicyDocument", policy(act.get("AssumeRolePolicyDocument")));
            let tags = tags(&act.properties);
            if !tags.is_empty() {
                input = and(input, "Tags", listed(&tags));
            }
            act.call("iam", "CreateRole", Value::Object(input)).await?;
            Ok(act.name.clone())
        })
    }

    fn complete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(policies(act, physical, &Value::Null))
    }

    fn attributes<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async move {
            let answer = act.call("iam", "GetRole", json!({"RoleName": physical})).await?;
            let role = answer.get("Role").unwrap_or(&Value::Null);
            Ok(["Arn", "RoleId"].iter().filter_map(|name| Some(((*name).to_owned(), role.get(*name)?.clone()))).collect())
        })
    }

    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async move {
            let changed = |name: &str| old.get(name) != act.get(name);
            if changed("AssumeRolePolicyDocument") {
                let input = json!({"RoleName": physical, "PolicyDocument": policy(act.get("AssumeRolePolicyDocument"))});
                act.call("iam", "UpdateAssumeRolePolicy", input).await?;
            }
            if changed("Description") || changed("MaxSessionDuration") {
                let mut input = and(act.only(&["Description", "MaxSessionDuration"]), "RoleName", physical);
                input.entry("Description").or_insert_with(|| json!(""));
                input.entry("MaxSessionDuration").or_insert_with(|| json!(3600));
                act.call("iam", "UpdateRole", Value::Object(input)).await?;
            }
            if changed("PermissionsBoundary") {
                match act.get("PermissionsBoundary") {
                    Some(arn) => {
                        let input = json!({"RoleName": physical, "PermissionsBoundary": arn});
                        act.call("iam", "PutRolePermissionsBoundary", input).await?;
                    }
                    None => act.delete("iam", "DeleteRolePermissionsBoundary", json!({"RoleName": physical})).await?,
                }
            }
            if changed("Policies") || changed("ManagedPolicyArns") {
                policies(act, physical, old).await?;
            }
            act.retag(&TAGGING, json!({"RoleName": physical}), old).await
        })
    }

    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            for name in inline(&act.properties).keys() {
                act.delete("iam", "DeleteRolePolicy", json!({"RoleName": physical, "PolicyName": name})).await?;
            }
            for arn in managed(&act.properties) {
                act.delete("iam", "DetachRolePolicy", json!({"RoleName": physical, "PolicyArn": arn})).await?;
            }
            act.delete("iam", "DeleteRole", json!({"RoleName": physical})).await
        })
    }
}
