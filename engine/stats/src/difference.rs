//! The difference of two conversion rates with its test.

use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::rate::rate_difference;
use crate::special::norm_cdf;

/// The difference of two rates, its interval and its p value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateDifference {
    /// x1/n1 - x2/n2. `None` without trials on one side.
    pub diff: Option<f64>,
    /// Lower end of Newcombe's interval.
    pub lo: Option<f64>,
    /// Upper end of Newcombe's interval.
    pub hi: Option<f64>,
    /// The difference in standard errors under equal rates; positive when the first rate is higher.
    pub z: Option<f64>,
    /// Two-sided p value of equal rates, 2Φ(-|z|).
    pub p: Option<f64>,
    /// Trials of both sides.
    pub n: u64,
    /// `ok` or `no_data`.
    pub status: Status,
}

/// [`rate_difference`] with the score test of equal rates.
///
/// z = (p₁-p₂) / √(p̄(1-p̄)(1/n₁+1/n₂)) with the pooled rate p̄ = (x₁+x₂)/(n₁+n₂): Pearson's χ² is z². R
/// `prop.test(correct = FALSE)`, statsmodels `proportions_ztest`. The interval is Newcombe's and does not pool,
/// so near p = α the two may disagree. All trials of both sides alike: z = 0 and p = 1, where R has NaN.
/// [`Invalid`] as in [`rate_difference`].
pub fn rate_difference_test(
    x1: u64,
    n1: u64,
    x2: u64,
    n2: u64,
    conf: f64,
) -> Result<RateDifference, Invalid> {
    let estimate = rate_difference(x1, n1, x2, n2, conf)?;
    let z = estimate
        .value
        .map(|difference| score(difference, x1, n1, x2, n2));
    let p = z
        .map(|z| norm_cdf(-z.abs()))
        .transpose()?
        .map(|tail| (2.0 * tail).min(1.0));
    Ok(RateDifference {
        diff: estimate.value,
        lo: estimate.lo,
        hi: estimate.hi,
        z,
        p,
        n: estimate.n,
        status: estimate.status,
    })
}

fn score(difference: f64, x1: u64, n1: u64, x2: u64, n2: u64) -> f64 {
    let (n1, n2) = (n1 as f64, n2 as f64);
    let pooled = (x1 as f64 + x2 as f64) / (n1 + n2);
    let variance = pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2);
    if variance > 0.0 {
        difference / variance.sqrt()
    } else {
        0.0
    }
}
