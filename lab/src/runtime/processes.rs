//! Which processes are below another.

use super::memory;

/// The processes below `root` (not itself), without those that have ended and only wait to be collected.
pub fn descendants(root: u32) -> Vec<u32> {
    let parents = memory::parents();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.remove(0);
    found
}
