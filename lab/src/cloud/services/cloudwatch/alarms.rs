//! PutMetricAlarm, DescribeAlarms, SetAlarmState, DeleteAlarms, tags, and how an alarm is judged.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::metrics::{self, Metric};
use super::{CloudWatch, Tables};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{page, tag_list, tags, text, texts, with};
use crate::cloud::state::table::Row;

/// Members of PutMetricAlarm that change what an alarm means, and that the lab does not judge by.
const NOT_SERVED: [&str; 5] =
    ["Metrics", "ExtendedStatistic", "ThresholdMetricId", "EvaluateLowSampleCountPercentile", "EvaluationCriteria"];

/// An alarm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// The key of the metric it watches.
    pub metric: String,
    /// What was put, by the API's names.
    put: Map<String, Value>,
    /// Its tags.
    pub tags: Map<String, Value>,
    /// The state that SetAlarmState gave it and why; none once its metric has spoken again.
    pub given: Option<(String, String)>,
    /// When its state last changed, in milliseconds since 1970.
    updated: i64,
    /// The state at that moment.
    state: String,
    /// Its latest changes, the newest last.
    #[serde(default)]
    history: Vec<Change>,
}

/// One change of an alarm's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Change {
    at: i64,
    from: String,
    to: String,
    why: String,
}

/// So many changes of an alarm are kept.
const CHANGES: usize = 200;

impl Row for Alarm {
    const TABLE: &'static str = "alarms";

    fn key(&self) -> &str {
        &self.name
    }
}

impl Alarm {
    fn number(&self, member: &str) -> f64 {
        self.put.get(member).and_then(Value::as_f64).unwrap_or_default()
    }

