//! Layers: PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions, DeleteLayerVersion.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::function::Code;
use super::{Lambda, Tables, code};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::lab::Place;
use crate::cloud::services::members::{page, text, with};
use crate::cloud::state::Row;

/// A layer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its versions, the deleted ones too: functions that have them keep them.
    pub versions: BTreeMap<u64, LayerVersion>,
}

impl Row for Layer {
    const TABLE: &'static str = "layers";

    fn key(&self) -> &str {
        &self.name
    }
}

/// One version, which never changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerVersion {
    /// Its zip.
    pub code: Code,
    /// The members that are shown as they came.
    pub shown: Value,
    /// When it was made.
    pub created: i64,
    /// No longer to be listed by an update.
    pub deleted: bool,
}

/// The version that an ARN names, also if it was deleted.
pub fn find<'a>(tables: &'a Tables, arn: &str) -> Option<&'a LayerVersion> {
    let mut parts = arn.rsplit(':');
    let (number, name) = (parts.next()?.parse::<u64>().ok()?, parts.next()?);
    tables.layers.get(name)?.versions.get(&number)
}

fn arn(place: &Place, name: &str) -> String {
    place.arn("lambda", &format!("layer:{name}"))
}

fn bare(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn row(place: &Place, name: &str, number: u64, version: &LayerVersion) -> Value {
    let mut row = json!({
        "LayerVersionArn": format!("{}:{number}", arn(place, name)), "Version": number,
        "CreatedDate": clock::lambda_time(version.created),
    });
    if let (Some(fields), Some(shown)) = (row.as_object_mut(), version.shown.as_object()) {
        fields.extend(shown.clone());
    }
    row
}

fn full(lambda: &Lambda, name: &str, number: u64, version: &LayerVersion) -> Value {
    let mut view = row(&lambda.site.place, name, number, version);
    if let Some(fields) = view.as_object_mut() {
        let location =
            format!("{}/_lab/code/{}", lambda.site.endpoint(), version.code.sha256.replace('+', "%2B").replace('/', "%2F"));
        fields.insert("LayerArn".into(), json!(arn(&lambda.site.place, name)));
        fields.insert(
            "Content".into(),
            json!({"Location": location, "CodeSha256": version.code.sha256, "CodeSize": version.code.size}),
        );
    }
    view
}

/// PublishLayerVersion.
pub fn publish(lambda: &Lambda, input: &Value, fetched: Option<&Bytes>) -> Result<Value, ApiError> {
    let name = bare(text(input, "LayerName").unwrap_or_default()).to_owned();
    let code = code::take(lambda, input.get("Content").unwrap_or(&Value::Null), fetched)?;
    let mut shown = json!({"Description": text(input, "Description").unwrap_or_default()});
    for member in ["CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"] {
        if let (Some(fields), Some(value)) = (shown.as_object_mut(), input.get(member)) {
            fields.insert(member.to_owned(), value.clone());
        }
    }
    lambda.tables(|tables| {
        let had = tables.layers.get(&name).cloned();
        let mut layer = had.unwrap_or_else(|| Layer { name: name.clone(), versions: BTreeMap::new() });
        // Numbers are never used twice.
        let number = layer.versions.last_key_value().map_or(1, |(last, _)| last + 1);
        let version = LayerVersion { code, shown, created: clock::now_ms(), deleted: false };
        let answer = full(lambda, &name, number, &version);
        layer.versions.insert(number, version);
        tables.layers.put(layer)?;
        Ok(answer)
    })
}

fn get(lambda: &Lambda, name: &str, number: u64) -> Result<Value, ApiError> {
    lambda.tables(|tables| {
        let version = tables.layers.get(name).and_then(|layer| layer.versions.get(&number));
        let version = version.filter(|version| !version.deleted);
        let version = version.ok_or_else(|| ApiError::not_found("The resource you requested does not exist."))?;
        Ok(full(lambda, name, number, version))
    })
}

/// GetLayerVersion.
pub fn get_version(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let number = input.get("VersionNumber").and_then(Value::as_u64).unwrap_or_default();
    get(lambda, bare(text(input, "LayerName").unwrap_or_default()), number)
}

/// GetLayerVersionByArn.
pub fn get_by_arn(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "Arn").unwrap_or_default();
    if arn.split(':').nth(4) != Some(lambda.site.place.account.as_str()) {
        return Err(ApiError::new(
            "AccessDeniedException",
            403,
            format!(
                "User: arn:aws:iam::{}:root is not authorized to perform: lambda:GetLayerVersion on resource: {arn} because no \
                 resource-based policy allows the lambda:GetLayerVersion action",
                lambda.site.place.account
            ),
        ));
    }
    let mut parts = arn.rsplit(':');
    let number = parts.next().and_then(|number| number.parse().ok()).unwrap_or_default();
    get(lambda, parts.next().unwrap_or_default(), number)
}

fn fits(version: &LayerVersion, input: &Value) -> bool {
    let names = |member: &str, wanted: Option<&str>| {
        let listed = version.shown.get(member).and_then(Value::as_array);
        wanted.is_none_or(|wanted| listed.is_some_and(|list| list.iter().any(|one| one.as_str() == Some(wanted))))
    };
    !version.deleted
        && names("CompatibleRuntimes", text(input, "CompatibleRuntime"))
        && names("CompatibleArchitectures", text(input, "CompatibleArchitecture"))
}

/// ListLayerVersions, newest first.
pub fn list_versions(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let name = bare(text(input, "LayerName").unwrap_or_default());
    let rows: Vec<Value> = lambda.tables(|tables| {
        let versions = tables.layers.get(name).into_iter().flat_map(|layer| layer.versions.iter().rev());
        versions
            .filter(|(_, version)| fits(version, input))
            .map(|(number, version)| row(&lambda.site.place, name, *number, version))
            .collect()
    });
    let (rows, next) = page(rows, text(input, "Marker"), input.get("MaxItems").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"LayerVersions": rows}), "NextMarker", next))
}

/// ListLayers.
pub fn list(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let rows: Vec<Value> = lambda.tables(|tables| {
        let newest = |layer: &Layer| {
            let (number, version) = layer.versions.iter().rev().find(|(_, version)| fits(version, input))?;
            let row = row(&lambda.site.place, &layer.name, *number, version);
            Some(json!({"LayerName": layer.name, "LayerArn": arn(&lambda.site.place, &layer.name), "LatestMatchingVersion": row}))
        };
        tables.layers.values().filter_map(newest).collect()
    });
    let (rows, next) = page(rows, text(input, "Marker"), input.get("MaxItems").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"Layers": rows}), "NextMarker", next))
}

/// DeleteLayerVersion; one that is not there is no error.
pub fn delete(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let name = bare(text(input, "LayerName").unwrap_or_default()).to_owned();
    let number = input.get("VersionNumber").and_then(Value::as_u64).unwrap_or_default();
    lambda.tables(|tables| {
        let deleted = tables.layers.change(&name, |layer| {
            layer.versions.entry(number).and_modify(|version| version.deleted = true);
            Ok(())
        });
        deleted.unwrap_or(Ok(())).map(|()| Value::Null)
    })
}
