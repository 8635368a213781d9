//! Every reason not to attach that a function's configuration tells, all of them at once.

use super::configuration::{Configuration, Kind, Options, variables_size};
use super::{AGENT, EXTENSIONS, HANDLER, LAYER_LIMIT, PLAN, PRELOADED, RESTORE, VARIABLES_LIMIT, change};

/// Why this function cannot be attached to now; empty if it can. Each follows the function's name.
#[must_use]
pub fn reasons(configuration: &Configuration, options: &Options) -> Vec<String> {
    let unfit = unfit(configuration);
    let mut found: Vec<_> = unfit.iter().cloned().chain(taken(configuration)).collect();
    if let (None, Some(kind)) = (unfit, configuration.kind()) {
        found.extend(crowded(configuration, kind, options));
    }
    found
}

/// Why there is no layer for such a function.
fn unfit(configuration: &Configuration) -> Option<String> {
    let runtime = &configuration.runtime;
    if configuration.package_type.as_deref() == Some("Image") {
        return Some("is a container image, which takes no layers".to_owned());
    }
    if runtime.starts_with("provided") {
        return Some(format!("runs on `{runtime}`, which has no language client to wrap"));
    }
    let number = ["python3.", "nodejs", "java"].iter().find_map(|start| runtime.strip_prefix(start)).unwrap_or_default();
    let number: Option<u32> = number.split('.').next().and_then(|number| number.parse().ok());
    let known = configuration.kind().zip(number).is_some_and(|(kind, number)| number >= kind.oldest());
    (!known).then(|| format!("runs on `{runtime}`: there are layers for Python 3.10, Node.js 18, Java 11 and later"))
}

/// Why the function is not free.
fn taken(configuration: &Configuration) -> Vec<String> {
    if let Some(error) = configuration.environment.as_ref().and_then(|environment| environment.error.as_ref()) {
        return vec![format!("its variables cannot be read ({}: {})", error.error_code, error.message)];
    }
    let values = configuration.values();
    if let Some(marker) = values.get(RESTORE) {
        return vec![match marker.split(',').collect::<Vec<_>>().as_slice() {
            ["1", execution, _, ..] if is_id(execution) => format!("is attached already, by execution `{execution}`"),
            // What stands there instead is a variable of the owner's, and nobody else's to read.
            _ => format!("is attached by something else: `{RESTORE}` is not one this version wrote"),
        }];
    }
    let mut found = Vec::new();
    let own: Vec<_> = [PLAN, RESTORE, HANDLER].into_iter().filter(|name| values.contains_key(*name)).collect();
    if !own.is_empty() {
        let names: Vec<_> = own.iter().map(|name| format!("`{name}`")).collect();
        found.push(format!("has variables of its own named {}", names.join(", ")));
    }
    let handlers = [Kind::Python, Kind::Node].into_iter().filter_map(Kind::handler);
    if handlers.clone().any(|handler| handler == configuration.handler) {
        found.push(format!("its handler is `{}` without a marker that says what it was", configuration.handler));
    }
    for (name, value) in values.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
        if handlers.clone().chain([AGENT]).chain(PRELOADED).any(|ours| names_us(value, ours)) {
            found.push(format!("variable `{name}` names Faultlayer without a marker"));
        }
    }
    found
}

/// Whether a text may be the id of an execution: a UUID.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|char| char.is_ascii_hexdigit() || char == '-')
}

/// Whether a text holds our handler or agent as a word of its own, and not as a part of another name.
fn names_us(value: &str, ours: &str) -> bool {
    let joins = |next: Option<char>| next.is_some_and(|next| next.is_alphanumeric() || "_./-".contains(next));
    value.match_indices(ours).any(|(at, _)| {
        let (before, after) = (value.get(..at).unwrap_or_default(), value.get(at + ours.len()..).unwrap_or_default());
        !joins(before.chars().next_back()) && !joins(after.chars().next())
    })
}

/// Why the layer and the plan do not fit.
fn crowded(configuration: &Configuration, kind: Kind, options: &Options) -> Vec<String> {
    let mut found = Vec::new();
    let layers = &configuration.layers;
    if layers.len() >= LAYER_LIMIT {
        found.push(format!("has {} layers, the most there can be", layers.len()));
    }
    let Some(layer) = configuration.layer(options) else {
        found.push(format!("no layer is given for {} on {}", kind.name(), configuration.architecture()));
        return found;
    };
    if layers.iter().any(|own| bare(&own.arn) == bare(layer)) {
        found.push(format!("has the layer `{}` already, without a marker", bare(layer)));
        return found;
    }
    let scheme = options.plan.split(':').next().unwrap_or_default();
    if let Some((_, extension)) = EXTENSIONS.iter().find(|(known, _)| *known == scheme) {
        let extension = format!("{extension}{}", if configuration.architecture() == "arm64" { "-Arm64" } else { "" });
        if !layers.iter().any(|own| own.arn.contains(&format!(":layer:{extension}:"))) {
            found.push(format!("reads its plan through the layer `{extension}`, which it has not"));
        }
    }
    let size = variables_size(&change(configuration, kind, options).environment.variables);
    if size > VARIABLES_LIMIT {
        found.push(format!("its variables and the plan are {size} bytes together, the most is {VARIABLES_LIMIT}"));
    }
    found
}

/// A layer version's ARN without the version.
fn bare(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(bare, _)| bare)
}
