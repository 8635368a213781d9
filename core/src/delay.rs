//! How long a latency lasts: five ways to say it, each a function of one draw.
//!
//! `ln`, `pow`, `exp` come from the `libm` crate, so that every platform agrees to the bit; results are whole
//! microseconds, the nearest.

/// The longest delay that a plan can ask for: Lambda's own longest timeout, 900 seconds.
pub const MAX_DELAY_MS: f64 = 900_000.0;

/// A delay's distribution; all values in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// Always the same.
    Constant(f64),
    /// Evenly between two bounds.
    Uniform {
        /// Lower bound.
        min: f64,
        /// Upper bound, at least `min`.
        max: f64,
    },
    /// Gaussian, clamped to [0, max].
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        std_dev: f64,
        /// Upper bound.
        max: f64,
    },
    /// Heavy tailed: `scale · (1 − u)^(−1/shape)`, cut at `max`.
    Pareto {
        /// The smallest value.
        scale: f64,
        /// The smaller, the heavier the tail.
        shape: f64,
        /// Upper bound.
        max: f64,
    },
    /// `(percentile, milliseconds)` in rising order from (0, 0) or a given 0 to 100; linear in between.
    Percentiles(Vec<(f64, f64)>),
}

impl Delay {
    /// The delay for one draw in [0, 1), in whole microseconds.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=900 seconds just before")]
    pub fn at(&self, draw: f64) -> u64 {
        let millis = match self {
            Self::Constant(millis) => *millis,
            Self::Uniform { min, max } => min + draw * (max - min),
            Self::Normal { mean, std_dev, max } => (mean + std_dev * normal_quantile(draw)).clamp(0.0, *max),
            Self::Pareto { scale, shape, max } => (scale * libm::pow(1.0 - draw, -1.0 / shape)).min(*max),
            Self::Percentiles(points) => interpolate(points, draw * 100.0),
        };
        libm::round(millis.clamp(0.0, MAX_DELAY_MS) * 1000.0) as u64
    }
}

fn interpolate(points: &[(f64, f64)], at: f64) -> f64 {
    let mut from = (0.0, 0.0);
    for &to in points {
        if at < to.0 {
            return from.1 + (to.1 - from.1) * (at - from.0) / (to.0 - from.0);
        }
        from = to;
    }
    from.1
}

/// The inverse of the standard normal distribution function: algorithm AS 241 (PPND16) of M. J. Wichura,
/// Applied Statistics 37 (1988), accurate to about 1 part in 10^16. Minus infinity at 0.
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&as241::CENTRAL_NUMERATOR, r) / polynomial(&as241::CENTRAL_DENOMINATOR, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = libm::sqrt(-libm::log(tail));
    let value = if r <= 5.0 {
        polynomial(&as241::MIDDLE_NUMERATOR, r - 1.6) / polynomial(&as241::MIDDLE_DENOMINATOR, r - 1.6)
    } else {
        polynomial(&as241::FAR_NUMERATOR, r - 5.0) / polynomial(&as241::FAR_DENOMINATOR, r - 5.0)
    };
    if q < 0.0 { -value } else { value }
}

/// Horner's rule.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// The published coefficients, from the highest power down, digit for digit.
mod as241 {
    #![expect(clippy::excessive_precision, reason = "as published, so that they can be compared")]

