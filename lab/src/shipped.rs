//! What comes with the command: the layers, the stack and its sample functions.

use std::path::{Path, PathBuf};

/// Where a file or folder of Faultlayer's is, such as `layers` or `stack.json`: in a package beside the command, in
/// `../share/faultlayer`; in a checkout below `dist`, of the working folder, of the command's or of one above these.
pub fn find(name: &str) -> Option<PathBuf> {
    let command = std::env::current_exe().ok();
    find_from(name, command.as_deref(), std::env::current_dir().ok().as_deref())
}

fn find_from(name: &str, command: Option<&Path>, working: Option<&Path>) -> Option<PathBuf> {
    let packaged = command.and_then(|command| command.parent()?.parent()).map(|root| root.join("share/faultlayer"));
    let built = [working, command].into_iter().flatten().flat_map(Path::ancestors).map(|folder| folder.join("dist"));
    packaged.into_iter().chain(built).map(|folder| folder.join(name)).find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_its_own_and_a_checkout_what_was_built() {
        let root = std::env::temp_dir().join(format!("faultlayer-shipped-{}", std::process::id()));
        let checkout = root.join("checkout/dist");
        let package = root.join("package/share/faultlayer");
        for folder in [&checkout, &package] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(checkout.join("stack.json"), "{}").unwrap();
        let (built, installed) = (root.join("checkout/target/release/faultlayer"), root.join("package/bin/faultlayer"));
        let working = root.join("checkout/examples");
        assert_eq!(find_from("stack.json", Some(&built), None), Some(checkout.join("stack.json")));
        assert_eq!(find_from("stack.json", Some(&installed), None), None);
        assert_eq!(find_from("stack.json", Some(&installed), Some(&working)), Some(checkout.join("stack.json")));
        std::fs::write(package.join("stack.json"), "{}").unwrap();
        assert_eq!(find_from("stack.json", Some(&installed), Some(&working)), Some(package.join("stack.json")));
        std::fs::remove_dir_all(root).unwrap();
    }
}
