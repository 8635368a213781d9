//! The Python that runs scripts: one with boto3, as Automation's has, found on this machine or made.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::runtime::Options;

/// Automation's own version first.
const NAMES: [&str; 4] = ["python3.11", "python3.12", "python3.10", "python3"];

/// `FAULTLAYER_LAB_PYTHON`, or the first on the path that has boto3, or an environment with boto3 made in the cache.
pub async fn find() -> Result<&'static Path, String> {
    static FOUND: OnceCell<Result<PathBuf, String>> = OnceCell::const_new();
    FOUND.get_or_init(look).await.as_deref().map_err(Clone::clone)
}

async fn look() -> Result<PathBuf, String> {
    if let Ok(named) = std::env::var("FAULTLAYER_LAB_PYTHON") {
        let found = ask(&named, "import boto3, sys; print(sys.executable)").await;
        return found.ok_or_else(|| format!("FAULTLAYER_LAB_PYTHON: `{named}` is no Python with boto3"));
    }
    for name in NAMES {
        if let Some(found) = ask(name, "import boto3, sys; print(sys.executable)").await {
            return Ok(found);
        }
    }
    make().await
}

/// The executable itself: a version manager's shim would need its own environment.
async fn ask(name: &str, question: &str) -> Option<PathBuf> {
    let output = Command::new(name).args(["-c", question]).stdin(Stdio::null()).stderr(Stdio::null()).output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then(|| PathBuf::from(text))
}

async fn make() -> Result<PathBuf, String> {
    let folder = Options::new().map_err(|error| error.to_string())?.cache.join("automation-python");
    let python = folder.join("bin/python");
    if ask(&python.display().to_string(), "import boto3, sys; print(sys.executable)").await.is_some() {
        return Ok(python);
    }
    for name in NAMES {
        let Some(base) = ask(name, "import sys, venv, ensurepip; print(sys.executable)").await else { continue };
        eprintln!("faultlayer lab: installing boto3 for Automation's scripts into `{}`", folder.display());
        run(Command::new(base).args(["-m", "venv"]).arg(&folder)).await?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "boto3"])).await?;
        return Ok(python);
    }
    Err("no Python 3 with venv found: `aws:executeScript` needs one with boto3, on the path or named by FAULTLAYER_LAB_PYTHON"
        .to_owned())
}

async fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().await.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("cannot make a Python with boto3: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
