//! The beta prior that fits the rates of all units.

use super::newton::{Slope, maximise};
use super::{RateMethod, RatePrior, UNITS_MIN};
use crate::compensated::sum;
use crate::estimate::Status;
use crate::special::rising;

/// A prior of more trials than this is one that says all units are alike.
const STRENGTH_MAX: f64 = 1e9;
/// ln of the least prior strength a+b: below, the prior says that every rate is 0 or 1.
const LN_STRENGTH_MIN: f64 = -9.0;
/// Rounds of reweighting the moments; they settle to the last digit in a dozen.
const ROUNDS_MAX: u32 = 500;

/// Distinct (y, n) in ascending order, with how many units have them.
pub(super) struct Data(pub(super) Vec<((f64, f64), f64)>);

impl Data {
    fn sum(&self, term: impl Fn(f64, f64) -> f64) -> f64 {
        sum(self.0.iter().map(|((y, n), times)| times * term(*y, *n)))
    }

    /// The prior that the method finds.
    pub(super) fn prior(&self, method: RateMethod) -> RatePrior {
        let units = self.sum(|_, _| 1.0);
        let mut prior = RatePrior {
            a: None,
            b: None,
            mean: None,
            sd: None,
            rho: None,
            log_likelihood: None,
            units: units as u64,
            status: Status::SmallN,
        };
        if units < UNITS_MIN as f64 {
            if units == 0.0 {
                prior.status = Status::NoData;
            }
            return prior;
        }
        prior.status = Status::Ok;
        let pooled = (self.sum(|y, _| y) / self.sum(|_, n| n)).min(1.0);
        let fitted = if pooled <= 0.0 || pooled >= 1.0 {
            None
        } else {
            match method {
                RateMethod::Mle => self.most_likely(pooled, &mut prior.status),
                RateMethod::Moments => self.moments(),
                RateMethod::SimpleMoments => self.simple_moments(units),
            }
        };
        let Some((mean, strength)) = fitted.filter(|(_, strength)| *strength < STRENGTH_MAX) else {
            prior.mean = Some(pooled);
            prior.sd = Some(0.0);
            prior.rho = Some(0.0);
            prior.log_likelihood =
                Some(self.sum(|y, n| ln_power(pooled, y) + ln_power(1.0 - pooled, n - y)));
            return prior;
        };
        let (a, b) = (mean * strength, (1.0 - mean) * strength);
        prior.a = Some(a);
        prior.b = Some(b);
        prior.mean = Some(mean);
        prior.sd = Some((mean * (1.0 - mean) / (strength + 1.0)).sqrt());
        prior.rho = Some(1.0 / (strength + 1.0));
        prior.log_likelihood = Some(self.likelihood(a, b).value);
        prior
    }

    /// Mean and strength a+b, or `None` if the likelihood only falls as the units begin to differ.
    fn most_likely(&self, pooled: f64, status: &mut Status) -> Option<(f64, f64)> {
        let q = 1.0 - pooled;
        let score = self.sum(|y, n| {
            let misses = n - y;
            0.5 * (y * (y - 1.0) / pooled + misses * (misses - 1.0) / q - n * (n - 1.0))
        });
        let scale = self.sum(|_, n| n * (n - 1.0));
        if score <= 1e-12 * scale {
            return None;
        }
        let start = self.moments().unwrap_or((pooled, 10.0));
        let at = |parameters: [f64; 2]| {
            let mean = 1.0 / (1.0 + (-parameters[0]).exp());
            let strength = parameters[1].exp();
            (mean, strength)
        };
        let slope = |parameters: [f64; 2]| {
            let (mean, strength) = at(parameters);
            let other = 1.0 / (1.0 + parameters[0].exp());
            self.likelihood(mean * strength, other * strength)
                .in_logs(mean, other, strength)
        };
        let logit = (start.0 / (1.0 - start.0)).ln();
        let maximum = maximise(slope, [logit, start.1.ln()], LN_STRENGTH_MIN);
        let (mean, strength) = at(maximum.at);
        if !maximum.converged && strength < STRENGTH_MAX {
            *status = Status::NotConverged;
        }
        Some((mean, strength))
    }

