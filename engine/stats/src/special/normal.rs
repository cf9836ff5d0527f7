//! The standard normal distribution, accurate relative to its small tail.

use crate::invalid::Invalid;

/// 1 / √(2π).
const INV_SQRT_TAU: f64 = 0.398_942_280_401_432_7;
/// Within this distance of 0 the power series is used, beyond it the continued fraction.
const SERIES_UP_TO: f64 = 1.0;
/// Beyond this distance the tail is below the smallest positive f64.
const UNDERFLOW_AT: f64 = 38.6;

/// Φ(x). ±∞ give 1 and 0; NaN is [`Invalid`].
///
/// |x| <= 1: Φ = ½ + φ(x) Σ x^(2k+1)/(2k+1)!! (Abramowitz & Stegun 1964, 26.2.11). Beyond: the tail
/// φ(x) · 1/(x + 1/(x + 2/(x + 3/(x + …)))) (A&S 26.2.14), so Φ(-38) still has its digits.
pub fn norm_cdf(x: f64) -> Result<f64, Invalid> {
    if x.is_nan() {
        return Err(Invalid::new("x", "a number", x));
    }
    Ok(if x < -SERIES_UP_TO {
        upper_tail(-x)
    } else if x > SERIES_UP_TO {
        1.0 - upper_tail(x)
    } else {
        0.5 + centre(x)
    })
}

/// Φ(x) - ½ near 0.
fn centre(x: f64) -> f64 {
    let x2 = x * x;
    let mut term = x;
    let mut sum = x;
    // At |x| = 1 the terms fall below 1e-17 of the sum after 15 steps.
    for k in 1..=20 {
        term *= x2 / f64::from(2 * k + 1);
        sum += term;
    }
    density(x) * sum
}

/// 1 - Φ(x) for x > 1.
fn upper_tail(x: f64) -> f64 {
    if x > UNDERFLOW_AT {
        return 0.0;
    }
    // Measured: (14/x)² levels suffice near 1, a dozen far out. This is at most 420.
    let levels = (20.0 / x).powi(2).ceil() as u32 + 20;
    let fraction = (1..=levels)
        .rev()
        .fold(x, |below, k| x + f64::from(k) / below);
    density(x) / fraction
}

/// φ(x). The square is split so that its rounding is not magnified by the exponential (Cody 1969).
fn density(x: f64) -> f64 {
    let coarse = (x * 16.0).trunc() / 16.0;
    let rest = (x - coarse) * (x + coarse);
    INV_SQRT_TAU * (-0.5 * coarse * coarse).exp() * (-0.5 * rest).exp()
}

/// Φ⁻¹(p) for 0 < p < 1; anything else is [`Invalid`], since the quantiles of 0 and 1 are infinite.
///
/// Wichura (1988), "Algorithm AS 241: The percentage points of the normal distribution", Applied
/// Statistics 37:477-484, routine PPND16: relative accuracy about 1e-16.
pub fn norm_quantile(p: f64) -> Result<f64, Invalid> {
    if !(p > 0.0 && p < 1.0) {
        return Err(Invalid::new("p", "a number strictly between 0 and 1", p));
    }
    Ok(quantile_of_tails(p, 1.0 - p))
}

/// The z with Φ(-z) = (1-conf)/2: how many standard errors a two-sided interval reaches.
pub(crate) fn two_sided_z(conf: f64) -> Result<f64, Invalid> {
    if !(conf > 0.0 && conf < 1.0) {
        return Err(Invalid::new(
            "conf",
            "a number strictly between 0 and 1",
            conf,
        ));
    }
    let tail = 0.5 * (1.0 - conf);
    Ok(-quantile_of_tails(tail, 1.0 - tail))
}

/// Φ⁻¹ of a lower tail p whose complement q is given with its own digits.
pub(super) fn quantile_of_tails(p: f64, q: f64) -> f64 {
    let from_centre = if p < 0.5 { p - 0.5 } else { 0.5 - q };
    if from_centre.abs() <= 0.425 {
        let r = 0.180_625 - from_centre * from_centre;
        return from_centre * polynomial(&CENTRE_NUM, r) / polynomial(&CENTRE_DEN, r);
    }
    let r = (-p.min(q).ln()).sqrt();
    let size = if r <= 5.0 {
        polynomial(&MIDDLE_NUM, r - 1.6) / polynomial(&MIDDLE_DEN, r - 1.6)
    } else {
        polynomial(&FAR_NUM, r - 5.0) / polynomial(&FAR_DEN, r - 5.0)
    };
    size.copysign(from_centre)
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

const CENTRE_NUM: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_DEN: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const MIDDLE_NUM: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_DEN: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_NUM: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_DEN: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];