    pub(super) const CENTRAL_NUMERATOR: [f64; 8] = [
        2.509_080_928_730_122_672_7e3,
        3.343_057_558_358_812_810_5e4,
        6.726_577_092_700_870_085_3e4,
        4.592_195_393_154_987_145_7e4,
        1.373_169_376_550_946_112_5e4,
        1.971_590_950_306_551_442_7e3,
        1.331_416_678_917_843_774_5e2,
        3.387_132_872_796_366_608,
    ];
    pub(super) const CENTRAL_DENOMINATOR: [f64; 8] = [
        5.226_495_278_852_854_561e3,
        2.872_908_573_572_194_267_4e4,
        3.930_789_580_009_271_061e4,
        2.121_379_430_158_659_586_7e4,
        5.394_196_021_424_751_107_7e3,
        6.871_870_074_920_579_083e2,
        4.231_333_070_160_091_125_2e1,
        1.0,
    ];
    pub(super) const MIDDLE_NUMERATOR: [f64; 8] = [
        7.745_450_142_783_414_076_4e-4,
        2.272_384_498_926_918_458_7e-2,
        2.417_807_251_774_506_117_7e-1,
        1.270_458_252_452_368_382_6,
        3.647_848_324_763_204_605_04,
        5.769_497_221_460_691_405_5,
        4.630_337_846_156_545_295_9,
        1.423_437_110_749_683_577_34,
    ];
    pub(super) const MIDDLE_DENOMINATOR: [f64; 8] = [
        1.050_750_071_644_416_843_24e-9,
        5.475_938_084_995_344_946e-4,
        1.519_866_656_361_645_719_66e-2,
        1.481_039_764_274_800_745_9e-1,
        6.897_673_349_851_000_045_5e-1,
        1.676_384_830_183_803_849_4,
        2.053_191_626_637_758_821_87,
        1.0,
    ];
    pub(super) const FAR_NUMERATOR: [f64; 8] = [
        2.010_334_399_292_288_132_65e-7,
        2.711_555_568_743_487_578_15e-5,
        1.242_660_947_388_078_438_6e-3,
        2.653_218_952_657_612_309_3e-2,
        2.965_605_718_285_048_912_3e-1,
        1.784_826_539_917_291_335_8,
        5.463_784_911_164_114_369_9,
        6.657_904_643_501_103_777_2,
    ];
    pub(super) const FAR_DENOMINATOR: [f64; 8] = [
        2.044_263_103_389_939_785_64e-15,
        1.421_511_758_316_445_888_7e-7,
        1.846_318_317_510_054_681_8e-5,
        7.868_691_311_456_132_591e-4,
        1.487_536_129_085_061_485_25e-2,
        1.369_298_809_227_358_053_1e-1,
        5.998_322_065_558_879_376_9e-1,
        1.0,
    ];
}

#[cfg(test)]
mod tests {
    use super::{Delay, normal_quantile};

    #[test]
    fn known_quantiles_of_the_normal_distribution() {
        // Values of the standard normal table to 15 digits.
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.025, -1.959_963_984_540_054),
            (0.841_344_746_068_542_9, 1.0),
            (1e-10, -6.361_340_902_404_056),
            (0.999, 3.090_232_306_167_813_5),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-12, "{p}: {}", normal_quantile(p));
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn delays_are_whole_microseconds_within_their_bounds() {
        assert_eq!(Delay::Constant(1.5).at(0.9), 1_500);
        assert_eq!(Delay::Uniform { min: 100.0, max: 3000.0 }.at(0.0), 100_000);
        assert_eq!(Delay::Uniform { min: 100.0, max: 3000.0 }.at(0.5), 1_550_000);
        let normal = Delay::Normal { mean: 10.0, std_dev: 100.0, max: 50.0 };
        assert_eq!((normal.at(0.0), normal.at(0.5), normal.at(0.999)), (0, 10_000, 50_000));
        let pareto = Delay::Pareto { scale: 10.0, shape: 2.0, max: 1000.0 };
        assert_eq!((pareto.at(0.0), pareto.at(0.75), pareto.at(1.0 - f64::EPSILON)), (10_000, 20_000, 1_000_000));
    }

    #[test]
    fn percentiles_are_linear_from_an_implicit_zero() {
        let points = Delay::Percentiles(vec![(50.0, 80.0), (99.0, 900.0), (100.0, 2000.0)]);
        assert_eq!(points.at(0.0), 0);
        assert_eq!(points.at(0.25), 40_000);
        assert_eq!(points.at(0.5), 80_000);
        assert_eq!(points.at(0.995), 1_450_000);
        let from_ten = Delay::Percentiles(vec![(0.0, 10.0), (100.0, 20.0)]);
        assert_eq!((from_ten.at(0.0), from_ten.at(0.5)), (10_000, 15_000));
    }
}
