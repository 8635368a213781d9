//! Names of functions as requests write them: a name, a partial ARN, an ARN, each with or without a qualifier.

use serde_json::Value;

use super::function::Function;
use super::{Lambda, Tables};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::lab::Place;
use crate::cloud::services::members::text;

/// A function's name and qualifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The bare name.
    pub name: String,
    /// From the name or the `Qualifier` member.
    pub qualifier: Option<String>,
}

/// Reads the `FunctionName` and `Qualifier` of a request.
pub fn of(place: &Place, input: &Value) -> Result<Named, ApiError> {
    let mut named = parse(place, text(input, "FunctionName").unwrap_or_default())?;
    if let Some(qualifier) = text(input, "Qualifier") {
        if named.qualifier.as_deref().is_some_and(|had| had != qualifier) {
            return Err(ApiError::invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        named.qualifier = Some(qualifier.to_owned());
    }
    Ok(named)
}

/// Reads one name.
pub fn parse(place: &Place, given: &str) -> Result<Named, ApiError> {
    let tail = match given.rsplit_once("function:") {
        Some((prefix, tail)) => {
            let account = prefix.trim_end_matches(':').rsplit(':').next().unwrap_or_default();
            if !account.is_empty() && account != place.account {
                return Err(ApiError::new(
                    "AccessDeniedException",
                    403,
                    format!(
                        "User: arn:aws:iam::{}:root is not authorized to perform this operation on resource: {given}",
                        place.account
                    ),
                ));
            }
            tail
        }
        None => given,
    };
    let (name, qualifier) = match tail.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier.to_owned())),
        None => (tail, None),
    };
    Ok(Named { name: name.to_owned(), qualifier })
}

/// Works on the function that a request names, its update settled; keeps it if the work succeeds.
pub fn change<T>(
    lambda: &Lambda,
    input: &Value,
    work: impl FnOnce(&Tables, &mut Function, &Named) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let named = of(&lambda.site.place, input)?;
    lambda.tables(|tables| {
        let function = tables.functions.get(&named.name);
        let mut function = function.cloned().ok_or_else(|| missing(&lambda.site.place, &named))?;
        function.settle(clock::now_ms());
        let result = work(tables, &mut function, &named)?;
        tables.functions.put(function)?;
        Ok(result)
    })
}

/// Ends an update whose time has come. On a full disk it does not end: what was shown would not be there again.
fn settle(tables: &mut Tables, name: &str) {
    let mut function = tables.functions.get(name).cloned();
    if let Some(function) = function.take_if(|function| function.settle(clock::now_ms())) {
        let _full = tables.functions.put(function).is_err();
    }
}

/// Ends the updates whose time has come.
pub fn settle_all(tables: &mut Tables) {
    let names: Vec<String> = tables.functions.keys().cloned().collect();
    names.iter().for_each(|name| settle(tables, name));
}

/// Reads the function that a request names, its update settled.
pub fn read<T>(
    lambda: &Lambda,
    input: &Value,
    work: impl FnOnce(&Tables, &Function, &Named) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let named = of(&lambda.site.place, input)?;
    lambda.tables(|tables| {
        settle(tables, &named.name);
        let function = tables.functions.get(&named.name).ok_or_else(|| missing(&lambda.site.place, &named))?;
        work(tables, function, &named)
    })
}

/// 404.
pub fn missing(place: &Place, named: &Named) -> ApiError {
    let qualifier = named.qualifier.as_ref().map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
    ApiError::not_found(format!(
        "Function not found: arn:aws:lambda:{}:{}:function:{}{qualifier}",
        place.region, place.account, named.name
    ))
}
