//! A template from what is asked for. Pure: text in, JSON out.

use faultlayer_ssm_documents::Source;
use serde_json::{Map, Value, json};

/// Check, attach and restore are scripts of at most ten minutes each; FIS must not cancel what would have ended by itself.
pub(crate) const AROUND_THE_HOLD_MINUTES: u32 = 35;

/// Which functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// By name or ARN, at most 50.
    Functions(Vec<String>),
    /// Every function with this tag: key and value.
    Tag(String, String),
}

/// What the experiment's action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Attach, hold, roll back: the document `Experiment`.
    Experiment,
    /// Attach and leave; the plan ends by itself: the document `Attach`.
    Attach,
}

/// What an experiment template is made from.
#[derive(Debug, Clone)]
pub struct Spec {
    /// What the template is for; its `Name` tag too.
    pub description: String,
    /// The stack, whose name is the prefix of its documents.
    pub stack: String,
    /// `arn:PARTITION:ssm:REGION:ACCOUNT`, the beginning of the documents' ARNs.
    pub documents: String,
    /// The role that FIS assumes.
    pub role_arn: String,
    /// The alarms that stop it; none means that none does.
    pub stop_alarms: Vec<String>,
    /// The log group of the experiment's log, its ARN with `:*` at the end.
    pub log_group_arn: Option<String>,
    /// Alarms that must be OK before the faults and after them, at most five.
    pub asserted_alarms: Vec<String>,
    /// Which functions.
    pub targets: Targets,
    /// The plan; its JSON has no place but the template, so that a long one must stand in a parameter.
    pub plan: Source,
    /// How long the faults are held, in minutes.
    pub minutes: u32,
    /// Whether it rolls back by itself.
    pub action: Action,
    /// Attach, but only log what would be injected.
    pub dry_run: bool,
    /// The alias that callers use.
    pub alias: Option<String>,
}

/// The template as `aws fis create-experiment-template --cli-input-json` takes it; [`crate::problems`] says what is wrong with it.
#[must_use]
pub fn template(spec: &Spec) -> Value {
    let document = match spec.action {
        Action::Experiment => "Experiment",
        Action::Attach => "Attach",
    };
    let mut faults = Map::from_iter([
        ("actionId".to_owned(), json!("aws:ssm:start-automation-execution")),
        (
            "parameters".to_owned(),
            json!({
                "documentArn": format!("{}:document/{}-{document}", spec.documents, spec.stack),
                "documentParameters": without_space(&parameters(spec).to_string()),
                "maxDuration": duration(spec.minutes.saturating_add(AROUND_THE_HOLD_MINUTES)),
            }),
        ),
    ]);
    let mut actions = Map::new();
    if !spec.asserted_alarms.is_empty() {
        let parameters = json!({"alarmArns": spec.asserted_alarms.join(","), "alarmStates": "OK"});
        let id = "aws:cloudwatch:assert-alarm-state";
        faults.insert("startAfter".into(), json!(["before"]));
        actions.insert("before".into(), json!({"actionId": id, "parameters": parameters}));
        actions.insert("after".into(), json!({"actionId": id, "parameters": parameters, "startAfter": ["faults"]}));
    }
    actions.insert("faults".into(), Value::Object(faults));
    let stops: Vec<Value> = spec.stop_alarms.iter().map(|arn| json!({"source": "aws:cloudwatch:alarm", "value": arn})).collect();
    let mut template = Map::from_iter([
        ("description".to_owned(), json!(spec.description)),
        ("targets".to_owned(), json!({})),
        ("actions".to_owned(), Value::Object(actions)),
        ("stopConditions".to_owned(), if stops.is_empty() { json!([{"source": "none"}]) } else { json!(stops) }),
        ("roleArn".to_owned(), json!(spec.role_arn)),
        ("experimentOptions".to_owned(), json!({"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"})),
        ("tags".to_owned(), json!({"Name": spec.description, "faultlayer": spec.stack})),
    ]);
    if let Some(arn) = &spec.log_group_arn {
        let logs = json!({"logSchemaVersion": 2, "cloudWatchLogsConfiguration": {"logGroupArn": arn}});
        template.insert("logConfiguration".into(), logs);
    }
    Value::Object(template)
}

