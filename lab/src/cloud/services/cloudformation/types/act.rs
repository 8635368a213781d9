//! One resource that something is done to: what it is to be, and calls of the services behind it.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::fit::fit;
use crate::cloud::call::{ApiError, Principal, Request};
use crate::cloud::lab::Lab;
use crate::cloud::services::members::tag_list;

/// What is done to one resource.
#[derive(Debug, Clone)]
pub struct Act {
    /// The lab.
    pub lab: Arc<Lab>,
    /// In whose name.
    pub who: Principal,
    /// The name that it has, or gets.
    pub name: String,
    /// The same for every try to make the same resource.
    pub token: String,
    /// What it is to be.
    pub properties: Value,
}

/// How a service's resources are tagged.
pub struct Tagging {
    /// The service.
    pub service: &'static str,
    /// The operations that put tags and take them off.
    pub operations: [&'static str; 2],
    /// Their members for the tags to put and the keys to take off.
    pub members: [&'static str; 2],
    /// The form of the tags: `listed` or `mapped`.
    pub form: fn(&Map<String, Value>) -> Value,
}

/// Documents and parameters.
pub const SSM_TAGGING: Tagging = Tagging {
    service: "ssm",
    operations: ["AddTagsToResource", "RemoveTagsFromResource"],
    members: ["Tags", "TagKeys"],
    form: listed,
};

impl Act {
    /// Brings the tags of the resource that `whose` names from the old properties' to the new ones', by one call each way at most.
    pub async fn retag(&self, tagging: &Tagging, whose: Value, old: &Value) -> Result<(), ApiError> {
        let (old, mut new) = (tags(old), tags(&self.properties));
        let gone: Vec<String> = old.keys().filter(|key| !new.contains_key(*key)).cloned().collect();
        new.retain(|key, value| old.get(key) != Some(value));
        let whose = whose.as_object().cloned().unwrap_or_default();
        let [put, off] = tagging.operations;
        if !new.is_empty() {
            let input = and(whose.clone(), tagging.members[0], (tagging.form)(&new));
            self.call(tagging.service, put, Value::Object(input)).await?;
        }
        if !gone.is_empty() {
            self.call(tagging.service, off, Value::Object(and(whose, tagging.members[1], gone))).await?;
        }
        Ok(())
    }

    /// A property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    /// An ARN in the lab's account and region.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        self.lab.site.place.arn(service, rest)
    }

    /// The properties of these names.
    pub fn only(&self, names: &[&str]) -> Map<String, Value> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), self.get(name)?.clone()))).collect()
    }

    /// A call; one that is throttled waits and is made again.
    pub async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
        let models = self.lab.models().service(service);
        let model = models.and_then(|model| Some((model, model.operations.get(operation)?.input.as_deref()?)));
        let input = model.map_or_else(|| input.clone(), |(model, shape)| fit(model, shape, &input));
        let request = Request { raw: Bytes::new(), ..Request::new(service, operation, input) };
        self.lab.call_patiently(&self.who, &request).await.map(|reply| reply.body)
    }

    /// A call whose answer may be that there is no such thing.
    pub async fn find(&self, service: &str, operation: &str, input: Value) -> Result<Option<Value>, ApiError> {
        match self.call(service, operation, input).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A deletion; what is not there is deleted.
    pub async fn delete(&self, service: &str, operation: &str, input: Value) -> Result<(), ApiError> {
        self.find(service, operation, input).await.map(|_| ())
    }
}

/// Whether an error says that something is not there.
pub fn missing(error: &ApiError) -> bool {
    error.status == 404
        || ["NotFound", "NoSuchEntity", "InvalidDocument"]
            .iter()
            .any(|word| error.code.contains(word) && !error.code.contains("Content"))
}

/// An error as a resource's handler says it.
pub fn reason(service: &str, error: &ApiError, token: &str) -> String {
    let code = match error.code.as_str() {
        _ if missing(error) => "NotFound",
        code if code.contains("AlreadyExist") || code == "ResourceConflictException" => "AlreadyExists",
        code if code.contains("AccessDenied") => "AccessDenied",
        _ if error.is_throttling() => "Throttling",
        _ if error.status >= 500 => "ServiceInternalError",
        _ => "InvalidRequest",
    };
    format!(
        "Resource handler returned message: \"{} (Service: {service}, Status Code: {}, Error Code: {})\" (RequestToken: {token}, HandlerErrorCode: {code})",
        error.message, error.status, error.code
    )
}

/// The tags of a property that is a list, as a map.
pub fn tags(properties: &Value) -> Map<String, Value> {
    match properties.get("Tags") {
        Some(Value::Object(map)) => map.clone(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|tag| Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value").cloned().unwrap_or_default())))
            .collect(),
        _ => Map::new(),
    }
}

/// Tags as they are, as the other APIs want them.
pub fn mapped(tags: &Map<String, Value>) -> Value {
    Value::Object(tags.clone())
}

/// A list of tags from a map, as most APIs want them.
pub fn listed(tags: &Map<String, Value>) -> Value {
    tag_list(tags)
}

/// Adds a member.
pub fn and(mut fields: Map<String, Value>, name: &str, value: impl Into<Value>) -> Map<String, Value> {
    fields.insert(name.to_owned(), value.into());
    fields
}

/// Attributes from pairs.
pub fn attributes<const N: usize>(pairs: [(&str, String); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}
