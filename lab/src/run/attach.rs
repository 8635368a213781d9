//! The layer on a function that runs on this machine, by the rule that attaching has everywhere.

use std::fs::File;
use std::path::{Path, PathBuf};

use faultlayer_core::attach::{self, Configuration, LAYER_LIMIT, Layer, Options, VARIABLES_LIMIT, Variables};

use crate::runtime::{FunctionSpec, LabError};
use crate::shipped;

/// What stands for the archive among the layers; here a layer is a path and has no ARN.
const OURS: &str = "faultlayer";

/// Puts the layer with `plan` on `spec`: the archive behind the layers it has, unless one of them is Faultlayer's already.
pub fn attach(spec: &mut FunctionSpec, plan: &str) -> Result<(), LabError> {
    let mut configuration = Configuration {
        runtime: spec.runtime.clone(),
        handler: spec.handler.clone(),
        environment: Some(Variables { variables: spec.variables.clone(), error: None }),
        ..Configuration::default()
    };
    let kind = configuration.kind();
    let (own, others): (Vec<_>, Vec<_>) =
        spec.layers.iter().partition(|layer| kind.is_some_and(|kind| is_ours(layer, kind.name())));
    configuration.layers = others.iter().map(|layer| Layer { arn: layer.display().to_string() }).collect();
    let has_ours = !own.is_empty();
    let options = Options {
        layers: kind.map(|kind| (format!("{}-x86_64", kind.name()), OURS.to_owned())).into_iter().collect(),
        plan: plan.to_owned(),
        ..Options::default()
    };
    let change = attach::attach(&configuration, &options)
        .map_err(|reasons| LabError::new(format!("`{}`: {}", spec.name, reasons.join("; "))))?;
    if let Some(kind) = kind.filter(|_| !has_ours) {
        spec.layers.push(built(kind.name())?);
    }
    spec.handler = change.handler.unwrap_or_else(|| spec.handler.clone());
    spec.variables = change.environment.variables;
    Ok(())
}

/// Whether Lambda would take the function as it is: its layers and, measured as Lambda does, its variables.
pub fn fits(spec: &FunctionSpec) -> Result<(), LabError> {
    let size = attach::variables_size(&spec.variables);
    if size > VARIABLES_LIMIT {
        return Err(LabError::new(format!(
            "`{}`: its variables are {size} bytes together, the most is {VARIABLES_LIMIT}",
            spec.name
        )));
    }
    if spec.layers.len() > LAYER_LIMIT {
        return Err(LabError::new(format!("`{}`: has {} layers, the most is {LAYER_LIMIT}", spec.name, spec.layers.len())));
    }
    Ok(())
}

fn is_ours(layer: &Path, language: &str) -> bool {
    let mark = match language {
        "python" => "python/faultlayer_layer/",
        "node" => "faultlayer/node/",
        _ => "faultlayer/faultlayer-agent.jar",
    };
    if layer.is_dir() {
        return layer.join(mark).exists();
    }
    let archive = File::open(layer).ok().and_then(|file| zip::ZipArchive::new(file).ok());
    archive.is_some_and(|archive| archive.file_names().any(|name| name.is_ok_and(|name| name.starts_with(mark))))
}

/// The layer that comes with the command.
fn built(language: &str) -> Result<PathBuf, LabError> {
    let system = if cfg!(target_os = "macos") { "darwin_" } else { "" };
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let name = format!("layers/faultlayer-{language}-{system}{architecture}.zip");
    shipped::find(&name).ok_or_else(|| {
        LabError::new(format!(
            "no `{name}` comes with the command, and none is below `dist` here: build it with `make layers`, or name it with --layer"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attached(runtime: &str, mark: &str, variables: &[(&str, &str)]) -> FunctionSpec {
        let folder = std::env::temp_dir().join(format!("faultlayer-attach-{}-{}", std::process::id(), mark.replace('/', "-")));
        std::fs::create_dir_all(folder.join(mark)).unwrap();
        let mut spec = FunctionSpec::new("f", runtime, "app.handler", ".");
        spec.variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        spec.layers = vec![folder.clone()];
        attach(&mut spec, "{}").unwrap();
        assert_eq!(spec.layers, std::slice::from_ref(&folder), "it is Faultlayer's own already");
        std::fs::remove_dir_all(folder).unwrap();
        spec
    }

    #[test]
    fn python_keeps_its_handler_in_a_variable_and_finds_the_layer_beside_its_own_path() {
        let spec = attached("python3.12", "python/faultlayer_layer", &[("PYTHONPATH", "/var/task/lib")]);
        assert_eq!(spec.handler, "faultlayer_layer.handler");
        assert_eq!(spec.variables["FAULTLAYER_HANDLER"], "app.handler");
        assert_eq!(spec.variables["FAULTLAYER_PLAN"], "{}");
        assert_eq!(spec.variables["PYTHONPATH"], "/var/task/lib:/opt/python");
        let again = attached("python3.12", "python/faultlayer_layer", &[("PYTHONPATH", "/opt/python/:/x")]);
        assert_eq!(again.variables["PYTHONPATH"], "/opt/python/:/x");
        assert!(!attached("python3.12", "python/faultlayer_layer", &[]).variables.contains_key("PYTHONPATH"));
    }

    #[test]
    fn java_keeps_its_handler_and_gets_the_agent_in_front() {
        let spec = attached("java21", "faultlayer/faultlayer-agent.jar", &[("JAVA_TOOL_OPTIONS", "-Xshare:auto")]);
        assert_eq!(spec.handler, "app.handler");
        assert_eq!(spec.variables["JAVA_TOOL_OPTIONS"], "-javaagent:/opt/faultlayer/faultlayer-agent.jar -Xshare:auto");
        assert_eq!(attached("nodejs22.x", "faultlayer/node", &[]).handler, "/opt/faultlayer/node/handler.handler");
    }

    #[test]
    fn a_runtime_without_a_layer_is_refused() {
        let error = attach(&mut FunctionSpec::new("f", "ruby3.4", "app.handler", "."), "{}").unwrap_err().to_string();
        assert!(error.starts_with("`f`: runs on `ruby3.4`"), "{error}");
    }

    #[test]
    fn variables_are_measured_as_lambda_measures_them() {
        let mut spec = FunctionSpec::new("f", "python3.12", "app.handler", ".");
        let room = VARIABLES_LIMIT - r#"{"X":""}"#.len();
        spec.variables.insert("X".to_owned(), "\"".repeat(room / 2));
        fits(&spec).unwrap();
        spec.variables.insert("X".to_owned(), "\"".repeat(room / 2 + 1));
        assert!(fits(&spec).unwrap_err().to_string().contains("the most is 4096"));
        assert!(attach(&mut spec, "{}").is_err());
    }
}
