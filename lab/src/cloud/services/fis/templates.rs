//! Experiment templates, and tags.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Fis, check, map, missing};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{page, text, texts, with};
use crate::cloud::state::Row;

/// As many templates as an account and region may have.
const MOST: usize = 500;

/// A template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Template {
    /// Its id, `EXT…`.
    pub id: String,
    /// What was given, by the API's names.
    pub given: Value,
    /// Its tags.
    pub tags: Map<String, Value>,
    token: String,
    created: i64,
    #[serde(default)]
    updated: Option<i64>,
}

impl Row for Template {
    const TABLE: &'static str = "templates";

    fn key(&self) -> &str {
        &self.id
    }
}

/// An id as FIS gives them: a prefix and 17 letters and digits.
pub fn id(prefix: &str) -> String {
    let text = clock::id().replace('-', "").to_uppercase();
    format!("{prefix}{}", text.chars().take(17).collect::<String>())
}

impl Template {
    fn described(&self, fis: &Fis) -> Value {
        let time = clock::seconds(self.created);
        let mut answer = json!({
            "id": self.id, "arn": fis.arn("experiment-template", &self.id), "creationTime": time,
            "lastUpdateTime": clock::seconds(self.updated.unwrap_or(self.created)),
            "tags": self.tags, "targets": {}, "targetAccountConfigurationsCount": 0,
            "experimentOptions": {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"},
        });
        for member in ["description", "targets", "actions", "stopConditions", "roleArn", "logConfiguration", "experimentOptions"]
        {
            if let (Some(value), Some(fields)) = (self.given.get(member), answer.as_object_mut()) {
                fields.insert(member.to_owned(), value.clone());
            }
        }
        answer
    }
}

/// CreateExperimentTemplate.
pub fn create(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    check::template(input)?;
    let token = text(input, "clientToken").unwrap_or_default().to_owned();
    let created = fis.tables(|tables| {
        if let Some(twin) = tables.templates.values().find(|template| template.token == token) {
            return if twin.given == *input {
                Ok(twin.clone())
            } else {
                Err(ApiError::new("ConflictException", 409, "The client token was used with another request."))
            };
        }
        if tables.templates.len() >= MOST {
            return Err(ApiError::new(
                "ServiceQuotaExceededException",
                402,
                format!("There are {MOST} experiment templates already."),
            ));
        }
        let template = Template {
            id: id("EXT"),
            given: input.clone(),
            tags: map(input, "tags"),
            token,
            created: clock::now_ms(),
            updated: None,
        };
        tables.templates.put(template.clone()).map(|()| template)
    })?;
    Ok(json!({"experimentTemplate": created.described(fis)}))
}

fn found(fis: &Fis, input: &Value) -> Result<Template, ApiError> {
    let id = text(input, "id").unwrap_or_default();
    fis.tables(|tables| tables.templates.get(id).cloned()).ok_or_else(|| missing("Experiment template", id))
}

/// GetExperimentTemplate.
pub fn get(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"experimentTemplate": found(fis, input)?.described(fis)}))
}

/// UpdateExperimentTemplate: the members that are given take the place of what was there. Experiments that were started keep theirs.
pub fn update(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    let template = found(fis, input)?;
    let mut given = template.given.as_object().cloned().unwrap_or_default();
    for (member, value) in input.as_object().into_iter().flatten().filter(|(member, _)| *member != "id") {
        let mut value = value.clone();
        if member == "experimentOptions" {
            let mut options = map(&template.given, member);
            options.extend(map(input, member));
            value = Value::Object(options);
        }
        given.insert(member.clone(), value);
    }
    let given = Value::Object(given);
    check::template(&given)?;
    let updated = Template { given, updated: Some(clock::now_ms()), ..template };
    fis.tables(|tables| tables.templates.put(updated.clone()))?;
    Ok(json!({"experimentTemplate": updated.described(fis)}))
}

/// DeleteExperimentTemplate.
pub fn delete(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    let template = found(fis, input)?;
    fis.tables(|tables| tables.templates.remove(&template.id))?;
    Ok(json!({"experimentTemplate": template.described(fis)}))
}

/// ListExperimentTemplates.
pub fn list(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    let rows = fis.tables(|tables| tables.templates.values().cloned().collect::<Vec<_>>());
    let rows = rows.iter().map(|template| {
        json!({
            "id": template.id, "arn": fis.arn("experiment-template", &template.id), "description": template.given.get("description"),
            "creationTime": clock::seconds(template.created),
            "lastUpdateTime": clock::seconds(template.updated.unwrap_or(template.created)), "tags": template.tags,
        })
    });
    let most = input.get("maxResults").and_then(Value::as_u64);
    let (rows, next) = page(rows.collect(), text(input, "nextToken"), most, 50)?;
    Ok(with(json!({"experimentTemplates": rows}), "nextToken", next))
}

/// Works on the tags of a template or an experiment.
fn tags<T>(fis: &Fis, input: &Value, work: impl FnOnce(&mut Map<String, Value>) -> T) -> Result<T, ApiError> {
    let arn = text(input, "resourceArn").unwrap_or_default();
    let id = arn.rsplit('/').next().unwrap_or_default();
    fis.tables(|tables| {
        if tables.templates.contains_key(id) {
            return tables.templates.change(id, |template| Ok(work(&mut template.tags)));
        }
        tables.experiments.change(id, |experiment| Ok(work(&mut experiment.tags)))
    })
    .unwrap_or_else(|| Err(missing("Resource", arn)))
}

/// TagResource.
pub fn tag(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    tags(fis, input, |tags| tags.extend(map(input, "tags")))?;
    Ok(json!({}))
}

/// UntagResource.
pub fn untag(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    let keys: Vec<&str> = texts(input, "tagKeys").collect();
    tags(fis, input, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))?;
    Ok(json!({}))
}

/// ListTagsForResource.
pub fn tags_for(fis: &Fis, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"tags": tags(fis, input, |tags| tags.clone())?}))
}
