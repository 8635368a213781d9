//! Tags, reserved and provisioned concurrency, account settings.

use serde_json::{Value, json};

use super::{Lambda, naming, resources};
use crate::cloud::call::access::{self, Need};
use crate::cloud::call::{ApiError, Call};
use crate::cloud::clock;
use crate::cloud::lab::Place;
use crate::cloud::services::members::{page, text, texts, with};

/// The request of a tag operation in the form of the others.
fn by_arn(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "Resource").unwrap_or_default();
    let named = naming::parse(&lambda.site.place, arn)?;
    if named.qualifier.is_some() {
        return Err(ApiError::invalid("Tags on function aliases and versions are not supported. Please specify a function ARN."));
    }
    Ok(json!({"FunctionName": named.name}))
}

/// TagResource.
pub fn tag(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::change(lambda, &by_arn(lambda, input)?, |_, function, _| {
        function.must_be_idle(&lambda.site.place)?;
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
pub fn untag(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::change(lambda, &by_arn(lambda, input)?, |_, function, _| {
        for key in texts(input, "TagKeys") {
            function.tags.remove(key);
        }
        Ok(Value::Null)
    })
}

/// ListTags.
pub fn list_tags(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::read(lambda, &by_arn(lambda, input)?, |_, function, _| Ok(json!({"Tags": function.tags})))
}

/// GetFunction's answer: a function's tags are for whoever may list them.
pub fn shown(call: &Call, place: &Place, mut answer: Value) -> Value {
    let tagged = answer.get("Tags").is_some();
    if let Some(fields) = answer.as_object_mut().filter(|_| tagged) {
        let need = Need::new("lambda:ListTags", vec![resources::arn(place, &call.request)]);
        if let Err((message, _)) = access::judge(&call.lab, &call.who, vec![need]) {
            fields.remove("Tags");
            fields.insert("TagsError".into(), json!({"ErrorCode": "AccessDeniedException", "Message": message}));
        }
    }
    answer
}

/// PutFunctionConcurrency.
pub fn put_reserved(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::change(lambda, input, |_, function, _| {
        function.reserved = input.get("ReservedConcurrentExecutions").and_then(Value::as_u64);
        Ok(json!({"ReservedConcurrentExecutions": function.reserved}))
    })
}

/// GetFunctionConcurrency.
pub fn get_reserved(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::read(lambda, input, |_, function, _| {
        Ok(function.reserved.map_or_else(|| json!({}), |reserved| json!({"ReservedConcurrentExecutions": reserved})))
    })
}

/// DeleteFunctionConcurrency.
pub fn delete_reserved(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::change(lambda, input, |_, function, _| {
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
pub fn put_provisioned(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let count = input.get("ProvisionedConcurrentExecutions").and_then(Value::as_u64).unwrap_or(1);
    naming::change(lambda, input, |_, function, named| {
        let qualifier = named.qualifier.as_deref().unwrap_or_default();
        if function.qualified(&lambda.site.place, Some(qualifier))?.config.version == "$LATEST" {
            return Err(ApiError::invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions."));
        }
        function.provisioned.insert(qualifier.to_owned(), count);
        Ok(provisioned(count))
    })
}

/// GetProvisionedConcurrencyConfig.
pub fn get_provisioned(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::read(lambda, input, |_, function, named| {
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
pub fn list_provisioned(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    let rows = naming::read(lambda, input, |_, function, _| {
        let rows = function.provisioned.iter().map(|(qualifier, count)| {
            let mut row = provisioned(*count);
            if let Some(fields) = row.as_object_mut() {
                fields.insert("FunctionArn".into(), json!(format!("{}:{qualifier}", function.arn(&lambda.site.place))));
            }
            row
        });
        Ok(rows.collect::<Vec<Value>>())
    })?;
    let (rows, next) = page(rows, text(input, "Marker"), input.get("MaxItems").and_then(Value::as_u64), 50)?;
    Ok(with(json!({"ProvisionedConcurrencyConfigs": rows}), "NextMarker", next))
}

/// DeleteProvisionedConcurrencyConfig.
pub fn delete_provisioned(lambda: &Lambda, input: &Value) -> Result<Value, ApiError> {
    naming::change(lambda, input, |_, function, named| {
        function.provisioned.remove(named.qualifier.as_deref().unwrap_or_default());
        Ok(Value::Null)
    })
}

/// GetAccountSettings.
pub fn account(lambda: &Lambda) -> Value {
    let (count, size) = lambda.tables(|tables| {
        let size = tables.functions.values().fold(0, |sum, function| sum + function.latest.code.size);
        (tables.functions.len(), size)
    });
    json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000,
        },
        "AccountUsage": {"TotalCodeSize": size, "FunctionCount": count},
    })
}
