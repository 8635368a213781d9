//! Percentiles, and numbers as people read them.

use serde::Serialize;

/// Milliseconds; all 0 without a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the calls took at most this.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// 99 of a hundred.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
    /// The average.
    pub mean: f64,
}

impl Latency {
    /// Of what calls waited, in ms; sorts it.
    #[must_use]
    pub fn of(waited: &mut [f64]) -> Latency {
        waited.sort_by(f64::total_cmp);
        let at = |share| rounded(percentile(waited, share));
        #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
        let mean = if waited.is_empty() { 0.0 } else { waited.iter().sum::<f64>() / waited.len() as f64 };
        Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1.0), mean: rounded(mean) }
    }
}

/// The nearest rank: the smallest value that at least this share of all values does not exceed.
#[must_use]
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank within the slice"
    )]
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// To three decimals: what stands behind them is noise.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// `12.5 %`; nothing for none, since the count beside it says that.
#[must_use]
pub fn percent(count: u64, of: u64) -> String {
    if count == 0 || of == 0 {
        return String::new();
    }
    share(count, of)
}

/// `12.5 %`, `0 %` for none. What is not quite none or all never reads as if it were.
#[must_use]
pub fn share(count: u64, of: u64) -> String {
    if count == 0 || of == 0 {
        return "0 %".to_owned();
    }
    if count == of {
        return "100 %".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
    let percent = count as f64 * 100.0 / of as f64;
    match percent {
        _ if percent < 0.001 => "< 0.001 %".to_owned(),
        _ if percent < 0.1 => format!("{percent:.3} %"),
        _ if percent >= 99.95 => "> 99.9 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// Three digits that count: `0.85 ms`, `12.3 ms`, `840 ms`, `3.02 s`.
#[must_use]
pub fn milliseconds(value: f64) -> String {
    match value {
        _ if value < 10.0 => format!("{value:.2} ms"),
        _ if value < 100.0 => format!("{value:.1} ms"),
        _ if value < 1000.0 => format!("{value:.0} ms"),
        _ => format!("{:.2} s", value / 1000.0),
    }
}

/// `1 call`, `2 calls`.
#[must_use]
pub fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut waited: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(Latency::of(&mut waited), Latency { p50: 100.0, p90: 180.0, p99: 198.0, max: 200.0, mean: 100.5 });
        assert_eq!(Latency::of(&mut []), Latency::default());
    }

    #[test]
    fn a_share_is_none_or_all_only_where_it_is() {
        assert_eq!([share(0, 9), share(9, 9), share(1, 8), percent(0, 9)], ["0 %", "100 %", "12.5 %", ""]);
        assert_eq!([share(99_999, 100_000), share(1, 100_000), share(1, 1_000_000)], ["> 99.9 %", "0.001 %", "< 0.001 %"]);
    }

    #[test]
    fn three_digits_count() {
        assert_eq!([0.851, 12.34, 840.2, 3019.0].map(milliseconds), ["0.85 ms", "12.3 ms", "840 ms", "3.02 s"]);
    }
}
