//! Disk, memory and CPU: native effects that run beside the handler and undo themselves when the invocation ends, also
//! when the handler raises, and leave nothing behind even when the process is killed.
//!
//! Two moments: [`Reservations`] says what can be had, so that the record can be written first; [`Reservations::start`]
//! then takes it. What cannot be taken after all is left out silently: it must never become an error in the function.

mod cpu;
mod disk;
mod memory;

use crate::decision::{Reason, Resource, Resources};

const MIB: u64 = 1 << 20;

/// What the resource faults of one invocation may take.
#[derive(Debug, Default)]
pub struct Reservations {
    /// The function's memory limit, in MiB, if it is known.
    memory_limit_mib: Option<u64>,
    disk_mib: Vec<u64>,
    memory_mib: Vec<u64>,
    burns: Vec<cpu::Burn>,
}

/// Running effects; dropping them ends them.
#[derive(Debug, Default)]
pub struct Effects {
    _files: Vec<disk::Filled>,
    _blocks: Vec<memory::Occupied>,
    _burns: Vec<cpu::Burning>,
}

impl Reservations {
    /// Under a memory limit in MiB, if there is one.
    #[must_use]
    pub fn under(memory_limit_mib: Option<u32>) -> Self {
        Self { memory_limit_mib: memory_limit_mib.map(u64::from), ..Self::default() }
    }

    /// Takes what was granted.
    #[must_use]
    pub fn start(self) -> Effects {
        Effects {
            _files: self.disk_mib.into_iter().filter_map(disk::fill).collect(),
            _blocks: self.memory_mib.into_iter().filter_map(memory::occupy).collect(),
            _burns: self.burns.into_iter().map(cpu::burn).collect(),
        }
    }
}

impl Resources for Reservations {
    fn grant(&mut self, resource: Resource) -> Result<Option<u64>, Reason> {
        let bounded = |asked: u64, room: Option<u64>, taken: &[u64]| {
            let room = room.ok_or(Reason::Unavailable)?.saturating_sub(taken.iter().sum());
            if room == 0 { Err(Reason::NoRoom) } else { Ok(asked.min(room)) }
        };
        let granted = match resource {
            Resource::Disk { size_mib } => {
                let granted = bounded(size_mib, disk::room_mib(), &self.disk_mib)?;
                self.disk_mib.push(granted);
                granted
            }
            Resource::Memory { size_mib } => {
                let granted = bounded(size_mib, Some(memory::room_mib(self.memory_limit_mib)), &self.memory_mib)?;
                self.memory_mib.push(granted);
                granted
            }
            Resource::Cpu { duration_ms, threads } => {
                self.burns.push(cpu::Burn { duration_ms, threads });
                return Ok(None);
            }
        };
        Ok(Some(granted))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test looks at the process from outside")]
mod tests {
    use super::Reservations;
    use crate::decision::{Reason, Resource, Resources};

    fn rss_mib() -> u64 {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096 / super::MIB
    }

    #[test]
    fn memory_is_really_occupied_and_given_back() {
        let mut reservations = Reservations::default();
        assert_eq!(reservations.grant(Resource::Memory { size_mib: 300 }), Ok(Some(300)));
        let before = rss_mib();
        let effects = reservations.start();
        let during = rss_mib();
        drop(effects);
        let after = rss_mib();
        assert!(during >= before + 290, "{before} {during}");
        assert!(after <= before + 50, "{before} {after}");
    }

    #[test]
    fn memory_is_bounded_by_the_limit_and_refused_where_nothing_is_left() {
        let mut tight = Reservations::under(Some(1));
        assert_eq!(tight.grant(Resource::Memory { size_mib: 10 }), Err(Reason::NoRoom));
        let mut bounded = Reservations::under(Some(600));
        let first = bounded.grant(Resource::Memory { size_mib: 10_000 }).unwrap().unwrap();
        assert!(first < 600, "{first}");
        assert_eq!(bounded.grant(Resource::Memory { size_mib: 10 }), Err(Reason::NoRoom));
    }

    #[test]
    fn the_disk_is_really_filled_and_nothing_is_to_be_seen() {
        let names = || std::fs::read_dir(super::disk::directory()).unwrap().count();
        let mut reservations = Reservations::default();
        assert_eq!(reservations.grant(Resource::Disk { size_mib: 200 }), Ok(Some(200)));
        let (before, files) = (super::disk::room_mib().unwrap(), names());
        let effects = reservations.start();
        let (during, seen) = (super::disk::room_mib().unwrap(), names());
        drop(effects);
        assert!(during + 150 <= before, "{before} {during}");
        assert!(seen <= files + 1, "{files} {seen}");
    }

    #[test]
    fn threads_burn_and_are_gone() {
        let burning = || {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap();
            let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
            names.filter(|name| name.starts_with("faultlayer-cpu")).count()
        };
        let mut reservations = Reservations::default();
        assert_eq!(reservations.grant(Resource::Cpu { duration_ms: 60_000.0, threads: 3 }), Ok(None));
        let effects = reservations.start();
        // A thread gives itself its name once it runs.
        while burning() < 3 {
            std::thread::yield_now();
        }
        drop(effects);
        assert_eq!(burning(), 0);
    }
}
