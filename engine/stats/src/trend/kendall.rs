//! The Mann-Kendall test: do later values tend to be larger?

use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::norm_cdf;

/// The test. `z` and `p` are present from two values on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// Pairs that rise less pairs that fall; beyond 2⁵³ only nearly exact. `None` without values.
    pub s: Option<f64>,
    /// S, less 1 towards 0, in its standard deviations; 0 if S is 0.
    pub z: Option<f64>,
    /// Two-sided P value of `z`.
    pub p: Option<f64>,
    /// Kendall's τ_b of value against time, -1 to 1; `None` when all values are equal.
    pub tau: Option<f64>,
    /// Values.
    pub n: u64,
    /// `no_data` without values; `small_n` for a single one.
    pub status: Status,
}

/// Tests `y`, in time order, for a monotone trend.
///
/// S = Σ_{i<j} sgn(yⱼ - yᵢ); var S = (n(n-1)(2n+5) - Σ t(t-1)(2t+5))/18 over groups of t equal values;
/// z = (S - sgn S)/√var (Mann 1945, Econometrica 13:245; Kendall 1975; Gilbert 1987, sec. 16.4). τ_b =
/// S/√((n₀ - n₁)n₀) with n₀ = n(n-1)/2 pairs, n₁ of them tied. The numbers of R's `trend::mk.test`; R's `Kendall` takes
/// an exact P for short series without ties, and pymannkendall's τ ignores ties. [`Invalid`]: NaN or infinity.
pub fn mann_kendall(y: &[f64]) -> Result<MannKendall, Invalid> {
    if let Some(bad) = y.iter().find(|v| !v.is_finite()) {
        return Err(Invalid::new("y", "finite numbers", bad));
    }
    let n = y.len() as f64;
    let mut sorted: Vec<f64> = y.iter().map(|v| v + 0.0).collect();
    let inversions = sort_counting(&mut sorted);
    let ties: Vec<f64> = sorted
        .chunk_by(|a, b| a == b)
        .map(|c| c.len() as f64)
        .collect();
    let pairs = 0.5 * n * (n - 1.0);
    let tied: f64 = ties.iter().map(|t| 0.5 * t * (t - 1.0)).sum();
    let s = pairs - tied - 2.0 * inversions as f64;
    let variance = (variance_term(n) - ties.iter().map(|t| variance_term(*t)).sum::<f64>()) / 18.0;
    let z = if s == 0.0 || variance <= 0.0 {
        0.0
    } else {
        (s - s.signum()) / variance.sqrt()
    };
    let tested = y.len() > 1;
    Ok(MannKendall {
        s: (!y.is_empty()).then_some(s),
        z: tested.then_some(z),
        p: tested.then(|| (2.0 * norm_cdf(-z.abs()).unwrap_or(0.5)).min(1.0)),
        tau: (tested && tied < pairs)
            .then(|| (s / (pairs * (pairs - tied)).sqrt()).clamp(-1.0, 1.0)),
        n: y.len() as u64,
        status: match y.len() {
            0 => Status::NoData,
            1 => Status::SmallN,
            _ => Status::Ok,
        },
    })
}

fn variance_term(t: f64) -> f64 {
    t * (t - 1.0) * (2.0 * t + 5.0)
}

/// Sorts ascending by merging, and counts the pairs that were in falling order.
pub(super) fn sort_counting(values: &mut [f64]) -> u64 {
    let n = values.len();
    let mut buffer = values.to_vec();
    let mut inversions = 0;
    let mut width = 1;
    while width < n {
        for from in (0..n).step_by(2 * width) {
            let (middle, to) = ((from + width).min(n), (from + 2 * width).min(n));
            inversions += merge(
                &values[from..middle],
                &values[middle..to],
                &mut buffer[from..to],
            );
        }
        values.copy_from_slice(&buffer);
        width *= 2;
    }
    inversions
}

fn merge(left: &[f64], right: &[f64], out: &mut [f64]) -> u64 {
    let (mut l, mut r, mut inversions) = (0, 0, 0);
    for place in out {
        let from_left = r == right.len() || l < left.len() && left[l] <= right[r];
        if from_left {
            *place = left[l];
            l += 1;
        } else {
            *place = right[r];
            r += 1;
            inversions += (left.len() - l) as u64;
        }
    }
    inversions
}
