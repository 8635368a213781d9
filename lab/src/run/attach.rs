//! The layer on a function's configuration, as the Automation document puts it there.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::runtime::{FunctionSpec, LabError};

/// The languages that have a layer, by their runtimes' names.
const LANGUAGES: [(&str, &str); 3] = [("python", "python"), ("nodejs", "node"), ("java", "java")];

/// Puts the layer with `plan` on `spec`: the archive `layer` behind the layers it has, unless one of them is Faultlayer's already.
pub fn attach(spec: &mut FunctionSpec, plan: &str) -> Result<(), LabError> {
    let Some((_, language)) = LANGUAGES.iter().find(|(runtime, _)| spec.runtime.starts_with(runtime)) else {
        return Err(LabError::new(format!(
            "runtime: expected one that has a layer (python, nodejs, java), got `{}`",
            spec.runtime
        )));
    };
    if !spec.layers.iter().any(|layer| is_ours(layer, language)) {
        spec.layers.push(built(language)?);
    }
    let original = spec.handler.clone();
    let variables = &mut spec.variables;
    match *language {
        "python" => {
            spec.handler = "faultlayer_layer.handler".to_owned();
            variables.insert("FAULTLAYER_HANDLER".to_owned(), original);
            // Managed Python looks into /opt/python only while this is unset.
            if let Some(path) = variables.get_mut("PYTHONPATH")
                && !path.split(':').any(|folder| folder.trim_end_matches('/') == "/opt/python")
            {
                path.push_str(if path.is_empty() { "/opt/python" } else { ":/opt/python" });
            }
        }
        "node" => {
            spec.handler = "/opt/faultlayer/node/handler.handler".to_owned();
            variables.insert("FAULTLAYER_HANDLER".to_owned(), original);
        }
        _ => {
            let options = variables.entry("JAVA_TOOL_OPTIONS".to_owned()).or_default();
            let agent = "-javaagent:/opt/faultlayer/faultlayer-agent.jar";
            *options = if options.is_empty() { agent.to_owned() } else { format!("{agent} {options}") };
        }
    }
    variables.insert("FAULTLAYER_PLAN".to_owned(), plan.to_owned());
    Ok(())
}

/// How many bytes the variables have of the 4096 that a function may have.
pub fn variables_size(spec: &FunctionSpec) -> usize {
    spec.variables.iter().map(|(name, value)| name.len() + value.len()).sum()
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

/// The layer that was built beside the command or beside the working folder, or in a folder above one of them.
fn built(language: &str) -> Result<PathBuf, LabError> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let name = format!("dist/layers/faultlayer-{language}-{architecture}.zip");
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            LabError::new(format!(
                "no `{name}` beside the working folder or the command: build it with `make layers`, or name it with --layer"
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
        assert!(attach(&mut FunctionSpec::new("f", "ruby3.4", "app.handler", "."), "{}").is_err());
    }
}
