//! The beta distribution: regularised incomplete beta function and its inverse.
//!
//! Invariant: both tails are carried, and whichever is small is the one computed; a result near 1 is never
//! the way to a result near 0.

use super::gamma::{ln_beta_density_kernel, ln_gamma_positive};
use super::normal::quantile_of_tails;
use crate::invalid::Invalid;

/// Shapes outside these are refused: below, x^a is flat to f64; above, the fraction gets too long.
const SHAPE_MIN: f64 = 1e-6;
const SHAPE_MAX: f64 = 1e10;
/// The continued fraction needs O(√max(a,b)) levels; this bound is never met within the shapes allowed.
const LEVELS_MAX: u32 = 2_000_000;
/// Steps of the safeguarded Newton iteration; bisection alone would end well before.
const STEPS_MAX: u32 = 200;
/// Replaces a zero denominator in Lentz's method.
const TINY: f64 = 1e-300;

/// I_x(a, b), the distribution function of Beta(a, b) at x in [0, 1], for shapes in [1e-6, 1e10].
///
/// The continued fraction of DiDonato & Morris (1992), eq. 9, on the side of the mean where it converges,
/// times x^a (1-x)^b / B(a,b) in Loader's (2000) saddle-point form. Outside the domain: [`Invalid`].
pub fn beta_cdf(x: f64, a: f64, b: f64) -> Result<f64, Invalid> {
    check_shapes(a, b)?;
    if !(0.0..=1.0).contains(&x) {
        return Err(Invalid::new("x", "a number from 0 to 1", x));
    }
    Ok(tails(x, 1.0 - x, a, b).lower)
}

/// The x with I_x(a, b) = p, for p in [0, 1] and shapes in [1e-6, 1e10].
///
/// Safeguarded Newton iteration on ln I in ln x, from the start of Abramowitz & Stegun (1964) 26.5.22.
/// A quantile below the least normal f64 is 0. Outside the domain: [`Invalid`].
pub fn beta_quantile(p: f64, a: f64, b: f64) -> Result<f64, Invalid> {
    if !(0.0..=1.0).contains(&p) {
        return Err(Invalid::new("p", "a number from 0 to 1", p));
    }
    beta_quantile_of_tails(p, 1.0 - p, a, b)
}

/// [`beta_quantile`] of a lower tail p whose complement q is given with its own digits.
pub(crate) fn beta_quantile_of_tails(p: f64, q: f64, a: f64, b: f64) -> Result<f64, Invalid> {
    check_shapes(a, b)?;
    if p <= 0.0 {
        return Ok(0.0);
    }
    if q <= 0.0 {
        return Ok(1.0);
    }
    let half = tails(0.5, 0.5, a, b);
    let in_lower_half = if p <= q {
        p <= half.lower
    } else {
        q >= half.upper
    };
    Ok(if in_lower_half {
        quantile_in_lower_half(p, q, a, b)
    } else {
        1.0 - quantile_in_lower_half(q, p, b, a)
    })
}

fn check_shapes(a: f64, b: f64) -> Result<(), Invalid> {
    for (name, shape) in [("a", a), ("b", b)] {
        if !(SHAPE_MIN..=SHAPE_MAX).contains(&shape) {
            return Err(Invalid::new(name, "a shape from 1e-6 to 1e10", shape));
        }
    }
    Ok(())
}

struct Tails {
    lower: f64,
    upper: f64,
}

/// Both tails of Beta(a, b) at x, with y = 1-x.
fn tails(x: f64, y: f64, a: f64, b: f64) -> Tails {
    if x <= 0.0 {
        return Tails {
            lower: 0.0,
            upper: 1.0,
        };
    }
    if y <= 0.0 {
        return Tails {
            lower: 1.0,
            upper: 0.0,
        };
    }
    // Of the two equal forms, the one that does not subtract from nearly all of a+b.
    let lambda = if x <= 0.5 {
        a - (a + b) * x
    } else {
        (a + b) * y - b
    };
    let front = density_front(a, b, x, y);
    if lambda >= 0.0 {
        let lower = (front * fraction(x, y, a, b, lambda)).min(1.0);
        Tails {
            lower,
            upper: 1.0 - lower,
        }
    } else {
        let upper = (front * fraction(y, x, b, a, -lambda)).min(1.0);
        Tails {
            lower: 1.0 - upper,
            upper,
        }
    }
}

