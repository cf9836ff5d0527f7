//! The distribution of a unit's count when it is on target and units differ: beta-binomial or gamma-Poisson.

use super::{Kind, Limits, TAILS};
use crate::better::{Beta, exceeds};
use crate::special::{beta_tails, gamma_quantile_of_tails, gamma_tails};

/// A beta distribution narrower than this is a point to its binomial.
const SHAPE_MAX: f64 = 1e9;
/// The beta-binomial is summed term by term over at most about this many counts; beyond, integrated.
const COUNTS_MAX: f64 = 200_000.0;
/// Terms below this share of the sum end it.
const NEGLIGIBLE: f64 = 1e-30;
/// Two probabilities are the same when they differ by less than this, as in R's discrete quantiles.
const SLACK: f64 = 64.0 * f64::EPSILON;

/// The correlation of two trials of one unit: the share of a trial's variance that is between units.
pub(super) fn correlation(target: f64, tau2: f64) -> f64 {
    let chance = target * (1.0 - target);
    if chance > 0.0 {
        (tau2 / chance).min(0.999)
    } else {
        0.0
    }
}

/// Exact limits of a Poisson count around `expected`, over `den`: quantiles of Gamma(E) and Gamma(E+1).
pub(super) fn poisson_limits(expected: f64, den: f64) -> Option<Limits> {
    let limit = |shape: f64, p: f64, q: f64| gamma_quantile_of_tails(p, q, shape).ok();
    let [t95, t998] = TAILS;
    let lo = |tail: f64| limit(expected, tail, 1.0 - tail);
    let hi = |tail: f64| limit(expected + 1.0, 1.0 - tail, tail);
    Some(Limits {
        lo95: lo(t95)? / den,
        hi95: hi(t95)? / den,
        lo998: lo(t998)? / den,
        hi998: hi(t998)? / den,
    })
}

/// A distribution of counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Law {
    /// One outcome is certain.
    Point {
        at: f64,
    },
    Binomial {
        n: f64,
        p: f64,
    },
    BetaBinomial {
        n: f64,
        a: f64,
        b: f64,
    },
    Poisson {
        mean: f64,
    },
    /// Gamma of this shape, Poisson given it.
    GammaPoisson {
        mean: f64,
        shape: f64,
    },
}

impl Law {
    /// Of a unit with denominator `den`, when units at `target` have the variance `tau2`.
    pub(super) fn of(kind: Kind, target: f64, den: f64, tau2: f64) -> Self {
        let mean = target * den;
        if kind != Kind::Rate {
            let shape = target * target / tau2;
            return if shape < SHAPE_MAX {
                Self::GammaPoisson { mean, shape }
            } else {
                Self::Poisson { mean }
            };
        }
        if target <= 0.0 || target >= 1.0 {
            return Self::Point { at: mean };
        }
        let strength = 1.0 / correlation(target, tau2) - 1.0;
        let (a, b) = (target * strength, (1.0 - target) * strength);
        if a.max(b) < SHAPE_MAX {
            Self::BetaBinomial { n: den, a, b }
        } else {
            Self::Binomial { n: den, p: target }
        }
    }

    /// P(Y <= y), and the quantiles of the lower and upper 95 %, lower and upper 99.8 % limit: each the least count
    /// whose probability, with all below it, reaches that much. `None` where shapes are out of reach.
    pub(super) fn tails(&self, y: f64) -> (Option<f64>, Option<[f64; 4]>) {
        let [t95, t998] = TAILS;
        let levels = [t95, 1.0 - t95, t998, 1.0 - t998];
        match *self {
            Self::Point { at } => (Some(f64::from(y >= at)), Some([at; 4])),
            Self::BetaBinomial { n, a, b } if counts(n, a, b) <= COUNTS_MAX => {
                let (p_low, quantiles) = summed(n, a, b, y, levels);
                (Some(p_low), Some(quantiles))
            }
            _ => {
                let quantiles = levels.map(|level| self.quantile(level));
                let all = match quantiles {
                    [Some(q0), Some(q1), Some(q2), Some(q3)] => Some([q0, q1, q2, q3]),
                    _ => None,
                };
                (self.cumulative(y), all)
            }
        }
    }

    /// P(Y <= y) for a whole y.
    fn cumulative(&self, y: f64) -> Option<f64> {
        if y < 0.0 {
            return Some(0.0);
        }
        match *self {
            Self::Point { at } => Some(f64::from(y >= at)),
            Self::Binomial { n, .. } | Self::BetaBinomial { n, .. } if y >= n => Some(1.0),
            Self::Binomial { n, p } => Some(beta_tails(p, 1.0 - p, y + 1.0, n - y).ok()?.1),
            // θ ~ Beta(a, b) and Y <= y given θ when a Beta(y+1, n-y) exceeds it.
            Self::BetaBinomial { n, a, b } => {
                let count = Beta {
                    a: y + 1.0,
                    b: n - y,
                };
                exceeds(Beta { a, b }, count).ok()
            }
            Self::Poisson { mean } => Some(gamma_tails(mean, y + 1.0).ok()?.1),
            Self::GammaPoisson { mean, shape } => {
                let (stop, go) = (shape / (shape + mean), mean / (shape + mean));
                Some(beta_tails(stop, go, shape, y + 1.0).ok()?.0)
            }
        }
    }

