//! Log groups: what is kept of them, and their operations.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::streams::of_group;
use super::{Logs, Tables, invalid, no_group, not_served};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{on, page, text, texts, with};
use crate::cloud::state::Row;

/// The days that events may be kept for.
const DAYS: [u64; 22] = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Map<String, Value>,
    /// Events older than so many days are gone.
    pub retention: Option<u64>,
    created: i64,
    class: String,
}

impl Row for Group {
    const TABLE: &'static str = "groups";

    fn key(&self) -> &str {
        &self.name
    }
}

impl Group {
    /// The oldest time that events are kept for, in milliseconds since 1970.
    pub fn oldest(&self) -> i64 {
        let days = self.retention.and_then(|days| i64::try_from(days).ok());
        days.map_or(i64::MIN, |days| clock::now_ms() - days * 86_400_000)
    }
}

/// A group by its name.
pub fn find<'t>(tables: &'t Tables, name: &str) -> Result<&'t Group, ApiError> {
    tables.groups.get(name).ok_or_else(no_group)
}

fn map(input: &Value) -> Map<String, Value> {
    input.get("tags").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// CreateLogGroup.
pub fn create(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    if text(input, "kmsKeyId").is_some() || on(input, "deletionProtectionEnabled") {
        return Err(not_served("keys and deletion protection of log groups"));
    }
    let group = Group {
        name: text(input, "logGroupName").unwrap_or_default().to_owned(),
        tags: map(input),
        retention: None,
        created: clock::now_ms(),
        class: text(input, "logGroupClass").unwrap_or("STANDARD").to_owned(),
    };
    logs.tables(|tables| {
        if tables.groups.contains_key(&group.name) {
            return Err(ApiError::bad("ResourceAlreadyExistsException", "The specified log group already exists"));
        }
        tables.groups.put(group)
    })?;
    Ok(Value::Null)
}

/// DeleteLogGroup, with everything in it.
pub fn delete(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "logGroupName").unwrap_or_default();
    logs.tables(|tables| {
        find(tables, name)?;
        // Streams first: a group that is there has whatever is left of them.
        let ids: Vec<(String, String)> = of_group(tables, name).map(|stream| (stream.key.clone(), stream.id.clone())).collect();
        for (key, id) in ids {
            tables.streams.remove(&key)?;
            tables.events.forget(&id);
        }
        tables.groups.remove(name)
    })?;
    Ok(Value::Null)
}

/// DescribeLogGroups.
pub fn describe(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    if on(input, "includeLinkedAccounts") || input.get("accountIdentifiers").is_some() {
        return Err(not_served("other accounts"));
    }
    let prefix = text(input, "logGroupNamePrefix").unwrap_or_default();
    let part = text(input, "logGroupNamePattern").unwrap_or_default().to_lowercase();
    let named: Vec<&str> = texts(input, "logGroupIdentifiers").map(|one| logs.name_of(one).unwrap_or(one)).collect();
    let class = text(input, "logGroupClass");
    let rows: Vec<Value> = logs.tables(|tables| {
        let fitting = |group: &&Group| {
            group.name.starts_with(prefix)
                && group.name.to_lowercase().contains(&part)
                && (named.is_empty() || named.contains(&group.name.as_str()))
                && class.is_none_or(|class| class == group.class)
        };
        let row = |group: &Group| {
            let bytes: u64 = of_group(tables, &group.name).map(|stream| tables.events.bytes(&stream.id)).sum();
            let arn = logs.arn(&group.name);
            let mut row = json!({
                "logGroupName": group.name, "creationTime": group.created, "metricFilterCount": 0, "arn": format!("{arn}:*"),
                "logGroupArn": arn, "storedBytes": bytes, "logGroupClass": group.class,
            });
            if let (Some(days), Some(fields)) = (group.retention, row.as_object_mut()) {
                fields.insert("retentionInDays".into(), json!(days));
            }
            row
        };
        tables.groups.values().filter(fitting).map(row).collect()
    });
    let (rows, next) = page(rows, text(input, "nextToken"), input.get("limit").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"logGroups": rows}), "nextToken", next))
}

/// PutRetentionPolicy and DeleteRetentionPolicy.
pub fn retain(logs: &Logs, input: &Value, days: Option<u64>) -> Result<Value, ApiError> {
    if let Some(days) = days.filter(|days| !DAYS.contains(days)) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must be one of {DAYS:?}"
        )));
    }
    change(logs, text(input, "logGroupName").unwrap_or_default(), |group| group.retention = days)
}

fn change(logs: &Logs, name: &str, work: impl FnOnce(&mut Group)) -> Result<Value, ApiError> {
    let changed = logs.tables(|tables| {
        tables.groups.change(name, |group| {
            work(group);
            Ok(())
        })
    });
    changed.unwrap_or_else(|| Err(no_group())).map(|()| Value::Null)
}

fn tagged<'a>(logs: &Logs, input: &'a Value) -> Result<&'a str, ApiError> {
    let arn = text(input, "resourceArn").unwrap_or_default();
    logs.name_of(arn)
        .ok_or_else(|| ApiError::bad("ResourceNotFoundException", format!("The specified resource does not exist: {arn}")))
}

/// TagResource.
pub fn tag(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    change(logs, tagged(logs, input)?, |group| group.tags.extend(map(input)))
}

/// UntagResource.
pub fn untag(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let keys: Vec<&str> = texts(input, "tagKeys").collect();
    change(logs, tagged(logs, input)?, |group| group.tags.retain(|key, _| !keys.contains(&key.as_str())))
}

/// ListTagsForResource.
pub fn list_tags(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let name = tagged(logs, input)?;
    let tags = logs.tables(|tables| find(tables, name).map(|group| group.tags.clone()))?;
    Ok(json!({"tags": tags}))
}

/// CreateLogDelivery: the group that a service shall write to must be there.
pub fn deliver(logs: &Logs, input: &Value) -> Result<Value, ApiError> {
    let name = logs.name_of(text(input, "logGroupArn").unwrap_or_default()).ok_or_else(no_group)?;
    logs.tables(|tables| find(tables, name).map(|_| json!({})))
}
