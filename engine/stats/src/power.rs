//! What a comparison of rates can detect: power, sample size, and the smallest detectable change.
//!
//! Normal approximations for a two-sided test at level `alpha`, of which only the tail on the side of the
//! change counts (as R's `power.prop.test` does unless `strict`). A change that no data of the size asked for
//! would show is `None`, not 1.

use crate::invalid::Invalid;
use crate::special::{norm_cdf, norm_quantile};

/// Halvings of the interval that holds the answer; after these it has no f64 between its ends.
const HALVINGS: u32 = 1100;

/// The probability that a two-sided test at level `alpha` tells the rates p1 and p2 apart, n trials each.
///
/// Φ((√n|p₁-p₂| - z√((p₁+p₂)(1-(p₁+p₂)/2))) / √(p₁(1-p₁)+p₂(1-p₂))), z = Φ⁻¹(1-α/2). R `power.prop.test(n,
/// p1, p2, sig.level)`. [`Invalid`] unless n is finite and at least 0, rates lie in \[0, 1\] and alpha strictly
/// between 0 and 1.
pub fn power(n: f64, p1: f64, p2: f64, alpha: f64) -> Result<f64, Invalid> {
    if !(n.is_finite() && n >= 0.0) {
        return Err(Invalid::new("n", "a finite number of at least 0", n));
    }
    check_rate("p1", p1)?;
    check_rate("p2", p2)?;
    let z = critical(alpha)?;
    let excess = n.sqrt() * (p1 - p2).abs() - z * null_spread(p1, p2);
    let spread = spread(p1, p2);
    if spread > 0.0 {
        return norm_cdf(excess / spread);
    }
    // Certain outcomes on both sides: the test decides one way or the other, or sees no difference.
    Ok(match p1 == p2 {
        true => 0.5 * alpha,
        false if excess >= 0.0 => 1.0,
        false => 0.0,
    })
}

/// The trials each of two groups needs to tell p1 and p2 apart with probability `power`; not rounded up.
///
/// ((z_{α/2}√((p₁+p₂)(1-(p₁+p₂)/2)) + z_β√(p₁(1-p₁)+p₂(1-p₂))) / |p₁-p₂|)², the n at which [`power`] is
/// `power`. R `power.prop.test(p1, p2, power, sig.level)`, which looks no lower than n = 2. Equal rates: `None`.
/// [`Invalid`] unless rates lie in \[0, 1\] and 0 < alpha < power < 1.
pub fn sample_size(p1: f64, p2: f64, power: f64, alpha: f64) -> Result<Option<f64>, Invalid> {
    check_rate("p1", p1)?;
    check_rate("p2", p2)?;
    let z = critical(alpha)?;
    let z_power = reached(power, alpha)?;
    let needed = z * null_spread(p1, p2) + z_power * spread(p1, p2);
    let n = (needed / (p1 - p2).abs()).powi(2);
    Ok(Some(n).filter(|n| n.is_finite()))
}

/// The smallest change from a base rate that can be detected, in points of the rate (0.05 is five per cent).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mde {
    /// How far the rate must fall below the base. `None` if not even a fall to 0 would be detected.
    pub drop: Option<f64>,
    /// How far the rate must rise above the base. `None` if not even a rise to 1 would be detected.
    pub rise: Option<f64>,
}

/// The smallest difference from `p0` that two groups of n trials each tell apart with probability `power`.
///
/// [`power`] solved for the second rate by bisection. `p0 + rise` is R's `power.prop.test(n, p1 = p0, power,
/// sig.level)$p2`; R does not look below p0. [`Invalid`] unless p0 lies in \[0, 1\] and 0 < alpha < power < 1.
pub fn mde(n: u64, p0: f64, power: f64, alpha: f64) -> Result<Mde, Invalid> {
    check_rate("p0", p0)?;
    let (z, z_power) = (critical(alpha)?, reached(power, alpha)?);
    let root = (n as f64).sqrt();
    let margin = |p: f64| root * (p - p0).abs() - z * null_spread(p0, p) - z_power * spread(p0, p);
    Ok(Mde {
        drop: smallest_change(p0, |change| margin(p0 - change)),
        rise: smallest_change(1.0 - p0, |change| margin(p0 + change)),
    })
}

/// The smallest difference from a known rate `target` that n trials show with probability `power`.
///
/// One sample against a fixed value: √n|p-t| = z_{α/2}√(t(1-t)) + z_β√(p(1-p)) (Fleiss, Levin & Paik 2003, eq.
/// 2.22). The comparison of one unit with a network much larger than it; half the trials of [`mde`], or fewer,
/// show the same. [`Invalid`] as in [`mde`].
pub fn mde_from_target(n: u64, target: f64, power: f64, alpha: f64) -> Result<Mde, Invalid> {
    check_rate("target", target)?;
    let (z, z_power) = (critical(alpha)?, reached(power, alpha)?);
    let root = (n as f64).sqrt();
    let deviation = |p: f64| (p * (1.0 - p)).max(0.0).sqrt();
    let margin =
        |p: f64| root * (p - target).abs() - z * deviation(target) - z_power * deviation(p);
    Ok(Mde {
        drop: smallest_change(target, |change| margin(target - change)),
        rise: smallest_change(1.0 - target, |change| margin(target + change)),
    })
}

/// The least change in (0, `most`] with `margin` >= 0, for a margin that is negative before it and not after.
pub(crate) fn smallest_change(most: f64, margin: impl Fn(f64) -> f64) -> Option<f64> {
    if most <= 0.0 || margin(most) < 0.0 {
        return None;
    }
    let (mut too_small, mut enough) = (0.0, most);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (too_small + enough);
        if middle <= too_small || middle >= enough {
            break;
        }
        if margin(middle) < 0.0 {
            too_small = middle;
        } else {
            enough = middle;
        }
    }
    Some(enough)
}

/// z with Φ(-z) = α/2.
pub(crate) fn critical(alpha: f64) -> Result<f64, Invalid> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(Invalid::new(
            "alpha",
            "a number strictly between 0 and 1",
            alpha,
        ));
    }
    norm_quantile(0.5 * alpha).map(|z| -z)
}

/// z with Φ(z) = power.
pub(crate) fn reached(power: f64, alpha: f64) -> Result<f64, Invalid> {
    if !(power > alpha && power < 1.0) {
        return Err(Invalid::new(
            "power",
            "a number above alpha and below 1",
            power,
        ));
    }
    norm_quantile(power)
}

fn check_rate(name: &'static str, rate: f64) -> Result<(), Invalid> {
    if (0.0..=1.0).contains(&rate) {
        return Ok(());
    }
    Err(Invalid::new(name, "a number from 0 to 1", rate))
}

/// √n times the standard error of the difference if both rates are their mean.
fn null_spread(p1: f64, p2: f64) -> f64 {
    let sum = p1 + p2;
    (sum * (1.0 - 0.5 * sum)).max(0.0).sqrt()
}

/// √n times the standard error of the difference.
fn spread(p1: f64, p2: f64) -> f64 {
    (p1 * (1.0 - p1) + p2 * (1.0 - p2)).max(0.0).sqrt()
}
