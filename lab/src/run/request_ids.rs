//! Request ids from a seed: the same seed gives the same ids, and so, under the same plan, the same faults.

use crate::ids::uuid;

/// An endless row of request ids.
#[derive(Debug, Clone)]
pub struct RequestIds {
    state: u64,
}

impl RequestIds {
    /// The ids of `seed`.
    pub fn new(seed: u64) -> RequestIds {
        RequestIds { state: seed }
    }

    /// One output of SplitMix64.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

impl Iterator for RequestIds {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let (high, low) = (self.draw(), self.draw());
        Some(uuid(high, low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_seed_and_look_like_lambdas() {
        let ids: Vec<String> = RequestIds::new(42).take(3).collect();
        assert_eq!(ids, RequestIds::new(42).take(3).collect::<Vec<_>>());
        assert_ne!(ids, RequestIds::new(43).take(3).collect::<Vec<_>>());
        // SplitMix64 of 42 begins with bdd732262feb6e95, 28efe333b266f103.
        assert_eq!(ids[0], "bdd73226-2feb-4e95-a8ef-e333b266f103");
        assert_eq!(ids.iter().map(String::len).collect::<Vec<_>>(), [36, 36, 36]);
    }
}
