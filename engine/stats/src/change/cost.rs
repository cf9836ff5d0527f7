//! The cost of any segment of a series, from running totals.

use super::points::{Cost, median};
use crate::special::deviance;

/// Running totals over a series.
pub(super) struct SegmentCost {
    kind: Kind,
    /// Sum of the first t values (of `L2`: less the origin).
    sums: Vec<f64>,
    /// `L2`: sum of their squares. `Binomial`: sum of the trials.
    weights: Vec<f64>,
}

/// Deviances are measured from the level of the whole series. That changes every segmentation by the same
/// amount, and keeps the digits of large counts.
enum Kind {
    L2 { origin: f64 },
    Poisson { level: f64 },
    Binomial { level: f64 },
}

impl SegmentCost {
    /// Of checked values.
    pub(super) fn new(y: &[f64], cost: Cost<'_>) -> Self {
        let total: f64 = y.iter().sum();
        match cost {
            Cost::L2 => {
                // The median is near most values and, unlike the mean, equal to them when all are equal.
                let origin = if y.is_empty() {
                    0.0
                } else {
                    median(&mut y.to_vec())
                };
                let from_origin = || y.iter().map(|v| v - origin);
                Self {
                    kind: Kind::L2 { origin },
                    sums: running(from_origin()),
                    weights: running(from_origin().map(|v| v * v)),
                }
            }
            Cost::Poisson => Self {
                kind: Kind::Poisson {
                    level: total / y.len().max(1) as f64,
                },
                sums: running(y.iter().copied()),
                weights: vec![],
            },
            Cost::Binomial(trials) => {
                let weights = running(trials.iter().map(|n| *n as f64));
                let all = weights[y.len()];
                Self {
                    kind: Kind::Binomial {
                        level: if all > 0.0 {
                            (total / all).min(1.0)
                        } else {
                            0.0
                        },
                    },
                    sums: running(y.iter().copied()),
                    weights,
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.sums.len() - 1
    }

    /// C(from, to) for from < to.
    pub(super) fn of(&self, from: usize, to: usize) -> f64 {
        let (sum, periods) = (self.sums[to] - self.sums[from], (to - from) as f64);
        match self.kind {
            Kind::L2 { .. } => {
                let squares = self.weights[to] - self.weights[from];
                (squares - sum * (sum / periods)).max(0.0)
            }
            Kind::Poisson { level } if level > 0.0 => -2.0 * deviance(sum, periods, level),
            Kind::Binomial { level } if level > 0.0 && level < 1.0 => {
                let trials = self.weights[to] - self.weights[from];
                let failures = (trials - sum).max(0.0);
                if trials == 0.0 {
                    return 0.0;
                }
                -2.0 * (deviance(sum, trials, level) + deviance(failures, trials, 1.0 - level))
            }
            Kind::Poisson { .. } | Kind::Binomial { .. } => 0.0,
        }
    }

    /// The level of a segment; `None` without trials.
    pub(super) fn level(&self, from: usize, to: usize) -> Option<f64> {
        let (sum, periods) = (self.sums[to] - self.sums[from], (to - from) as f64);
        match self.kind {
            Kind::L2 { origin } => Some(origin + sum / periods),
            Kind::Poisson { .. } => Some(sum / periods),
            Kind::Binomial { .. } => {
                let trials = self.weights[to] - self.weights[from];
                (trials > 0.0).then(|| (sum / trials).clamp(0.0, 1.0))
            }
        }
    }
}

/// 0, x₀, x₀+x₁, …, each with the rounding errors of the additions before it put back (Neumaier 1974).
fn running(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    let mut totals = vec![0.0];
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() {
            (sum - next) + value
        } else {
            (value - next) + sum
        };
        sum = next;
        totals.push(sum + lost);
    }
    totals
}
