//! AWS::Lambda::Function.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::act::{Act, Tagging, and, attributes, mapped, tags};
use super::{Doing, Facts, Kind, Tags, fixed, kept, lacking};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::text;

pub struct Function;

static FACTS: Facts = Facts {
    name: "AWS::Lambda::Function",
    properties: &[
        fixed("FunctionName"),
        fixed("PackageType"),
        fixed("TenancyConfig"),
        kept("Code").required(),
        kept("Role").required(),
        kept("Architectures"),
        kept("CapacityProviderConfig"),
        kept("CodeSigningConfigArn"),
        kept("DeadLetterConfig"),
        kept("Description"),
        kept("DurableConfig"),
        kept("Environment"),
        kept("EphemeralStorage"),
        kept("FileSystemConfigs"),
        kept("Handler"),
        kept("ImageConfig"),
        kept("KmsKeyArn"),
        kept("Layers"),
        kept("LoggingConfig"),
        kept("MemorySize"),
        kept("ReservedConcurrentExecutions"),
        kept("Runtime"),
        kept("SnapStart"),
        kept("Tags"),
        kept("Timeout"),
        kept("TracingConfig"),
        kept("VpcConfig"),
        lacking("FunctionScalingConfig"),
        lacking("PublishToLatestPublished"),
        lacking("RecursiveLoop"),
        lacking("RuntimeManagementConfig"),
    ],
    attributes: &["Arn", "SnapStartResponse", "SnapStartResponse.ApplyOn", "SnapStartResponse.OptimizationStatus"],
    named: Some(("FunctionName", 64)),
    identifier: "FunctionName",
    tags: Tags::List,
};

/// Properties that UpdateFunctionConfiguration takes, and what each is without them; `Null`: it cannot be taken off.
const CONFIGURATION: [(&str, &str); 17] = [
    ("Role", "null"),
    ("Runtime", "null"),
    ("Handler", "null"),
    ("CapacityProviderConfig", "null"),
    ("DurableConfig", "null"),
    ("DeadLetterConfig", "{}"),
    ("Description", "\"\""),
    ("Environment", r#"{"Variables":{}}"#),
    ("EphemeralStorage", r#"{"Size":512}"#),
    ("FileSystemConfigs", "[]"),
    ("ImageConfig", "{}"),
    ("Layers", "[]"),
    ("LoggingConfig", r#"{"LogFormat":"Text"}"#),
    ("MemorySize", "128"),
    ("SnapStart", r#"{"ApplyOn":"None"}"#),
    ("Timeout", "3"),
    ("TracingConfig", r#"{"Mode":"PassThrough"}"#),
];

const TAGGING: Tagging =
    Tagging { service: "lambda", operations: ["TagResource", "UntagResource"], members: ["Tags", "TagKeys"], form: mapped };

impl Kind for Function {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn standing<'a>(&'a self, act: &'a Act) -> Doing<'a, Value> {
        Box::pin(async move {
            let found = act.find("lambda", "GetFunctionConfiguration", json!({"FunctionName": act.name})).await?;
            Ok(found.map_or(Value::Null, |_| json!(act.name)))
        })
    }

    fn create<'a>(&'a self, act: &'a Act) -> Doing<'a, String> {
        Box::pin(async move {
            let names: Vec<&str> = CONFIGURATION.iter().map(|(name, _)| *name).collect();
            let mut input = act.only(&names);
            input.extend(act.only(&["PackageType", "TenancyConfig", "Architectures", "VpcConfig", "CodeSigningConfigArn"]));
            input.extend(act.get("KmsKeyArn").map(|arn| ("KMSKeyArn".to_owned(), arn.clone())));
            let tags = tags(&act.properties);
            if !tags.is_empty() {
                input = and(input, "Tags", tags);
            }
            let input = and(and(input, "FunctionName", act.name.clone()), "Code", code(act)?);
            act.call("lambda", "CreateFunction", Value::Object(input)).await?;
            Ok(act.name.clone())
        })
    }

    fn complete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            settled(act, physical).await?;
            reserved(act, physical, &Value::Null).await
        })
    }

    fn attributes<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, Map<String, Value>> {
        Box::pin(async move {
            let answer = act.call("lambda", "GetFunctionConfiguration", json!({"FunctionName": physical})).await?;
            let snap = answer.get("SnapStart").cloned().unwrap_or_else(|| json!({}));
            let word = |name: &str| text(&snap, name).unwrap_or_default().to_owned();
            let found = attributes([
                ("Arn", text(&answer, "FunctionArn").unwrap_or_default().to_owned()),
                ("SnapStartResponse.ApplyOn", word("ApplyOn")),
                ("SnapStartResponse.OptimizationStatus", word("OptimizationStatus")),
            ]);
            Ok(and(found, "SnapStartResponse", snap))
        })
    }

    fn update<'a>(&'a self, act: &'a Act, physical: &'a str, old: &'a Value) -> Doing<'a, ()> {
        Box::pin(async move {
            let changed = |name: &str| old.get(name) != act.get(name);
            // One that was cut off may still be under way.
            settled(act, physical).await?;
            if changed("Code") || changed("Architectures") {
                let mut input = code(act)?.as_object().cloned().unwrap_or_default();
                input = and(input, "Architectures", act.get("Architectures").cloned().unwrap_or_else(|| json!(["x86_64"])));
                act.call("lambda", "UpdateFunctionCode", Value::Object(and(input, "FunctionName", physical))).await?;
                settled(act, physical).await?;
            }
            let input = configuration(act, old);
            if CONFIGURATION.iter().any(|(name, _)| changed(name)) || changed("KmsKeyArn") || changed("VpcConfig") {
                act.call("lambda", "UpdateFunctionConfiguration", Value::Object(and(input, "FunctionName", physical))).await?;
                settled(act, physical).await?;
            }
            if changed("CodeSigningConfigArn") {
                match act.get("CodeSigningConfigArn") {
                    Some(arn) => {
                        let input = json!({"FunctionName": physical, "CodeSigningConfigArn": arn});
                        act.call("lambda", "PutFunctionCodeSigningConfig", input).await?;
                    }
                    None => act.delete("lambda", "DeleteFunctionCodeSigningConfig", json!({"FunctionName": physical})).await?,
                }
            }
            reserved(act, physical, old).await?;
            act.retag(&TAGGING, json!({"Resource": act.arn("lambda", &format!("function:{physical}"))}), old).await
        })
    }

    fn delete<'a>(&'a self, act: &'a Act, physical: &'a str) -> Doing<'a, ()> {
        Box::pin(act.delete("lambda", "DeleteFunction", json!({"FunctionName": physical})))
    }
}

