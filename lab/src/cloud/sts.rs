//! STS: GetCallerIdentity.

use serde_json::Value;

use super::error::ApiError;
use super::lab::Lab;
use super::principal::Principal;
use super::wire::Reply;

/// Who the caller is.
pub fn operate(lab: &Lab, who: &Principal) -> Result<Reply, ApiError> {
    let account = &lab.place.account;
    let user = match &who.execution {
        Some(execution) if who.role.is_some() => format!("AROAFAULTLAYERLAB0000:Automation-{execution}"),
        _ => account.clone(),
    };
    Ok(Reply::from(Value::String(format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{}</Arn>\
         <UserId>{user}</UserId><Account>{account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>{}</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>",
        who.arn,
        super::clock::id()
    ))))
}
