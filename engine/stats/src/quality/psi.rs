//! Population stability index: has the distribution of a score moved, by more than chance moves it.

use super::bins::{check_bins, cut_at, quantiles};
use super::scored::Scored;
use crate::compensated::sum_unordered;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::{chi2_sf, chi2_upper_quantile};

/// The index, and what it would reach by chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Psi {
    /// The index, 0 (the same shares) or more. `None` when `no_data` or `infeasible`.
    pub value: Option<f64>,
    /// What chance exceeds with probability `alpha`. `None` where `value` is, with fewer than two bins, or when a
    /// count is not whole: shares don't say how many rows they rest on.
    pub critical: Option<f64>,
    /// P(an index at least this large by chance). Present exactly when `critical` is.
    pub p: Option<f64>,
    /// Whether `value` exceeds `critical`. Present exactly when `critical` is.
    pub verdict: Option<Drift>,
    /// `no_data`: a side without rows. `infeasible`: a bin is empty on one side only, where the index is infinite
    /// unless smoothed.
    pub status: Status,
}

/// What the index says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drift {
    /// Chance explains the index.
    Stable,
    /// The index exceeds its critical value.
    Drifted,
}

impl Drift {
    /// The verdict as SQL spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Drifted => "drifted",
        }
    }
}

/// Rows of two sets of scores in the same bins, ready for [`psi`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreCounts {
    /// Inner edges, strictly ascending; a bin is open below and closed above, the outer ones reach to infinity.
    pub edges: Vec<f64>,
    /// Rows of the reference per bin.
    pub expected: Vec<f64>,
    /// Rows of the other set per bin.
    pub actual: Vec<f64>,
}

/// Σ (aᵢ-eᵢ) ln(aᵢ/eᵢ) over the shares eᵢ of `expected` and aᵢ of `actual`, after adding `smoothing` (0 or ½ by
/// habit) to every count (Siddiqi 2006, "Credit Risk Scorecards"; Jeffreys' divergence).
///
/// Without drift PSI ~ (1/N + 1/M) χ²(B-1), N and M rows on either side in B bins that have any (Yurdakul 2018,
/// Western Michigan University diss. 3208, ch. 3), so `critical` shrinks with the rows, where the folk limits .1 and
/// .25 don't. [`Invalid`] when lengths differ, a count is negative or not finite, `smoothing` is negative or above
/// 1e6, or `alpha` is not strictly between 0 and 1.
pub fn psi(expected: &[f64], actual: &[f64], smoothing: f64, alpha: f64) -> Result<Psi, Invalid> {
    check(expected, actual, smoothing)?;
    check_alpha(alpha)?;
    let mut result = Psi {
        value: None,
        critical: None,
        p: None,
        verdict: None,
        status: Status::NoData,
    };
    let (n, m) = (total(expected), total(actual));
    if n == 0.0 || m == 0.0 {
        return Ok(result);
    }
    let bins = || expected.iter().zip(actual);
    let spread = smoothing * expected.len() as f64;
    let terms = bins().map(|(e, a)| {
        let (e, a) = (e + smoothing, a + smoothing);
        term(e / (n + spread), a / (m + spread))
    });
    let value = sum_unordered(terms);
    if !value.is_finite() {
        result.status = Status::Infeasible;
        return Ok(result);
    }
    result.value = Some(value);
    result.status = Status::Ok;
    let whole = bins().all(|(e, a)| e.fract() == 0.0 && a.fract() == 0.0);
    let used = bins().filter(|(e, a)| **e > 0.0 || **a > 0.0).count();
    if whole && used >= 2 {
        let critical = psi_critical(used, n, m, alpha)?;
        let chi2 = value / (1.0 / n + 1.0 / m);
        result.critical = Some(critical);
        result.p = Some(chi2_sf(chi2, used as f64 - 1.0)?);
        result.verdict = Some(if value > critical {
            Drift::Drifted
        } else {
            Drift::Stable
        });
    }
    Ok(result)
}

/// What the index over `bins` bins of `n_expected` and `n_actual` rows exceeds by chance with probability `alpha`:
/// (1/N + 1/M) times the upper quantile of χ²(bins-1). [`Invalid`] below two bins or one row, or when `alpha` is not
/// strictly between 0 and 1.
pub fn psi_critical(
    bins: usize,
    n_expected: f64,
    n_actual: f64,
    alpha: f64,
) -> Result<f64, Invalid> {
    check_alpha(alpha)?;
    if !(2..=1_000_000_000).contains(&bins) {
        return Err(Invalid::new("bins", "a number from 2 to 1e9", bins));
    }
    for (name, n) in [("n_expected", n_expected), ("n_actual", n_actual)] {
        if !(n.is_finite() && n >= 1.0) {
            return Err(Invalid::new(name, "a finite number of at least 1", n));
        }
    }
    Ok((1.0 / n_expected + 1.0 / n_actual) * chi2_upper_quantile(alpha, bins as f64 - 1.0)?)
}

/// Counts two sets of scores in `bins` bins whose edges are quantiles of `expected` (R's type 7). Scores that repeat
/// leave fewer bins. No bins if `expected` has no rows; [`Invalid`] when `bins` is outside 1..=10000.
pub fn score_counts(
    expected: &Scored,
    actual: &Scored,
    bins: usize,
) -> Result<ScoreCounts, Invalid> {
    check_bins(bins)?;
    let mut edges = quantiles(expected.runs(), bins);
    edges.dedup();
    if edges.len() == 1 {
        // All scores are one: it is both edges of the only bin.
        edges.push(edges[0]);
    }
    let bins = edges.len().saturating_sub(1);
    let counts = |scored: &Scored| {
        let mut counts = vec![0.0; bins];
        for bin in cut_at(scored.runs(), &edges) {
            counts[bin.index] = bin.n() as f64;
        }
        counts
    };
    let (expected, actual) = (counts(expected), counts(actual));
    let edges = edges.get(1..bins).unwrap_or(&[]).to_vec();
    Ok(ScoreCounts {
        edges,
        expected,
        actual,
    })
}

fn check(expected: &[f64], actual: &[f64], smoothing: f64) -> Result<(), Invalid> {
    if actual.len() != expected.len() {
        return Err(Invalid::new(
            "actual",
            "one entry per entry of expected",
            actual.len(),
        ));
    }
    for (name, counts) in [("expected", expected), ("actual", actual)] {
        // Far above any count, and far below where a sum of counts overflows.
        if let Some(bad) = counts.iter().find(|count| !(0.0..=1e200).contains(*count)) {
            return Err(Invalid::new(name, "counts from 0 to 1e200", bad));
        }
    }
    if !(0.0..=1e6).contains(&smoothing) {
        return Err(Invalid::new(
            "smoothing",
            "a number from 0 to 1e6",
            smoothing,
        ));
    }
    Ok(())
}

fn check_alpha(alpha: f64) -> Result<(), Invalid> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(Invalid::new(
            "alpha",
            "a number strictly between 0 and 1",
            alpha,
        ));
    }
    Ok(())
}

fn total(counts: &[f64]) -> f64 {
    sum_unordered(counts.to_vec())
}

/// (a-e) ln(a/e) >= 0; infinite where one of the two is 0.
fn term(e: f64, a: f64) -> f64 {
    if e == a {
        return 0.0;
    }
    let ratio = a / e;
    let ln = if (0.5..2.0).contains(&ratio) {
        ((a - e) / e).ln_1p()
    } else {
        a.ln() - e.ln()
    };
    (a - e) * ln
}
