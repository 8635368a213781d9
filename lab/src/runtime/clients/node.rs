//! Node: a `node` of the wanted version, and the aws-lambda-ric of its generation, found in the cache or built for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use serde::Deserialize;

use super::{Client, Command, Place, Workshop, keep};
use crate::runtime::error::LabError;
use crate::runtime::spec::FunctionSpec;

/// Up to Node 22 the managed runtimes have the client's third generation (callbacks), from 24 on the fourth.
const CLIENT_3: &str = "3.3.0";
const CLIENT_4: &str = "4.0.2";
const FIRST_WITH_CLIENT_4: u32 = 24;
/// The oldest that Faultlayer supports.
const OLDEST: u32 = 20;
/// Starts the third generation as the managed runtime does. The fourth is a program itself.
const BOOTSTRAP: &str =
    "import { run } from './dist/index.mjs';\nawait run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);\n";
/// Builds a client; also what the tests of the Node part call.
const INSTALLER: &str = include_str!("node_client.py");
const BOOTSTRAP_FILE: &str = "faultlayer-bootstrap.mjs";
/// Asks a node what it is, and which of the options that Lambda starts it with it knows.
const QUESTION: &str = "const path = require('node:path');
const folder = path.dirname(path.dirname(process.execPath));
const known = (option) => process.allowedNodeEnvironmentFlags.has(option);
console.log(JSON.stringify({
  major: Number(process.versions.node.split('.')[0]), executable: process.execPath, folder,
  options: ['require-module', 'detect-module'].filter((name) => known('--experimental-' + name)).map((name) => '--no-experimental-' + name),
}));";

/// A node and its client's folder.
pub struct Node {
    found: Found,
    version: &'static str,
    runtime_dir: PathBuf,
}

#[derive(Deserialize, Clone)]
struct Found {
    major: u32,
    executable: PathBuf,
    folder: PathBuf,
    options: Vec<String>,
}

impl Node {
    /// Finds a node for `runtime` (as in `nodejs22.x`) and its client, which is built once and kept in the cache.
    pub fn prepare(runtime: &str, workshop: &Workshop) -> Result<Node, LabError> {
        let major = major(runtime)?;
        let all = candidates(Some(major), workshop);
        let Some(found) = all.iter().filter_map(|path| ask(path)).find(|found| found.major == major) else {
            return Err(LabError::new(format!(
                "no Node {major} on this machine (looked at the path, nvm, fnm, volta and Faultlayer's cache): install it, \
                 or choose a version that is there with --runtime"
            )));
        };
        let version = if major < FIRST_WITH_CLIENT_4 { CLIENT_3 } else { CLIENT_4 };
        let runtime_dir = client(&found, version, workshop)?;
        Ok(Node { found, version, runtime_dir })
    }
}

impl Client for Node {
    fn runtime_dir(&self) -> &Path {
        &self.runtime_dir
    }

    fn kept(&self) -> Vec<PathBuf> {
        vec![self.found.folder.clone()]
    }

    fn command(&self, _spec: &FunctionSpec, place: &Place) -> Command {
        let program = if self.version == CLIENT_3 { BOOTSTRAP_FILE } else { "index.mjs" };
        let (opt, runtime) = (place.opt.display(), place.runtime.display());
        let modules = format!(
            "{opt}/nodejs/node{}/node_modules:{opt}/nodejs/node_modules:{runtime}/node_modules:{runtime}:{}",
            self.found.major,
            place.task.display()
        );
        Command {
            program: self.found.executable.clone(),
            arguments: self.found.options.iter().cloned().chain([place.runtime.join(program).display().to_string()]).collect(),
            variables: vec![("NODE_PATH".to_owned(), modules)],
        }
    }
}

/// The `node` on the path if Faultlayer supports it, else the newest that there is, as a runtime's name.
pub fn newest(workshop: &Workshop) -> Result<String, LabError> {
    candidates(None, workshop)
        .iter()
        .filter_map(|path| ask(path))
        .find(|found| found.major >= OLDEST)
        .map(|found| format!("nodejs{}.x", found.major))
        .ok_or_else(|| {
            LabError::new(format!("no Node {OLDEST} or later on this machine (looked at the path, nvm, fnm, volta and Faultlayer's cache): install one"))
        })
}

