//! The partial likelihood of a proportional hazards model, and its maximum.
//!
//! Covariates are centred and scaled to unit spread first, so that one tolerance fits all of them.

use std::cmp::Ordering;

use super::{Subject, Ties};
use crate::estimate::Status;
use crate::survival::cholesky::Cholesky;

/// Newton needs five or six steps; one that needs more is following a coefficient to infinity.
const STEPS_MAX: u32 = 30;
/// A step may be halved this often before the likelihood counts as flat.
const HALVINGS_MAX: u32 = 40;
/// Largest step, in standard deviations of the covariate, that ends the search.
const STEP_DONE: f64 = 1e-9;

/// Information per event, in units of the covariate's variance, that is only rounding.
const FLAT: f64 = 1e-13;

/// Rows in descending order of time, with standardised covariates by rows.
pub(super) struct Data {
    subjects: Vec<Subject>,
    scales: Vec<f64>,
    ties: Ties,
}

/// The maximum, in the covariates' own units.
pub(super) struct Fitted {
    pub(super) coefs: Vec<f64>,
    pub(super) ses: Vec<f64>,
    pub(super) loglik_null: f64,
    pub(super) loglik: f64,
    pub(super) score_chi2: f64,
}

/// The log likelihood at one β with its gradient and negative second derivative.
struct Local {
    loglik: f64,
    score: Vec<f64>,
    information: Vec<f64>,
}

impl Data {
    pub(super) fn new(mut subjects: Vec<Subject>, columns: usize, ties: Ties) -> Self {
        // Equal rows are interchangeable, so any order of arrival gives the same sums.
        subjects.sort_by(order);
        let n = subjects.len() as f64;
        let mut scales = vec![0.0; columns];
        for (column, scale) in scales.iter_mut().enumerate() {
            // Measured from a value of its own first, so that a constant column is exactly 0.
            let origin = subjects.first().map_or(0.0, |s| s.x[column]);
            let mean = origin
                + subjects
                    .iter()
                    .map(|s| (s.x[column] - origin) / n)
                    .sum::<f64>();
            let largest = subjects.iter().map(|s| (s.x[column] - mean).abs());
            let largest = largest.fold(0.0, f64::max);
            // Deviations are scaled by the largest before they are squared, so that none underflows.
            let unit = if largest > 0.0 { largest } else { 1.0 };
            let squares = subjects
                .iter()
                .map(|s| ((s.x[column] - mean) / unit).powi(2));
            let spread = unit * (squares.sum::<f64>() / n).sqrt();
            *scale = if spread > 0.0 { spread } else { 1.0 };
            for subject in &mut subjects {
                subject.x[column] = (subject.x[column] - mean) / *scale;
            }
        }
        Self {
            subjects,
            scales,
            ties,
        }
    }

    pub(super) fn fit(&self) -> Result<Fitted, Status> {
        let mut beta = vec![0.0; self.scales.len()];
        let mut here = self.at(&beta).ok_or(Status::NotConverged)?;
        if self.tells_nothing(&here) {
            return Err(Status::Infeasible);
        }
        let loglik_null = here.loglik;
        let mut score_chi2 = None;
        for _ in 0..STEPS_MAX {
            let factor = Cholesky::of(&here.information, beta.len()).ok_or(singular(score_chi2))?;
            let step = factor.solve(&here.score);
            let gain: f64 = step.iter().zip(&here.score).map(|(a, b)| a * b).sum();
            let score_chi2 = *score_chi2.get_or_insert(gain.max(0.0));
            let largest = step.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
            let (next, there) = self.climb(&beta, &step, &here);
            beta = next;
            if largest <= STEP_DONE {
                let last = Cholesky::of(&there.information, beta.len());
                let variances = last.ok_or(Status::NotConverged)?.inverse_diagonal();
                return self.fitted(&beta, &variances, loglik_null, there.loglik, score_chi2);
            }
            here = there;
        }
        Err(Status::NotConverged)
    }

    /// Whether some covariate does not vary in the risk sets but by rounding.
    fn tells_nothing(&self, start: &Local) -> bool {
        let events = self.subjects.iter().filter(|s| s.event).count() as f64;
        let diagonal = start.information.iter().step_by(self.scales.len() + 1);
        diagonal.fold(f64::INFINITY, |least, v| least.min(*v)) <= FLAT * events
    }

    /// Takes the step, halved until the likelihood does not fall by more than rounding.
    fn climb(&self, beta: &[f64], step: &[f64], here: &Local) -> (Vec<f64>, Local) {
        let mut share = 1.0;
        for _ in 0..HALVINGS_MAX {
            let next: Vec<f64> = beta.iter().zip(step).map(|(b, s)| b + share * s).collect();
            if let Some(there) = self.at(&next)
                && there.loglik >= here.loglik - 1e-12 * (1.0 + here.loglik.abs())
            {
                return (next, there);
            }
            share *= 0.5;
        }
        let same = Local {
            loglik: here.loglik,
            score: here.score.clone(),
            information: here.information.clone(),
        };
        (beta.to_vec(), same)
    }

