//! PublishVersion, ListVersionsByFunction, and the deletion of one version. A published version never changes.

use serde_json::{Value, json};

use super::function::{Config, Function, Qualified};
use super::{Lambda, functions, naming};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{page, text, with};

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

/// PublishVersion.
pub fn publish_version(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::change(lambda, input, |tables, function, _| {
        function.must_be_idle(&lambda.site.place)?;
        function.must_have_revision(text(input, "RevisionId"))?;
        if let Some(wanted) = text(input, "CodeSha256").filter(|wanted| *wanted != function.latest.code.sha256) {
            return Err(ApiError::invalid(format!(
                "CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the CodeSHA256 in \
                 $LATEST.",
                function.latest.code.sha256
            )));
        }
        let number = publish(function, text(input, "Description")).to_string();
        Ok(functions::view(lambda, tables, function, &function.qualified(&lambda.site.place, Some(&number))?))
    })
}

/// ListVersionsByFunction.
pub fn list(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let rows = naming::read(lambda, input, |tables, function, _| {
        let configs = std::iter::once(&function.latest).chain(function.versions.values());
        let row = |config: &Config| {
            let which = Qualified { config, qualifier: Some(config.version.clone()) };
            let mut row = functions::view(lambda, tables, function, &which);
            if let Some(fields) = row.as_object_mut() {
                fields.retain(|name, _| !name.starts_with("State") && !name.starts_with("LastUpdateStatus"));
            }
            row
        };
        let rows: Vec<Value> = configs.map(row).collect();
        Ok(rows)
    })?;
    let (rows, next) = page(rows, text(input, "Marker"), input.get("MaxItems").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"Versions": rows}), "NextMarker", next))
}

/// DeleteFunction with a qualifier.
pub fn delete(lambda: &Lambda, function: &mut Function, qualifier: &str) -> Result<Value, ApiError> {
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
            function.arn(&lambda.site.place),
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
