//! AWS::IAM::Policy: one inline policy in each of its roles.

use serde_json::{Map, Value, json};

use super::act::{Act, attributes};
use super::role::policy;
use super::{Doing, Facts, Kind, Tags, kept, lacking};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{list, text};

pub struct Policy;

static FACTS: Facts = Facts {
    name: "AWS::IAM::Policy",
    properties: &[
        kept("PolicyName").required(),
        kept("PolicyDocument").required(),
        kept("Roles"),
        lacking("Users"),
        lacking("Groups"),
    ],
    attributes: &["Id"],
    named: None,
    identifier: "Id",
    tags: Tags::None,
};

fn roles(properties: &Value) -> Vec<&str> {
    list(properties, "Roles").filter_map(Value::as_str).collect()
}

fn name(properties: &Value) -> &str {
    text(properties, "PolicyName").unwrap_or_default()
}

async fn take_off(act: &Act, properties: &Value, roles: &[&str]) -> Result<(), ApiError> {
    for role in roles {
        act.delete("iam", "DeleteRolePolicy", json!({"RoleName": role, "PolicyName": name(properties)})).await?;
    }
    Ok(())
}

impl Kind for Policy {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn repeatable(&self) -> bool {
        true
    }

    /// It has no being of its own: what is put into the roles is all.
    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            if roles(&act.properties).is_empty() {
                return Err(ApiError::bad("ValidationError", "At least one of [Groups,Roles,Users] must be non-empty."));
            }
            Ok(act.name.clone())
        })
    }

    fn complete<'a>(&'a self, act: &'a Act, _physical: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            for role in roles(&act.properties) {
                let document = policy(act.get("PolicyDocument"));
                let input = json!({"RoleName": role, "PolicyName": name(&act.properties), "PolicyDocument": document});
                act.call("iam", "PutRolePolicy", input).await?;
            }
            Ok(())
        })
    }

    fn attributes<'a>(&'a self, _act: &'a Act, physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async move { Ok(attributes([("Id", physical.to_owned())])) })
    }

    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async move {
            self.complete(act, physical).await?;
            let stays = |role: &&str| name(old) == name(&act.properties) && roles(&act.properties).contains(role);
            let gone: Vec<&str> = roles(old).into_iter().filter(|role| !stays(role)).collect();
            take_off(act, old, &gone).await
        })
    }

    fn delete<'a>(&'a self, act: &'a Act, _physical: &'a str) -> Doing<'a, ()> {
        Box::pin(async move { take_off(act, &act.properties, &roles(&act.properties)).await })
    }
}
