//! From a request to a goal: its template, wherever it lies, its parameters, tags and capabilities.

use serde_json::Value;

use super::plan::Goal;
use super::template::{Template, check, invalid, parameters};
use crate::cloud::call::{ApiError, Call, Outcome, Request};
use crate::cloud::gateway::routing::decode;
use crate::cloud::services::members::{list, on, tags, text, texts};

/// The most bytes of a template in a request, and of one that lies in S3.
const MOST_INLINE: usize = 51_200;
const MOST_STORED: usize = 1_000_000;

/// Members that change what an operation does, and that the lab does not serve.
const NOT_SERVED: [&str; 10] = [
    "DeploymentConfig",
    "DeploymentMode",
    "ImportExistingResources",
    "ResourceTypes",
    "ResourcesToImport",
    "RollbackConfiguration",
    "StackPolicyBody",
    "StackPolicyURL",
    "StackSetName",
    "TimeoutInMinutes",
];

/// Refuses what the lab does not serve.
pub fn served(input: &Value) -> Result<(), ApiError> {
    let asked = |name: &&&str| input.get(**name).is_some_and(|value| !value.is_null() && *value != false);
    match NOT_SERVED.iter().find(asked) {
        Some(name) => Err(invalid(format!("the lab does not serve `{name}`"))),
        None => Ok(()),
    }
}

/// The text of the template that a request gives; `None` if it gives none.
pub async fn template(call: &Call) -> Result<Option<String>, ApiError> {
    let input = &call.request.input;
    match (text(input, "TemplateBody"), text(input, "TemplateURL")) {
        (Some(_), Some(_)) => Err(invalid("Only one of TemplateBody or TemplateURL may be specified.")),
        (Some(body), None) if body.len() > MOST_INLINE => Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'templateBody' failed to satisfy constraint: Member must have length less than or \
             equal to {MOST_INLINE}",
            body.chars().take(200).collect::<String>()
        ))),
        (Some(body), None) => Ok(Some(body.to_owned())),
        (None, Some(url)) => stored(call, url).await.map(Some),
        (None, None) => Ok(None),
    }
}

/// Fetches a template from S3, in the caller's name.
async fn stored(call: &Call, url: &str) -> Result<String, ApiError> {
    let (bucket, key, version) = place(url).ok_or_else(|| invalid("TemplateURL must be a supported URL."))?;
    let mut input = serde_json::json!({"Bucket": bucket, "Key": key});
    if let (Some(fields), Some(version)) = (input.as_object_mut(), version) {
        fields.insert("VersionId".into(), Value::from(version));
    }
    let bytes = match call.lab.call(&call.who, &Request::new("s3", "GetObject", input)).await {
        Outcome::Answer(Ok(reply)) => reply.raw.unwrap_or_default(),
        Outcome::Answer(Err(error)) => {
            return Err(invalid(format!(
                "S3 error: {}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
                error.message
            )));
        }
        Outcome::Dropped => return Err(ApiError::internal("the connection was closed")),
    };
    if bytes.len() > MOST_STORED {
        return Err(invalid(format!("Template may not exceed {MOST_STORED} bytes in size.")));
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| invalid("Template format error: the template is no UTF-8"))
}

/// Bucket, key and version of an address: the bucket in the path, or in front of the host's name.
fn place(url: &str) -> Option<(String, String, Option<String>)> {
    let (_, rest) = url.split_once("://")?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = rest.split_once('/')?;
    let virtual_bucket = host.split_once(".s3.").or_else(|| host.split_once(".s3-")).map(|(bucket, _)| bucket);
    let (bucket, key) = match virtual_bucket {
        Some(bucket) => (bucket, path),
        None => path.split_once('/')?,
    };
    let version = query.split('&').find_map(|pair| pair.strip_prefix("versionId=")).map(decode);
    (!bucket.is_empty() && !key.is_empty()).then(|| (bucket.to_owned(), decode(key), version))
}

/// What a request wants a stack to be. `before`: what it is by now, which may be kept in parts.
pub async fn goal(call: &Call, before: Option<&Goal>) -> Result<Goal, ApiError> {
    let input = &call.request.input;
    served(input)?;
    let given = match (template(call).await?, on(input, "UsePreviousTemplate"), before) {
        (Some(_), true, _) => return Err(invalid("UsePreviousTemplate may not be specified with a template.")),
        (Some(text), ..) => text,
        (None, true, Some(before)) => before.template.clone(),
        _ => return Err(invalid("Either Template URL or Template Body must be specified.")),
    };
    let template = Template::read(&given)?;
    let capabilities: Vec<String> = texts(input, "Capabilities").map(str::to_owned).collect();
    check::allowed(&template, &capabilities)?;
    check::check(&template)?;
    let asked: Vec<Value> = list(input, "Parameters").cloned().collect();
    let parameters = parameters::resolve(&template, &asked, before.map(|before| &before.parameters))?;
    let kept = |member: &str| input.get(member).is_none_or(Value::is_null);
    let tags = match before.filter(|_| kept("Tags")) {
        Some(before) => before.tags.clone(),
        None => tags(input, "Tags"),
    };
    let notifications = match before.filter(|_| kept("NotificationARNs")) {
        Some(before) => before.notifications.clone(),
        None => texts(input, "NotificationARNs").map(str::to_owned).collect(),
    };
    let role = text(input, "RoleARN").map(str::to_owned).or_else(|| before?.role.clone());
    Ok(Goal { template: given, parameters, tags, capabilities, role, notifications })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_lies_where_its_address_says() {
        let lies = |url: &str| place(url).map(|(bucket, key, version)| format!("{bucket} {key} {}", version.unwrap_or_default()));
        assert_eq!(lies("http://127.0.0.1:4566/b/a/k.template"), Some("b a/k.template ".into()));
        assert_eq!(lies("https://s3.eu-central-1.amazonaws.com/b/k%20k?versionId=v1"), Some("b k k v1".into()));
        assert_eq!(lies("https://b.s3.amazonaws.com/a/k"), Some("b a/k ".into()));
        assert_eq!(lies("https://b.s3-eu-west-1.amazonaws.com/k"), Some("b k ".into()));
        for wrong in ["b/k", "https://s3.amazonaws.com", "https://s3.amazonaws.com/b", "https://s3.amazonaws.com//k"] {
            assert_eq!(lies(wrong), None, "{wrong}");
        }
    }
}