    fn likelihood(&self, a: f64, b: f64) -> Likelihood {
        let mut terms = [0.0; 6];
        for ((y, n), times) in &self.0 {
            let (hits, misses, all) = (rising(a, *y), rising(b, n - y), rising(a + b, *n));
            let each = [
                hits.ln + misses.ln - all.ln,
                hits.first - all.first,
                misses.first - all.first,
                hits.second - all.second,
                -all.second,
                misses.second - all.second,
            ];
            for (sum, term) in terms.iter_mut().zip(each) {
                *sum += times * term;
            }
        }
        Likelihood {
            value: terms[0],
            by_a: terms[1],
            by_b: terms[2],
            second: [terms[3], terms[4], terms[5]],
        }
    }

    fn moments(&self) -> Option<(f64, f64)> {
        let mut rho = 0.0_f64;
        let mut mean = 0.0;
        for _ in 0..ROUNDS_MAX {
            let weight = |n: f64| n / (1.0 + rho * (n - 1.0));
            let weights = self.sum(|_, n| weight(n));
            mean = self.sum(|y, n| weight(n) * (y / n)) / weights;
            let squares = self.sum(|y, n| weight(n) * (y / n - mean).powi(2));
            let used = self.sum(|_, n| weight(n) * (1.0 - weight(n) / weights));
            let chance = self.sum(|_, n| weight(n) * (1.0 - weight(n) / weights) / n);
            let spread = mean * (1.0 - mean);
            let next = ((squares - spread * chance) / (spread * (used - chance))).clamp(0.0, 1.0);
            // 0/0 where every unit has one trial, and nothing tells units from trials.
            if next.is_nan() {
                return None;
            }
            let settled = (next - rho).abs() <= 1e-15;
            rho = next;
            if settled {
                break;
            }
        }
        (rho > 0.0).then(|| (mean, (1.0 / rho - 1.0).max(LN_STRENGTH_MIN.exp())))
    }

    fn simple_moments(&self, units: f64) -> Option<(f64, f64)> {
        let mean = self.sum(|y, n| y / n) / units;
        let variance = self.sum(|y, n| (y / n - mean).powi(2)) / (units - 1.0);
        let strength = mean * (1.0 - mean) / variance - 1.0;
        (variance > 0.0).then(|| (mean, strength.max(LN_STRENGTH_MIN.exp())))
    }
}

fn ln_power(base: f64, exponent: f64) -> f64 {
    if exponent == 0.0 {
        0.0
    } else {
        exponent * base.ln()
    }
}

/// The log likelihood and its derivatives by a and b.
struct Likelihood {
    value: f64,
    by_a: f64,
    by_b: f64,
    /// By a twice, by both, by b twice.
    second: [f64; 3],
}

impl Likelihood {
    /// The same by the logit of the mean and the logarithm of the strength, in which it is nearly a paraboloid.
    fn in_logs(&self, mean: f64, other: f64, strength: f64) -> Slope {
        let (a, b) = (mean * strength, other * strength);
        let move_ = strength * mean * other;
        let [aa, ab, bb] = self.second;
        let tilt = self.by_a - self.by_b;
        Slope {
            value: self.value,
            gradient: [move_ * tilt, a * self.by_a + b * self.by_b],
            hessian: [
                move_ * move_ * (aa - 2.0 * ab + bb) + move_ * (other - mean) * tilt,
                move_ * (a * aa + (b - a) * ab - b * bb) + move_ * tilt,
                a * a * aa + 2.0 * a * b * ab + b * b * bb + a * self.by_a + b * self.by_b,
            ],
        }
    }
}
