//! Segments of a series with one rate: everything is closed.

use std::ops::Range;

use super::Segments;
use crate::special::{deviance, ln_beta_density_kernel};

/// Running totals. Likelihoods are relative to the one at the overall rate, so that millions of trials
/// leave small numbers instead of small differences of large ones.
pub(super) struct Plain {
    successes: Vec<f64>,
    trials: Vec<f64>,
    overall: f64,
    overall_complement: f64,
}

impl Plain {
    pub(super) fn new(y: &[u64], n: &[u64]) -> Self {
        let (successes, trials) = (running_total(y), running_total(n));
        let (y, n) = (successes[y.len()], trials[n.len()]);
        Self {
            successes,
            trials,
            overall: y / n,
            overall_complement: (n - y) / n,
        }
    }

    fn totals(&self, periods: &Range<usize>) -> (f64, f64) {
        let of = |running: &[f64]| running[periods.end] - running[periods.start];
        (of(&self.successes), of(&self.trials))
    }

    /// Nothing, or everything, succeeded: every likelihood at the overall rate is 1.
    fn is_degenerate(&self) -> bool {
        self.overall == 0.0 || self.overall_complement == 0.0
    }
}

fn running_total(counts: &[u64]) -> Vec<f64> {
    let mut running = Vec::with_capacity(counts.len() + 1);
    let mut total = 0.0;
    running.push(total);
    running.extend(counts.iter().map(|count| {
        total += *count as f64;
        total
    }));
    running
}

impl Segments for Plain {
    fn has_trials(&self, period: usize) -> bool {
        self.totals(&(period..period + 1)).1 > 0.0
    }

    /// ln B(1+Y, 1+N-Y) = -ln(N+1) - ln C(N, Y), and ln C(N, Y) is the binomial probability over p^Y q^(N-Y).
    fn log_marginal(&self, periods: Range<usize>) -> Option<f64> {
        let (y, n) = self.totals(&periods);
        let uniform = -n.ln_1p();
        if self.is_degenerate() {
            return Some(uniform);
        }
        Some(uniform - ln_beta_density_kernel(y, n - y, self.overall, self.overall_complement))
    }

    fn log_maximum(&self, periods: Range<usize>) -> f64 {
        let (y, n) = self.totals(&periods);
        if self.is_degenerate() {
            return 0.0;
        }
        deviance(y, n, self.overall) + deviance(n - y, n, self.overall_complement)
    }

    fn rate(&self, periods: Range<usize>) -> f64 {
        let (y, n) = self.totals(&periods);
        y / n
    }
}
