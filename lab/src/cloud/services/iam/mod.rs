//! IAM: roles, what they may do and who may be them.
//!
//! - [`roles`]: roles and their tags.  [`policies`]: policies within a role, and managed ones.
//! - [`policy`]: what a document says.  [`judge`]: who may do what, by them.

mod judge;
mod policies;
mod policy;
mod roles;

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::{Answer, Done, Service, Tagged, now};
use crate::cloud::call::access::{Authorizer, Need};
use crate::cloud::call::{ApiError, Call, Request};
use crate::cloud::clock;
use crate::cloud::lab::{Home, Site};
use crate::cloud::services::members::text;
use crate::cloud::state::{Folder, Table};
use policies::Managed;
use policy::{Kind, Policy};
use roles::{Gone, Role};

/// The service.
#[derive(Debug)]
struct Iam {
    site: Arc<Site>,
    folder: Folder,
    tables: Mutex<Tables>,
}

/// What is kept.
#[derive(Debug)]
struct Tables {
    roles: Table<Role>,
    managed: Table<Managed>,
    gone: Table<Gone>,
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let Home { site, folder } = home;
    let tables = Tables { roles: Table::open(&folder)?, managed: Table::open(&folder)?, gone: Table::open(&folder)? };
    Ok(Arc::new(Iam { site, folder, tables: Mutex::new(tables) }))
}

impl Iam {
    /// Works on what is kept.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `kind`: `role` or `policy`.
    fn arn(&self, kind: &str, path: &str, name: &str) -> String {
        format!("arn:aws:iam::{}:{kind}{path}{name}", self.site.place.account)
    }

    /// The ARN of a role by its name, also where there is none.
    fn role_arn(&self, name: &str) -> String {
        let path = self.tables(|tables| tables.roles.get(name).map(|role| role.path.clone()));
        self.arn("role", path.as_deref().unwrap_or("/"), name)
    }
}

/// A document of a request.
fn document(kind: Kind, input: &Value, member: &str) -> Result<Policy, ApiError> {
    let read = Policy::read(kind, text(input, member).unwrap_or_default());
    read.map_err(|error| ApiError::bad("MalformedPolicyDocumentException", error))
}

/// A document in an answer: percent-encoded.
fn encoded(policy: &Policy) -> String {
    let mut out = String::new();
    for byte in policy.text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The characters that IAM counts of a document: not its white space.
fn counted(policy: &Policy) -> usize {
    policy.text.chars().filter(|letter| !letter.is_whitespace()).count()
}

/// An id as IAM gives them: four letters for its kind and 17 letters and digits.
fn id(kind: &str) -> String {
    let text = clock::id().replace('-', "").to_uppercase();
    format!("{kind}{}", text.chars().take(17).collect::<String>())
}

/// 404.
fn missing(what: &str, name: &str) -> ApiError {
    ApiError::new("NoSuchEntityException", 404, format!("The {what} with name {name} cannot be found."))
}

/// 409.
fn too_many(message: String) -> ApiError {
    ApiError::new("LimitExceededException", 409, message)
}

impl Service for Iam {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        let input = &call.request.input;
        now(match call.request.operation.as_str() {
            "CreateRole" => roles::create(&self, input),
            "GetRole" => roles::get(&self, input),
            "UpdateRole" => roles::update(&self, input),
            "UpdateRoleDescription" => roles::describe(&self, input),
            "UpdateAssumeRolePolicy" => roles::trust(&self, input),
            "DeleteRole" => roles::delete(&self, input),
            "ListRoles" => roles::list(&self, input),
            "TagRole" => roles::tag(&self, input),
            "UntagRole" => roles::untag(&self, input),
            "ListRoleTags" => roles::tags_of(&self, input),
            "PutRolePolicy" => policies::put(&self, input),
            "GetRolePolicy" => policies::get(&self, input),
            "DeleteRolePolicy" => policies::delete(&self, input),
            "ListRolePolicies" => policies::list(&self, input),
            "CreatePolicy" => policies::create(&self, input),
            "GetPolicy" => policies::described(&self, input),
            "GetPolicyVersion" => policies::version(&self, input),
            "DeletePolicy" => policies::remove(&self, input),
            "ListPolicies" => policies::all(&self, input),
            "AttachRolePolicy" => policies::attach(&self, input),
            "DetachRolePolicy" => policies::detach(&self, input),
            "ListAttachedRolePolicies" => policies::attached(&self, input),
            _ => Err(call.unknown()),
        })
    }

    fn resources(&self, request: &Request) -> Vec<String> {
        let input = &request.input;
        let path = text(input, "Path").unwrap_or("/");
        vec![match (request.operation.as_str(), text(input, "RoleName"), text(input, "PolicyArn")) {
            ("CreateRole", Some(name), _) => self.arn("role", path, name),
            ("CreatePolicy", ..) => self.arn("policy", path, text(input, "PolicyName").unwrap_or_default()),
            (_, Some(name), _) => self.role_arn(name),
            (_, None, Some(arn)) => arn.to_owned(),
            // Lists have no resource in policies.
            _ => "*".to_owned(),
        }]
    }

    fn needs(&self, request: &Request) -> Vec<Need> {
        let resources = self.resources(request);
        let mut needs = vec![Need::new(&self.action(request), resources.clone())];
        if request.input.get("Tags").is_some() && request.operation.starts_with("Create") {
            needs.push(Need::new(&request.operation.replace("Create", "iam:Tag"), resources));
        }
        needs
    }

    fn authorizer(&self) -> Option<&dyn Authorizer> {
        Some(self)
    }

    fn denied(&self, message: String) -> ApiError {
        ApiError::new("AccessDenied", 403, message)
    }

    fn tagged(&self) -> Vec<Tagged> {
        self.tables(|tables| {
            let tagged = |role: &Role| Tagged { arn: role.arn(self), kind: "iam:role", tags: role.tags.clone() };
            tables.roles.values().map(tagged).collect()
        })
    }

    fn reset(self: Arc<Self>) -> Done {
        let forgotten = self.tables(|tables| {
            tables.roles.clear()?;
            tables.managed.clear()?;
            tables.gone.clear()?;
            self.folder.remove()
        });
        Box::pin(std::future::ready(forgotten))
    }
}
