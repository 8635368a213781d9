//! Platforms without mount namespaces: functions run in the machine's own file system.

use super::view::View;

const REASON: &str = "mount namespaces are Linux's own";

/// Says why no environment can be made here.
pub fn probe() -> Result<(), String> {
    Err(REASON.to_owned())
}

/// Never asked for after such a [`probe`].
pub fn enter(_: &View) -> Result<(), String> {
    Err(REASON.to_owned())
}
