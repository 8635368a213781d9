//! Who calls: the account's own user, or a session of a role. And whose access keys are whose.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::cloud::clock;

/// A service that acts by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acting {
    /// As policies name it: `ssm.amazonaws.com`.
    pub name: String,
    /// The ARN of what it acts for.
    pub source: String,
}

/// The caller of one API call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The caller's ARN, as GetCallerIdentity says it.
    pub arn: String,
    /// The role behind it.
    pub role: Option<String>,
    /// The Automation execution that calls.
    pub execution: Option<String>,
    /// Its document's name.
    pub document: Option<String>,
    /// Its step.
    pub step: Option<String>,
    /// The service, where it is one that calls, not in anybody's name.
    #[serde(default)]
    pub service: Option<Acting>,
}

impl Principal {
    /// The account's own user.
    pub fn user(account: &str) -> Principal {
        Principal { arn: format!("arn:aws:iam::{account}:root"), ..Principal::default() }
    }

    /// A service that acts by itself, for something of this ARN.
    pub fn service(name: &str, source: String) -> Principal {
        let service = Some(Acting { name: name.to_owned(), source });
        Principal { arn: name.to_owned(), service, ..Principal::default() }
    }

    /// A session of a role.
    pub fn session(account: &str, role: &str, session: &str) -> Principal {
        let name = role.rsplit('/').next().unwrap_or(role);
        Principal {
            arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
            role: Some(role.to_owned()),
            ..Principal::default()
        }
    }
}

/// The access keys that were given out. Whoever gave one out keeps it and tells it again after a restart.
#[derive(Debug, Default)]
pub struct Keys {
    given: Mutex<HashMap<String, Principal>>,
}

impl Keys {
    fn locked<T>(&self, work: impl FnOnce(&mut HashMap<String, Principal>) -> T) -> T {
        work(&mut self.given.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new temporary access key id for somebody.
    pub fn give(&self, who: Principal) -> String {
        let key: String = format!("ASIA{}", clock::id().replace('-', "").to_ascii_uppercase()).chars().take(20).collect();
        self.know(key.clone(), who);
        key
    }

    /// A key that was given out before.
    pub fn know(&self, key: String, who: Principal) {
        self.locked(|given| given.insert(key, who));
    }

    /// Whose key this is.
    pub fn whose(&self, key: &str) -> Option<Principal> {
        self.locked(|given| given.get(key).cloned())
    }

    /// Nobody's key is known any more.
    pub fn clear(&self) {
        self.locked(HashMap::clear);
    }
}