/// x^a y^b / B(a, b).
fn density_front(a: f64, b: f64, x: f64, y: f64) -> f64 {
    a / (a + b) * b * ln_beta_density_kernel(a, b, x, y).exp()
}

/// I_x(a, b) over x^a y^b / B(a, b), for x at most the mean, where `lambda` = a - (a+b)x >= 0.
///
/// The continued fraction of DiDonato & Morris (1992), ACM TOMS 18:360, eq. 9, by the modified Lentz method
/// (Thompson & Barnett 1986). It is the even part of DLMF 8.17.22, which as printed loses digits for x near
/// 1: 1 - (a+b)x/(a+1) cancels where `lambda` does not.
fn fraction(x: f64, y: f64, a: f64, b: f64, lambda: f64) -> f64 {
    let mut denominator = a / (a + 1.0) * (lambda + 1.0);
    let (mut c, mut d) = (denominator, 0.0);
    for level in 1..=LEVELS_MAX {
        let n = f64::from(level);
        let odd = a + 2.0 * n - 1.0;
        let alpha = (a + n - 1.0) / odd * ((a + b + n - 1.0) / odd) * n * (b - n) * x * x;
        let beta = n
            + n * (b - n) * x / odd
            + (a + n) / (a + 2.0 * n + 1.0) * (lambda + 1.0 + n * (1.0 + y));
        d = 1.0 / away_from_zero(beta + alpha * d);
        c = away_from_zero(beta + alpha / c);
        let change = c * d;
        denominator *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    1.0 / denominator
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

/// The quantile when it is known to be at most ½.
fn quantile_in_lower_half(p: f64, q: f64, a: f64, b: f64) -> f64 {
    let mut below = f64::MIN_POSITIVE;
    let mut above = 0.5;
    if tails(below, 1.0, a, b).lower >= p {
        return 0.0;
    }
    let mut x = start(p, q, a, b).clamp(below, above);
    for _ in 0..STEPS_MAX {
        let at = tails(x, 1.0 - x, a, b);
        // Both sides in logarithms of the smaller tail, where the function is nearly straight in ln x.
        let (error, tail) = if p <= q {
            ((at.lower / p).ln(), at.lower)
        } else {
            ((q / at.upper).ln(), at.upper)
        };
        if error < 0.0 {
            below = x;
        } else {
            above = x;
        }
        let slope = density_front(a, b, x, 1.0 - x) / (1.0 - x) / tail;
        let newton = x * (-error / slope).exp();
        let next = if newton > below && newton < above {
            newton
        } else {
            below.sqrt() * above.sqrt()
        };
        if (next - x).abs() <= f64::EPSILON * x || above - below <= f64::EPSILON * below {
            return next;
        }
        x = next;
    }
    x
}

/// A first guess: A&S 26.5.22 when both shapes exceed 1, else the leading power of the lower tail.
fn start(p: f64, q: f64, a: f64, b: f64) -> f64 {
    let normal = normal_start(p, q, a, b);
    if a > 1.0 && b > 1.0 && normal.is_finite() && normal > 0.0 {
        return normal;
    }
    let ln_beta = ln_gamma_positive(a) + ln_gamma_positive(b) - ln_gamma_positive(a + b);
    ((p.ln() + a.ln() + ln_beta) / a).exp()
}

fn normal_start(p: f64, q: f64, a: f64, b: f64) -> f64 {
    let z = -quantile_of_tails(p, q);
    let lambda = (z * z - 3.0) / 6.0;
    let inv_a = 1.0 / (2.0 * a - 1.0);
    let inv_b = 1.0 / (2.0 * b - 1.0);
    let h = 2.0 / (inv_a + inv_b);
    let w = z * (h + lambda).sqrt() / h - (inv_b - inv_a) * (lambda + 5.0 / 6.0 - 2.0 / (3.0 * h));
    a / (a + b * (2.0 * w).exp())
}

/// Both tails of Beta(a, b), (I_x(a, b), 1 - I_x(a, b)), at the x whose complement `y` is given with its own
/// digits; whichever is small keeps its relative accuracy. Outside the domain of [`beta_cdf`]: [`Invalid`].
pub(crate) fn beta_tails(x: f64, y: f64, a: f64, b: f64) -> Result<(f64, f64), Invalid> {
    check_shapes(a, b)?;
    let both = tails(x, y, a, b);
    Ok((both.lower, both.upper))
}
