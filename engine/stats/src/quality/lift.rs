//! What a score is worth at a capacity: lift of the top rows, and the largest gap between the classes.

use super::scored::Scored;
use crate::estimate::Status;
use crate::invalid::Invalid;

/// How much richer in positives the top rows are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    /// `rate_top` / `rate_all`. `None` without rows or without positives.
    pub lift: Option<f64>,
    /// Share of positives among the top rows (precision). `None` without rows.
    pub rate_top: Option<f64>,
    /// Share of positives among all rows. `None` without rows.
    pub rate_all: Option<f64>,
    /// Share of all positives that are among the top rows (recall). `None` without positives.
    pub captured: Option<f64>,
    /// Rows in the top; need not be whole.
    pub top: f64,
    /// Lowest score in the top. `None` without rows.
    pub threshold: Option<f64>,
    /// Rows.
    pub n: u64,
    /// `no_data`: no rows. `zero_base`: no positives.
    pub status: Status,
}

/// The two-sample Kolmogorov-Smirnov statistic between the scores of positives and negatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// Largest distance between the two empirical distribution functions, 0 to 1. `None` without both classes.
    pub value: Option<f64>,
    /// The score up to which the distance is taken, the lowest of equals.
    pub at: Option<f64>,
    /// Rows labelled true.
    pub positives: u64,
    /// Rows labelled false.
    pub negatives: u64,
    /// `no_data`: no positives, or no negatives.
    pub status: Status,
}

/// Lift of the `frac` highest-scored rows over all rows, 0 < `frac` <= 1.
///
/// The top holds `frac`·n rows, whole or not. Where it cuts through rows of one score, it takes the fraction of each
/// class that fits, which is the expected value over all orders of those rows; the ROC curve crosses ties in the same
/// way (Fawcett 2006, Pattern Recogn Lett 27:861, sec. 4). For a whole number of rows take [`lift_at_count`].
/// [`Invalid`] when `frac` is outside (0, 1].
pub fn lift_at(scored: &Scored, frac: f64) -> Result<Lift, Invalid> {
    if !(frac > 0.0 && frac <= 1.0) {
        return Err(Invalid::new("frac", "a number above 0 and at most 1", frac));
    }
    Ok(lift_of_top(scored, frac * scored.n() as f64))
}

/// Lift of the `count` highest-scored rows, or of all rows where there are fewer: [`lift_at`] for a capacity.
/// [`Invalid`] when `count` is 0.
pub fn lift_at_count(scored: &Scored, count: u64) -> Result<Lift, Invalid> {
    if count == 0 {
        return Err(Invalid::new("count", "at least 1", count));
    }
    Ok(lift_of_top(scored, count.min(scored.n()) as f64))
}

fn lift_of_top(scored: &Scored, top: f64) -> Lift {
    let n = scored.n();
    if n == 0 {
        return Lift {
            lift: None,
            rate_top: None,
            rate_all: None,
            captured: None,
            top: 0.0,
            threshold: None,
            n,
            status: Status::NoData,
        };
    }
    let (caught, threshold) = positives_of_top(scored, top);
    let all = scored.positives() as f64;
    let (rate_top, rate_all) = ((caught / top).min(1.0), all / n as f64);
    let base = |value: f64| (all > 0.0).then_some(value);
    Lift {
        lift: base(rate_top / rate_all),
        rate_top: Some(rate_top),
        rate_all: Some(rate_all),
        captured: base(caught / all),
        top,
        threshold,
        n,
        status: base(0.0).map_or(Status::ZeroBase, |_| Status::Ok),
    }
}

/// Expected positives among the `top` highest rows, and the lowest score among those.
fn positives_of_top(scored: &Scored, top: f64) -> (f64, Option<f64>) {
    let (mut rows, mut positives) = (0_u64, 0_u64);
    let mut threshold = None;
    for run in scored.runs().iter().rev() {
        let room = top - rows as f64;
        if room <= 0.0 {
            break;
        }
        threshold = Some(run.score);
        if room < run.n() as f64 {
            let part = run.positives as f64 * (room / run.n() as f64);
            return (positives as f64 + part, threshold);
        }
        rows += run.n();
        positives += run.positives;
    }
    (positives as f64, threshold)
}

/// max |F₁(s) - F₀(s)| over all scores s (Smirnov 1939; `scipy.stats.ks_2samp`, R's `ks.test`).
pub fn ks_stat(scored: &Scored) -> KolmogorovSmirnov {
    let (positives, negatives) = (scored.positives(), scored.negatives());
    let mut result = KolmogorovSmirnov {
        value: None,
        at: None,
        positives,
        negatives,
        status: Status::NoData,
    };
    if positives == 0 || negatives == 0 {
        return result;
    }
    let (mut positives_up_to, mut negatives_up_to) = (0, 0);
    let mut largest = (0_u128, None);
    for run in scored.runs() {
        positives_up_to += run.positives;
        negatives_up_to += run.negatives;
        let a = u128::from(positives_up_to) * u128::from(negatives);
        let b = u128::from(negatives_up_to) * u128::from(positives);
        if a.abs_diff(b) > largest.0 || largest.1.is_none() {
            largest = (a.abs_diff(b), Some(run.score));
        }
    }
    result.value = Some(largest.0 as f64 / (positives as f64 * negatives as f64));
    result.at = largest.1;
    result.status = Status::Ok;
    result
}
