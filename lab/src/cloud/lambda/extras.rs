//! Tags, reserved and provisioned concurrency, account settings.

use serde_json::{Value, json};

use super::super::clock;
use super::super::error::ApiError;
use super::super::lab::{Lab, page, text};
use super::{functions, naming};

/// The request of a tag operation in the form of the others.
fn by_arn(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "Resource").unwrap_or_default();
    let named = naming::parse(&lab.place, arn)?;
    if named.qualifier.is_some() {
        return Err(ApiError::invalid("Tags on function aliases and versions are not supported. Please specify a function ARN."));
    }
    Ok(json!({"FunctionName": named.name}))
}

/// TagResource.
pub fn tag(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::change(lab, &by_arn(lab, input)?, |function, _| {
        function.must_be_idle(&lab.place)?;
        let given = input.get("Tags").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut tags = function.tags.clone();
        tags.extend(given);
        if tags.len() > 50 {
            return Err(ApiError::invalid("Number of tags exceeds resource tag limit."));
        }
        function.tags = tags;
        Ok(Value::Null)
    })
}

/// UntagResource.
pub fn untag(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::change(lab, &by_arn(lab, input)?, |function, _| {
        for key in input.get("TagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            function.tags.remove(key);
        }
        Ok(Value::Null)
    })
}

/// ListTags.
pub fn list_tags(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::read(lab, &by_arn(lab, input)?, |_, function, _| Ok(json!({"Tags": function.tags})))
}

/// PutFunctionConcurrency.
pub fn put_reserved(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::change(lab, input, |function, _| {
        function.reserved = input.get("ReservedConcurrentExecutions").and_then(Value::as_u64);
        Ok(json!({"ReservedConcurrentExecutions": function.reserved}))
    })
}

/// GetFunctionConcurrency.
pub fn get_reserved(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::read(lab, input, |_, function, _| {
        Ok(function.reserved.map_or_else(|| json!({}), |reserved| json!({"ReservedConcurrentExecutions": reserved})))
    })
}

/// DeleteFunctionConcurrency.
pub fn delete_reserved(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::change(lab, input, |function, _| {
        function.reserved = None;
        Ok(Value::Null)
    })
}

fn provisioned(count: u64) -> Value {
    json!({
        "RequestedProvisionedConcurrentExecutions": count, "AvailableProvisionedConcurrentExecutions": count,
        "AllocatedProvisionedConcurrentExecutions": count, "Status": "READY", "LastModified": clock::lambda_time(clock::now_ms()),
    })
}

/// PutProvisionedConcurrencyConfig: on a published version or an alias of one.
pub fn put_provisioned(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let count = input.get("ProvisionedConcurrentExecutions").and_then(Value::as_u64).unwrap_or(1);
    naming::change(lab, input, |function, named| {
        let qualifier = named.qualifier.as_deref().unwrap_or_default();
        if function.qualified(&lab.place, Some(qualifier))?.config.version == "$LATEST" {
            return Err(ApiError::invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions."));
        }
        function.provisioned.insert(qualifier.to_owned(), count);
        Ok(provisioned(count))
    })
}

/// GetProvisionedConcurrencyConfig.
pub fn get_provisioned(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::read(lab, input, |_, function, named| {
        let count = function.provisioned.get(named.qualifier.as_deref().unwrap_or_default());
        count.map(|count| provisioned(*count)).ok_or_else(|| {
            ApiError::new(
                "ProvisionedConcurrencyConfigNotFoundException",
                404,
                "No Provisioned Concurrency Config found for this function",
            )
        })
    })
}

/// ListProvisionedConcurrencyConfigs.
pub fn list_provisioned(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    let rows = naming::read(lab, input, |_, function, _| {
        let rows = function.provisioned.iter().map(|(qualifier, count)| {
            let mut row = provisioned(*count);
            if let Some(fields) = row.as_object_mut() {
                fields.insert("FunctionArn".into(), json!(format!("{}:{qualifier}", function.arn(&lab.place))));
            }
            row
        });
        Ok(rows.collect::<Vec<Value>>())
    })?;
    let (rows, next) = page(rows, text(input, "Marker"), input.get("MaxItems").and_then(Value::as_u64), 50)?;
    Ok(functions::with_marker(json!({"ProvisionedConcurrencyConfigs": rows}), "NextMarker", next))
}

/// DeleteProvisionedConcurrencyConfig.
pub fn delete_provisioned(lab: &Lab, input: &Value) -> Result<Value, ApiError> {
    naming::change(lab, input, |function, named| {
        function.provisioned.remove(named.qualifier.as_deref().unwrap_or_default());
        Ok(Value::Null)
    })
}

/// GetAccountSettings.
pub fn account(lab: &Lab) -> Value {
    let (count, size) = lab.world(|world| {
        let size = world.functions.values().fold(0, |sum, function| sum + function.latest.code.size);
        (world.functions.len(), size)
    });
    json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000,
        },
        "AccountUsage": {"TotalCodeSize": size, "FunctionCount": count},
    })
}
