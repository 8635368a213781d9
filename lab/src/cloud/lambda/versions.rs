//! PublishVersion, ListVersionsByFunction, and the deletion of one version. A published version never changes.

use serde_json::{Value, json};

use super::super::clock;
use super::super::error::ApiError;
use super::super::lab::{Lab, page, text};
use super::super::world::World;
use super::function::{Config, Function, Qualified};
use super::{functions, naming};

/// Publishes `$LATEST`; the number of its version, which is the last one's if nothing changed since.
pub fn publish(function: &mut Function, description: Option<&str>) -> u64 {
    let mut config = function.latest.clone();
    if let Some(description) = description {
        description.clone_into(&mut config.description);
    }
    if let Some((number, last)) = function.versions.last_key_value()
        && same(last, &config)
    {
        return *number;
    }
    let number = function.next_version;
    config.version = number.to_string();
    // A version is prepared once, when it is published.
    if let Some(snap) = config.rest.get_mut("SnapStart").filter(|snap| snap.get("ApplyOn") == Some(&json!("PublishedVersions"))) {
        *snap = json!({"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"});
    }
    config.revision = clock::id();
    config.modified = clock::now_ms();
    function.next_version += 1;
    function.versions.insert(number, config);
    number
}

fn same(one: &Config, other: &Config) -> bool {
    let plain = |config: &Config| Config {
        version: String::new(),
        revision: String::new(),
        modified: 0,
        description: String::new(),
        ..config.clone()
    };
    let mut other = plain(other);
    // What publishing itself changes is no change.
    if let (Some(had), Some(snap)) = (one.rest.get("SnapStart"), other.rest.get_mut("SnapStart"))
        && had.get("ApplyOn") == snap.get("ApplyOn")
    {
        had.clone_into(snap);
    }
    plain(one) == other
}

/// FunctionConfiguration of a version, its ARN qualified.
pub fn view(lab: &Lab, world: &World, name: &str, number: u64) -> Result<Value, ApiError> {
    let found = world.functions.get(name).and_then(|function| Some((function, function.versions.get(&number)?)));
    let (function, config) = found.ok_or_else(|| ApiError::not_found(format!("Function not found: {name}:{number}")))?;
    Ok(functions::view(lab, world, function, &Qualified { config, qualifier: Some(number.to_string()) }))
}

/// PublishVersion.
pub fn publish_version(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let named = naming::of(&lab.place, input)?;
    let number = naming::change(lab, input, |function, _| {
        function.must_be_idle(&lab.place)?;
        function.must_have_revision(text(input, "RevisionId"))?;
        if let Some(wanted) = text(input, "CodeSha256").filter(|wanted| *wanted != function.latest.code.sha256) {
            return Err(ApiError::invalid(format!(
                "CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the CodeSHA256 in \
                 $LATEST.",
                function.latest.code.sha256
            )));
        }
        Ok(publish(function, text(input, "Description")))
    })?;
    lab.world(|world| view(lab, world, &named.name, number))
}

/// ListVersionsByFunction.
pub fn list(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let rows = naming::read(lab, input, |world, function, _| {
        let configs = std::iter::once(&function.latest).chain(function.versions.values());
        let row = |config: &Config| {
            let which = Qualified { config, qualifier: Some(config.version.clone()) };
            let mut row = functions::view(lab, world, function, &which);
            if let Some(fields) = row.as_object_mut() {
                fields.retain(|name, _| !name.starts_with("State") && !name.starts_with("LastUpdateStatus"));
            }
            row
        };
        let rows: Vec<Value> = configs.map(row).collect();
        Ok(rows)
    })?;
    let (rows, next) = page(rows, text(input, "Marker"), input.get("MaxItems").and_then(Value::as_u64), 50)?;
    Ok(functions::with_marker(json!({"Versions": rows}), "NextMarker", next))
}

/// DeleteFunction with a qualifier.
pub fn delete(lab: &Lab, function: &mut Function, qualifier: &str) -> Result<Value, ApiError> {
    if qualifier == "$LATEST" {
        return Err(ApiError::invalid("$LATEST version cannot be deleted without deleting the function."));
    }
    let users: Vec<&str> = function
        .aliases
        .iter()
        .filter(|(_, alias)| alias.version == qualifier || alias.weights.contains_key(qualifier))
        .map(|(name, _)| name.as_str())
        .collect();
    if !users.is_empty() {
        return Err(ApiError::conflict(format!(
            "Version {qualifier} of {} is referenced by aliases: {}",
            function.arn(&lab.place),
            users.join(", ")
        )));
    }
    let number = qualifier.parse::<u64>();
    let number = number.map_err(|_| ApiError::invalid("Deletion of aliases is not currently supported."))?;
    // Deleting what is not there succeeds, as it does in AWS.
    function.versions.remove(&number);
    function.provisioned.remove(qualifier);
    Ok(json!({"StatusCode": 204}))
}
