//! Permissions: what a call needs, and who decides. The service that keeps policies says so with
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

impl Need {
    /// One action on these resources.
    pub fn new(action: &str, resources: Vec<String>) -> Need {
        Need { action: action.to_owned(), resources, ..Need::default() }
    }

    /// The right to hand a role to a service.
    pub fn pass_role(role: &str, service: &str) -> Need {
        let conditions = BTreeMap::from([("iam:PassedToService".to_owned(), vec![service.to_owned()])]);
        Need { conditions, ..Need::new("iam:PassRole", vec![role.to_owned()]) }
    }
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
    /// Whether it is to be asked at all. Whoever is not judged by policies may do everything.
    fn asks(&self, who: &Principal, need: &Need) -> bool;

    /// Whether `who` may do `need.action` on `resource`, one of `need.resources`.
    fn decide(&self, who: &Principal, need: &Need, resource: &str) -> Verdict;
}

/// For each resource of each need the statement that decided; `None` where none did.
pub type Statements = Vec<Option<String>>;

/// Asks for everything that a request needs.
pub fn decide(lab: &Lab, who: &Principal, request: &Request) -> Result<Statements, (ApiError, Statements)> {
    let Some(service) = lab.service(&request.service) else {
        return Ok(Vec::new());
    };
    judge(lab, who, service.needs(request)).map_err(|(message, statements)| (service.denied(message), statements))
}

/// Asks for some needs; a refusal is what AWS says of it, and the statement that decided.
pub fn judge(lab: &Lab, who: &Principal, needs: Vec<Need>) -> Result<Statements, (String, Statements)> {
    let Some(authorizer) = lab.services().find_map(|service| service.authorizer()) else {
        return Ok(Vec::new());
    };
    let mut statements = Vec::new();
    for mut need in needs {
        if !authorizer.asks(who, &need) {
            statements.push(None);
            continue;
        }
        let own = need.conditions.clone();
        for resource in need.resources.clone() {
            need.conditions.clone_from(&own);
            for (key, value) in lab.tags_of(&resource) {
                let value = value.as_str().unwrap_or_default().to_owned();
                need.conditions.insert(format!("aws:ResourceTag/{key}"), vec![value]);
            }
            let verdict = authorizer.decide(who, &need, &resource);
            if !verdict.allowed {
                let (user, action, because) = (&who.arn, &need.action, &verdict.because);
                let message = format!("User: {user} is not authorized to perform: {action} on resource: {resource} {because}");
                return Err((message.trim_end().to_owned(), vec![verdict.statement]));
            }
            statements.push(verdict.statement);
        }
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;
    use crate::cloud::call::{Call, Outcome};
    use crate::cloud::lab::{Home, Place};
    use crate::cloud::services::{ALL, Answer, Open, Service, now};
    use crate::cloud::state::folder::tests::within;

    /// A service that allows everything but what changes a parameter tagged `locked`, and keeps what it was asked.
    #[derive(Debug, Default)]
    struct Keeper {
        asked: Mutex<Vec<(String, String, String)>>,
    }

    impl Authorizer for Keeper {
        fn asks(&self, _who: &Principal, _need: &Need) -> bool {
            true
        }

        fn decide(&self, who: &Principal, need: &Need, resource: &str) -> Verdict {
            self.asked.lock().unwrap().push((who.arn.clone(), need.action.clone(), resource.to_owned()));
            let locked = need.conditions.get("aws:ResourceTag/locked").is_some_and(|values| values == &["yes"]);
            let allowed = !(locked && need.action == "ssm:DeleteParameter");
            let statement = Some(if allowed { "Most" } else { "Locked" }.to_owned());
            Verdict { allowed, statement, because: "with an explicit deny".to_owned() }
        }
    }

    impl Service for Keeper {
        fn model(&self) -> &'static str {
            r#"{"protocols":["json"],"signing":"keeper","version":"1","operations":{},"shapes":{},"errors":{}}"#
        }

        fn operate(self: Arc<Self>, call: Call) -> Answer {
            let Call { lab, who, .. } = call;
            // On behalf of its caller, through the door.
            Box::pin(async move {
                let request = Request::new("ssm", "DeleteParameter", json!({"Name": "/locked"}));
                match lab.call(&who, &request).await {
                    Outcome::Answer(answer) => answer,
                    Outcome::Dropped => now(Ok(Value::Null)).await,
                }
            })
        }

        fn authorizer(&self) -> Option<&dyn Authorizer> {
            Some(self)
        }
    }

    fn keeper(_home: Home) -> io::Result<Arc<dyn Service>> {
        Ok(Arc::new(Keeper::default()))
    }

    async fn called(lab: &Arc<Lab>, service: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
        let who = Principal::session("123456789012", "arn:aws:iam::123456789012:role/r", "s");
        match lab.call(&who, &Request::new(service, operation, input)).await {
            Outcome::Answer(answer) => answer.map(|reply| reply.body),
            Outcome::Dropped => Err(ApiError::internal("dropped")),
        }
    }

    #[test]
    fn whoever_keeps_policies_is_asked_for_every_call_of_clients_and_of_services() {
        within(|folder| {
            let place = Place { account: "123456789012".to_owned(), region: "eu-central-1".to_owned() };
            let others = ALL.iter().copied().filter(|(name, _)| *name != "iam");
            let all: Vec<(&str, Open)> = others.chain([("keeper", keeper as Open)]).collect();
            let lab = Arc::new(Lab::with(folder, place, None, &all).unwrap());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let tags = json!([{"Key": "locked", "Value": "yes"}]);
                let put = json!({"Name": "/locked", "Value": "v", "Type": "String", "Tags": tags});
                called(&lab, "ssm", "PutParameter", put).await.unwrap();
                let arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/locked";
                let caller = "arn:aws:sts::123456789012:assumed-role/r/s";
                let message = format!(
                    "User: {caller} is not authorized to perform: ssm:DeleteParameter on resource: {arn} with an explicit deny"
                );
                let refused = Err(ApiError::bad("AccessDeniedException", message));
                assert_eq!(called(&lab, "ssm", "DeleteParameter", json!({"Name": "/locked"})).await, refused);
                assert_eq!(called(&lab, "keeper", "Anything", json!({})).await, refused, "one service's call of another");
                called(&lab, "ssm", "GetParameters", json!({"Names": ["/a", "/locked"]})).await.unwrap();
                let log = lab.log.since(1, None);
                let rows = log["calls"].as_array().unwrap();
                let told: Vec<(&str, &str)> =
                    rows.iter().map(|row| (row["action"].as_str().unwrap(), row["outcome"].as_str().unwrap())).collect();
                let wanted = [
                    ("ssm:PutParameter", "ok"),
                    ("ssm:DeleteParameter", "AccessDeniedException"),
                    ("ssm:DeleteParameter", "AccessDeniedException"),
                    ("keeper:Anything", "AccessDeniedException"),
                    ("ssm:GetParameters", "ok"),
                ];
                assert_eq!(told, wanted);
                assert_eq!(rows[1]["statements"], json!(["Locked"]));
                assert_eq!(rows[4]["statements"], json!(["Most", "Most"]), "each resource is asked for");
            });
        });
    }
}
