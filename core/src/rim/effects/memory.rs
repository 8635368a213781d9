//! Memory whose every page is touched, so that the function's limit sees it.

use super::MIB;

/// Memory that is really there.
#[derive(Debug)]
pub(super) struct Occupied {
    _block: Vec<u8>,
}

/// What stays free under a limit, so that the process is not killed at once: the handler itself needs some.
const HEADROOM_MIB: u64 = 16;

/// How much can be occupied, in MiB: what the limit leaves beside what the process holds, or what the machine has.
pub(super) fn room_mib(limit_mib: Option<u64>) -> u64 {
    let machine = available_mib().unwrap_or(u64::MAX);
    let limit = limit_mib.map_or(u64::MAX, |limit| limit.saturating_sub(resident_mib().unwrap_or(0)));
    machine.min(limit).saturating_sub(HEADROOM_MIB)
}

/// Touches so many MiB; `None` if the system has them not.
pub(super) fn occupy(size_mib: u64) -> Option<Occupied> {
    let bytes = usize::try_from(size_mib * MIB).ok()?;
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).ok()?;
    // Not zeros: those would be the kernel's shared page.
    block.resize(bytes, 0xF1);
    Some(Occupied { _block: block })
}

#[expect(clippy::disallowed_methods, reason = "the kernel tells sizes in files")]
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// Resident set of this process.
fn resident_mib() -> Option<u64> {
    kilobytes(&read("/proc/self/status")?, "VmRSS:")
}

/// What the machine could still give without swapping.
fn available_mib() -> Option<u64> {
    kilobytes(&read("/proc/meminfo")?, "MemAvailable:")
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024)
}
