//! The probability that one rate is higher than another, given the leads of both.

use crate::invalid::Invalid;
use crate::special::{beta_tails, ln_beta_density_kernel};

/// The prior's shapes; below, the posterior's tails reach further than the quadrature follows them.
pub(crate) const PRIOR_MIN: f64 = 0.01;
pub(crate) const PRIOR_MAX: f64 = 1e9;
/// Posteriors with larger shapes than this are refused by the beta distribution.
pub(crate) const TRIALS_MAX: u64 = 9_000_000_000;
/// The quadrature ends where the integrand falls below e^-45 = 3e-20 of its peak.
const LN_NEGLIGIBLE: f64 = 45.0;
/// Points of the quadrature: at least this many, and never further apart than the step in logits. The logistic
/// function's poles lie at ±iπ, so halving the step squares the error; at 0.2 it is far below 1e-16.
const POINTS_MIN: f64 = 160.0;
const STEP_MAX: f64 = 0.2;
/// Beyond this many logits θ or 1-θ leaves the range of f64, and the density is a pure exponential of t.
const FAR: f64 = 700.0;
const GOLDEN: f64 = 0.618_033_988_749_894_9;
const GOLDEN_STEPS: u32 = 40;
const EDGE_STEPS: u32 = 24;
const DOUBLINGS_MAX: u32 = 200;

/// P(θ₂ > θ₁) for θᵢ ~ Beta(a + yᵢ, b + nᵢ - yᵢ): how sure it is that the second rate is the higher one.
///
/// The integral of the product of one density and the other's distribution function, by the trapezoidal rule
/// in logits, which converges exponentially there (Trefethen & Weideman 2014, SIAM Rev 56:385). Any real a, b
/// from 0.01 to 1e9; for whole ones it equals Miller's (2015) sum. A prior of (1, 1) is uniform, (½, ½)
/// Jeffreys'.
///
/// `None` if one side has no trials, so that it would only compare priors, or more than 9e9. [`Invalid`] when
/// successes exceed trials or the prior is out of range.
pub fn p_better(
    y1: u64,
    n1: u64,
    y2: u64,
    n2: u64,
    a: f64,
    b: f64,
) -> Result<Option<f64>, Invalid> {
    for (name, y, n) in [("y1", y1, n1), ("y2", y2, n2)] {
        if y > n {
            return Err(Invalid::new(name, "at most as many as trials", y));
        }
    }
    for (name, shape) in [("a", a), ("b", b)] {
        if !(PRIOR_MIN..=PRIOR_MAX).contains(&shape) {
            return Err(Invalid::new(name, "a number from 0.01 to 1e9", shape));
        }
    }
    if n1 == 0 || n2 == 0 || n1.max(n2) > TRIALS_MAX {
        return Ok(None);
    }
    let posterior = |y: u64, n: u64| Beta {
        a: a + y as f64,
        b: b + (n - y) as f64,
    };
    exceeds(posterior(y1, n1), posterior(y2, n2)).map(Some)
}

/// A beta distribution, seen on the scale t = ln θ/(1-θ).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Beta {
    /// First shape.
    pub(crate) a: f64,
    /// Second shape.
    pub(crate) b: f64,
}

impl Beta {
    /// The mode in logits.
    pub(crate) fn mode(self) -> f64 {
        (self.a / self.b).ln()
    }

    /// Minus the second derivative of the log density at the mode: the inverse variance, nearly.
    pub(crate) fn precision(self) -> f64 {
        self.a / (self.a + self.b) * self.b
    }

    /// The log density of t, θ^a (1-θ)^b / B(a, b).
    pub(crate) fn ln_density(self, t: f64) -> f64 {
        let at = t.clamp(-FAR, FAR);
        let (x, y) = logistic(at);
        let beyond = self.slope(t) * (t - at);
        self.precision().ln() + ln_beta_density_kernel(self.a, self.b, x, y) + beyond
    }

    /// Both tails at t.
    pub(crate) fn tails(self, t: f64) -> Result<(f64, f64), Invalid> {
        let at = t.clamp(-FAR, FAR);
        let (x, y) = logistic(at);
        let (lower, upper) = beta_tails(x, y, self.a, self.b)?;
        let shrunk = (self.slope(t) * (t - at)).exp();
        Ok(if t < -FAR {
            (lower * shrunk, 1.0 - lower * shrunk)
        } else if t > FAR {
            (1.0 - upper * shrunk, upper * shrunk)
        } else {
            (lower, upper)
        })
    }