    fn fitted(
        &self,
        beta: &[f64],
        variances: &[f64],
        loglik_null: f64,
        loglik: f64,
        score_chi2: f64,
    ) -> Result<Fitted, Status> {
        let unscale = |(value, scale): (f64, &f64)| value / scale;
        let coefs: Vec<f64> = beta
            .iter()
            .copied()
            .zip(&self.scales)
            .map(unscale)
            .collect();
        let errors = variances.iter().map(|v| v.sqrt());
        let ses: Vec<f64> = errors.zip(&self.scales).map(unscale).collect();
        let usable = |v: &f64| v.is_finite();
        let known = coefs.iter().all(usable) && ses.iter().all(|se| se.is_finite() && *se > 0.0);
        if !known || !usable(&loglik) || !usable(&score_chi2) {
            return Err(Status::NotConverged);
        }
        Ok(Fitted {
            coefs,
            ses,
            loglik_null,
            loglik,
            score_chi2,
        })
    }

    /// The likelihood at `beta`; `None` where it is not finite.
    fn at(&self, beta: &[f64]) -> Option<Local> {
        let etas: Vec<f64> = self.subjects.iter().map(|s| dot(&s.x, beta)).collect();
        let shift = etas.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sums, mut dying) = (Sums::new(beta.len()), Sums::new(beta.len()));
        let mut local = Local {
            loglik: 0.0,
            score: vec![0.0; beta.len()],
            information: vec![0.0; beta.len() * beta.len()],
        };
        let mut from = 0;
        for tied in self.subjects.chunk_by(|a, b| a.t == b.t) {
            let etas = &etas[from..from + tied.len()];
            from += tied.len();
            dying.clear();
            for (subject, eta) in tied.iter().zip(etas) {
                let weight = (eta - shift).exp();
                sums.add(&subject.x, weight);
                if subject.event {
                    dying.add(&subject.x, weight);
                    local.loglik += eta - shift;
                    for (score, x) in local.score.iter_mut().zip(&subject.x) {
                        *score += x;
                    }
                }
            }
            self.events(&mut local, &sums, &dying);
        }
        local.loglik.is_finite().then_some(local)
    }

    /// Takes the risk set off the likelihood, once per event.
    fn events(&self, local: &mut Local, risk: &Sums, dying: &Sums) {
        let deaths = dying.rows;
        for death in 0..deaths {
            let share = match self.ties {
                Ties::Efron => death as f64 / deaths as f64,
                Ties::Breslow => 0.0,
            };
            let total = risk.weight - share * dying.weight;
            local.loglik -= total.ln();
            let columns = local.score.len();
            let mean = |j: usize| (risk.x[j] - share * dying.x[j]) / total;
            for row in 0..columns {
                local.score[row] -= mean(row);
                for column in 0..columns {
                    let at = row * columns + column;
                    let square = (risk.xx[at] - share * dying.xx[at]) / total;
                    local.information[at] += square - mean(row) * mean(column);
                }
            }
        }
    }
}

/// A singular start says the covariates cannot be told apart; later it is a diverging coefficient.
fn singular(score_chi2: Option<f64>) -> Status {
    match score_chi2 {
        None => Status::Infeasible,
        Some(_) => Status::NotConverged,
    }
}

fn order(a: &Subject, b: &Subject) -> Ordering {
    let by_time = b.t.total_cmp(&a.t).then(a.event.cmp(&b.event));
    let columns = a.x.iter().zip(&b.x).map(|(x, y)| x.total_cmp(y));
    columns.fold(by_time, Ordering::then)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Weighted sums over a set of rows.
struct Sums {
    rows: u64,
    weight: f64,
    x: Vec<f64>,
    xx: Vec<f64>,
}

impl Sums {
    fn new(columns: usize) -> Self {
        Self {
            rows: 0,
            weight: 0.0,
            x: vec![0.0; columns],
            xx: vec![0.0; columns * columns],
        }
    }

    fn clear(&mut self) {
        self.rows = 0;
        self.weight = 0.0;
        self.x.fill(0.0);
        self.xx.fill(0.0);
    }

    fn add(&mut self, x: &[f64], weight: f64) {
        self.rows += 1;
        self.weight += weight;
        for (row, a) in x.iter().enumerate() {
            self.x[row] += weight * a;
            for (column, b) in x.iter().enumerate() {
                self.xx[row * x.len() + column] += weight * a * b;
            }
        }
    }
}