    fn mean_and_deviation(&self) -> (f64, f64) {
        match *self {
            Self::Point { at } => (at, 0.0),
            Self::Binomial { n, p } => (n * p, (n * p * (1.0 - p)).sqrt()),
            Self::BetaBinomial { n, a, b } => {
                let (s, p) = (a + b, a / (a + b));
                (n * p, (n * p * (1.0 - p) * ((s + n) / (s + 1.0))).sqrt())
            }
            Self::Poisson { mean } => (mean, mean.sqrt()),
            Self::GammaPoisson { mean, shape } => (mean, (mean + mean * mean / shape).sqrt()),
        }
    }

    fn quantile(&self, level: f64) -> Option<f64> {
        let reached = |y: f64| self.cumulative(y).map(|p| p >= level - SLACK);
        let (mean, deviation) = self.mean_and_deviation();
        let mut above = (mean + 4.0 * deviation).ceil() + 1.0;
        while !reached(above)? {
            above *= 2.0;
        }
        let mut below = -1.0;
        while above - below > 1.0 {
            let middle = (0.5 * (below + above)).floor();
            // Beyond 2^53 there is no count between.
            if middle <= below || middle >= above {
                break;
            }
            if reached(middle)? {
                above = middle;
            } else {
                below = middle;
            }
        }
        Some(above)
    }
}

/// About how many counts a sum over a beta-binomial takes.
fn counts(n: f64, a: f64, b: f64) -> f64 {
    let (_, deviation) = Law::BetaBinomial { n, a, b }.mean_and_deviation();
    n.min(30.0 * deviation)
}

/// P(Y <= y) and quantiles by summing: outwards from the mean for the total, then upwards from the lowest term.
fn summed(n: f64, a: f64, b: f64, y: f64, levels: [f64; 4]) -> (f64, [f64; 4]) {
    // P(k+1) / P(k).
    let ratio = |k: f64| (n - k) / (k + 1.0) * ((a + k) / (b + n - k - 1.0));
    let middle = (n * (a / (a + b))).floor().min(n);
    let (mut upper, mut term, mut last) = (0.0, 1.0, middle);
    while last < n && term > NEGLIGIBLE * upper {
        term *= ratio(last);
        upper += term;
        last += 1.0;
    }
    let (mut lower, mut term, mut first) = (1.0, 1.0, middle);
    while first > 0.0 && term > NEGLIGIBLE * lower {
        first -= 1.0;
        term /= ratio(first);
        lower += term;
    }
    let total = upper + lower;
    let (mut so_far, mut p_low) = (0.0, if y < first { 0.0 } else { 1.0 });
    let mut quantiles = [last; 4];
    let mut waiting = [true; 4];
    let mut k = first;
    while k <= last {
        so_far += term / total;
        if k == y {
            p_low = so_far.min(1.0);
        }
        for ((quantile, waiting), level) in quantiles.iter_mut().zip(&mut waiting).zip(levels) {
            if *waiting && so_far >= level - SLACK {
                *quantile = k;
                *waiting = false;
            }
        }
        term *= ratio(k);
        k += 1.0;
    }
    (p_low, quantiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summed_and_integrated_beta_binomials_agree() {
        for (n, a, b) in [
            (36.0, 8.0, 32.0),
            (20.0, 0.5, 2.0),
            (1000.0, 20.0, 80.0),
            (3000.0, 2.0, 0.7),
        ] {
            let law = Law::BetaBinomial { n, a, b };
            for share in [0.0, 0.02, 0.1, 0.2, 0.5, 0.97] {
                let y = f64::floor(share * n);
                let (Some(summed), Some(quantiles)) = law.tails(y) else {
                    panic!("{law:?}")
                };
                let integrated = law.cumulative(y).unwrap();
                assert!(
                    (summed / integrated - 1.0).abs() < 1e-10,
                    "{law:?} {y}: {summed} {integrated}"
                );
                let levels = [0.025, 0.975, 0.001, 0.999];
                assert_eq!(quantiles.map(Some), levels.map(|level| law.quantile(level)));
            }
        }
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        // scipy.stats: betabinom, binom, poisson, nbinom.
        let limits = |law: Law| law.tails(0.0).1.unwrap();
        let law = Law::BetaBinomial {
            n: 20_000.0,
            a: 50.0,
            b: 200.0,
        };
        assert_eq!(limits(law), [3051.0, 5040.0, 2576.0, 5697.0]);
        let law = Law::BetaBinomial {
            n: 20.0,
            a: 2.0,
            b: 0.7,
        };
        assert_eq!(limits(law), [3.0, 20.0, 0.0, 20.0]);
        assert_eq!(
            limits(Law::Binomial { n: 36.0, p: 0.2 }),
            [3.0, 12.0, 1.0, 15.0]
        );
        assert_eq!(limits(Law::Poisson { mean: 7.2 }), [2.0, 13.0, 1.0, 17.0]);
        assert_eq!(
            limits(Law::GammaPoisson {
                mean: 7.2,
                shape: 9.0
            }),
            [1.0, 15.0, 0.0, 22.0]
        );
    }
}
