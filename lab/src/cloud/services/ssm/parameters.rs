//! Parameter Store: PutParameter, GetParameter(s), GetParametersByPath, DescribeParameters, DeleteParameter(s).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Ssm;
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::lab::Place;
use crate::cloud::services::members::{list, on, page, tags, text, texts, with};
use crate::cloud::services::pattern::whole;
use crate::cloud::state::Row;

/// A parameter at its newest version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    /// Its value.
    pub value: String,
    /// From 1, one more with each write.
    pub version: u64,
    /// `Standard` or `Advanced`.
    pub tier: String,
    /// Its description.
    pub description: Option<String>,
    /// What its values must match.
    pub allowed: Option<String>,
    /// Milliseconds since 1970.
    pub modified: i64,
    /// Its tags.
    pub tags: Map<String, Value>,
    /// The values before, newest last.
    #[serde(default)]
    pub history: Vec<(u64, String)>,
}

impl Row for Parameter {
    const TABLE: &'static str = "parameters";

    fn key(&self) -> &str {
        &self.name
    }
}

/// A parameter's ARN.
pub fn arn(place: &Place, name: &str) -> String {
    place.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

/// A name from a name or an ARN.
fn bare(given: &str) -> String {
    match given.split_once(":parameter/") {
        Some((_, tail)) if tail.contains('/') => format!("/{tail}"),
        Some((_, tail)) => tail.to_owned(),
        None => given.to_owned(),
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::bad("ParameterNotFound", format!("Parameter {name} not found."))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let fine = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/'));
    if !fine {
        return Err(ApiError::validation(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided \
             by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_",
        ));
    }
    if name.matches('/').count() > 15 {
        return Err(ApiError::bad("HierarchyLevelLimitExceededException", "Hierarchies can have a maximum of 15 levels."));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(ApiError::validation("Parameter name must be a fully qualified name."));
    }
    let first = name.trim_start_matches('/').split('/').next().unwrap_or_default().to_ascii_lowercase();
    if first.starts_with("aws") {
        return Err(ApiError::bad("AccessDeniedException", format!("No access to reserved parameter name: {name}.")));
    }
    if first.starts_with("ssm") {
        return Err(ApiError::validation("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive)."));
    }
    Ok(())
}

fn check_value(value: &str, tier: &str) -> Result<(), ApiError> {
    if value.is_empty() {
        return Err(ApiError::validation(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or \
             equal to 1.",
        ));
    }
    if value.contains("{{") {
        return Err(ApiError::validation("Parameter value can't nest another parameter. Do not use \"{{}}\" in the value."));
    }
    let (most, hint) = match tier {
        "Advanced" => (8192, ""),
        _ => (4096, " To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."),
    };
    if value.len() > most {
        let name = if most == 8192 { "Advanced" } else { "Standard" };
        return Err(ApiError::validation(format!(
            "{name} tier parameters support a maximum parameter value of {most} characters.{hint} For more information, see \
             https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )));
    }
    Ok(())
}

/// PutParameter.
pub fn put(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default().to_owned();
    let value = text(input, "Value").unwrap_or_default().to_owned();
    let overwrite = on(input, "Overwrite");
    let given_tags = tags(input, "Tags");
    check_name(&name)?;
    if overwrite && !given_tags.is_empty() {
        return Err(ApiError::validation(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. \
             To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
        ));
    }
    ssm.tables(|tables| {
        let old = tables.parameters.get(&name);
        if old.is_some() && !overwrite {
            return Err(ApiError::bad(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
            ));
        }
        let kind = match (text(input, "Type"), old) {
            (Some(kind), Some(old)) if kind != old.kind => {
                return Err(ApiError::bad(
                    "HierarchyTypeMismatchException",
                    format!("Parameter Store does not support changing a parameter type from {} to {kind}.", old.kind),
                ));
            }
            (Some(kind), _) => kind.to_owned(),
            (None, Some(old)) => old.kind.clone(),
            (None, None) => return Err(ApiError::validation("A parameter type is required when you create a parameter.")),
        };
        let tier = match text(input, "Tier").or(old.map(|old| old.tier.as_str())) {
            Some("Advanced") => "Advanced",
            Some("Intelligent-Tiering") if value.len() > 4096 => "Advanced",
            _ => "Standard",
        };
        check_value(&value, tier)?;
        let allowed = text(input, "AllowedPattern").or_else(|| old.and_then(|old| old.allowed.as_deref())).map(str::to_owned);
        if let Some(pattern) = &allowed {
            let regex = whole(pattern)
                .map_err(|_| ApiError::bad("InvalidAllowedPatternException", format!("Invalid pattern: {pattern}")))?;
            if !regex.is_match(&value).unwrap_or(false) {
                return Err(ApiError::bad(
                    "ParameterPatternMismatchException",
                    format!("Parameter value, cannot be validated against allowedPattern: {pattern}"),
                ));
            }
        }
        let version = old.map_or(1, |old| old.version + 1);
        let mut history = old.map(|old| old.history.clone()).unwrap_or_default();
        history.extend(old.map(|old| (old.version, old.value.clone())));
        // 100 versions are kept.
        let surplus = history.len().saturating_sub(99);
        history.drain(..surplus);
        let parameter = Parameter {
            kind,
            value,
            version,
            tier: tier.to_owned(),
            description: text(input, "Description").or_else(|| old.and_then(|old| old.description.as_deref())).map(str::to_owned),
            allowed,
            modified: clock::now_ms(),
            tags: old.map_or(given_tags, |old| old.tags.clone()),
            history,
            name,
        };
        tables.parameters.put(parameter)?;
        Ok(json!({"Version": version, "Tier": tier}))
    })
}

fn view(place: &Place, parameter: &Parameter, decrypted: bool) -> Value {
    let secret = parameter.kind == "SecureString" && !decrypted;
    let value = if secret { format!("kms:alias/aws/ssm:{}", parameter.value.len()) } else { parameter.value.clone() };
    json!({
        "Name": parameter.name, "Type": parameter.kind, "Value": value, "Version": parameter.version,
        "LastModifiedDate": clock::seconds(parameter.modified), "ARN": arn(place, &parameter.name), "DataType": "text",
    })
}

/// One parameter by name, ARN or `name:version`.
fn lookup(ssm: &Ssm, given: &str, decrypted: bool) -> Result<Value, ApiError> {
    let given = bare(given);
    let (name, version) = match given.split_once(':') {
        Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
        None => (given, None),
    };
    ssm.tables(|tables| {
        let parameter = tables.parameters.get(&name).ok_or_else(|| missing(&name))?;
        let Some(version) = version.filter(|version| *version != parameter.version.to_string()) else {
            return Ok(view(&ssm.site.place, parameter, decrypted));
        };
        let old = parameter.history.iter().find(|(number, _)| number.to_string() == version);
        let (number, value) = old.ok_or_else(|| {
            ApiError::bad("ParameterVersionNotFound", format!("Systems Manager could not find version {version} of {name}."))
        })?;
        let old = Parameter { version: *number, value: value.clone(), ..parameter.clone() };
        Ok(view(&ssm.site.place, &old, decrypted))
    })
}

fn decrypted(input: &Value) -> bool {
    on(input, "WithDecryption")
}

/// GetParameter.
pub fn get(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"Parameter": lookup(ssm, text(input, "Name").unwrap_or_default(), decrypted(input))?}))
}

fn names(input: &Value) -> Vec<String> {
    texts(input, "Names").map(str::to_owned).collect()
}

/// GetParameters.
pub fn get_many(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for name in names(input) {
        match lookup(ssm, &name, decrypted(input)) {
            Ok(parameter) => found.push(parameter),
            Err(_) => invalid.push(name),
        }
    }
    Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
}

/// GetParametersByPath, ten a page.
pub fn by_path(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let path = text(input, "Path").unwrap_or_default();
    if !path.starts_with('/') {
        return Err(ApiError::validation("The parameter path must begin with a forward slash (/)."));
    }
    let folder = format!("{}/", path.trim_end_matches('/'));
    let deep = on(input, "Recursive");
    let rows: Vec<Value> = ssm.tables(|tables| {
        let inside = tables
            .parameters
            .values()
            .filter(|parameter| parameter.name.strip_prefix(&folder).is_some_and(|rest| deep || !rest.contains('/')));
        inside.map(|parameter| view(&ssm.site.place, parameter, decrypted(input))).collect()
    });
    let most = input.get("MaxResults").and_then(Value::as_u64);
    let (rows, next) = page(rows, text(input, "NextToken"), most, 10).map_err(bad_token)?;
    Ok(with(json!({"Parameters": rows}), "NextToken", next))
}

/// The error of a wrong page token.
pub fn bad_token(_: ApiError) -> ApiError {
    ApiError::bad("InvalidNextToken", "The specified token is not valid.")
}

/// DescribeParameters, with the filters `Name`, `Type`, `Path` and `tag:KEY`.
pub fn describe(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let filters: Vec<&Value> = list(input, "ParameterFilters").collect();
    let rows: Vec<Value> = ssm.tables(|tables| {
        let chosen = tables.parameters.values().filter(|parameter| filters.iter().all(|filter| fits(filter, parameter)));
        chosen
            .map(|parameter| {
                let mut row = json!({
                    "Name": parameter.name, "ARN": arn(&ssm.site.place, &parameter.name), "Type": parameter.kind, "Version": parameter.version,
                    "LastModifiedDate": clock::seconds(parameter.modified), "Tier": parameter.tier, "Policies": [], "DataType": "text",
                    "LastModifiedUser": format!("arn:aws:iam::{}:root", ssm.site.place.account),
                });
                if let (Some(fields), Some(description)) = (row.as_object_mut(), &parameter.description) {
                    fields.insert("Description".into(), json!(description));
                }
                row
            })
            .collect()
    });
    let most = input.get("MaxResults").and_then(Value::as_u64);
    let (rows, next) = page(rows, text(input, "NextToken"), most, 10).map_err(bad_token)?;
    Ok(with(json!({"Parameters": rows}), "NextToken", next))
}

fn fits(filter: &Value, parameter: &Parameter) -> bool {
    let key = text(filter, "Key").unwrap_or_default();
    let option = text(filter, "Option").unwrap_or("Equals");
    let values: Vec<&str> = texts(filter, "Values").collect();
    match key {
        "Name" => values.iter().any(|value| match option {
            "BeginsWith" => parameter.name.trim_start_matches('/').starts_with(value.trim_start_matches('/')),
            "Contains" => parameter.name.contains(value),
            _ => parameter.name == *value,
        }),
        "Type" => values.contains(&parameter.kind.as_str()),
        "Path" => values.iter().any(|value| {
            let rest = parameter.name.strip_prefix(&format!("{}/", value.trim_end_matches('/')));
            rest.is_some_and(|rest| option == "Recursive" || !rest.contains('/'))
        }),
        _ => match key.strip_prefix("tag:") {
            Some(key) => {
                parameter.tags.get(key).and_then(Value::as_str).is_some_and(|tag| values.is_empty() || values.contains(&tag))
            }
            None => true,
        },
    }
}

/// DeleteParameter.
pub fn delete(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let name = bare(text(input, "Name").unwrap_or_default());
    ssm.tables(|tables| {
        tables.parameters.remove(&name)?.ok_or_else(|| missing(&name))?;
        Ok(json!({}))
    })
}

/// DeleteParameters.
pub fn delete_many(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let (mut deleted, mut invalid) = (Vec::new(), Vec::new());
    for name in names(input) {
        match delete(ssm, &json!({"Name": name})) {
            Ok(_) => deleted.push(name),
            Err(error) if error.status >= 500 => return Err(error),
            Err(_) => invalid.push(name),
        }
    }
    Ok(json!({"DeletedParameters": deleted, "InvalidParameters": invalid}))
}
