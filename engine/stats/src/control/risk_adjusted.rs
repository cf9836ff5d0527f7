//! The risk-adjusted cusum: successes summed up against what was to be expected of each case.

use super::check_from;
use crate::estimate::Status;
use crate::invalid::Invalid;

/// The chart.
#[derive(Debug, Clone, PartialEq)]
pub struct RaCusum {
    /// One per case.
    pub points: Vec<RaCusumPoint>,
    /// Index of the first signal.
    pub first_signal: Option<usize>,
    /// `no_data` without cases.
    pub status: Status,
}

/// The chart at one case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RaCusumPoint {
    /// The case's log-likelihood ratio of changed odds against the expected ones.
    pub score: f64,
    /// Sum of the scores, never below 0.
    pub sum: f64,
    /// Whether the sum has reached the limit.
    pub signal: bool,
}

/// Watches for odds that are `odds_ratio` times the expected: below 1 for a drop of y, above for a rise.
///
/// Per case with outcome y and expected probability p: W = y ln R - ln(1 - p + R p), sum = max(0, sum before + W)
/// (Steiner, Cook, Farewell & Treasure 2000, Biostatistics 1:441, eq. 2.2-2.3, with R₀ = 1). A signal is sum >= `h`, as
/// there; without `h` there are none. h has to be chosen by simulation for the false alarms one can bear (4.5 in
/// the article). The authors and R's `cusum` draw the chart for a drop downwards. [`Invalid`]: lengths that
/// differ, p outside \[0, 1\], an odds ratio or an h that is not above 0 and up to 1e100.
pub fn ra_cusum(
    y: &[bool],
    p: &[f64],
    odds_ratio: f64,
    h: Option<f64>,
) -> Result<RaCusum, Invalid> {
    if y.len() != p.len() {
        return Err(Invalid::new("p", "one entry per entry of y", p.len()));
    }
    if let Some(bad) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(Invalid::new("p", "probabilities between 0 and 1", bad));
    }
    let positive = "a finite number above 0";
    check_from("odds_ratio", odds_ratio, f64::MIN_POSITIVE, positive)?;
    if let Some(h) = h {
        check_from("h", h, f64::MIN_POSITIVE, positive)?;
    }
    let mut sum: f64 = 0.0;
    let mut points = Vec::with_capacity(y.len());
    for (success, p) in y.iter().zip(p) {
        let score = score(*success, *p, odds_ratio);
        sum = (sum + score).max(0.0);
        points.push(RaCusumPoint {
            score,
            sum,
            signal: h.is_some_and(|h| sum >= h),
        });
    }
    Ok(RaCusum {
        first_signal: points.iter().position(|point| point.signal),
        status: if points.is_empty() {
            Status::NoData
        } else {
            Status::Ok
        },
        points,
    })
}

/// ln(R^y / (1 - p + R p)), without cancelling for small p or R near 1.
fn score(success: bool, p: f64, odds_ratio: f64) -> f64 {
    let shift = p * (odds_ratio - 1.0);
    let log_normaliser = if shift.abs() < 0.5 {
        shift.ln_1p()
    } else {
        ((1.0 - p) + odds_ratio * p).ln()
    };
    if success {
        odds_ratio.ln() - log_normaliser
    } else {
        -log_normaliser
    }
}
