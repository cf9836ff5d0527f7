//! How far a probability is off, in two numbers: the line that its logit has to be bent along.

use super::scored::{Run, Scored};
use crate::estimate::Status;
use crate::glm::{Fit, Groups, Term, fit};
use crate::invalid::Invalid;
use crate::special::two_sided_z;

/// Logistic recalibration of probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recalibration {
    /// a of logit P(y) = a + b·logit(score); 0 for calibrated scores. `None` where no finite one exists.
    pub intercept: Option<Coefficient>,
    /// b of the same line; 1 for calibrated scores, below 1 for scores that are too extreme. Present exactly when
    /// `intercept` is.
    pub slope: Option<Coefficient>,
    /// Calibration in the large: a with b held at 1. Positive where outcomes exceed the scores. `None` unless both
    /// labels occur.
    pub in_the_large: Option<Coefficient>,
    /// Rows used.
    pub n: u64,
    /// Rows with a score of exactly 0 or 1, whose logit is infinite; they are left out.
    pub excluded: u64,
    /// `no_data`: no rows to use. `infeasible`: one label only, one score only, or no score at which the labels
    /// overlap, so that the best slope is infinite. `not_converged`: the iteration met its bound.
    pub status: Status,
}

/// A coefficient with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// Maximum-likelihood estimate.
    pub value: f64,
    /// Standard error from the inverse information.
    pub se: f64,
    /// Lower end of Wald's interval.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

/// Cox's recalibration with Wald intervals at confidence `conf`.
///
/// Cox (1958) Biometrika 45:562; Miller, Hui & Tierney (1991) Stat Med 10:1213; the Intercept and Slope of R's
/// `rms::val.prob`, which leaves out scores of 0 and 1 as well. [`Invalid`] when a score is not a probability, or
/// `conf` is not strictly between 0 and 1.
pub fn recalibration(scored: &Scored, conf: f64) -> Result<Recalibration, Invalid> {
    let z = two_sided_z(conf)?;
    let inside = |run: &&Run| run.score > 0.0 && run.score < 1.0;
    let runs: Vec<&Run> = scored.probabilities()?.iter().filter(inside).collect();
    let n = runs.iter().map(|run| run.n()).sum();
    let positives: u64 = runs.iter().map(|run| run.positives).sum();
    let mut result = Recalibration {
        intercept: None,
        slope: None,
        in_the_large: None,
        n,
        excluded: scored.n() - n,
        status: Status::NoData,
    };
    if n == 0 {
        return Ok(result);
    }
    result.status = Status::Infeasible;
    if positives == 0 || positives == n {
        return Ok(result);
    }
    let interval = |term: Term| Coefficient {
        value: term.value,
        se: term.se,
        lo: term.value - z * term.se,
        hi: term.value + z * term.se,
    };
    let logits: Vec<f64> = runs.iter().map(|run| logit(run.score)).collect();
    let groups = |columns: &[Vec<f64>], offset: Vec<f64>| {
        let trials = runs.iter().map(|run| run.n() as f64).collect();
        let successes = runs.iter().map(|run| run.positives as f64).collect();
        Groups::new(columns, trials, successes, offset)
    };
    let shift = fit(&groups(&[], logits.clone()), 0.0);
    result.in_the_large = shift.map(|fit| interval(fit.intercept));
    if !overlap(&runs) {
        return Ok(result);
    }
    let Some(Fit {
        intercept,
        coefficients,
        ..
    }) = fit(&groups(&[logits], Vec::new()), 0.0)
    else {
        result.status = Status::NotConverged;
        return Ok(result);
    };
    // Scores that differ in their last bits only have no slope.
    if let Some(Some(slope)) = coefficients.first() {
        result.intercept = Some(interval(intercept));
        result.slope = Some(interval(*slope));
        result.status = Status::Ok;
    }
    Ok(result)
}

fn logit(p: f64) -> f64 {
    p.ln() - (-p).ln_1p()
}

/// Whether some negative scores above a positive and some positive above a negative, which is when a finite slope
/// exists (Albert & Anderson 1984, Biometrika 71:1, for one covariate).
fn overlap(runs: &[&Run]) -> bool {
    let ends = |has: fn(&Run) -> bool| {
        let mut scores = runs.iter().filter(|run| has(run)).map(|run| run.score);
        let lowest = scores.next();
        (lowest, scores.next_back().or(lowest))
    };
    let (lowest_positive, highest_positive) = ends(|run| run.positives > 0);
    let (lowest_negative, highest_negative) = ends(|run| run.negatives > 0);
    lowest_positive < highest_negative && lowest_negative < highest_positive
}