    fn word(&self, member: &str) -> &str {
        self.put.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// The state now, and why.
    fn judged(&self, metric: Option<&Metric>, now: i64) -> (String, String) {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let period = clock::ms(self.number("Period")).max(1);
        let periods = self.number("EvaluationPeriods").max(1.0) as i64;
        let wanted = self.put.get("DatapointsToAlarm").and_then(Value::as_i64).unwrap_or(periods);
        let empty = Vec::new();
        let values = metric.map_or(&empty, |metric| &metric.values);
        let (mut breaching, mut known) = (0, 0);
        for back in 0..periods {
            let (from, to) = (now - (back + 1) * period, now - back * period);
            let within: Vec<f64> = values.iter().filter(|(at, _)| *at > from && *at <= to).map(|(_, value)| *value).collect();
            match self.statistic(&within) {
                Some(value) => {
                    known += 1;
                    breaching += i64::from(self.breaches(value));
                }
                None => match self.word("TreatMissingData") {
                    "breaching" => {
                        known += 1;
                        breaching += 1;
                    }
                    "notBreaching" => known += 1,
                    _ => {}
                },
            }
        }
        let (state, why) = match (known, breaching >= wanted) {
            (0, _) if self.word("TreatMissingData") == "ignore" => {
                (self.state.as_str(), "no values, and missing ones are ignored")
            }
            (0, _) => ("INSUFFICIENT_DATA", "Insufficient Data: no values"),
            (_, true) => ("ALARM", "Threshold Crossed"),
            _ => ("OK", "Threshold not crossed"),
        };
        (state.to_owned(), why.to_owned())
    }

    fn statistic(&self, values: &[f64]) -> Option<f64> {
        let sum: f64 = values.iter().sum();
        let first = values.first().copied()?;
        Some(match self.word("Statistic") {
            "Sum" => sum,
            "Average" => sum / values.len() as f64,
            "SampleCount" => values.len() as f64,
            "Minimum" => values.iter().copied().fold(first, f64::min),
            _ => values.iter().copied().fold(first, f64::max),
        })
    }

    fn breaches(&self, value: f64) -> bool {
        let threshold = self.number("Threshold");
        match self.word("ComparisonOperator") {
            "GreaterThanThreshold" => value > threshold,
            "LessThanThreshold" => value < threshold,
            "LessThanOrEqualToThreshold" => value <= threshold,
            _ => value >= threshold,
        }
    }

    fn described(&self, arn: String, state: &str, why: &str) -> Value {
        let mut answer = self.put.clone();
        answer.remove("Tags");
        answer.insert("AlarmArn".into(), json!(arn));
        answer.insert("StateValue".into(), json!(state));
        answer.insert("StateReason".into(), json!(why));
        answer.insert("StateUpdatedTimestamp".into(), clock::seconds(self.updated));
        Value::Object(answer)
    }
}

/// PutMetricAlarm.
pub fn put(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    if let Some(member) = NOT_SERVED.iter().find(|member| input.get(**member).is_some()) {
        return Err(ApiError::bad("ValidationError", format!("the lab does not serve `{member}`")));
    }
    for member in ["MetricName", "Namespace", "Statistic", "Period", "Threshold"] {
        if input.get(member).is_none() {
            return Err(ApiError::bad("ValidationError", format!("PutMetricAlarm needs `{member}`")));
        }
    }
    let period = input.get("Period").and_then(Value::as_i64).unwrap_or_default();
    if ![10, 20, 30].contains(&period) && period % 60 != 0 {
        return Err(ApiError::bad("ValidationError", "Period must be 10, 20, 30 or a multiple of 60"));
    }
    let name = text(input, "AlarmName").unwrap_or_default().to_owned();
    let dimensions = input.get("Dimensions").unwrap_or(&Value::Null);
    let metric =
        metrics::key(text(input, "Namespace").unwrap_or_default(), text(input, "MetricName").unwrap_or_default(), dimensions);
    service.tables(|tables| {
        let before = tables.alarms.get(&name).cloned();
        tables.alarms.put(Alarm {
            metric,
            put: input.as_object().cloned().unwrap_or_default(),
            tags: before.as_ref().map_or_else(|| tags(input, "Tags"), |alarm| alarm.tags.clone()),
            given: None,
            updated: clock::now_ms(),
            state: before.as_ref().map_or_else(|| "INSUFFICIENT_DATA".to_owned(), |alarm| alarm.state.clone()),
            history: before.map(|alarm| alarm.history).unwrap_or_default(),
            name,
        })?;
        Ok(json!({}))
    })
}

/// Every alarm with its state now; a change of state is kept.
fn look(tables: &mut Tables) -> Result<Vec<(Alarm, String, String)>, ApiError> {
    let now = clock::now_ms();
    let judged: Vec<(Alarm, String, String)> = tables
        .alarms
        .values()
        .map(|alarm| {
            let (state, why) = alarm.judged(tables.metric(&alarm.metric), now);
            (alarm.clone(), state, why)
        })
        .collect();
    let mut looked = Vec::new();
    for (mut alarm, state, why) in judged {
        if alarm.state != state {
            let from = std::mem::replace(&mut alarm.state, state.clone());
            alarm.updated = now;
            alarm.history.push(Change { at: now, from, to: state.clone(), why: why.clone() });
            let surplus = alarm.history.len().saturating_sub(CHANGES);
            alarm.history.drain(..surplus);
            tables.alarms.put(alarm.clone())?;
        }
        looked.push((alarm, state, why));
    }
    Ok(looked)
}

/// DescribeAlarms.
pub fn describe(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let names: Vec<&str> = texts(input, "AlarmNames").collect();
    let prefix = text(input, "AlarmNamePrefix").unwrap_or_default();
    if !names.is_empty() && !prefix.is_empty() {
        return Err(ApiError::bad("ValidationError", "AlarmNames and AlarmNamePrefix cannot both be given"));
    }
    let rows: Vec<Value> = service
        .tables(look)?
        .into_iter()
        .filter(|(alarm, ..)| names.is_empty() || names.contains(&alarm.name.as_str()))
        .filter(|(alarm, state, _)| {
            alarm.name.starts_with(prefix) && text(input, "StateValue").is_none_or(|wanted| wanted == state)
        })
        .map(|(alarm, state, why)| alarm.described(service.arn(&alarm.name), &state, &why))
        .collect();
    let most = input.get("MaxRecords").and_then(Value::as_u64);
    let (rows, next) = page(rows, text(input, "NextToken"), most, 50)
        .map_err(|_| ApiError::bad("InvalidNextToken", "The next token specified is invalid."))?;
    Ok(with(json!({"MetricAlarms": rows, "CompositeAlarms": []}), "NextToken", next))
}

/// SetAlarmState.
pub fn set_state(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "AlarmName").unwrap_or_default();
    let state = text(input, "StateValue").unwrap_or_default().to_owned();
    let why = text(input, "StateReason").unwrap_or_default().to_owned();
    let changed = service.tables(|tables| {
        tables.alarms.change(name, |alarm| {
            alarm.given = Some((state, why));
            Ok(())
        })
    });
    changed.unwrap_or_else(|| Err(ApiError::new("ResourceNotFound", 404, format!("no alarm `{name}`"))))?;
    service.tables(look)?;
    Ok(json!({}))
}