/// The document's parameters: FIS passes texts and lists of texts alone.
fn parameters(spec: &Spec) -> Value {
    let mut parameters = Map::new();
    match &spec.targets {
        Targets::Functions(names) => {
            parameters.insert("FunctionNames".into(), json!(names));
        }
        Targets::Tag(key, value) => {
            parameters.insert("TagKey".into(), json!(key));
            parameters.insert("TagValue".into(), json!(value));
        }
    }
    let (name, value) = match &spec.plan {
        Source::Plan(plan) => ("Plan", plan),
        Source::Live(source) => ("PlanSource", source),
    };
    parameters.insert(name.into(), json!(value));
    parameters.insert("DurationMinutes".into(), json!(spec.minutes.to_string()));
    if spec.dry_run {
        parameters.insert("DryRun".into(), json!("true"));
    }
    if let Some(alias) = &spec.alias {
        parameters.insert("Alias".into(), json!(alias));
    }
    Value::Object(parameters)
}

/// JSON in which white space, which stands only inside its texts, is written as escapes: FIS takes none in a parameter.
fn without_space(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_whitespace() {
            for unit in char.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(char);
        }
    }
    out
}

fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("PT{minutes}M"),
        (hours, 0) => format!("PT{hours}H"),
        (hours, minutes) => format!("PT{hours}H{minutes}M"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const PLAN: &str =
        r#"{"version":1,"faults":[{"id":"boom","kind":"error","rate":1,"type":"E","message":"no such\u3000row"}]}"#;

    pub(crate) fn spec() -> Spec {
        Spec {
            description: "slow checkout".into(),
            stack: "chaos".into(),
            documents: "arn:aws:ssm:us-east-1:123456789012".into(),
            role_arn: "arn:aws:iam::123456789012:role/fis".into(),
            stop_alarms: vec!["arn:aws:cloudwatch:us-east-1:123456789012:alarm:stop".into()],
            log_group_arn: Some("arn:aws:logs:us-east-1:123456789012:log-group:experiments:*".into()),
            asserted_alarms: Vec::new(),
            targets: Targets::Functions(vec!["checkout".into()]),
            plan: Source::Plan(PLAN.into()),
            minutes: 10,
            action: Action::Experiment,
            dry_run: false,
            alias: None,
        }
    }

    #[test]
    fn parameters_hold_no_space_and_mean_the_same() {
        let value = template(&spec());
        let text = value["actions"]["faults"]["parameters"]["documentParameters"].as_str().unwrap();
        assert!(!text.contains(char::is_whitespace), "{text}");
        let parameters: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parameters["Plan"], PLAN);
        assert_eq!(parameters["DurationMinutes"], "10");
        assert_eq!(parameters["FunctionNames"], json!(["checkout"]));
    }

    #[test]
    fn a_plan_that_functions_read_elsewhere_is_named_and_stands_nowhere_else() {
        let live = Spec { plan: Source::Live("parameter:/faults/checkout".into()), ..spec() };
        let parameters = parameters(&live);
        assert_eq!(parameters["PlanSource"], "parameter:/faults/checkout");
        assert_eq!(parameters.get("Plan"), None);
    }

    #[test]
    fn fis_waits_longer_than_the_document_can_take() {
        assert_eq!(template(&spec())["actions"]["faults"]["parameters"]["maxDuration"], "PT45M");
        assert_eq!(duration(60), "PT1H");
        assert_eq!(duration(95), "PT1H35M");
    }

    #[test]
    fn asserted_alarms_stand_around_the_faults() {
        let value = template(&Spec { asserted_alarms: vec!["a".into(), "b".into()], ..spec() });
        assert_eq!(value["actions"]["faults"]["startAfter"], json!(["before"]));
        assert_eq!(value["actions"]["after"]["startAfter"], json!(["faults"]));
        assert_eq!(value["actions"]["before"]["parameters"]["alarmArns"], "a,b");
    }
}