fn major(runtime: &str) -> Result<u32, LabError> {
    let number = runtime.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x")).and_then(|major| major.parse().ok());
    number
        .filter(|major| *major >= OLDEST)
        .ok_or_else(|| LabError::new(format!("runtime: expected `nodejs{OLDEST}.x` or a later Node, got `{runtime}`")))
}

/// Where a node may be, the likeliest first; of those that version managers keep, the newest first.
fn candidates(major: Option<u32>, workshop: &Workshop) -> Vec<PathBuf> {
    if let Some(only) = &workshop.interpreter {
        return vec![only.clone()];
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = std::env::split_paths(&path).map(|folder| folder.join("node")).collect();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let nvm = std::env::var_os("NVM_DIR").map_or_else(|| home.join(".nvm"), PathBuf::from);
    let fnm = std::env::var_os("FNM_DIR").map_or_else(|| home.join(".local/share/fnm"), PathBuf::from);
    for (folder, below) in [
        (nvm.join("versions/node"), "bin/node"),
        (fnm.join("node-versions"), "installation/bin/node"),
        (home.join(".volta/tools/image/node"), "bin/node"),
        (workshop.cache.join("node"), "bin/node"),
    ] {
        let listed = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut installed: Vec<(Vec<u32>, PathBuf)> = listed
            .map(|entry| (numbers(&entry.file_name().to_string_lossy()), entry.path()))
            .filter(|(version, _)| major.is_none() || version.first().copied() == major)
            .collect();
        installed.sort_by(|one, other| other.cmp(one));
        found.extend(installed.into_iter().map(|(_, folder)| folder.join(below)));
    }
    found.retain(|path| path.is_file());
    found.dedup();
    found
}

/// The numbers in a folder's name, as in `v22.14.0`.
fn numbers(name: &str) -> Vec<u32> {
    name.split(|next: char| !next.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

fn ask(node: &Path) -> Option<Found> {
    let output = Process::new(node).args(["-e", QUESTION]).output().ok().filter(|output| output.status.success())?;
    serde_json::from_slice(&output.stdout).ok()
}

/// The client's folder in the cache; it is built there once. One build serves every version of Node (it uses Node-API).
fn client(found: &Found, version: &str, workshop: &Workshop) -> Result<PathBuf, LabError> {
    let clients = workshop.cache.join("clients");
    let folder = clients.join(format!("aws-lambda-ric-{version}"));
    let package = folder.join("node_modules/aws-lambda-ric");
    let built = package.join(if version == CLIENT_3 { "dist/rapid-client.node" } else { "rapid-client.node" });
    if !built.is_file() {
        install(found, version, &clients)?;
    }
    if version == CLIENT_3 {
        keep(&package.join(BOOTSTRAP_FILE), BOOTSTRAP)?;
    }
    Ok(package)
}

/// Has it built. Its output of what is going on is this process's.
fn install(found: &Found, version: &str, clients: &Path) -> Result<(), LabError> {
    let output = Process::new("python3")
        .args(["-c", INSTALLER, version])
        .args([clients, found.executable.as_path()])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| LabError::new(format!("cannot run python3, which builds Node's runtime client: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(LabError::new(format!(
        "no runtime interface client for Node {} (aws-lambda-ric {version}):\n{}",
        found.major,
        String::from_utf8_lossy(&output.stdout).trim_end()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_names_its_node() {
        assert_eq!((major("nodejs20.x").unwrap(), major("nodejs24.x").unwrap()), (20, 24));
        for wrong in ["nodejs18.x", "nodejs", "nodejs22", "node22.x", "nodejs-1.x"] {
            let error = major(wrong).unwrap_err().to_string();
            assert_eq!(error, format!("runtime: expected `nodejs20.x` or a later Node, got `{wrong}`"));
        }
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let mut found: Vec<Vec<u32>> = ["v9.11.2", "node-22.14.0", "v22.9.1"].iter().map(|name| numbers(name)).collect();
        found.sort_by(|one, other| other.cmp(one));
        assert_eq!(found, [vec![22, 14, 0], vec![22, 9, 1], vec![9, 11, 2]]);
    }
}
