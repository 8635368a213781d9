//! The draws of one fault for one invocation: normative, defined by `tests/vectors/sampling.py`.
//!
//! `s = fnv1a(seed as 8 bytes big-endian ‖ request id) XOR fnv1a(8 zero bytes ‖ fault id)`; draw i is output i of
//! `SplitMix64` seeded with s, as `(x >> 11) · 2^-53`. Anybody can recompute a draw from a log record.

use core::convert::Infallible;

const FNV_OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01B3;
const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn fnv1a(bytes: &[u8], hash: u64) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// The hash of one request id under a plan's seed: taken once an invocation, shared by all its faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHash(u64);

impl RequestHash {
    /// All of it.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// Of the request id as it stands in the invocation.
    #[must_use]
    pub fn of_request(seed: u64, request_id: &str) -> Self {
        Self::of_seed(seed).with(request_id)
    }

    /// Of the seed, with which every request's begins: taken once a plan.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        Self(fnv1a(&seed.to_be_bytes(), FNV_OFFSET))
    }

    /// The hash of what this is the hash of, with `text` behind it.
    #[must_use]
    pub fn with(self, text: &str) -> Self {
        Self(fnv1a(text.as_bytes(), self.0))
    }

    /// Of `id@deadline-in-ms`: Lambda's retries of an asynchronous call keep the request id but not the deadline.
    #[must_use]
    pub fn of_attempt(seed: u64, request_id: &str, deadline_ms: i64) -> Self {
        Self::of_request(seed, request_id).with(&format!("@{deadline_ms}"))
    }
}

/// The hash of a fault's id; taken once a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultHash(u64);

impl FaultHash {
    /// Of the id as it stands in the plan.
    #[must_use]
    pub fn of(fault_id: &str) -> Self {
        Self(fnv1a(fault_id.as_bytes(), fnv1a(&[0; 8], FNV_OFFSET)))
    }
}

/// The samples below a rate, told without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Below(u64);

impl Below {
    /// Those below `rate`, a fraction.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is in [0, 1], and a cast saturates")]
    pub fn rate(rate: f64) -> Self {
        // A power of two changes no digit, and whole numbers below a number are those below the next whole one.
        Self((rate * WHOLES).ceil() as u64)
    }

    /// Whether the sample of this fault for this request is one of them.
    #[must_use]
    #[inline(always)]
    pub const fn has_sample_of(self, request: RequestHash, fault: FaultHash) -> bool {
        Draws::new(request, fault).next_whole() < self.0
    }
}

/// How many different draws there are.
const WHOLES: f64 = 9_007_199_254_740_992.0;

/// The draws of one fault for one invocation, in order: the first is the sample, the second the delay.
///
/// It is a `rand` generator, so that any distribution of that ecosystem can take its numbers from it.
#[derive(Clone, Debug)]
pub struct Draws {
    state: u64,
}

impl Draws {
    /// The stream at its beginning.
    #[must_use]
    #[inline(always)]
    pub const fn new(request: RequestHash, fault: FaultHash) -> Self {
        Self { state: request.0 ^ fault.0 }
    }

    /// The next draw, in [0, 1), one of 2^53 values.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a binary64 exactly")]
    pub fn next_draw(&mut self) -> f64 {
        self.next_whole() as f64 * (1.0 / WHOLES)
    }

    /// The next draw as the whole number that it is made of, below 2^53.
    #[inline(always)]
    pub const fn next_whole(&mut self) -> u64 {
        self.next_output() >> 11
    }

    // Inlined also where size counts: each fault of each invocation comes by here, and the call would take as long.
    #[inline(always)]
    const fn next_output(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl rand_core::TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        // The upper half: the better mixed one.
        Ok(u32::try_from(self.next_output() >> 32).unwrap_or(u32::MAX))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_output())
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for chunk in destination.chunks_mut(8) {
            for (to, from) in chunk.iter_mut().zip(self.next_output().to_le_bytes()) {
                *to = from;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Below, Draws, FaultHash, RequestHash};
    use rand_core::Rng;

    #[derive(serde::Deserialize)]
    struct Row {
        seed: u64,
        fault: String,
        request_id: String,
        draws: Vec<f64>,
    }

    #[test]
    fn every_draw_of_the_defining_script_is_met_to_the_bit() {
        let rows: Vec<Row> = serde_json::from_str(include_str!("../../tests/vectors/sampling.json")).unwrap();
        assert_eq!(rows.len(), 45);
        for row in rows {
            let mut draws = Draws::new(RequestHash::of_request(row.seed, &row.request_id), FaultHash::of(&row.fault));
            for draw in row.draws {
                assert_eq!(draws.next_draw().to_bits(), draw.to_bits(), "{} {}", row.fault, row.request_id);
            }
        }
    }

    #[test]
    fn an_attempt_is_the_request_id_with_its_deadline() {
        let joined = RequestHash::of_request(7, "abc@1764000000000");
        assert_eq!(RequestHash::of_attempt(7, "abc", 1_764_000_000_000), joined);
    }

    #[test]
    fn a_sample_is_below_a_rate_as_a_whole_number_where_it_is_as_a_fraction() {
        let one_in = 1.0 / 9_007_199_254_740_992.0;
        for number in 0..2000_u64 {
            let (request, fault) = (RequestHash::of_request(number, "id"), FaultHash::of("f"));
            let sample = Draws::new(request, fault).next_draw();
            for rate in
                [0.0, one_in, 1e-15, sample - one_in, sample, sample + one_in, f64::from_bits(sample.to_bits() + 1), 0.5, 1.0]
            {
                assert_eq!(Below::rate(rate).has_sample_of(request, fault), sample < rate, "{sample} {rate}");
            }
        }
    }

    #[test]
    fn the_stream_serves_rand_with_the_same_outputs() {
        let draws = Draws::new(RequestHash::of_request(1, "a"), FaultHash::of("f"));
        let mut bytes = [0_u8; 12];
        draws.clone().fill_bytes(&mut bytes);
        assert_eq!(bytes[..8], draws.clone().next_u64().to_le_bytes());
        assert_eq!(u64::from(draws.clone().next_u32()), draws.clone().next_u64() >> 32);
    }

    #[test]
    fn a_million_ids_at_one_in_a_thousand_stay_within_five_standard_deviations() {
        // Binomial(10^6, 0.001): mean 1000, standard deviation sqrt(999) = 31.6.
        for fault in ["slow", "boom"] {
            let fired = (0..1_000_000_u32)
                .filter(|n| {
                    let request = RequestHash::of_request(7, &format!("8f5c7d1e-0000-4000-8000-{n:012x}"));
                    Draws::new(request, FaultHash::of(fault)).next_draw() < 0.001
                })
                .count();
            assert!((842..=1158).contains(&fired), "{fault}: {fired}");
        }
    }
}
