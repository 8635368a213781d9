//! An experiment's log records, schema version 2: <https://docs.aws.amazon.com/fis/latest/userguide/monitoring-logging.html>.
//!
//! They follow from the experiment's row, which says which of them are written: a lab that was killed writes the others. Records of
//! targets are missing, since no action here has any.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::experiments::Experiment;
use crate::cloud::call::{ApiError, Principal, Request};
use crate::cloud::clock;
use crate::cloud::lab::Lab;
use crate::cloud::services::members::{list, text};

/// What writes records: the service that delivers logs.
const DELIVERY: &str = "delivery.logs.amazonaws.com";
/// The policy that lets it, as the services that have their logs delivered call it.
const POLICY: &str = "AWSLogDeliveryWrite20150319";

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it is called in the experiment's row.
    pub key: String,
    /// When it happened, in milliseconds since 1970.
    pub at: i64,
    /// What it says.
    pub text: String,
}

/// Where an experiment's records go.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// The name of a log group.
    pub group: Option<String>,
    /// A bucket and what keys begin with.
    pub bucket: Option<(String, String)>,
}

impl Destination {
    /// Of a template's content; no log group's ARN is an error.
    pub fn of(given: &Value) -> Result<Destination, String> {
        let logs = given.get("logConfiguration").unwrap_or(&Value::Null);
        let group = logs.get("cloudWatchLogsConfiguration").and_then(|to| text(to, "logGroupArn"));
        let group = group.map(|arn| {
            let name = arn.split_once(":log-group:").map(|(_, rest)| rest.trim_end_matches(":*").to_owned());
            name.filter(|_| arn.split(':').nth(2) == Some("logs")).ok_or_else(|| format!("not a log group's ARN: {arn}"))
        });
        let bucket = logs
            .get("s3Configuration")
            .and_then(|to| Some((text(to, "bucketName")?.to_owned(), text(to, "prefix").unwrap_or_default().to_owned())));
        Ok(Destination { group: group.transpose()?, bucket })
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.group.is_none() && self.bucket.is_none()
    }
}

/// The records of everything that has happened, in their order.
pub fn of(experiment: &Experiment) -> Vec<Record> {
    let record = |key: String, at: i64, kind: &str, details: Value| {
        let text = json!({
            "id": experiment.id, "log_type": kind, "event_timestamp": clock::rfc3339(at), "version": "2", "details": details,
        });
        Record { key, at, text: text.to_string() }
    };
    let mut records = Vec::new();
    if let Some(at) = experiment.started {
        let details = json!({"experiment_template_id": experiment.template, "experiment_start_time": clock::rfc3339(at)});
        records.push(record("experiment-start".into(), at, "experiment-start", details));
    }
    for (name, run) in &experiment.actions {
        let Some(started) = run.started else { continue };
        let action = experiment.action(name);
        let about = json!({"action_name": name, "action_id": action.get("actionId")});
        let with = |more: Value| {
            let mut details: Map<String, Value> = about.as_object().cloned().unwrap_or_default();
            details.extend(more.as_object().cloned().unwrap_or_default());
            Value::Object(details)
        };
        let mut begun = json!({"action_start_time": clock::rfc3339(started), "action_targets": {}});
        if let (Some(fields), Some(parameters)) = (begun.as_object_mut(), action.get("parameters")) {
            fields.insert("parameters".into(), parameters.clone());
        }
        records.push(record(format!("action-start {name}"), started, "action-start", with(begun)));
        if let Some(ended) = run.ended {
            let state = json!({"status": run.state.status, "reason": run.state.reason});
            if run.state.status == "failed" {
                let account = text(&experiment.given, "roleArn").and_then(|arn| arn.split(':').nth(4));
                let details = with(json!({"account_id": account, "action_state": state}));
                records.push(record(format!("action-error {name}"), ended, "action-error", details));
            }
            let details = with(json!({"action_end_time": clock::rfc3339(ended), "action_state": state}));
            records.push(record(format!("action-end {name}"), ended, "action-end", details));
        }
    }
    if let (Some(at), Some(_)) = (experiment.ended, experiment.started) {
        let state = json!({"status": experiment.state.status, "reason": experiment.state.reason});
        let details = json!({"experiment_end_time": clock::rfc3339(at), "experiment_state": state});
        records.push(record("experiment-end".into(), at, "experiment-end", details));
    }
    // What came at the same time stays in this order.
    records.sort_by_key(|record| record.at);
    records
}

