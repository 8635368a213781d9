//! How often a plan's place is read: as its user says, and less and less often while that fails.

use crate::sampling::{Draws, FaultHash, RequestHash};

/// How old a plan may get where nobody says otherwise.
pub(super) const REFRESH_S: u64 = 10;
/// The most that somebody can say: a day.
const LONGEST_S: u64 = 86_400;
/// After a first failure it is tried again within this time, after each further one within twice as long as before, up to
/// [`LONGEST_PAUSE_US`].
const PAUSE_US: u64 = 1_000_000;
const LONGEST_PAUSE_US: u64 = 300_000_000;

/// How long it is not tried again after so many failures in a row; `None` after none. `chance` spreads it, so that environments
/// that failed together do not come back together.
pub(super) fn pause_us(failures: u32, chance: f64) -> Option<u64> {
    let doubled = 1_u64.checked_shl(failures.checked_sub(1)?).unwrap_or(u64::MAX);
    let longest = PAUSE_US.saturating_mul(doubled).min(LONGEST_PAUSE_US);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "minutes")]
    Some((longest as f64 * (0.5 + chance / 2.0)) as u64)
}

/// What `FAULTLAYER_PLAN_REFRESH_S` says.
pub(super) fn refresh_s(value: &str) -> Result<u64, String> {
    value.parse().ok().filter(|seconds| *seconds <= LONGEST_S).ok_or_else(|| {
        let expected = format!("a whole number of seconds from 0 to {LONGEST_S}");
        format!("FAULTLAYER_PLAN_REFRESH_S: expected {expected}, got `{value}`; {REFRESH_S} is taken")
    })
}

/// A number in [0, 1) that is another one in each environment and at each time: chance enough for what no decision depends on.
pub(super) fn spread(now_us: i64, process: u32) -> f64 {
    let of = RequestHash::of_request(u64::from(process), &now_us.to_string());
    Draws::new(of, FaultHash::of("pause")).next_draw()
}

#[cfg(test)]
mod tests {
    use super::{pause_us, refresh_s, spread};

    #[test]
    fn pauses_after_failures_double_up_to_five_minutes() {
        assert_eq!(pause_us(0, 0.5), None);
        assert_eq!(
            [(1, 0.0), (2, 0.0), (5, 0.5), (60, 1.0), (200, 1.0)].map(|(count, chance)| pause_us(count, chance).unwrap()),
            [500_000, 1_000_000, 12_000_000, 300_000_000, 300_000_000]
        );
    }

    #[test]
    fn how_often_it_is_read_is_whole_seconds() {
        assert_eq!((refresh_s("0"), refresh_s("86400")), (Ok(0), Ok(86_400)));
        for wrong in ["", "-1", "1.5", "86401", "ten"] {
            assert!(refresh_s(wrong).unwrap_err().starts_with("FAULTLAYER_PLAN_REFRESH_S: expected a whole number"), "{wrong}");
        }
    }

    #[test]
    fn pauses_are_spread() {
        assert!((0.0..1.0).contains(&spread(1, 1)));
        assert!(spread(1, 1).to_bits() != spread(2, 1).to_bits() && spread(1, 1).to_bits() != spread(1, 2).to_bits());
    }
}