/// What the template says, and for what it no longer says what a function has without it. What it never said stays as it is.
fn configuration(act: &Act, old: &Value) -> Map<String, Value> {
    let mut input = Map::new();
    for (name, without) in CONFIGURATION {
        let gone = || serde_json::from_str(without).ok().filter(|value: &Value| !value.is_null() && old.get(name).is_some());
        input.extend(act.get(name).cloned().or_else(gone).map(|value| (name.to_owned(), value)));
    }
    let key = act.get("KmsKeyArn").cloned().or_else(|| old.get("KmsKeyArn").map(|_| json!("")));
    input.extend(key.map(|key| ("KMSKeyArn".to_owned(), key)));
    input.extend(act.get("VpcConfig").map(|vpc| ("VpcConfig".to_owned(), vpc.clone())));
    input
}

async fn reserved(act: &Act, physical: &str, old: &Value) -> Result<(), ApiError> {
    let name = "ReservedConcurrentExecutions";
    match act.get(name) {
        Some(number) if old.get(name) != Some(number) => {
            act.call("lambda", "PutFunctionConcurrency", json!({"FunctionName": physical, name: number})).await?;
        }
        None if old.get(name).is_some() => {
            act.delete("lambda", "DeleteFunctionConcurrency", json!({"FunctionName": physical})).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Waits until a function is active and no update of it is in progress.
async fn settled(act: &Act, physical: &str) -> Result<(), ApiError> {
    loop {
        let answer = act.call("lambda", "GetFunctionConfiguration", json!({"FunctionName": physical})).await?;
        let (state, update) = (text(&answer, "State"), text(&answer, "LastUpdateStatus"));
        if state == Some("Failed") || update == Some("Failed") {
            let why = text(&answer, "LastUpdateStatusReason").or(text(&answer, "StateReason")).unwrap_or_default();
            return Err(ApiError::bad("NotStabilized", format!("The function {physical} is in the state Failed. {why}")));
        }
        if state != Some("Pending") && update != Some("InProgress") {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(act.lab.site.settings().poll_ms)).await;
    }
}

/// The code as Lambda wants it: source in the template itself becomes a zip with a file `index`.
fn code(act: &Act) -> Result<Value, ApiError> {
    let given = act.get("Code").cloned().unwrap_or_default();
    let Some(source) = text(&given, "ZipFile") else { return Ok(given) };
    let runtime = text(&act.properties, "Runtime").unwrap_or_default();
    let name = match runtime {
        python if python.starts_with("python") => "index.py",
        node if node.starts_with("nodejs") => "index.js",
        other => {
            let message =
                format!("ZipFile can only be used when Runtime is set to either of nodejs or python runtimes, got {other}");
            return Err(ApiError::invalid(message));
        }
    };
    let zipped = zipped(name, source).map_err(|error| ApiError::internal(format!("cannot zip the source: {error}")))?;
    Ok(json!({"ZipFile": STANDARD.encode(zipped)}))
}

fn zipped(name: &str, source: &str) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    out.start_file(name, zip::write::SimpleFileOptions::default().unix_permissions(0o644))?;
    out.write_all(source.as_bytes())?;
    Ok(out.finish()?.into_inner())
}
