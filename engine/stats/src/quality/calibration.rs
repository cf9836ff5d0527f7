//! Do probabilities come true: the reliability table, and two summaries of it.

use super::bins::{Bin, Binning, check_bins, cut};
use super::scored::Scored;
use crate::compensated::sum;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::rate::{Method, rate_interval};
use crate::special::{chi2_sf, two_sided_z};

/// One row of the reliability table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Number of the bin, counted from 0 over all bins; bins without rows are left out.
    pub bin: usize,
    /// Lower edge, outside the bin unless it is the lowest.
    pub from: f64,
    /// Upper edge, inside the bin.
    pub to: f64,
    /// Rows.
    pub n: u64,
    /// Rows labelled true.
    pub positives: u64,
    /// Mean score.
    pub mean_score: f64,
    /// Share of positives.
    pub rate: f64,
    /// Lower end of Wilson's interval of the rate.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

/// Expected calibration error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationError {
    /// Mean distance between score and rate of the bins, weighted by rows, 0 to 1. `None` without rows.
    pub value: Option<f64>,
    /// The largest distance of a bin ("maximum calibration error").
    pub largest: Option<f64>,
    /// Bins that have rows.
    pub bins: usize,
    /// Rows.
    pub n: u64,
    /// `no_data`: no rows.
    pub status: Status,
}

/// The test of Hosmer and Lemeshow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HosmerLemeshow {
    /// Σ(observed-expected)²/expected over bins and both classes. `None` unless `ok`.
    pub chi2: Option<f64>,
    /// Bins with rows, less two. `None` unless `ok`.
    pub df: Option<u64>,
    /// P(χ² with `df` > `chi2`). `None` unless `ok`.
    pub p: Option<f64>,
    /// Rows.
    pub n: u64,
    /// `no_data`: no rows. `small_n`: fewer than three bins have rows. `infeasible`: a bin whose scores are all 0
    /// has positives, or one whose scores are all 1 has negatives.
    pub status: Status,
}

/// The reliability table with Wilson's interval at confidence `conf`; empty without rows.
///
/// Murphy & Winkler (1977) Appl Stat 26:41. [`Invalid`] when a score is not a probability, `bins` is outside
/// 1..=10000, or `conf` is not strictly between 0 and 1.
pub fn calibration(
    scored: &Scored,
    bins: usize,
    binning: Binning,
    conf: f64,
) -> Result<Vec<CalibrationBin>, Invalid> {
    check_bins(bins)?;
    two_sided_z(conf)?;
    let row = |bin: Bin<'_>| {
        let (n, positives) = (bin.n(), bin.positives());
        let rate = rate_interval(positives, n, conf, Method::Wilson)?;
        let value = positives as f64 / n as f64;
        Ok(CalibrationBin {
            bin: bin.index,
            from: bin.from,
            to: bin.to,
            n,
            positives,
            mean_score: bin.score_sum() / n as f64,
            rate: value,
            lo: rate.lo.unwrap_or(value),
            hi: rate.hi.unwrap_or(value),
        })
    };
    cut(scored.probabilities()?, bins, binning)
        .into_iter()
        .map(row)
        .collect()
}

/// Expected calibration error Σ (n_b/n) |rate_b - mean score_b| (Naeini, Cooper & Hauskrecht 2015, AAAI; Guo et al.
/// 2017, ICML, sec. 2). It shrinks with fewer bins and grows with fewer rows, so compare like with like. [`Invalid`]
/// as in [`calibration`].
pub fn ece(scored: &Scored, bins: usize, binning: Binning) -> Result<CalibrationError, Invalid> {
    check_bins(bins)?;
    let bins = cut(scored.probabilities()?, bins, binning);
    let n = scored.n();
    let gaps: Vec<(f64, f64)> = bins
        .iter()
        .map(|bin| {
            let gap = (bin.positives() as f64 - bin.score_sum()).abs();
            (gap, gap / bin.n() as f64)
        })
        .collect();
    let some = |value: f64| (n > 0).then_some(value);
    Ok(CalibrationError {
        value: some(sum(gaps.iter().map(|gap| gap.0)) / n as f64),
        largest: some(gaps.iter().map(|gap| gap.1).fold(0.0, f64::max)),
        bins: gaps.len(),
        n,
        status: some(0.0).map_or(Status::NoData, |_| Status::Ok),
    })
}

/// Hosmer & Lemeshow (1980) Commun Stat A 9:1043, over `bins` bins (10 quantile bins by habit), with two degrees of
/// freedom less than bins that have rows: right for scores fitted to these rows. With quantile bins it is R's
/// `ResourceSelection::hoslem.test`. [`Invalid`] as in
/// [`calibration`].
pub fn hosmer_lemeshow(
    scored: &Scored,
    bins: usize,
    binning: Binning,
) -> Result<HosmerLemeshow, Invalid> {
    check_bins(bins)?;
    let bins = cut(scored.probabilities()?, bins, binning);
    let absent = |status| HosmerLemeshow {
        chi2: None,
        df: None,
        p: None,
        n: scored.n(),
        status,
    };
    if bins.len() < 3 {
        let status = if bins.is_empty() {
            Status::NoData
        } else {
            Status::SmallN
        };
        return Ok(absent(status));
    }
    let chi2 = sum(bins.iter().flat_map(|bin| {
        let expected = bin.score_sum();
        let expected_negatives = bin_failures(bin);
        let observed = bin.positives() as f64;
        let square = (observed - expected).powi(2);
        [expected, expected_negatives].map(|e| if square == 0.0 { 0.0 } else { square / e })
    }));
    if !chi2.is_finite() {
        return Ok(absent(Status::Infeasible));
    }
    let df = bins.len() as u64 - 2;
    Ok(HosmerLemeshow {
        chi2: Some(chi2),
        df: Some(df),
        p: Some(chi2_sf(chi2, df as f64)?),
        n: scored.n(),
        status: Status::Ok,
    })
}

/// Expected negatives, with their own digits where all scores are near 1.
fn bin_failures(bin: &Bin<'_>) -> f64 {
    sum(bin
        .runs
        .iter()
        .map(|run| (1.0 - run.score) * run.n() as f64))
}
