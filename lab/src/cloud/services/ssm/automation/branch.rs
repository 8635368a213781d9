//! `aws:branch`: choices over resolved variables.

use serde_json::Value;

/// All steps that a branch can lead to.
pub fn targets(inputs: &Value) -> Vec<String> {
    let choices = inputs["Choices"].as_array().into_iter().flatten();
    let named = choices.filter_map(|choice| choice["NextStep"].as_str()).chain(inputs["Default"].as_str());
    named.map(str::to_owned).collect()
}

/// The step that a branch leads to. `Ok(None)`: no choice holds and there is no default.
pub fn choose(inputs: &Value) -> Result<Option<String>, String> {
    for choice in inputs["Choices"].as_array().into_iter().flatten() {
        if holds(choice)? {
            return Ok(choice["NextStep"].as_str().map(str::to_owned));
        }
    }
    Ok(inputs["Default"].as_str().map(str::to_owned))
}

fn holds(choice: &Value) -> Result<bool, String> {
    if let Some(all) = choice["And"].as_array() {
        return all.iter().try_fold(true, |so_far, one| Ok(so_far && holds(one)?));
    }
    if let Some(any) = choice["Or"].as_array() {
        return any.iter().try_fold(false, |so_far, one| Ok(so_far || holds(one)?));
    }
    if choice["Not"].is_object() {
        return Ok(!holds(&choice["Not"])?);
    }
    let Some(fields) = choice.as_object() else {
        return Err("a choice must be an object".to_owned());
    };
    let variable = &choice["Variable"];
    match fields.iter().find(|(name, _)| !matches!(name.as_str(), "Variable" | "NextStep")) {
        Some((operator, wanted)) => compare(operator, variable, wanted),
        None => Err("a choice needs an operator".to_owned()),
    }
}

fn compare(operator: &str, variable: &Value, wanted: &Value) -> Result<bool, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let number = |value: &Value| {
        value.as_f64().or_else(|| value.as_str()?.parse().ok()).ok_or_else(|| format!("`{value}` is not a number"))
    };
    let boolean = |value: &Value| match value {
        Value::Bool(value) => Ok(*value),
        other => text(other).to_ascii_lowercase().parse::<bool>().map_err(|_| format!("`{other}` is not a boolean")),
    };
    let (have, want) = (text(variable), text(wanted));
    match operator {
        "StringEquals" => Ok(have == want),
        "EqualsIgnoreCase" => Ok(have.eq_ignore_ascii_case(&want)),
        "StartsWith" => Ok(have.starts_with(&want)),
        "EndsWith" => Ok(have.ends_with(&want)),
        "Contains" => Ok(have.contains(&want)),
        "BooleanEquals" => Ok(boolean(variable)? == boolean(wanted)?),
        "NumericEquals" => Ok((number(variable)? - number(wanted)?).abs() < f64::EPSILON),
        "NumericGreater" => Ok(number(variable)? > number(wanted)?),
        "NumericLesser" => Ok(number(variable)? < number(wanted)?),
        "NumericGreaterOrEquals" => Ok(number(variable)? >= number(wanted)?),
        "NumericLesserOrEquals" => Ok(number(variable)? <= number(wanted)?),
        other => Err(format!("`{other}` is no operator of a choice")),
    }
}
