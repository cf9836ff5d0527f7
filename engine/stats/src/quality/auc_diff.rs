//! The difference of the areas under the ROC curves of two scores of the same rows.

use super::paired::Paired;
use super::placements::Placements;
use super::scored::check_rows;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::two_sided_z;

/// The difference of the areas of two scores of the same rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucDifference {
    /// Area of the first score.
    pub first: Option<f64>,
    /// Area of the second score.
    pub second: Option<f64>,
    /// First minus second.
    pub diff: Option<f64>,
    /// Standard error of the difference; `None` with fewer than two positives or negatives.
    pub se: Option<f64>,
    /// Lower end of the interval of the difference; present exactly when `se` is.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
    /// diff / se; 0 where both are 0; `None` where only `se` is.
    pub z: Option<f64>,
    /// Two-sided p value of `z` against no difference.
    pub p: Option<f64>,
    /// Rows labelled true.
    pub positives: u64,
    /// Rows labelled false.
    pub negatives: u64,
    /// `no_data`: no positives, or no negatives. `small_n`: only one of either, or a difference whose variance is
    /// estimated as 0.
    pub status: Status,
}

/// The difference of the areas of two scores of the same rows, first minus second, tested as paired.
///
/// s² as in [`super::auc_ci`], of the differences of the two scores' V₁₀ᵢ and V₀₁ⱼ, which is DeLong et al. (1988) with
/// the contrast (1, -1); z = diff/s, p = 2Φ(-|z|); the interval is diff ± zs cut to [-1, 1]. R's
/// `pROC::roc.test(paired = TRUE, method = "delong")`. [`Invalid`] when lengths differ, a score is not finite, or
/// `conf` is not strictly between 0 and 1.
pub fn auc_diff(
    first: &[f64],
    second: &[f64],
    labels: &[bool],
    conf: f64,
) -> Result<AucDifference, Invalid> {
    let reach = two_sided_z(conf)?;
    check_rows("first", first, labels)?;
    check_rows("second", second, labels)?;
    let positives = labels.iter().filter(|label| **label).count() as u64;
    let negatives = labels.len() as u64 - positives;
    let mut result = AucDifference {
        first: None,
        second: None,
        diff: None,
        se: None,
        lo: None,
        hi: None,
        z: None,
        p: None,
        positives,
        negatives,
        status: Status::NoData,
    };
    if positives == 0 || negatives == 0 {
        return Ok(result);
    }
    let wins = [first, second].map(|scores| doubled_placements(scores, labels));
    let twice_pairs = 2.0 * positives as f64 * negatives as f64;
    let won = wins.each_ref().map(|wins| won_by_positives(wins, labels));
    let diff = (won[0] - won[1]) as f64 / twice_pairs;
    result.first = Some(won[0] as f64 / twice_pairs);
    result.second = Some(won[1] as f64 / twice_pairs);
    result.diff = Some(diff);
    result.status = Status::SmallN;

    let mut placements = Placements::default();
    for ((a, b), label) in wins[0].iter().zip(&wins[1]).zip(labels) {
        placements.add(i128::from(a - b), 1, *label);
    }
    if let Some(variance) = placements.variance(positives, negatives) {
        let test = Paired::of(diff, variance.sqrt(), reach)?;
        (result.se, result.lo, result.hi) = (Some(test.se), Some(test.lo), Some(test.hi));
        (result.z, result.p) = (test.z, test.p);
        result.status = test.status();
    }
    Ok(result)
}

/// Twice the placement of every row among the rows of the other class.
fn doubled_placements(scores: &[f64], labels: &[bool]) -> Vec<i64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|a, b| (scores[*a] + 0.0).total_cmp(&(scores[*b] + 0.0)));
    let mut placements = vec![0; scores.len()];
    let (mut negatives_below, mut positives_above) = (0, 0);
    positives_above += labels.iter().filter(|label| **label).count() as i64;
    for equals in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let positives = equals.iter().filter(|row| labels[**row]).count() as i64;
        let negatives = equals.len() as i64 - positives;
        positives_above -= positives;
        for row in equals {
            placements[*row] = if labels[*row] {
                2 * negatives_below + negatives
            } else {
                2 * positives_above + positives
            };
        }
        negatives_below += negatives;
    }
    placements
}

/// Twice the pairs won by the positive, equals ½.
fn won_by_positives(placements: &[i64], labels: &[bool]) -> i128 {
    let of_positives = placements.iter().zip(labels).filter(|(_, label)| **label);
    of_positives.map(|(wins, _)| i128::from(*wins)).sum()
}
