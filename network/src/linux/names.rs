//! Which name an address was resolved from last.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

/// So many addresses are remembered; then those that were resolved longest ago are forgotten.
const MAX: usize = 512;

/// Addresses and the names they were resolved from, the latest first.
#[derive(Debug)]
pub struct Names(VecDeque<(IpAddr, Arc<str>)>);

impl Names {
    pub const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// The process resolved this name to the address.
    pub fn learn(&mut self, name: &Arc<str>, address: IpAddr) {
        let address = address.to_canonical();
        if self.0.front().is_some_and(|known| known.0 == address && known.1 == *name) {
            return;
        }
        self.0.retain(|known| known.0 != address);
        self.0.truncate(MAX - 1);
        self.0.push_front((address, Arc::clone(name)));
    }

    /// It was resolved beside the process: what the process resolved itself counts more.
    pub fn learn_beside(&mut self, name: &Arc<str>, address: IpAddr) {
        if self.of(address).is_none() {
            self.learn(name, address);
        }
    }

    /// The name of an address.
    pub fn of(&self, address: IpAddr) -> Option<Arc<str>> {
        self.0.iter().find(|known| known.0 == address).map(|known| Arc::clone(&known.1))
    }
}

/// A name as it is compared: in lower case, without the dot of a complete one.
pub fn comparable(name: &str) -> Arc<str> {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{MAX, Names, comparable};

    #[test]
    fn an_address_has_the_name_that_the_process_resolved_last() {
        let (mut names, address) = (Names::new(), IpAddr::from([10, 0, 0, 1]));
        names.learn_beside(&comparable("Planned.example."), address);
        assert_eq!(names.of(address).as_deref(), Some("planned.example"));
        names.learn(&comparable("a.example"), address);
        names.learn_beside(&comparable("planned.example"), address);
        assert_eq!(names.of(address).as_deref(), Some("a.example"));
        assert_eq!(names.of([10, 0, 0, 2].into()), None);
    }

    #[test]
    fn what_was_resolved_longest_ago_is_forgotten() {
        let mut names = Names::new();
        for number in 0..=MAX as u32 {
            names.learn(&comparable("a.example"), Ipv4Addr::from(number).into());
        }
        assert_eq!(names.of(Ipv4Addr::from(0).into()), None);
        assert!(names.of(Ipv4Addr::from(1).into()).is_some());
    }
}
