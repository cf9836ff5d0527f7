//! Segments of a series whose expected rate moves: the odds relative to it are constant.
//!
//! η = logit θ is the segment's one unknown; period t succeeds with odds e^(η + offset). Everything is a sum
//! over periods of log-concave functions of η, so Newton's method and the trapezoid rule are safe.

use std::ops::Range;

use super::Segments;
use crate::invalid::Invalid;

/// The trapezoid rule steps by this fraction of the integrand's width σ; its error falls as e^(-2π²·16) for a
/// normal shape and stays below 1e-16 for the most skewed segment, N failures of N.
const STEPS_PER_WIDTH: f64 = 4.0;
/// Terms this far (in ln) below the peak no longer count.
const NEGLIGIBLE: f64 = 40.0;
/// Bound on the nodes to one side of the peak; the most skewed segment, N failures of N, needs 160.
const NODES_MAX: u32 = 10_000;
/// Bound on safeguarded Newton steps; halving the bracket alone needs fewer.
const STEPS_MAX: u32 = 200;
/// The Beta(1,1) prior on θ, seen from η, is one success in two trials.
const PRIOR: Counts = Counts {
    successes: 1.0,
    failures: 1.0,
    offset: 0.0,
};

#[derive(Clone, Copy)]
struct Counts {
    successes: f64,
    failures: f64,
    offset: f64,
}

pub(super) struct Offset {
    periods: Vec<Counts>,
}

impl Offset {
    /// `None` if the expected rates exclude what happened.
    pub(super) fn new(y: &[u64], n: &[u64], expected: &[f64]) -> Result<Option<Self>, Invalid> {
        if expected.len() != n.len() {
            return Err(Invalid::new(
                "expected",
                "one entry per entry of n",
                expected.len(),
            ));
        }
        let mut periods = Vec::with_capacity(n.len());
        let (mut successes_expected, mut failures_expected) = (0.0, 0.0);
        for ((y, n), p) in y.iter().zip(n).zip(expected) {
            let (successes, failures) = (*y as f64, (n - y) as f64);
            if *n > 0 && !(0.0..=1.0).contains(p) {
                return Err(Invalid::new("expected", "rates from 0 to 1", p));
            }
            if *n > 0 && *p > 0.0 && *p < 1.0 {
                successes_expected += *n as f64 * p;
                failures_expected += *n as f64 * (1.0 - p);
                periods.push(Counts {
                    successes,
                    failures,
                    offset: p.ln() - (-p).ln_1p(),
                });
                continue;
            }
            if *n > 0 && (if *p == 0.0 { successes } else { failures }) > 0.0 {
                return Ok(None);
            }
            periods.push(Counts {
                successes: 0.0,
                failures: 0.0,
                offset: 0.0,
            });
        }
        let average = f64::ln(successes_expected) - f64::ln(failures_expected);
        for period in periods.iter_mut().filter(|period| period.trials() > 0.0) {
            period.offset -= average;
        }
        Ok(Some(Self { periods }))
    }
}

impl Counts {
    fn trials(&self) -> f64 {
        self.successes + self.failures
    }

    /// ln p = -softplus(-x) and ln q = -softplus(x), which share their one transcendental term.
    fn log_likelihood(&self, eta: f64) -> f64 {
        let log_odds = eta + self.offset;
        let shared = (-log_odds.abs()).exp().ln_1p();
        self.successes * (log_odds.min(0.0) - shared) - self.failures * (log_odds.max(0.0) + shared)
    }

    /// First derivative and minus the second.
    fn slope_and_curvature(&self, eta: f64) -> (f64, f64) {
        let (p, q) = (logistic(eta + self.offset), logistic(-eta - self.offset));
        (
            self.successes * q - self.failures * p,
            self.trials() * p * q,
        )
    }
}

impl Segments for Offset {
    fn has_trials(&self, period: usize) -> bool {
        self.periods[period].trials() > 0.0
    }

    fn log_marginal(&self, periods: Range<usize>) -> Option<f64> {
        let counts: Vec<Counts> = self.periods[periods]
            .iter()
            .copied()
            .filter(|c| c.trials() > 0.0)
            .chain([PRIOR])
            .collect();
        let (peak, curvature) = maximise(&counts);
        let height = log_likelihood(&counts, peak);
        let step = 1.0 / (curvature.sqrt() * STEPS_PER_WIDTH);
        let mut sum = 1.0;
        for direction in [-step, step] {
            sum += one_side(&counts, peak, direction, height)?;
        }
        let area = height + (sum * step).ln();
        area.is_finite().then_some(area)
    }

    fn log_maximum(&self, periods: Range<usize>) -> f64 {
        let counts = &self.periods[periods];
        if is_one_sided(counts) {
            0.0
        } else {
            log_likelihood(counts, maximise(counts).0)
        }
    }

    fn rate(&self, periods: Range<usize>) -> f64 {
        let counts = &self.periods[periods];
        if is_one_sided(counts) {
            return if counts.iter().any(|c| c.successes > 0.0) {
                1.0
            } else {
                0.0
            };
        }
        logistic(maximise(counts).0)
    }
}

/// Only successes or only failures: the likelihood rises to 1 without ever reaching it.
fn is_one_sided(counts: &[Counts]) -> bool {
    counts.iter().all(|c| c.successes == 0.0) || counts.iter().all(|c| c.failures == 0.0)
}

fn log_likelihood(counts: &[Counts], eta: f64) -> f64 {
    counts.iter().map(|c| c.log_likelihood(eta)).sum()
}

/// Sum of the integrand, relative to its peak, at the nodes on one side of it.
fn one_side(counts: &[Counts], peak: f64, step: f64, height: f64) -> Option<f64> {
    let mut sum = 0.0;
    for node in 1..=NODES_MAX {
        let below = log_likelihood(counts, peak + f64::from(node) * step) - height;
        if below < -NEGLIGIBLE {
            return Some(sum);
        }
        sum += below.exp();
    }
    None
}

/// The η of largest likelihood and the curvature there. Needs a success and a failure.
///
/// With overall odds r, η = ln r - offset of the largest (smallest) offset has a rising (falling) likelihood,
/// which brackets the peak.
fn maximise(counts: &[Counts]) -> (f64, f64) {
    let counted = counts.iter().filter(|c| c.trials() > 0.0);
    let (lowest, highest) = counted.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(lowest, highest), c| (c.offset.min(lowest), c.offset.max(highest)),
    );
    let successes: f64 = counts.iter().map(|c| c.successes).sum();
    let failures: f64 = counts.iter().map(|c| c.failures).sum();
    let log_odds = (successes / failures).ln();
    let (mut below, mut above) = (log_odds - highest, log_odds - lowest);
    let mut eta = 0.5 * (below + above);
    for _ in 0..STEPS_MAX {
        let (slope, curvature) = slope_and_curvature(counts, eta);
        if slope > 0.0 {
            below = eta;
        } else {
            above = eta;
        }
        let newton = eta + slope / curvature;
        let next = if newton > below && newton < above {
            newton
        } else {
            0.5 * (below + above)
        };
        if (next - eta).abs() <= f64::EPSILON * (1.0 + eta.abs()) {
            break;
        }
        eta = next;
    }
    (eta, slope_and_curvature(counts, eta).1)
}

fn slope_and_curvature(counts: &[Counts], eta: f64) -> (f64, f64) {
    counts
        .iter()
        .map(|c| c.slope_and_curvature(eta))
        .fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let odds = x.exp();
        odds / (1.0 + odds)
    }
}
