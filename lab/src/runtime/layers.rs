//! Layers, unpacked one over the other as Lambda unpacks them under `/opt`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::error::LabError;

/// Unpacks `layers` in their order into `opt`. Takes as long as the disk needs: call it where blocking is fine.
pub fn unpack(layers: &[impl AsRef<Path>], opt: &Path) -> Result<(), LabError> {
    for layer in layers {
        let layer = layer.as_ref();
        let kind = fs::metadata(layer).map_err(|error| LabError::file("read the layer", layer, &error))?;
        if kind.is_dir() {
            copy(layer, opt).map_err(|error| LabError::file("copy the layer", layer, &error))?;
        } else {
            let file = fs::File::open(layer).map_err(|error| LabError::file("open the layer", layer, &error))?;
            let mut archive = zip::ZipArchive::new(file).map_err(|error| LabError::file("read the layer", layer, &error))?;
            archive.extract(opt).map_err(|error| LabError::file("unpack the layer", layer, &error))?;
        }
    }
    Ok(())
}

/// Copies a folder's content over another one, links as links.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            if target.symlink_metadata().is_ok() {
                fs::remove_file(&target)?;
            }
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(entry.metadata()?.permissions().mode() | 0o444))?;
        }
    }
    Ok(())
}
