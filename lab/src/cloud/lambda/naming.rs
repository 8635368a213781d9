//! Names of functions as requests write them: a name, a partial ARN, an ARN, each with or without a qualifier.

use serde_json::Value;

use super::super::error::ApiError;
use super::super::lab::{Lab, Place, text};
use super::function::Function;

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

/// Works on the function that a request names, its update settled; saves it if the work succeeds.
pub fn change<T>(
    lab: &Lab,
    input: &Value,
    work: impl FnOnce(&mut Function, &Named) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let named = of(&lab.place, input)?;
    lab.world(|world| {
        let Some(function) = world.functions.get_mut(&named.name) else {
            return Err(missing(&lab.place, &named));
        };
        function.settle(super::super::clock::now_ms());
        let result = work(function, &named)?;
        lab.save("functions", &named.name, function);
        Ok(result)
    })
}

/// Reads the function that a request names, its update settled.
pub fn read<T>(
    lab: &Lab,
    input: &Value,
    work: impl FnOnce(&super::super::world::World, &Function, &Named) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let named = of(&lab.place, input)?;
    lab.world(|world| {
        let now = super::super::clock::now_ms();
        if let Some(function) = world.functions.get_mut(&named.name)
            && function.settle(now)
        {
            lab.save("functions", &named.name, function);
        }
        let function = world.functions.get(&named.name).ok_or_else(|| missing(&lab.place, &named))?;
        work(world, function, &named)
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
