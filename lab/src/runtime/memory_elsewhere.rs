//! What a process tree uses, asked of `ps` where there is no `/proc`.

use std::process::{Command, Stdio};

use super::processes::descendants;

/// A line of `ps`: process, parent, state, resident kilobytes. Without `ps` itself.
fn listed() -> Vec<(u32, u32, u64)> {
    let Ok(ps) = Command::new("ps").args(["-axo", "pid=,ppid=,stat=,rss="]).stdout(Stdio::piped()).spawn() else {
        return Vec::new();
    };
    let own = ps.id();
    let Ok(output) = ps.wait_with_output() else { return Vec::new() };
    let read = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (pid, parent) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let ended = fields.next()?.starts_with('Z');
        (!ended && pid != own).then_some((pid, parent, fields.next()?.parse().ok()?))
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(read).collect()
}

/// Each process that has not ended, and its parent.
pub fn parents() -> Vec<(u32, u32)> {
    listed().into_iter().map(|(pid, parent, _)| (pid, parent)).collect()
}

/// What the processes below `root` hold now, in bytes.
pub fn used_below(root: u32) -> u64 {
    let below = descendants(root);
    listed().into_iter().filter(|(pid, ..)| below.contains(pid)).map(|(.., kilobytes)| kilobytes * 1024).sum()
}
