//! Who calls: the account's own user, or an execution's role.

use serde::{Deserialize, Serialize};

/// The caller of one API call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The caller's ARN, as GetCallerIdentity says it.
    pub arn: String,
    /// The role behind it.
    pub role: Option<String>,
    /// The execution that calls.
    pub execution: Option<String>,
    /// Its document's name.
    pub document: Option<String>,
    /// Its step.
    pub step: Option<String>,
}

impl Principal {
    /// Whoever is not an execution.
    pub fn user(account: &str) -> Principal {
        Principal { arn: format!("arn:aws:iam::{account}:root"), ..Principal::default() }
    }

    /// An execution's step under the role that the document assumes, or as the user who started it.
    pub fn automation(account: &str, role: Option<&str>, execution: &str, document: &str, step: &str) -> Principal {
        let arn = match role {
            Some(role) => {
                let name = role.rsplit('/').next().unwrap_or(role);
                format!("arn:aws:sts::{account}:assumed-role/{name}/Automation-{execution}")
            }
            None => format!("arn:aws:iam::{account}:root"),
        };
        Principal {
            arn,
            role: role.map(str::to_owned),
            execution: Some(execution.to_owned()),
            document: Some(document.to_owned()),
            step: Some(step.to_owned()),
        }
    }
}
