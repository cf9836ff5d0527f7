//! Logistic regression: what outcome the network would have had with a distributor's mix of cases.
//!
//! Fitted over all rows and without terms for distributors, its expected values carry the case mix and nothing
//! else. Rows that are alike are one group, so the result does not depend on row order, to the last bit.

mod cholesky;
mod groups;
mod newton;

use crate::estimate::Status;
use crate::invalid::Invalid;
pub(crate) use groups::Groups;
use groups::check_columns;
pub(crate) use newton::{Fit, fit};

/// Columns beyond this are refused.
const COLUMNS_MAX: usize = 30;
/// The ridge used where maximum likelihood has no finite answer: a standard normal prior on the coefficient of each
/// standardised column.
const RIDGE: f64 = 1.0;

/// A fitted logistic regression, logit P(label) = intercept + Σ coefficientⱼ·columnⱼ.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// `None` without a fit.
    pub intercept: Option<Term>,
    /// One per column, in order. `None` without a fit, and for a column that is constant or a linear combination of
    /// columns before it (R prints NA): it is left out of the model.
    pub coefficients: Vec<Option<Term>>,
    /// Log likelihood at the fit, without the penalty. `None` without a fit.
    pub log_likelihood: Option<f64>,
    /// 0 for maximum likelihood; else the ridge λ of ½λΣb² over the coefficients of standardised columns.
    pub penalty: f64,
    /// Rows.
    pub n: u64,
    /// Rows labelled true.
    pub positives: u64,
    /// `no_data`: no rows. `infeasible`: the labels are all alike, which has no fit, or the columns separate them,
    /// which has one with a `penalty` only. `not_converged`: the iteration met its bound.
    pub status: Status,
}

/// An estimated coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Its value, per unit of its column.
    pub value: f64,
    /// Its standard error, from the inverse (penalised) information.
    pub se: f64,
}

/// Logistic regression of `labels` on an intercept and up to 30 `columns`.
///
/// Maximum likelihood by Newton's method, which is iteratively reweighted least squares (McCullagh & Nelder 1989,
/// sec. 4.4; R's `glm(family = binomial)`, statsmodels' `Logit`). Where the columns separate the labels no maximum
/// exists (Albert & Anderson 1984, Biometrika 71:1) and R prints enormous coefficients; here the fit is then a ridge
/// (le Cessie & van Houwelingen 1992, Appl Stat 41:191) with λ = 1 on standardised columns, and says so. [`Invalid`]
/// when lengths differ, there are too many columns, or an entry is not finite or beyond 1e100.
pub fn logistic(columns: &[&[f64]], labels: &[bool]) -> Result<Logistic, Invalid> {
    check_columns(columns, labels.len(), COLUMNS_MAX)?;
    let n = labels.len() as u64;
    let positives = labels.iter().filter(|label| **label).count() as u64;
    let mut result = Logistic {
        intercept: None,
        coefficients: vec![None; columns.len()],
        log_likelihood: None,
        penalty: 0.0,
        n,
        positives,
        status: Status::NoData,
    };
    if n == 0 {
        return Ok(result);
    }
    result.status = Status::Infeasible;
    if positives == 0 || positives == n {
        return Ok(result);
    }
    let groups = Groups::of_rows(columns, labels);
    let (fitted, penalty) = match fit(&groups, 0.0) {
        Some(fitted) => (Some(fitted), 0.0),
        None => (fit(&groups, RIDGE), RIDGE),
    };
    result.status = match (&fitted, penalty) {
        (None, _) => Status::NotConverged,
        (Some(_), 0.0) => Status::Ok,
        _ => Status::Infeasible,
    };
    if let Some(Fit {
        intercept,
        coefficients,
        log_likelihood,
    }) = fitted
    {
        result.intercept = Some(intercept);
        result.coefficients = coefficients;
        result.log_likelihood = Some(log_likelihood);
        result.penalty = penalty;
    }
    Ok(result)
}

impl Logistic {
    /// The fitted probability of every row of `columns`, which are those of [`logistic`] for the same or other rows;
    /// sums of it are the expected numbers of positives. `None` without a fit. [`Invalid`] when the number of columns
    /// is another, lengths differ, or an entry is not finite or beyond 1e100.
    pub fn expected(&self, columns: &[&[f64]], rows: usize) -> Result<Option<Vec<f64>>, Invalid> {
        if columns.len() != self.coefficients.len() {
            return Err(Invalid::new(
                "columns",
                "as many columns as were fitted",
                columns.len(),
            ));
        }
        check_columns(columns, rows, COLUMNS_MAX)?;
        let Some(intercept) = self.intercept else {
            return Ok(None);
        };
        let mut linear = vec![intercept.value; rows];
        for (column, coefficient) in columns.iter().zip(&self.coefficients) {
            let slope = coefficient.map_or(0.0, |term| term.value);
            for (sum, x) in linear.iter_mut().zip(*column) {
                // Finite within the bounds of the columns; the clamp keeps opposite giants from meeting as NaN.
                *sum = (*sum + slope * x).clamp(-f64::MAX, f64::MAX);
            }
        }
        Ok(Some(linear.into_iter().map(inverse_logit).collect()))
    }
}

/// 1 / (1 + e^-x).
pub(crate) fn inverse_logit(x: f64) -> f64 {
    if x < 0.0 {
        x.exp() / (1.0 + x.exp())
    } else {
        1.0 / (1.0 + (-x).exp())
    }
}
