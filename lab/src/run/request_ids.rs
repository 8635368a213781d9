//! Request ids from a seed: the same seed gives the same ids, and so, under the same plan, the same faults.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use uuid::Builder;

/// An endless row of request ids.
#[derive(Debug, Clone)]
pub struct RequestIds {
    // Its outputs never change with a version, so that a seed that somebody noted stays good.
    source: SplitMix64,
}

impl RequestIds {
    /// The ids of `seed`.
    pub fn new(seed: u64) -> RequestIds {
        RequestIds { source: SplitMix64::seed_from_u64(seed) }
    }
}

impl Iterator for RequestIds {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let (high, low) = (self.source.next_u64(), self.source.next_u64());
        let bits = u128::from(high) << 64 | u128::from(low);
        Some(Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string())
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
