//! What steps do: one try of one step, with its inputs resolved.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::document::Step;
use super::{Host, branch, selector, values};
use crate::cloud::call::{ApiError, Principal, Reply, Request};
use crate::cloud::clock;
use crate::cloud::gateway::models::{Model, Models};
use crate::cloud::services::members::with;

/// Which step of which execution.
#[derive(Debug, Clone)]
pub struct Task {
    /// The execution.
    pub execution: String,
    /// Its document.
    pub document: String,
    /// The role of its steps.
    pub role: Option<String>,
    /// The step.
    pub step: String,
    /// When a sleep that began before is over, in milliseconds since 1970.
    pub wake: Option<i64>,
}

impl Task {
    /// Who the step is: the role that its document assumes, or the user who started it.
    pub fn principal(&self, account: &str) -> Principal {
        principal(account, self.role.as_deref(), &self.execution, &self.document, &self.step)
    }
}

/// A step of an execution as a caller.
pub fn principal(account: &str, role: Option<&str>, execution: &str, document: &str, step: &str) -> Principal {
    let who = match role {
        Some(role) => Principal::session(account, role, &format!("Automation-{execution}")),
        None => Principal::user(account),
    };
    Principal { execution: Some(execution.to_owned()), document: Some(document.to_owned()), step: Some(step.to_owned()), ..who }
}

/// How one try ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What outputs select from.
    pub output: Value,
    /// Where a branch leads; `Some(None)`: nowhere.
    pub branch: Option<Option<String>>,
    /// What went wrong.
    pub failure: Option<String>,
}

impl Outcome {
    /// A success.
    pub fn success(output: Value) -> Outcome {
        Outcome { output, branch: None, failure: None }
    }

    /// A failure.
    pub fn failure(message: impl Into<String>) -> Outcome {
        Outcome { output: Value::Null, branch: None, failure: Some(message.into()) }
    }
}

/// Whether a step that is abandoned goes on by itself, as a process or a call on the wire does.
pub fn runs_on(action: &str) -> bool {
    matches!(action, "aws:executeScript" | "aws:executeAwsApi")
}

/// One try.
pub async fn run(host: Host, step: Step, task: Task, inputs: Value) -> Outcome {
    match step.action.as_str() {
        "aws:executeScript" => super::script::run(&host, &task, &inputs).await,
        "aws:executeAwsApi" => match api(&host, &task, &inputs).await {
            Ok(answer) => Outcome::success(answer),
            Err(error) => Outcome::failure(format!("Step fails when it is Execute/Cancelling action. {error}")),
        },
        "aws:waitForAwsResourceProperty" => wait(&host, &task, &inputs).await,
        "aws:assertAwsResourceProperty" => match property(&host, &task, &inputs).await {
            Ok((true, value)) => Outcome::success(value),
            Ok((false, value)) => Outcome::failure(format!("the property is `{value}`, none of the desired values")),
            Err(error) => Outcome::failure(error.to_string()),
        },
        "aws:branch" => match branch::choose(&inputs) {
            Ok(next) => Outcome { branch: Some(next), ..Outcome::success(Value::Null) },
            Err(message) => Outcome::failure(message),
        },
        "aws:sleep" => {
            sleep(&task).await;
            Outcome::success(Value::Null)
        }
        other => Outcome::failure(format!("the lab does not run `{other}`")),
    }
}

async fn sleep(task: &Task) {
    let left = task.wake.unwrap_or(0).saturating_sub(clock::now_ms());
    tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0))).await;
}

/// When a sleep that begins now is over.
pub fn wake(inputs: &Value, now: i64, speed: f64) -> Result<i64, String> {
    let left_s = match (inputs["Duration"].as_str(), inputs["Timestamp"].as_str()) {
        (Some(duration), _) => seconds(duration).ok_or_else(|| format!("`{duration}` is not an ISO 8601 duration"))?,
        (None, Some(moment)) => {
            let until = clock::parse_rfc3339(moment);
            let left = until.ok_or_else(|| format!("`{moment}` is not an ISO 8601 time"))?.saturating_sub(now);
            Duration::from_millis(u64::try_from(left).unwrap_or(0)).as_secs_f64()
        }
        _ => return Err("a sleep needs `Duration` or `Timestamp`".to_owned()),
    };
    if left_s > 604_799.0 {
        return Err("a sleep lasts at most 604799 seconds".to_owned());
    }
    let left = Duration::try_from_secs_f64(left_s / speed.max(f64::MIN_POSITIVE)).unwrap_or(Duration::MAX);
    Ok(now.saturating_add(i64::try_from(left.as_millis()).unwrap_or(i64::MAX)))
}

