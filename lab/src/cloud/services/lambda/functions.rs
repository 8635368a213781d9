//! CreateFunction, GetFunction, GetFunctionConfiguration, ListFunctions, UpdateFunctionConfiguration, UpdateFunctionCode,
//! DeleteFunction.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::function::{Config, Function, Qualified, Switches};
use super::{Lambda, Tables, checks, code, layers, naming, versions};
use crate::cloud::call::ApiError;
use crate::cloud::services::members::{on, page, text, with};

/// Members that are kept as they come and shown under the same name.
const KEPT: [&str; 11] = [
    "DeadLetterConfig",
    "KMSKeyArn",
    "TracingConfig",
    "FileSystemConfigs",
    "EphemeralStorage",
    "LoggingConfig",
    "TenancyConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
];

/// FunctionConfiguration of a function.
pub fn view(lambda: &Lambda, tables: &Tables, function: &Function, which: &Qualified<'_>) -> Value {
    function.view(&lambda.site.place, which, |arn| layers::find(tables, arn).map_or(0, |version| version.code.size))
}

/// Writes the members of a request into a configuration.
fn apply(config: &mut Config, name: &str, input: &Value) {
    let Some(fields) = input.as_object() else {
        return;
    };
    for (member, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let string = || value.as_str().map(str::to_owned);
        match member.as_str() {
            "Runtime" => config.runtime = string(),
            "Handler" => config.handler = string(),
            "Role" => config.role = string().unwrap_or_default(),
            "Description" => config.description = string().unwrap_or_default(),
            "Timeout" => config.timeout = value.as_u64().unwrap_or(3),
            "MemorySize" => config.memory = value.as_u64().unwrap_or(128),
            "PackageType" => config.package = string().unwrap_or_default(),
            "Architectures" => {
                config.architecture = value.get(0).and_then(Value::as_str).unwrap_or("x86_64").to_owned();
            }
            // Whole, or not at all.
            "Environment" => {
                config.variables = value.get("Variables").and_then(Value::as_object).cloned().unwrap_or_default();
            }
            "Layers" => {
                let arns = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                config.layers = arns.map(str::to_owned).collect();
            }
            "SnapStart" => {
                let on = value.get("ApplyOn").and_then(Value::as_str).unwrap_or("None");
                config.rest.insert("SnapStart".into(), json!({"ApplyOn": on, "OptimizationStatus": "Off"}));
            }
            "VpcConfig" => {
                let mut vpc = value.clone();
                if let Some(vpc) = vpc.as_object_mut() {
                    vpc.insert("VpcId".into(), json!(""));
                }
                config.rest.insert("VpcConfig".into(), vpc);
            }
            "ImageConfig" => {
                config.rest.insert("ImageConfigResponse".into(), json!({"ImageConfig": value}));
            }
            kept if KEPT.contains(&kept) => {
                let mut value = value.clone();
                if kept == "LoggingConfig"
                    && let Some(fields) = value.as_object_mut()
                {
                    fields.entry("LogFormat").or_insert_with(|| json!("Text"));
                    fields.entry("LogGroup").or_insert_with(|| json!(format!("/aws/lambda/{name}")));
                }
                config.rest.insert(kept.to_owned(), value);
            }
            _ => {}
        }
    }
}

/// CreateFunction.
pub fn create(lambda: &Lambda, input: &Value, fetched: Option<&Bytes>) -> Result<Value, ApiError> {
    let named = naming::of(&lambda.site.place, input)?;
    let name = named.name;
    if name.len() > 64 {
        return Err(ApiError::invalid(format!(
            "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must have length less \
             than or equal to 64"
        )));
    }
    let code = code::take(lambda, input.get("Code").unwrap_or(&Value::Null), fetched)?;
    let mut config = Config {
        version: "$LATEST".into(),
        timeout: 3,
        memory: 128,
        package: "Zip".into(),
        architecture: "x86_64".into(),
        code,
        rest: defaults(&name),
        ..Config::default()
    };
    apply(&mut config, &name, input);
    if !config.role.starts_with("arn:") {
        return Err(ApiError::invalid("The role defined for the function cannot be assumed by Lambda."));
    }
    checks::shape(&config)?;
    checks::variables(&config.variables)?;
    let settings = lambda.site.settings();
    let publish = on(input, "Publish");
    lambda.tables(|tables| {
        if tables.functions.contains_key(&name) {
            return Err(ApiError::conflict(format!("Function already exist: {name}")));
        }
        let signing = text(input, "CodeSigningConfigArn");
        super::signing::exists(tables, signing)?;
        super::signing::check(tables, signing)?;
        checks::layers(tables, &lambda.site.place, &config.layers, &[], signing)?;
        checks::unzipped(tables, &config)?;
        let mut function = Function {
            name: name.clone(),
            latest: config,
            running: None,
            update: None,
            failed: false,
            versions: BTreeMap::new(),
            next_version: 1,
            aliases: BTreeMap::new(),
            tags: input.get("Tags").and_then(Value::as_object).cloned().unwrap_or_default(),
            reserved: None,
            provisioned: BTreeMap::new(),
            signing: signing.map(str::to_owned),
            switches: Switches::default(),
        };
        function.begin(settings.update_ms);
        let version = publish.then(|| versions::publish(&mut function, None));
        let which = version.map_or(Ok(Qualified { config: &function.latest, qualifier: None }), |number| {
            function.qualified(&lambda.site.place, Some(&number.to_string()))
        })?;
        let answer = view(lambda, tables, &function, &which);
        tables.functions.put(function)?;
        Ok(answer)
    })
}

