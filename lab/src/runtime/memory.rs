//! What a process tree uses, read from `/proc`.

use std::fs;

use super::processes::descendants;

/// Each process that has not ended, and its parent.
pub fn parents() -> Vec<(u32, u32)> {
    let mut parents: Vec<(u32, u32)> = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name in brackets may hold anything, brackets too: the fields start after the last one.
        let Some((_, fields)) = stat.rsplit_once(')') else { continue };
        let mut fields = fields.split_ascii_whitespace();
        let (state, parent) = (fields.next(), fields.next().and_then(|field| field.parse::<u32>().ok()));
        if let (Some(state), Some(parent)) = (state, parent)
            && state != "Z"
        {
            parents.push((pid, parent));
        }
    }
    parents
}

/// What the processes below `root` use at most, in bytes: each one's peak for the first, what it holds alone for the others, since
/// forked processes share their pages.
pub fn used_below(root: u32) -> u64 {
    let mut total = 0;
    for (index, pid) in children(root).into_iter().enumerate() {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
                .unwrap_or(0)
                * 1024
        };
        total += if index == 0 { field("VmHWM:") } else { field("RssAnon:") };
    }
    total
}

/// The tree below `root`, parents first, through the kernel's own lists where it has them.
fn children(root: u32) -> Vec<u32> {
    let list = |pid: u32| {
        let mut found = Vec::new();
        for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
            let text = fs::read_to_string(task.path().join("children")).ok()?;
            found.extend(text.split_ascii_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        Some(found)
    };
    let Some(mut found) = list(root) else { return descendants(root) };
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(list(pid).unwrap_or_default());
        next += 1;
    }
    found
}
