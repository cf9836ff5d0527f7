//! Losses of probabilities: Brier score and log loss, and the paired difference of two Brier scores.

use super::paired::Paired;
use super::scored::{Run, Scored, check_rows};
use crate::compensated::{sum, sum_unordered};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::two_sided_z;

/// A mean loss; lower is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// Mean over the rows. `None` without rows.
    pub value: Option<f64>,
    /// Standard error of that mean; `None` below two rows.
    pub se: Option<f64>,
    /// Rows.
    pub n: u64,
    /// `no_data`: no rows.
    pub status: Status,
}

/// The difference of two mean losses on the same rows, first minus second: negative where the first is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossDifference {
    /// Mean difference. `None` without rows.
    pub diff: Option<f64>,
    /// Its standard error over the rows; `None` below two rows.
    pub se: Option<f64>,
    /// Lower end of the interval; present exactly when `se` is.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
    /// diff / se; 0 where both are 0; `None` where only `se` is.
    pub z: Option<f64>,
    /// Two-sided p value of `z` against no difference.
    pub p: Option<f64>,
    /// Rows.
    pub n: u64,
    /// `no_data`: no rows. `small_n`: one row, or a difference that is the same in every row.
    pub status: Status,
}

/// Brier score Σ(p-y)²/n (Brier 1950, Mon Weather Rev 78:1, for one class; scikit-learn's `brier_score_loss`).
/// [`Invalid`] when a score is not a probability.
pub fn brier(scored: &Scored) -> Result<Loss, Invalid> {
    mean_loss(scored, |p| (1.0 - p).powi(2), |p| p * p)
}

/// Log loss -Σ(y ln p + (1-y) ln(1-p))/n (Good 1952), with p cut to [ε, 1-ε], ε = 2⁻⁵²; scikit-learn's `log_loss`
/// does the same for f64. So one certain and wrong row costs 36.04, not infinity. [`Invalid`] when a score is not a
/// probability.
pub fn log_loss(scored: &Scored) -> Result<Loss, Invalid> {
    let cut = |p: f64| p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    mean_loss(scored, |p| -cut(p).ln(), |p| -(-cut(p)).ln_1p())
}

/// The paired difference of the Brier scores of two columns of probabilities, first minus second.
///
/// dᵢ = (p₁ᵢ-yᵢ)² - (p₂ᵢ-yᵢ)², diff = Σdᵢ/n, se = sd(d)/√n, diff ± z·se cut to [-1, 1]: the Diebold & Mariano (1995,
/// J Bus Econ Stat 13:253) comparison for independent rows. [`Invalid`] when lengths differ, an entry is not a
/// probability, or `conf` is not strictly between 0 and 1.
pub fn brier_diff(
    first: &[f64],
    second: &[f64],
    labels: &[bool],
    conf: f64,
) -> Result<LossDifference, Invalid> {
    let reach = two_sided_z(conf)?;
    for (name, scores) in [("first", first), ("second", second)] {
        check_rows(name, scores, labels)?;
        if let Some(bad) = scores.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(Invalid::new(name, "probabilities from 0 to 1", bad));
        }
    }
    let rows = first.iter().zip(second).zip(labels);
    let differences: Vec<f64> = rows
        .map(|((a, b), label)| {
            let y = f64::from(u8::from(*label));
            // (a-y)² - (b-y)², factored so that equal scores differ by exactly 0.
            (a - b) * ((a - y) + (b - y))
        })
        .collect();
    mean_difference(differences, reach)
}

fn mean_difference(differences: Vec<f64>, reach: f64) -> Result<LossDifference, Invalid> {
    let n = differences.len();
    let mut result = LossDifference {
        diff: None,
        se: None,
        lo: None,
        hi: None,
        z: None,
        p: None,
        n: n as u64,
        status: Status::NoData,
    };
    if n == 0 {
        return Ok(result);
    }
    let count = n as f64;
    let diff = sum_unordered(differences.clone()) / count;
    result.diff = Some(diff);
    result.status = Status::SmallN;
    if n < 2 {
        return Ok(result);
    }
    let squares: Vec<f64> = differences.iter().map(|d| (d - diff).powi(2)).collect();
    let se = (sum_unordered(squares) / (count - 1.0) / count).sqrt();
    let test = Paired::of(diff, se, reach)?;
    (result.se, result.lo, result.hi) = (Some(test.se), Some(test.lo), Some(test.hi));
    (result.z, result.p) = (test.z, test.p);
    result.status = test.status();
    Ok(result)
}

/// The mean of a loss that depends on a row's probability and label only.
fn mean_loss(
    scored: &Scored,
    of_positive: impl Fn(f64) -> f64,
    of_negative: impl Fn(f64) -> f64,
) -> Result<Loss, Invalid> {
    let runs = scored.probabilities()?;
    let n = scored.n();
    if n == 0 {
        return Ok(Loss {
            value: None,
            se: None,
            n,
            status: Status::NoData,
        });
    }
    let total = |transform: &dyn Fn(f64) -> f64| {
        let of_run = |run: &Run| {
            let term = |rows: u64, loss: f64| rows as f64 * transform(loss);
            [
                term(run.positives, of_positive(run.score)),
                term(run.negatives, of_negative(run.score)),
            ]
        };
        sum(runs.iter().flat_map(of_run))
    };
    let count = n as f64;
    let mean = total(&|loss| loss) / count;
    let se = (n > 1).then(|| (total(&|loss| (loss - mean).powi(2)) / (count - 1.0) / count).sqrt());
    Ok(Loss {
        value: Some(mean),
        se,
        n,
        status: Status::Ok,
    })
}
