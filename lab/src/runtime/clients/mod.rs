//! The runtime interface clients: the real ones, which Lambda itself runs. One file for each language says how its client is found or
//! installed and how a process is started with it.

pub mod java;
pub mod node;
pub mod python;

use std::fs;
use std::path::{Path, PathBuf};

use super::error::LabError;
use super::spec::FunctionSpec;
use crate::whole::replace;

/// A language's client, ready to be started. Preparing it may take a while (it may be installed) and happens once for each runtime.
pub trait Client: Send + Sync {
    /// The folder that the function sees as `/var/runtime`.
    fn runtime_dir(&self) -> &Path;
    /// Folders that must keep their path inside an environment: the interpreter's own.
    fn kept(&self) -> Vec<PathBuf>;
    /// How a process is started for `spec`, whose folders are seen at `place`.
    fn command(&self, spec: &FunctionSpec, place: &Place) -> Command;
}

/// A process to start. `variables` come on top of those of Lambda and of the function; an empty value takes a variable away.
#[derive(Debug, Default)]
pub struct Command {
    /// The program, as seen inside the environment.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What this client needs beside Lambda's own variables.
    pub variables: Vec<(String, String)>,
}

/// Where a function sees its folders.
#[derive(Debug, Clone)]
pub struct Place {
    /// Whether these are Lambda's own paths.
    pub isolated: bool,
    /// `/var/task`
    pub task: PathBuf,
    /// `/opt`
    pub opt: PathBuf,
    /// `/var/runtime`
    pub runtime: PathBuf,
    /// `/tmp`
    pub tmp: PathBuf,
}

impl Place {
    /// Lambda's own paths.
    pub fn lambda() -> Place {
        Place { isolated: true, task: "/var/task".into(), opt: "/opt".into(), runtime: "/var/runtime".into(), tmp: "/tmp".into() }
    }

    /// `text` with `/opt/…` and `/var/task/…` (at its start, or after one of `:;,= ` and a `file:`) made the real paths, where these are not Lambda's own.
    pub fn translate(&self, text: &str) -> String {
        if self.isolated {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let fresh = out.chars().next_back().is_none_or(|last| ":;,= \"'".contains(last));
            let found = [("/opt", &self.opt), ("/var/task", &self.task)].into_iter().find(|(path, _)| {
                fresh
                    && rest
                        .strip_prefix(path)
                        .is_some_and(|after| after.chars().next().is_none_or(|next| "/:;, \"'".contains(next)))
            });
            if let Some((path, real)) = found {
                out.push_str(&real.display().to_string());
                rest = rest.get(path.len()..).unwrap_or_default();
            } else {
                out.push(next);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
        }
        out
    }
}

/// What finding and installing a client may use.
pub struct Workshop {
    /// Where installed clients are kept from one run to the next.
    pub cache: PathBuf,
    /// A folder of this run alone.
    pub work: PathBuf,
    /// The only interpreter to use, if one is named.
    pub interpreter: Option<PathBuf>,
}

/// Makes `file` hold `text`. Other runs read it at the same moment: it is replaced whole, and only where it differs.
fn keep(file: &Path, text: &str) -> Result<(), LabError> {
    if fs::read_to_string(file).is_ok_and(|now| now == text) {
        return Ok(());
    }
    replace(file, text.as_bytes()).map_err(|error| LabError::file("write", file, &error))
}

/// Finds the client of `runtime`, or installs it. Blocks.
pub fn prepare(runtime: &str, workshop: &Workshop) -> Result<Box<dyn Client>, LabError> {
    if runtime.starts_with("python") {
        return Ok(Box::new(python::Python::prepare(runtime, workshop)?));
    }
    if runtime.starts_with("nodejs") {
        return Ok(Box::new(node::Node::prepare(runtime, workshop)?));
    }
    if runtime.starts_with("java") {
        return Ok(Box::new(java::Java::prepare(runtime, workshop)?));
    }
    Err(LabError::new(format!("runtime: expected `python3.10`, `nodejs20.x`, `java11` or a later one, got `{runtime}`")))
}

/// The runtime that a language's bare name stands for on this machine: `python` is the `python3` on the path, or the newest one there is.
pub fn resolve(runtime: &str, workshop: &Workshop) -> Result<String, LabError> {
    match runtime {
        "python" => python::newest(workshop),
        "node" | "nodejs" => node::newest(workshop),
        "java" => java::newest(workshop),
        _ => Ok(runtime.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tools::unique;

    #[test]
    fn a_file_that_is_right_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("faultlayer-kept-{:x}", unique()));
        let file = folder.join("bootstrap.py");
        keep(&file, "text").unwrap();
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        keep(&file, "text").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
        fs::remove_dir_all(&folder).unwrap();
    }
}