/// Seconds of `PnDTnHnMnS`.
pub fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix('P')?;
    let (mut total, mut time, mut any) = (0.0, false, false);
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('T') {
            time = true;
            rest = tail;
            continue;
        }
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, tail) = rest.split_at(end);
        let mut letters = tail.chars();
        let unit = match (letters.next()?, time) {
            ('W', false) => 604_800.0,
            ('D', false) => 86_400.0,
            ('H', true) => 3600.0,
            ('M', true) => 60.0,
            ('S', true) => 1.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * unit;
        any = true;
        rest = letters.as_str();
    }
    any.then_some(total)
}

/// One call of an API, throttling retried as Automation does.
async fn api(host: &Host, task: &Task, inputs: &Value) -> Result<Value, ApiError> {
    let request = request(host.lab.models(), inputs)?;
    let who = task.principal(&host.ssm.site.place.account);
    let reply = host.lab.call_patiently(&who, &request).await?;
    Ok(answer(host.lab.models(), &request, reply))
}

fn request(models: &Models, inputs: &Value) -> Result<Request, ApiError> {
    let name = inputs["Service"].as_str().unwrap_or_default();
    let api = inputs["Api"].as_str().unwrap_or_default();
    let model = models.service(name).ok_or_else(|| ApiError::validation(format!("the lab does not serve `{name}`")))?;
    // Both forms are in use: `GetFunction` and `get_function`.
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    let operation = model.operations.values().find(|operation| plain(&operation.name) == plain(api));
    let operation = operation.ok_or_else(|| ApiError::validation(format!("the lab does not serve `{name}:{api}`")))?;
    let mut fields: Map<String, Value> = inputs.as_object().cloned().unwrap_or_default();
    let own = ["Service", "Api", "PropertySelector", "DesiredValues"];
    fields.retain(|field, _| !own.contains(&field.as_str()));
    let mut request = Request::new(name, &operation.name, Value::Null);
    let payload = model.input(operation).and_then(|shape| shape.payload()).filter(|(_, member)| model.raw(member));
    if let Some(payload) = payload.and_then(|(member, _)| fields.remove(member)) {
        request.raw = Bytes::from(values::plain(&payload));
    }
    request.input = Value::Object(fields);
    Ok(request)
}

/// The members of an answer, a payload of bytes as a text.
fn answer(models: &Models, request: &Request, reply: Reply) -> Value {
    let model = models.service(&request.service);
    let payload = |model: &Model| model.output(model.operations.get(&request.operation)?)?.payload.clone();
    let raw = reply.raw.map(|raw| String::from_utf8_lossy(&raw).into_owned());
    let body = if raw.is_some() && reply.body.is_null() { Value::Object(Map::new()) } else { reply.body };
    with(body, &model.and_then(payload).unwrap_or_default(), raw)
}

/// Whether the property has a desired value, and what it has.
async fn property(host: &Host, task: &Task, inputs: &Value) -> Result<(bool, Value), ApiError> {
    let answer = api(host, task, inputs).await?;
    let selector = inputs["PropertySelector"].as_str().unwrap_or("$");
    let value = selector::select(&answer, selector).unwrap_or(Value::Null);
    let desired = inputs["DesiredValues"].as_array().into_iter().flatten();
    let found = desired.map(values::plain).any(|wanted| wanted == values::plain(&value));
    Ok((found, value))
}

async fn wait(host: &Host, task: &Task, inputs: &Value) -> Outcome {
    loop {
        match property(host, task, inputs).await {
            Ok((true, value)) => return Outcome::success(value),
            Ok((false, _)) => {}
            Err(error) => return Outcome::failure(error.to_string()),
        }
        tokio::time::sleep(Duration::from_millis(host.ssm.site.settings().poll_ms)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [("PT1S", 1.0), ("PT1M30S", 90.0), ("P1DT1H", 90_000.0), ("PT0.5S", 0.5), ("P1W", 604_800.0)];
        for (text, wanted) in cases {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        for text in ["", "P", "PT", "1S", "PT1", "P1S", "PT1D", "PTS", "P-1D"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn sleeps_are_sped_up_and_bounded() {
        assert_eq!(wake(&serde_json::json!({"Duration": "PT60S"}), 1000, 60.0), Ok(2000));
        assert!(wake(&serde_json::json!({"Duration": "P8D"}), 0, 1.0).is_err());
        assert!(wake(&serde_json::json!({"Duration": "soon"}), 0, 1.0).is_err());
        let moment = serde_json::json!({"Timestamp": "1970-01-01T00:00:10Z"});
        assert_eq!((wake(&moment, 4000, 1.0), wake(&moment, 20_000, 1.0)), (Ok(10_000), Ok(20_000)));
    }
}
