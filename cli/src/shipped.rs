//! `faultlayer layers` and `faultlayer stack`: what comes with the command, for an account.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use faultlayer_lab::shipped::find;
use serde_json::Value;

use crate::Outcome;

/// Arguments of `faultlayer layers`.
#[derive(clap::Args)]
pub struct LayersArgs {
    /// The folder that gets the archives, their bills of materials and SHA256SUMS
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Arguments of `faultlayer stack`.
#[derive(clap::Args)]
#[command(after_help = "  faultlayer stack > stack.json
  aws cloudformation package --template-file stack.json --s3-bucket BUCKET --output-template-file packaged.yaml")]
pub struct StackArgs {}

/// Copies the layers and names each.
pub fn layers(args: &LayersArgs) -> Outcome {
    let folder = found("layers", "make layers")?;
    let said = |error: std::io::Error| format!("--out: cannot write to `{}`: {error}", args.out.display());
    fs::create_dir_all(&args.out).map_err(said)?;
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    for path in files {
        let Some(name) = path.file_name() else { continue };
        let copy = args.out.join(name);
        fs::copy(&path, &copy).map_err(said)?;
        writeln!(stdout(), "{}", copy.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the CloudFormation template, which names the layers and the samples' code where they are.
pub fn stack(_: &StackArgs) -> Outcome {
    let path = found("stack.json", "make stack")?;
    let mut template: Value = serde_json::from_slice(&fs::read(&path)?)?;
    if let (Some(folder), Some(resources)) = (path.parent(), template.get_mut("Resources").and_then(Value::as_object_mut)) {
        for resource in resources.values_mut() {
            for key in ["Content", "Code"] {
                if let Some(place) = resource.pointer_mut(&format!("/Properties/{key}")) {
                    anchor(place, folder);
                }
            }
        }
    }
    writeln!(stdout(), "{}", serde_json::to_string_pretty(&template)?)?;
    Ok(ExitCode::SUCCESS)
}

/// A path beside the template becomes one that holds from everywhere; whatever else stands there stays.
fn anchor(place: &mut Value, folder: &Path) {
    if let Some(beside) = place.as_str().map(|path| folder.join(path)).filter(|path| path.exists()) {
        *place = beside.display().to_string().into();
    }
}

fn found(name: &str, recipe: &str) -> Result<PathBuf, String> {
    find(name).ok_or_else(|| format!("no `{name}` comes with this command: in a checkout, `{recipe}` builds it"))
}
