//! STS: GetCallerIdentity, and AssumeRole, by which services begin sessions of roles as well.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::members::text;
use super::{Answer, Done, Service, now};
use crate::cloud::call::access::Need;
use crate::cloud::call::{ApiError, Call, Principal, Request};
use crate::cloud::clock;
use crate::cloud::lab::{Home, Lab};
use crate::cloud::state::{Folder, Row, Table};

/// Members that narrow a session, which the lab does not judge by.
const NOT_SERVED: [&str; 6] = ["Policy", "PolicyArns", "Tags", "TransitiveTagKeys", "ExternalId", "SourceIdentity"];

#[derive(Debug)]
struct Sts {
    folder: Folder,
    sessions: Mutex<Table<Session>>,
}

/// A session whose keys were given out.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    key: String,
    who: Principal,
}

impl Row for Session {
    const TABLE: &'static str = "sessions";

    fn key(&self) -> &str {
        &self.key
    }
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let folder = home.folder;
    Ok(Arc::new(Sts { sessions: Mutex::new(Table::open(&folder)?), folder }))
}

impl Sts {
    fn sessions<T>(&self, work: impl FnOnce(&mut Table<Session>) -> T) -> T {
        work(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Service for Sts {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        now(match call.request.operation.as_str() {
            "GetCallerIdentity" => Ok(identity(&call.lab.site.place.account, &call.who)),
            "AssumeRole" => assume(&self, &call),
            _ => Err(call.unknown()),
        })
    }

    fn resources(&self, request: &Request) -> Vec<String> {
        vec![text(&request.input, "RoleArn").unwrap_or("*").to_owned()]
    }

    /// Who one is, anybody may ask.
    fn needs(&self, request: &Request) -> Vec<Need> {
        let own = request.operation == "GetCallerIdentity";
        if own { Vec::new() } else { vec![Need::new(&self.action(request), self.resources(request))] }
    }

    fn denied(&self, message: String) -> ApiError {
        ApiError::new("AccessDenied", 403, message)
    }

    fn start(self: Arc<Self>, lab: &Arc<Lab>) {
        self.sessions(|sessions| sessions.values().for_each(|session| lab.keys.know(session.key.clone(), session.who.clone())));
    }

    fn reset(self: Arc<Self>) -> Done {
        let forgotten = self.sessions(|sessions| {
            sessions.clear()?;
            self.folder.remove()
        });
        Box::pin(std::future::ready(forgotten))
    }
}

const ID: &str = "AROAFAULTLAYERLAB0000";

fn identity(account: &str, who: &Principal) -> Value {
    let user = match who.arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split_once('/')) {
        Some((_, session)) => format!("{ID}:{session}"),
        None => account.to_owned(),
    };
    json!({"Arn": who.arn, "UserId": user, "Account": account})
}

/// AssumeRole. A service needs no keys for what it does itself.
fn assume(sts: &Sts, call: &Call) -> Result<Value, ApiError> {
    let input = &call.request.input;
    if let Some(member) = NOT_SERVED.iter().find(|member| input.get(**member).is_some()) {
        return Err(ApiError::validation(format!("the lab does not serve `{member}`")));
    }
    let (role, name) = (text(input, "RoleArn").unwrap_or_default(), text(input, "RoleSessionName").unwrap_or_default());
    let who = Principal::session(&call.lab.site.place.account, role, name);
    let user = json!({"AssumedRoleId": format!("{ID}:{name}"), "Arn": who.arn});
    if call.who.service.is_some() {
        return Ok(json!({"AssumedRoleUser": user}));
    }
    let key = call.lab.keys.give(who.clone());
    sts.sessions(|sessions| sessions.put(Session { key: key.clone(), who }))?;
    let seconds = input.get("DurationSeconds").and_then(Value::as_i64).unwrap_or(3600);
    Ok(json!({
        "Credentials": {
            "AccessKeyId": key, "SecretAccessKey": "secret-of-the-lab", "SessionToken": format!("{role}/{name}"),
            "Expiration": clock::seconds(clock::now_ms() + seconds * 1000),
        },
        "AssumedRoleUser": user,
    }))
}
