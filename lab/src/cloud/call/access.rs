//! Permissions: what a call needs, and who decides. The lab has no policies of its own: a service that keeps them says so with
//! [`Service::authorizer`](crate::cloud::services::Service::authorizer), and is asked for every call of every other.

use std::collections::BTreeMap;

use super::{ApiError, Principal, Request};
use crate::cloud::lab::Lab;

/// One thing that a call needs. It must be allowed on each of the resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// As in policies: `lambda:InvokeFunction`.
    pub action: String,
    /// ARNs, or `*` where the action has no resource.
    pub resources: Vec<String>,
    /// Condition keys and their values: the service's own; `aws:ResourceTag/…` is added for what is tagged.
    pub conditions: BTreeMap<String, Vec<String>>,
}

/// What is decided of one need on one of its resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The statement that decided, for the call log.
    pub statement: Option<String>,
    /// How AWS says why not, after `on resource: …`, as in `because no identity-based policy allows the … action`.
    pub because: String,
}

/// Whoever decides.
pub trait Authorizer: Send + Sync {
    /// Whether `who` may do `need.action` on `resource`, one of `need.resources`.
    fn decide(&self, who: &Principal, need: &Need, resource: &str) -> Verdict;
}

/// The statements that allowed a call, or a refusal with the statement that decided.
pub type Decided = Result<Vec<String>, (ApiError, Option<String>)>;

/// Asks for everything that a request needs.
pub fn decide(lab: &Lab, who: &Principal, request: &Request) -> Decided {
    let Some(authorizer) = lab.services().find_map(|service| service.authorizer()) else {
        return Ok(Vec::new());
    };
    let Some(service) = lab.service(&request.service) else {
        return Ok(Vec::new());
    };
    let mut statements = Vec::new();
    for mut need in service.needs(request) {
        let own = need.conditions.clone();
        for resource in need.resources.clone() {
            need.conditions.clone_from(&own);
            for (key, value) in lab.tags_of(&resource) {
                let value = value.as_str().unwrap_or_default().to_owned();
                need.conditions.insert(format!("aws:ResourceTag/{key}"), vec![value]);
            }
            let verdict = authorizer.decide(who, &need, &resource);
            if !verdict.allowed {
                let action = &need.action;
                let message = format!(
                    "User: {} is not authorized to perform: {action} on resource: {resource} {}",
                    who.arn, verdict.because
                );
                return Err((service.denied(message.trim_end().to_owned()), verdict.statement));
            }
            statements.extend(verdict.statement);
        }
    }
    Ok(statements)
}
