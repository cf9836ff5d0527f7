//! Newton's method for the penalised likelihood of a logistic regression.

use super::cholesky::Cholesky;
use super::groups::Groups;
use super::{Term, inverse_logit};

/// With a maximum a dozen steps do; separated labels drift about one unit of the predictor a step and never stop.
const STEPS_MAX: usize = 40;
/// A step below this, relative to the coefficients, is the last: the next would be its square.
const STEP_MIN: f64 = 1e-9;
/// Halvings of a step that overshoots.
const HALVINGS_MAX: usize = 30;

/// Coefficients on the scale of the original columns.
pub(crate) struct Fit {
    pub(crate) intercept: Term,
    /// `None` for columns left out.
    pub(crate) coefficients: Vec<Option<Term>>,
    pub(crate) log_likelihood: f64,
}

/// Maximises log likelihood - ½ `penalty` Σb² over the intercept and the standardised columns; the intercept is
/// free. `None` if that has not converged.
pub(crate) fn fit(groups: &Groups, penalty: f64) -> Option<Fit> {
    let mut theta = start(groups)?;
    let mut objective = groups.objective(&theta, penalty);
    for _ in 0..STEPS_MAX {
        let (gradient, information) = groups.derivatives(&theta, penalty);
        let factor = Cholesky::new(&information, theta.len())?;
        let step = factor.solve(&gradient);
        let size = |v: &[f64]| v.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
        let is_last = size(&step) <= STEP_MIN * (1.0 + size(&theta));
        (theta, objective) = advance(groups, penalty, theta, objective, &step)?;
        if is_last {
            return groups.unstandardised(&theta, penalty);
        }
    }
    None
}

/// The rate of all rows as intercept, no effect of any column.
fn start(groups: &Groups) -> Option<Vec<f64>> {
    let successes: f64 = groups.successes.iter().sum();
    let failures: f64 = groups.trials.iter().sum::<f64>() - successes;
    if successes <= 0.0 || failures <= 0.0 {
        return None;
    }
    let mut theta = vec![0.0; groups.width + 1];
    if groups.offset.is_empty() {
        theta[0] = (successes / failures).ln();
    }
    Some(theta)
}

/// The point after the step, or after the first half, quarter, … that does not lower the objective.
fn advance(
    groups: &Groups,
    penalty: f64,
    theta: Vec<f64>,
    objective: f64,
    step: &[f64],
) -> Option<(Vec<f64>, f64)> {
    let noise = 1e-11 * objective.abs();
    let mut share = 1.0;
    for _ in 0..HALVINGS_MAX {
        let next: Vec<f64> = theta.iter().zip(step).map(|(t, s)| t + share * s).collect();
        let reached = groups.objective(&next, penalty);
        if reached >= objective - noise {
            return Some((next, reached));
        }
        share *= 0.5;
    }
    None
}

impl Groups {
    fn row(&self, group: usize) -> &[f64] {
        &self.entries[group * self.width..(group + 1) * self.width]
    }

    fn predictor(&self, group: usize, theta: &[f64]) -> f64 {
        let known = self.offset.get(group).copied().unwrap_or(0.0);
        let columns = self.row(group).iter().zip(&theta[1..]);
        known + theta[0] + columns.map(|(x, b)| x * b).sum::<f64>()
    }

    fn log_likelihood(&self, theta: &[f64]) -> f64 {
        let of_group = |group: usize| {
            let eta = self.predictor(group, theta);
            let ln_1p_exp = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
            let successes = self.successes[group];
            // ln μ = -ln(1 + e^-η), ln(1-μ) = -ln(1 + e^η).
            -successes * ln_1p_exp(-eta) - (self.trials[group] - successes) * ln_1p_exp(eta)
        };
        (0..self.trials.len()).map(of_group).sum()
    }

    fn objective(&self, theta: &[f64], penalty: f64) -> f64 {
        let squares: f64 = theta[1..].iter().map(|b| b * b).sum();
        self.log_likelihood(theta) - 0.5 * penalty * squares
    }

    /// The gradient, and the information (minus the second derivatives) with its lower triangle filled.
    fn derivatives(&self, theta: &[f64], penalty: f64) -> (Vec<f64>, Vec<f64>) {
        let size = theta.len();
        let mut gradient = vec![0.0; size];
        let mut information = vec![0.0; size * size];
        for group in 0..self.trials.len() {
            let eta = self.predictor(group, theta);
            let (mu, complement) = (inverse_logit(eta), inverse_logit(-eta));
            let (successes, trials) = (self.successes[group], self.trials[group]);
            let residual = successes * complement - (trials - successes) * mu;
            let weight = trials * mu * complement;
            let row = self.row(group);
            gradient[0] += residual;
            information[0] += weight;
            for (j, x) in row.iter().enumerate() {
                let line = &mut information[(j + 1) * size..(j + 2) * size];
                let weighted = weight * x;
                gradient[j + 1] += residual * x;
                line[0] += weighted;
                for (entry, y) in line[1..].iter_mut().zip(&row[..=j]) {
                    *entry += weighted * y;
                }
            }
        }
        for j in 1..size {
            gradient[j] -= penalty * theta[j];
            information[j * size + j] += penalty;
        }
        (gradient, information)
    }

    /// bⱼ/sⱼ for the columns and a - Σ bⱼmⱼ/sⱼ for the intercept, with standard errors from the inverse information.
    fn unstandardised(&self, theta: &[f64], penalty: f64) -> Option<Fit> {
        let (_, information) = self.derivatives(theta, penalty);
        let factor = Cholesky::new(&information, theta.len())?;
        let term = |weights: &[f64]| Term {
            value: weights.iter().zip(theta).map(|(w, t)| w * t).sum(),
            se: factor.inverse_form(weights).max(0.0).sqrt(),
        };
        let mut of_intercept = vec![0.0; theta.len()];
        of_intercept[0] = 1.0;
        let mut coefficients = vec![None; self.columns.len()];
        for (column, coefficient) in self.columns.iter().zip(&mut coefficients) {
            let Some(place) = column.place else { continue };
            let mut weights = vec![0.0; theta.len()];
            weights[place + 1] = 1.0 / column.deviation;
            of_intercept[place + 1] = -column.mean / column.deviation;
            *coefficient = Some(term(&weights));
        }
        let intercept = term(&of_intercept);
        let all = coefficients.iter().flatten().chain([&intercept]);
        let finite = |term: &Term| term.value.is_finite() && term.se.is_finite();
        all.into_iter().all(finite).then(|| Fit {
            intercept,
            log_likelihood: self.log_likelihood(theta),
            coefficients: coefficients.clone(),
        })
    }
}
