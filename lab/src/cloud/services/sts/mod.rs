//! STS: GetCallerIdentity.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Service, now};
use crate::cloud::call::{Call, Principal};
use crate::cloud::lab::Home;

#[derive(Debug)]
struct Sts;

/// Opens the service, which keeps nothing.
pub fn open(_home: Home) -> io::Result<Arc<dyn Service>> {
    Ok(Arc::new(Sts))
}

impl Service for Sts {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        now(match call.request.operation.as_str() {
            "GetCallerIdentity" => Ok(identity(&call.lab.site.place.account, &call.who)),
            _ => Err(call.unknown()),
        })
    }
}

fn identity(account: &str, who: &Principal) -> Value {
    let user = match who.arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split_once('/')) {
        Some((_, session)) => format!("AROAFAULTLAYERLAB0000:{session}"),
        None => account.to_owned(),
    };
    json!({"Arn": who.arn, "UserId": user, "Account": account})
}
