//! CreateFunction, GetFunction, GetFunctionConfiguration, ListFunctions, UpdateFunctionConfiguration, UpdateFunctionCode,
//! DeleteFunction.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::clock;
use super::super::error::ApiError;
use super::super::lab::{Lab, page, text};
use super::super::world::World;
use super::function::{Config, Function, Qualified, Switches};
use super::{checks, code, layers, naming, versions};

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
pub fn view(lab: &Lab, world: &World, function: &Function, which: &Qualified<'_>) -> Value {
    function.view(&lab.place, which, |arn| layers::find(world, arn).map_or(0, |version| version.code.size))
}

fn view_latest(lab: &Lab, name: &str) -> Result<Value, ApiError> {
    naming::read(lab, &json!({"FunctionName": name}), |world, function, _| {
        Ok(view(lab, world, function, &Qualified { config: &function.latest, qualifier: None }))
    })
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
pub fn create(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let named = naming::of(&lab.place, input)?;
    let name = named.name;
    if name.len() > 64 {
        return Err(ApiError::invalid(format!(
            "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must have length less \
             than or equal to 64"
        )));
    }
    let code = code::take(lab, input.get("Code").unwrap_or(&Value::Null))?;
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
    let settings = lab.settings();
    lab.world(|world| {
        if world.functions.contains_key(&name) {
            return Err(ApiError::conflict(format!("Function already exist: {name}")));
        }
        let signing = text(input, "CodeSigningConfigArn");
        super::signing::exists(world, signing)?;
        super::signing::check(world, signing)?;
        checks::layers(world, &lab.place, &config.layers, &[], signing)?;
        checks::unzipped(world, &config)?;
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
        lab.save("functions", &name, &function);
        world.functions.insert(name.clone(), function);
        Ok(())
    })?;
    if input.get("Publish").and_then(Value::as_bool) == Some(true) {
        return lab.world(|world| {
            let Some(function) = world.functions.get_mut(&name) else {
                return Err(ApiError::internal("the function is gone"));
            };
            let number = versions::publish(function, None);
            lab.save("functions", &name, function);
            versions::view(lab, world, &name, number)
        });
    }
    view_latest(lab, &name)
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
pub fn configuration(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::read(lab, input, |world, function, named| {
        let which = function.qualified(&lab.place, named.qualifier.as_deref())?;
        Ok(view(lab, world, function, &which))
    })
}

/// GetFunction.
pub fn get(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::read(lab, input, |world, function, named| {
        let which = function.qualified(&lab.place, named.qualifier.as_deref())?;
        let code = &which.config.code;
        let location = match &code.image {
            Some(image) => json!({"RepositoryType": "ECR", "ImageUri": image, "ResolvedImageUri": image}),
            None => {
                json!({"RepositoryType": "S3", "Location": format!("{}/_lab/code/{}", lab.endpoint(), percent(&code.sha256))})
            }
        };
        let mut answer = json!({"Configuration": view(lab, world, function, &which), "Code": location});
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
pub fn list(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let all = text(input, "FunctionVersion") == Some("ALL");
    let rows = lab.world(|world| {
        let now = clock::now_ms();
        for function in world.functions.values_mut() {
            if function.settle(now) {
                lab.save("functions", &function.name, function);
            }
        }
        let mut rows = Vec::new();
        for function in world.functions.values() {
            let mut configs = vec![&function.latest];
            if all {
                configs.extend(function.versions.values());
            }
            for config in configs {
                let qualifier = all.then(|| config.version.clone());
                let mut row = view(lab, world, function, &Qualified { config, qualifier });
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
    Ok(with_marker(json!({"Functions": rows}), "NextMarker", next))
}

/// Puts the next page's marker into an answer.
pub fn with_marker(mut answer: Value, member: &str, next: Option<String>) -> Value {
    if let (Some(fields), Some(next)) = (answer.as_object_mut(), next) {
        fields.insert(member.to_owned(), Value::String(next));
    }
    answer
}

/// UpdateFunctionConfiguration.
pub fn update_configuration(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let named = naming::of(&lab.place, input)?;
    let settings = lab.settings();
    if named.qualifier.as_deref().is_some_and(|qualifier| qualifier != "$LATEST") {
        return Err(ApiError::invalid("This operation is permitted on Lambda functions only, not on versions or aliases."));
    }
    // First alone what needs no other entity, then all together under one lock.
    let config = naming::read(lab, input, |world, function, _| {
        function.must_be_idle(&lab.place)?;
        function.must_have_revision(text(input, "RevisionId"))?;
        let mut config = function.latest.clone();
        apply(&mut config, &named.name, input);
        checks::shape(&config)?;
        if input.get("Environment").is_some() {
            checks::variables(&config.variables)?;
        }
        // Layers are checked whenever they are named, also those that were there before.
        if input.get("Layers").is_some() {
            checks::layers(world, &lab.place, &config.layers, &function.latest.layers, function.signing.as_deref())?;
            checks::unzipped(world, &config)?;
        }
        Ok((function.latest.revision.clone(), config))
    })?;
    naming::change(lab, input, |function, _| {
        // Between the two locks somebody else may have written.
        function.must_be_idle(&lab.place)?;
        if function.latest.revision != config.0 {
            return Err(ApiError::conflict(format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {}",
                function.arn(&lab.place)
            )));
        }
        function.latest = config.1;
        function.begin(settings.update_ms);
        Ok(())
    })?;
    view_latest(lab, &named.name)
}

/// UpdateFunctionCode.
pub fn update_code(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let named = naming::of(&lab.place, input)?;
    let code = code::take(lab, input)?;
    let settings = lab.settings();
    let dry = input.get("DryRun").and_then(Value::as_bool) == Some(true);
    let published = naming::read(lab, input, |world, function, _| super::signing::check(world, function.signing.as_deref()))
        .and_then(|()| {
            naming::change(lab, input, |function, _| {
                function.must_be_idle(&lab.place)?;
                function.must_have_revision(text(input, "RevisionId"))?;
                if dry {
                    return Ok(None);
                }
                function.latest.code = code;
                if let Some(architecture) = input.get("Architectures").and_then(|list| list.get(0)).and_then(Value::as_str) {
                    architecture.clone_into(&mut function.latest.architecture);
                }
                function.begin(settings.update_ms);
                let publish = input.get("Publish").and_then(Value::as_bool) == Some(true);
                Ok(publish.then(|| versions::publish(function, None)))
            })
        })?;
    match published {
        Some(number) => lab.world(|world| versions::view(lab, world, &named.name, number)),
        None => view_latest(lab, &named.name),
    }
}

/// DeleteFunction: all of it, or one version.
pub fn delete(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let named = naming::of(&lab.place, input)?;
    if let Some(qualifier) = &named.qualifier {
        return naming::change(lab, input, |function, _| versions::delete(lab, function, qualifier));
    }
    lab.world(|world| {
        world.functions.remove(&named.name).ok_or_else(|| naming::missing(&lab.place, &named))?;
        lab.forget("functions", &named.name);
        Ok(json!({"StatusCode": 204}))
    })
}