fn defaults(name: &str) -> Map<String, Value> {
    let mut rest = Map::new();
    rest.insert("TracingConfig".into(), json!({"Mode": "PassThrough"}));
    rest.insert("EphemeralStorage".into(), json!({"Size": 512}));
    rest.insert("SnapStart".into(), json!({"ApplyOn": "None", "OptimizationStatus": "Off"}));
    rest.insert("LoggingConfig".into(), json!({"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}")}));
    rest
}

/// GetFunctionConfiguration.
pub fn configuration(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::read(lambda, input, |tables, function, named| {
        let which = function.qualified(&lambda.site.place, named.qualifier.as_deref())?;
        Ok(view(lambda, tables, function, &which))
    })
}

/// GetFunction.
pub fn get(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::read(lambda, input, |tables, function, named| {
        let which = function.qualified(&lambda.site.place, named.qualifier.as_deref())?;
        let code = &which.config.code;
        let location = match &code.image {
            Some(image) => json!({"RepositoryType": "ECR", "ImageUri": image, "ResolvedImageUri": image}),
            None => {
                json!({"RepositoryType": "S3", "Location": format!("{}/_lab/code/{}", lambda.site.endpoint(), percent(&code.sha256))})
            }
        };
        let mut answer = json!({"Configuration": view(lambda, tables, function, &which), "Code": location});
        if let Some(fields) = answer.as_object_mut() {
            if !function.tags.is_empty() {
                fields.insert("Tags".into(), Value::Object(function.tags.clone()));
            }
            if let Some(reserved) = function.reserved {
                fields.insert("Concurrency".into(), json!({"ReservedConcurrentExecutions": reserved}));
            }
        }
        Ok(answer)
    })
}

fn percent(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// ListFunctions.
pub fn list(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let all = text(input, "FunctionVersion") == Some("ALL");
    let rows = lambda.tables(|tables| {
        naming::settle_all(tables);
        let mut rows = Vec::new();
        for function in tables.functions.values() {
            let mut configs = vec![&function.latest];
            if all {
                configs.extend(function.versions.values());
            }
            for config in configs {
                let qualifier = all.then(|| config.version.clone());
                let mut row = view(lambda, tables, function, &Qualified { config, qualifier });
                // A list does not show states.
                if let Some(fields) = row.as_object_mut() {
                    fields.retain(|name, _| !name.starts_with("State") && !name.starts_with("LastUpdateStatus"));
                }
                rows.push(row);
            }
        }
        rows
    });
    let (rows, next) = page(rows, text(input, "Marker"), input.get("MaxItems").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"Functions": rows}), "NextMarker", next))
}

/// UpdateFunctionConfiguration.
pub fn update_configuration(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let named = naming::of(&lambda.site.place, input)?;
    let settings = lambda.site.settings();
    if named.qualifier.as_deref().is_some_and(|qualifier| qualifier != "$LATEST") {
        return Err(ApiError::invalid("This operation is permitted on Lambda functions only, not on versions or aliases."));
    }
    naming::change(lambda, input, |tables, function, _| {
        function.must_be_idle(&lambda.site.place)?;
        function.must_have_revision(text(input, "RevisionId"))?;
        let mut config = function.latest.clone();
        apply(&mut config, &named.name, input);
        checks::shape(&config)?;
        if input.get("Environment").is_some() {
            checks::variables(&config.variables)?;
        }
        // Layers are checked whenever they are named, also those that were there before.
        if input.get("Layers").is_some() {
            checks::layers(tables, &lambda.site.place, &config.layers, &function.latest.layers, function.signing.as_deref())?;
            checks::unzipped(tables, &config)?;
        }
        function.latest = config;
        function.begin(settings.update_ms);
        Ok(view(lambda, tables, function, &Qualified { config: &function.latest, qualifier: None }))
    })
}

/// UpdateFunctionCode.
pub fn update_code(lambda: &Lambda, input: &Value, fetched: Option<&Bytes>) -> Result<Value, ApiError> {
    let code = code::take(lambda, input, fetched)?;
    let settings = lambda.site.settings();
    naming::change(lambda, input, |tables, function, _| {
        super::signing::check(tables, function.signing.as_deref())?;
        function.must_be_idle(&lambda.site.place)?;
        function.must_have_revision(text(input, "RevisionId"))?;
        let mut published = None;
        if !on(input, "DryRun") {
            function.latest.code = code;
            if let Some(architecture) = input.get("Architectures").and_then(|list| list.get(0)).and_then(Value::as_str) {
                architecture.clone_into(&mut function.latest.architecture);
            }
            function.begin(settings.update_ms);
            published = on(input, "Publish").then(|| versions::publish(function, None).to_string());
        }
        let which = match published {
            Some(number) => function.qualified(&lambda.site.place, Some(&number))?,
            None => Qualified { config: &function.latest, qualifier: None },
        };
        Ok(view(lambda, tables, function, &which))
    })
}

/// DeleteFunction: all of it, or one version.
pub fn delete(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let named = naming::of(&lambda.site.place, input)?;
    if let Some(qualifier) = &named.qualifier {
        return naming::change(lambda, input, |_, function, _| versions::delete(lambda, function, qualifier));
    }
    lambda.tables(|tables| {
        tables.functions.remove(&named.name)?.ok_or_else(|| naming::missing(&lambda.site.place, &named))?;
        Ok(json!({"StatusCode": 204}))
    })
}