/// A metric has a new value: from now on it speaks for the alarms that watch it, whatever somebody set.
pub fn spoken(tables: &mut Tables, metric: &str) -> Result<(), ApiError> {
    let watching = tables.alarms.values().filter(|alarm| alarm.metric == metric);
    let watching: Vec<(String, bool)> = watching.map(|alarm| (alarm.name.clone(), alarm.given.is_some())).collect();
    for (name, _) in watching.iter().filter(|(_, given)| *given) {
        tables.alarms.change(name, |alarm| {
            alarm.given = None;
            Ok(())
        });
    }
    if watching.is_empty() { Ok(()) } else { look(tables).map(|_| ()) }
}

/// DescribeAlarmHistory: changes of states, which is all that the lab remembers.
pub fn history(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let time = |member| input.get(member).and_then(Value::as_f64).map(clock::ms);
    let (start, end) = (time("StartDate").unwrap_or(i64::MIN), time("EndDate").unwrap_or(i64::MAX));
    let other = text(input, "HistoryItemType").is_some_and(|kind| kind != "StateUpdate");
    let mut rows: Vec<(i64, Value)> = Vec::new();
    for (alarm, ..) in service.tables(look)? {
        if other || text(input, "AlarmName").is_some_and(|name| name != alarm.name) {
            continue;
        }
        for change in alarm.history.iter().filter(|change| (start..=end).contains(&change.at)) {
            let state = |value: &str, why: &str| json!({"stateValue": value, "stateReason": why});
            let told = json!({"version": "1.0", "oldState": state(&change.from, ""), "newState": state(&change.to, &change.why)});
            let item = json!({
                "AlarmName": alarm.name, "AlarmType": "MetricAlarm", "Timestamp": clock::seconds(change.at), "HistoryItemType": "StateUpdate",
                "HistorySummary": format!("Alarm updated from {} to {}", change.from, change.to), "HistoryData": told.to_string(),
            });
            rows.push((change.at, item));
        }
    }
    rows.sort_by_key(|(at, _)| *at);
    if text(input, "ScanBy") != Some("TimestampAscending") {
        rows.reverse();
    }
    let rows = rows.into_iter().map(|(_, item)| item).collect();
    let most = input.get("MaxRecords").and_then(Value::as_u64);
    let (rows, next) = page(rows, text(input, "NextToken"), most, 100)
        .map_err(|_| ApiError::bad("InvalidNextToken", "The next token specified is invalid."))?;
    Ok(with(json!({"AlarmHistoryItems": rows}), "NextToken", next))
}

/// DeleteAlarms: all, or none if one is not there.
pub fn delete(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    service.tables(|tables| {
        if let Some(missing) = texts(input, "AlarmNames").find(|name| !tables.alarms.contains_key(*name)) {
            return Err(ApiError::new("ResourceNotFound", 404, format!("no alarm `{missing}`")));
        }
        for name in texts(input, "AlarmNames") {
            tables.alarms.remove(name)?;
        }
        Ok(json!({}))
    })
}

/// Works on the tags of an alarm.
fn retag<T>(service: &CloudWatch, input: &Value, work: impl FnOnce(&mut Map<String, Value>) -> T) -> Result<T, ApiError> {
    let arn = text(input, "ResourceARN").unwrap_or_default();
    let name = arn.split_once(":alarm:").map_or(arn, |(_, name)| name);
    let changed = service.tables(|tables| tables.alarms.change(name, |alarm| Ok(work(&mut alarm.tags))));
    changed.unwrap_or_else(|| Err(ApiError::new("ResourceNotFoundException", 404, format!("no alarm `{name}`"))))
}

/// TagResource.
pub fn tag(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    retag(service, input, |had| had.extend(tags(input, "Tags"))).map(|()| json!({}))
}

/// UntagResource.
pub fn untag(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let keys: Vec<&str> = texts(input, "TagKeys").collect();
    retag(service, input, |had| had.retain(|key, _| !keys.contains(&key.as_str()))).map(|()| json!({}))
}

/// ListTagsForResource.
pub fn tags_for(service: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"Tags": retag(service, input, |had| tag_list(had))?}))
}