/// Has records delivered to a group, as FIS does when an experiment begins: with the rights of the experiment's role.
pub async fn prepare(lab: &Arc<Lab>, who: &Principal, group: &str) -> Result<(), ApiError> {
    let arn = lab.site.place.arn("logs", &format!("log-group:{group}"));
    let call = async |operation: &str, input: Value| {
        lab.call_patiently(who, &Request::new("logs", operation, input)).await.map(|reply| reply.body)
    };
    let found = call("DescribeLogGroups", json!({"logGroupNamePrefix": group})).await?;
    if !list(&found, "logGroups").any(|one| text(one, "logGroupName") == Some(group)) {
        return Err(ApiError::validation(format!("the log group {group} does not exist")));
    }
    call("CreateLogDelivery", json!({"logGroupArn": arn})).await?;
    let policies = call("DescribeResourcePolicies", json!({})).await?;
    let policy = list(&policies, "resourcePolicies").find(|policy| text(policy, "policyName") == Some(POLICY));
    let document = policy.and_then(|policy| text(policy, "policyDocument"));
    let document = document.and_then(|document| serde_json::from_str::<Value>(document).ok());
    let mut statements: Vec<Value> = document.iter().flat_map(|document| list(document, "Statement")).cloned().collect();
    let resource = format!("{arn}:log-stream:*");
    if !statements.iter().any(|statement| list(statement, "Resource").any(|one| *one == resource)) {
        let account = &lab.site.place.account;
        statements.push(json!({
            "Sid": format!("{POLICY}-{}", statements.len() + 1), "Effect": "Allow", "Principal": {"Service": [DELIVERY]},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": [resource],
            "Condition": {"StringEquals": {"aws:SourceAccount": [account]}, "ArnLike": {"aws:SourceArn": [lab.site.place.arn("logs", "*")]}},
        }));
    }
    // Also where nothing is new: each of the four rights is asked for each time.
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    call("PutResourcePolicy", json!({"policyName": POLICY, "policyDocument": document})).await.map(|_| ())
}

/// Writes records to a group.
pub async fn to_group(lab: &Arc<Lab>, experiment: &Experiment, group: &str, records: &[&Record]) -> Result<(), ApiError> {
    let stream = format!("/aws/fis/{}", experiment.id);
    let who = delivery(lab, experiment);
    let at = json!({"logGroupName": group, "logStreamName": stream});
    match lab.call(&who, &Request::new("logs", "CreateLogStream", at)).await.answer() {
        Err(error) if error.code != "ResourceAlreadyExistsException" => return Err(error),
        _ => {}
    }
    let events: Vec<Value> = records.iter().map(|record| json!({"timestamp": record.at, "message": record.text})).collect();
    let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
    lab.call(&who, &Request::new("logs", "PutLogEvents", input)).await.answer().map(|_| ())
}

/// Writes all records of an experiment that has ended into an object.
pub async fn to_bucket(lab: &Arc<Lab>, experiment: &Experiment, bucket: &str, prefix: &str) -> Result<(), ApiError> {
    let place = &lab.site.place;
    let day = clock::rfc3339(experiment.ended.unwrap_or_default()).get(..10).unwrap_or_default().replace('-', "/");
    let folder = if prefix.is_empty() { String::new() } else { format!("{}/", prefix.trim_end_matches('/')) };
    let key = format!("{folder}AWSLogs/{}/fis/{}/{day}/{}.log", place.account, place.region, experiment.id);
    let text: String = of(experiment).iter().map(|record| format!("{}\n", record.text)).collect();
    let input = json!({"Bucket": bucket, "Key": key, "ContentType": "text/plain"});
    let request = Request { raw: text.into(), ..Request::new("s3", "PutObject", input) };
    lab.call(&delivery(lab, experiment), &request).await.answer().map(|_| ())
}

fn delivery(lab: &Lab, experiment: &Experiment) -> Principal {
    Principal::service(DELIVERY, lab.site.place.arn("fis", &format!("experiment/{}", experiment.id)))
}