    /// How the log density and the logarithm of the tail rise with t far out.
    fn slope(self, t: f64) -> f64 {
        if t < 0.0 { self.a } else { -self.b }
    }
}

/// θ and 1-θ of the logit t, each with its own digits.
pub(crate) fn logistic(t: f64) -> (f64, f64) {
    (1.0 / (1.0 + (-t).exp()), 1.0 / (1.0 + t.exp()))
}

/// P(X₂ > X₁).
pub(crate) fn exceeds(first: Beta, second: Beta) -> Result<f64, Invalid> {
    // The shapes are in range, so that no tail is refused from here on; this is where it would show.
    first.tails(0.0)?;
    second.tails(0.0)?;
    if first == second {
        return Ok(0.5);
    }
    // Over the narrower density the other's distribution function is smooth.
    let over_second = second.precision() >= first.precision();
    let ln_integrand = |t: f64| {
        let (density, tail) = if over_second {
            (second, first.tails(t).map(|tails| tails.0))
        } else {
            (first, second.tails(t).map(|tails| tails.1))
        };
        tail.map_or(f64::NEG_INFINITY, |tail| density.ln_density(t) + tail.ln())
    };
    let narrow = if over_second { second } else { first };
    let weight = first.precision() / (first.precision() + second.precision());
    let between = weight * first.mode() + (1.0 - weight) * second.mode();
    let scale = narrow.precision().sqrt().recip().min(1.0);
    let from = if ln_integrand(between) > ln_integrand(narrow.mode()) {
        between
    } else {
        narrow.mode()
    };
    Ok(integral(ln_integrand, from, scale).clamp(0.0, 1.0))
}

/// The integral of e^h for a concave h, by the trapezoidal rule between the points where it is negligible.
fn integral(h: impl Fn(f64) -> f64, from: f64, scale: f64) -> f64 {
    if h(from) == f64::NEG_INFINITY {
        return 0.0;
    }
    let peak = peak(&h, from, scale);
    let floor = h(peak) - LN_NEGLIGIBLE;
    let (lo, hi) = (edge(&h, peak, -scale, floor), edge(&h, peak, scale, floor));
    let points = ((hi - lo) / STEP_MAX).max(POINTS_MIN).ceil();
    let step = (hi - lo) / points;
    let sum: f64 = (0..=points as u32)
        .map(|i| h(lo + f64::from(i) * step).exp())
        .sum();
    sum * step
}

/// Where the concave `h` is highest, by doubling steps uphill and then golden section.
fn peak(h: &impl Fn(f64) -> f64, from: f64, scale: f64) -> f64 {
    let uphill = if h(from + scale) > h(from) {
        scale
    } else {
        -scale
    };
    let (mut near, mut middle, mut step) = (from - uphill, from, uphill);
    for _ in 0..DOUBLINGS_MAX {
        let next = middle + step;
        if h(next) <= h(middle) {
            break;
        }
        near = middle;
        middle = next;
        step *= 2.0;
    }
    let (mut lo, mut hi) = (near.min(middle + step), near.max(middle + step));
    for _ in 0..GOLDEN_STEPS {
        let (left, right) = (hi - GOLDEN * (hi - lo), lo + GOLDEN * (hi - lo));
        if h(left) < h(right) {
            lo = left;
        } else {
            hi = right;
        }
    }
    0.5 * (lo + hi)
}

/// A point on the side of `step` where the concave `h` has just fallen below `floor`.
pub(crate) fn edge(h: &impl Fn(f64) -> f64, peak: f64, step: f64, floor: f64) -> f64 {
    let (mut inside, mut outside, mut reach) = (peak, peak + step, step);
    for _ in 0..DOUBLINGS_MAX {
        if h(outside) < floor {
            break;
        }
        inside = outside;
        reach *= 2.0;
        outside += reach;
    }
    for _ in 0..EDGE_STEPS {
        let middle = 0.5 * (inside + outside);
        if h(middle) < floor {
            outside = middle;
        } else {
            inside = middle;
        }
    }
    outside
}
