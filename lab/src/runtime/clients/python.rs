//! Python: an interpreter of the wanted version, awslambdaric in it or installed for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use serde::Deserialize;

use super::{Client, Command, Place, Workshop, keep};
use crate::runtime::error::LabError;
use crate::runtime::spec::FunctionSpec;

/// The client that is installed where an interpreter has none, and what the managed runtime has beside it.
const PACKAGES: [&str; 2] = ["awslambdaric==4.2.2", "boto3"];
/// The client's package, whose folder says that the installation is whole.
const PACKAGE: &str = "awslambdaric";
const BOOTSTRAP: &str = include_str!("python_bootstrap.py");
/// Asks an interpreter what it is. A shim that leads nowhere fails here.
const QUESTION: &str = "import importlib.util, json, sys
has = lambda *names: all(importlib.util.find_spec(name) for name in names)
print(json.dumps({'version': '%d.%d' % sys.version_info[:2], 'executable': sys.executable,
'folders': sorted({sys.prefix, sys.base_prefix}), 'client': has('awslambdaric'), 'pip': has('pip'), 'venv': has('venv', 'ensurepip')}))";

/// A Python interpreter and where its client is.
pub struct Python {
    found: Found,
    runtime_dir: PathBuf,
}

#[derive(Deserialize, Clone)]
struct Found {
    version: String,
    executable: PathBuf,
    folders: Vec<PathBuf>,
    client: bool,
    pip: bool,
    /// Whether an environment with a pip of its own can be made of it.
    venv: bool,
}

impl Python {
    /// Finds an interpreter for `runtime` (as in `python3.12`) with a client, or one to install the client for.
    pub fn prepare(runtime: &str, workshop: &Workshop) -> Result<Python, LabError> {
        let version = runtime.trim_start_matches("python");
        let installed = installed(version, workshop).join(PACKAGE).is_dir();
        let mut fitting = None;
        for path in candidates(&[version.to_owned()], workshop) {
            let Some(found) = ask(&path).filter(|found| found.version == version) else { continue };
            let complete = found.client || installed;
            if complete || fitting.is_none() {
                fitting = Some(found);
            }
            if complete {
                break;
            }
        }
        let Some(found) = fitting else {
            return Err(LabError::new(format!(
                "no Python {version} on this machine (looked at the path, pyenv and uv): install it, for example with `uv python install {version}`, \
                 or choose a version that is there with --runtime"
            )));
        };
        let runtime_dir = if found.client { workshop.work.join(runtime) } else { install(&found, workshop)? };
        keep(&runtime_dir.join("bootstrap.py"), BOOTSTRAP)?;
        Ok(Python { found, runtime_dir })
    }
}

impl Client for Python {
    fn runtime_dir(&self) -> &Path {
        &self.runtime_dir
    }

    fn kept(&self) -> Vec<PathBuf> {
        self.found.folders.clone()
    }

    fn command(&self, _spec: &FunctionSpec, place: &Place) -> Command {
        Command {
            program: self.found.executable.clone(),
            // -s: not the developer's own packages. -B: as in Lambda, where the code's folder cannot be written to.
            arguments: ["-s", "-B"]
                .into_iter()
                .map(str::to_owned)
                .chain([place.runtime.join("bootstrap.py").display().to_string()])
                .collect(),
            variables: if place.isolated {
                Vec::new()
            } else {
                vec![("FAULTLAYER_LAB_OPT".to_owned(), place.opt.display().to_string())]
            },
        }
    }
}

/// The `python3` on the path if Faultlayer supports it, else the newest that there is, as a runtime's name.
pub fn newest(workshop: &Workshop) -> Result<String, LabError> {
    let versions: Vec<String> = (10..=15).rev().map(|minor| format!("3.{minor}")).collect();
    candidates(&versions, workshop)
        .iter()
        .filter_map(|path| ask(path))
        .find(|found| versions.contains(&found.version))
        .map(|found| format!("python{}", found.version))
        .ok_or_else(|| LabError::new("no Python 3.10 or later on this machine (looked at the path, pyenv and uv): install one"))
}

