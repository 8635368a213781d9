//! `aws:executeScript`: a Python process of its own that reaches the lab's endpoint under the role of the execution.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::Host;
use super::actions::{Outcome, Task};
use crate::cloud::clock;

/// SSM's own limit.
const LIMIT: Duration = Duration::from_secs(600);
/// SSM's limit of memory, in KB.
const MEMORY: u64 = 512 * 1024;
/// SSM's limit for what a script returns, in bytes.
const PAYLOAD: usize = 100 * 1024;
/// SSM's limit for lists in it.
const ITEMS: usize = 100;

/// Runs a script. It is not ended when its execution goes on without it.
pub async fn run(host: &Host, task: &Task, inputs: &Value) -> Outcome {
    match attempt(host, task, inputs).await {
        Ok(payload) => Outcome::success(json!({"Payload": payload})),
        Err(message) => Outcome::failure(message),
    }
}

async fn attempt(host: &Host, task: &Task, inputs: &Value) -> Result<Value, String> {
    let python = super::interpreter::find().await?;
    let Host { lab, ssm } = host;
    let place = &ssm.site.place;
    let folder = ssm.folder.path().join("scripts").join(clock::id());
    let made = std::fs::create_dir_all(&folder);
    made.map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    // Scripts see paths from their own folder.
    let folder = folder.canonicalize().map_err(|error| error.to_string())?;
    let (date, moment) = clock::automation_dates(clock::now_ms());
    let order = json!({
        "script": inputs["Script"], "handler": inputs["Handler"], "events": inputs.get("InputPayload").unwrap_or(&json!({})),
        "context": {
            "automation:EXECUTION_ID": task.execution, "global:ACCOUNT_ID": place.account, "global:REGION": place.region,
            "global:DATE": date, "global:DATE_TIME": moment, "global:AWS_PARTITION": "aws",
        },
    });
    let written = std::fs::write(folder.join("order.json"), order.to_string());
    written.map_err(|error| error.to_string())?;
    let mut environment = BTreeMap::from([
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("HOME", folder.display().to_string()),
        ("LANG", "C.UTF-8".to_owned()),
        ("AWS_ENDPOINT_URL", ssm.site.endpoint().to_owned()),
        ("AWS_REGION", place.region.clone()),
        ("AWS_DEFAULT_REGION", place.region.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]);
    // Without a role to assume a script has no credentials.
    if let Some(role) = &task.role {
        let key = lab.keys.give(task.principal(&place.account));
        let kept = ssm.execution(&task.execution, |execution| execution.keys.insert(key.clone(), task.step.clone()));
        kept.unwrap_or(Ok(None)).map_err(|error| error.message)?;
        environment.insert("AWS_ACCESS_KEY_ID", key);
        environment.insert("AWS_SECRET_ACCESS_KEY", "secret-of-the-lab".to_owned());
        environment.insert("AWS_SESSION_TOKEN", format!("{role}/Automation-{}", task.execution));
    }
    let mut script = ssm.engines.runner.begin(python, &folder, &environment).await?;
    let pid = script.pid;
    ssm.engines.script_began(&task.execution, &task.step, pid);
    let result = tokio::select! {
        code = script.ended() => Ok(code),
        () = tokio::time::sleep(LIMIT) => Err("the script took longer than 600 seconds"),
        () = too_large(pid) => Err("the script used more than 512 MB of memory"),
    };
    if result.is_err() {
        super::kill(pid);
        script.ended().await;
    }
    ssm.engines.script_ended(pid);
    let result = match result {
        Ok(code) => outcome(&folder, code),
        Err(reason) => Err(reason.to_owned()),
    };
    // What a script printed stays in the state folder only where something went wrong.
    if result.is_ok() {
        let _kept = std::fs::remove_dir_all(&folder).is_err();
    }
    result
}

/// Waits until a process has more memory than a script may.
async fn too_large(pid: u32) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        if kilobytes.is_some_and(|kilobytes| kilobytes > MEMORY) {
            return;
        }
    }
}

fn outcome(folder: &Path, code: Option<i32>) -> Result<Value, String> {
    let text = std::fs::read(folder.join("outcome.json"));
    let Some(value) = text.ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok()) else {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(5).collect();
        let last = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        let how = code.map_or_else(|| "was killed".to_owned(), |code| format!("ended with code {code}"));
        return Err(format!("the script {how} without a result\n{last}"));
    };
    if let Some(error) = value.get("error").and_then(Value::as_str) {
        return Err(format!(
            "Step fails when it is Poll action status for completion. Traceback (most recent call last):\n{error}"
        ));
    }
    let payload = value.get("payload").cloned().unwrap_or_default();
    let size = payload.to_string().len();
    if size > PAYLOAD {
        return Err(format!("the script's payload has {size} bytes, more than the 100 KB allowed"));
    }
    if long_list(&payload) {
        return Err(format!("the script's payload holds a list of more than {ITEMS} items"));
    }
    Ok(payload)
}

fn long_list(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.len() > ITEMS || items.iter().any(long_list),
        Value::Object(fields) => fields.values().any(long_list),
        _ => false,
    }
}
