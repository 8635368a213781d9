//! CreateAlias, GetAlias, ListAliases, UpdateAlias, DeleteAlias.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Lambda;
use super::function::{Alias, Function, match_revision};
use super::naming;
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{page, text, with};

fn view(lambda: &Lambda, function: &Function, name: &str, alias: &Alias) -> Value {
    let mut view = json!({
        "AliasArn": format!("{}:{name}", function.arn(&lambda.site.place)), "Name": name, "FunctionVersion": alias.version,
        "Description": alias.description, "RevisionId": alias.revision,
    });
    if let Some(fields) = view.as_object_mut().filter(|_| !alias.weights.is_empty()) {
        fields.insert("RoutingConfig".into(), json!({"AdditionalVersionWeights": alias.weights}));
    }
    view
}

fn weights(input: &Value) -> Option<BTreeMap<String, f64>> {
    let routing = input.get("RoutingConfig").filter(|routing| !routing.is_null())?;
    let given = routing.get("AdditionalVersionWeights").and_then(Value::as_object);
    Some(given.into_iter().flatten().map(|(version, weight)| (version.clone(), weight.as_f64().unwrap_or(0.0))).collect())
}

fn check(lambda: &Lambda, function: &Function, alias: &Alias) -> Result<(), ApiError> {
    let exists = |version: &str| {
        let there = version == "$LATEST" || version.parse::<u64>().is_ok_and(|number| function.versions.contains_key(&number));
        if there {
            return Ok(());
        }
        Err(ApiError::not_found(format!("Function not found: {}:{version}", function.arn(&lambda.site.place))))
    };
    exists(&alias.version)?;
    if alias.weights.len() > 1 {
        return Err(ApiError::invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    for version in alias.weights.keys() {
        if alias.version == "$LATEST" || version == "$LATEST" {
            return Err(ApiError::invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
        }
        if *version == alias.version {
            return Err(ApiError::invalid(format!(
                "Invalid function version {version}. Function version {version} is already included in routing configuration."
            )));
        }
        exists(version)?;
    }
    Ok(())
}

fn found<'a>(lambda: &Lambda, function: &'a Function, name: &str) -> Result<&'a Alias, ApiError> {
    let missing = || ApiError::not_found(format!("Cannot find alias arn: {}:{name}", function.arn(&lambda.site.place)));
    function.aliases.get(name).ok_or_else(missing)
}

/// CreateAlias.
pub fn create(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default();
    naming::change(lambda, input, |_, function, _| {
        if function.aliases.contains_key(name) {
            return Err(ApiError::conflict(format!("Alias already exists: {}:{name}", function.arn(&lambda.site.place))));
        }
        let alias = Alias {
            version: text(input, "FunctionVersion").unwrap_or_default().to_owned(),
            description: text(input, "Description").unwrap_or_default().to_owned(),
            weights: weights(input).unwrap_or_default(),
            revision: clock::id(),
        };
        check(lambda, function, &alias)?;
        let answer = view(lambda, function, name, &alias);
        function.aliases.insert(name.to_owned(), alias);
        Ok(answer)
    })
}

/// GetAlias.
pub fn get(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default();
    naming::read(lambda, input, |_, function, _| Ok(view(lambda, function, name, found(lambda, function, name)?)))
}

/// ListAliases.
pub fn list(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let version = text(input, "FunctionVersion");
    let rows = naming::read(lambda, input, |_, function, _| {
        let chosen = function
            .aliases
            .iter()
            .filter(|(_, alias)| version.is_none_or(|version| alias.version == version || alias.weights.contains_key(version)));
        let rows: Vec<Value> = chosen.map(|(name, alias)| view(lambda, function, name, alias)).collect();
        Ok(rows)
    })?;
    let (rows, next) = page(rows, text(input, "Marker"), input.get("MaxItems").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"Aliases": rows}), "NextMarker", next))
}

/// UpdateAlias: what is not named stays.
pub fn update(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default();
    naming::change(lambda, input, |_, function, _| {
        let mut alias = found(lambda, function, name)?.clone();
        match_revision(text(input, "RevisionId"), &alias.revision)?;
        if let Some(version) = text(input, "FunctionVersion") {
            version.clone_into(&mut alias.version);
        }
        if let Some(description) = text(input, "Description") {
            description.clone_into(&mut alias.description);
        }
        if let Some(weights) = weights(input) {
            alias.weights = weights;
        }
        check(lambda, function, &alias)?;
        alias.revision = clock::id();
        let answer = view(lambda, function, name, &alias);
        function.aliases.insert(name.to_owned(), alias);
        Ok(answer)
    })
}

/// DeleteAlias; one that is not there is no error.
pub fn delete(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default();
    naming::change(lambda, input, |_, function, _| {
        if function.provisioned.contains_key(name) {
            return Err(ApiError::conflict(format!(
                "Alias {name} has a provisioned concurrency configuration. Delete the configuration before deleting the alias."
            )));
        }
        function.aliases.remove(name);
        Ok(Value::Null)
    })
}