/// Where an interpreter may be, the likeliest first.
fn candidates(versions: &[String], workshop: &Workshop) -> Vec<PathBuf> {
    if let Some(only) = &workshop.interpreter {
        return vec![only.clone()];
    }
    let mut found = Vec::new();
    found.extend(std::env::var_os("VIRTUAL_ENV").map(|folder| Path::new(&folder).join("bin/python")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names: Vec<String> = std::iter::once("python3".to_owned()).chain(versions.iter().map(|v| format!("python{v}"))).collect();
    for name in &names {
        found.extend(std::env::split_paths(&path).map(|folder| folder.join(name)));
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let pyenv = std::env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
    for folder in [pyenv.join("versions"), home.join(".local/share/uv/python")] {
        let mut installed: Vec<PathBuf> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        installed.sort();
        for version in versions {
            found.extend(installed.iter().map(|folder| folder.join("bin").join(format!("python{version}"))));
        }
    }
    found.retain(|path| path.is_file());
    found.dedup();
    found
}

fn ask(interpreter: &Path) -> Option<Found> {
    let output = Process::new(interpreter).args(["-c", QUESTION]).output().ok().filter(|output| output.status.success())?;
    serde_json::from_slice(&output.stdout).ok()
}

/// Where the client for a version is installed.
fn installed(version: &str, workshop: &Workshop) -> PathBuf {
    workshop.cache.join("clients").join(format!("python{version}-{}", PACKAGES.join("-").replace("==", "-")))
}

/// Installs the client for `found` into the cache, once.
fn install(found: &Found, workshop: &Workshop) -> Result<PathBuf, LabError> {
    let clients = workshop.cache.join("clients");
    let folder = installed(&found.version, workshop);
    if folder.join(PACKAGE).is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&clients).map_err(|error| LabError::file("make", &clients, &error))?;
    eprintln!("faultlayer: installs Lambda's runtime client for Python {} ({}); once", found.version, PACKAGES.join(", "));
    // Beside its place and then moved there: a run that is cut off, or one at the same time, leaves nothing half done.
    let half = clients.join(format!(".python{}-{}", found.version, std::process::id()));
    let mut pip = Process::new(with_pip(found, workshop)?);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--root-user-action=ignore"]);
    if let Err(error) = run(pip.arg("--target").arg(&half).args(PACKAGES), found) {
        let _ = fs::remove_dir_all(&half);
        return Err(error);
    }
    if fs::rename(&half, &folder).is_err() {
        let _ = fs::remove_dir_all(&half);
    }
    Ok(folder)
}

/// An interpreter like `found` that has pip: itself, or one in an environment of this run alone. Debian has pip apart, and uv's
/// environments have none.
fn with_pip(found: &Found, workshop: &Workshop) -> Result<PathBuf, LabError> {
    if found.pip {
        return Ok(found.executable.clone());
    }
    if !found.venv {
        return Err(LabError::new(format!(
            "cannot install the runtime interface client for Python {}: `{}` has neither pip nor venv with ensurepip. \
             On Debian: apt install python3-venv",
            found.version,
            found.executable.display()
        )));
    }
    let folder = workshop.work.join(format!("pip{}", found.version));
    run(Process::new(&found.executable).args(["-m", "venv"]).arg(&folder), found)?;
    Ok(folder.join("bin/python"))
}

/// Runs a step of the installation, or says what it said.
fn run(step: &mut Process, found: &Found) -> Result<(), LabError> {
    let output = step.output().map_err(|error| LabError::file("run", &found.executable, &error))?;
    if output.status.success() {
        return Ok(());
    }
    let arguments: Vec<_> = step.get_args().map(|argument| argument.to_string_lossy()).collect();
    // venv tells on standard output, pip on standard error.
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).trim().to_owned()).join("\n");
    Err(LabError::new(format!(
        "cannot install the runtime interface client for Python {}; `{} {}` said:\n{}",
        found.version,
        step.get_program().display(),
        arguments.join(" "),
        said.trim()
    )))
}
