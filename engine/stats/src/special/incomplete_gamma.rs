//! The gamma distribution, and with it the chi-square and the Poisson distribution.
//!
//! Invariant: as for the beta distribution, whichever tail is small is the one computed.

use super::gamma::ln_poisson_kernel;
use super::normal::quantile_of_tails;
use crate::invalid::Invalid;

/// Shapes outside these are refused: below, the upper tail loses digits; above, the series gets too long.
const SHAPE_MIN: f64 = 1e-3;
const SHAPE_MAX: f64 = 1e10;
/// The series and the fraction need O(√a) terms; this bound is never met within the shapes allowed.
const TERMS_MAX: u32 = 4_000_000;
/// Steps of the safeguarded Newton iteration; bisection alone would end well before.
const STEPS_MAX: u32 = 300;
/// Replaces a zero denominator in Lentz's method.
const TINY: f64 = 1e-300;
/// Beyond shape + this times (√shape + 1) the upper tail is below the least f64.
const FAR: f64 = 800.0;

/// P(a, x), the distribution function of Gamma(a, 1) at x >= 0 (∞ gives 1), for shapes in [1e-3, 1e10].
///
/// For x < a+1 (x < 1 if a < 1) the series x^a e^-x / Γ(a+1) Σ x^n / ((a+1)…(a+n)) (Abramowitz & Stegun 1964, 6.5.29), above
/// it the continued fraction of the upper tail (A&S 6.5.31 in its even form, by the modified Lentz method).
pub fn gamma_cdf(x: f64, shape: f64) -> Result<f64, Invalid> {
    Ok(gamma_tails(x, shape)?.0)
}

/// 1 - P(a, x), with its own relative accuracy. The domain is that of [`gamma_cdf`].
pub fn gamma_sf(x: f64, shape: f64) -> Result<f64, Invalid> {
    Ok(gamma_tails(x, shape)?.1)
}

/// The upper tail of the chi-square distribution, Q(df/2, x/2), for df in [2e-3, 2e10]; 1 below 0.
///
/// R's `pchisq(x, df, lower.tail = FALSE)`.
pub fn chi2_sf(x: f64, df: f64) -> Result<f64, Invalid> {
    check_df(df)?;
    gamma_sf(if x < 0.0 { 0.0 } else { 0.5 * x }, 0.5 * df)
}

/// The x with P(X > x) = `tail` for X ~ χ² with `df` degrees of freedom in [2e-3, 2e10], 0 < `tail` < 1.
///
/// R's `qchisq(tail, df, lower.tail = FALSE)`. Small tails keep their digits.
pub fn chi2_upper_quantile(tail: f64, df: f64) -> Result<f64, Invalid> {
    check_df(df)?;
    if !(tail > 0.0 && tail < 1.0) {
        let needs = "a number strictly between 0 and 1";
        return Err(Invalid::new("tail", needs, tail));
    }
    Ok(2.0 * gamma_quantile_of_tails(1.0 - tail, tail, 0.5 * df)?)
}

fn check_df(df: f64) -> Result<(), Invalid> {
    if !(2.0 * SHAPE_MIN..=2.0 * SHAPE_MAX).contains(&df) {
        return Err(Invalid::new("df", "a number from 2e-3 to 2e10", df));
    }
    Ok(())
}

/// The x with P(a, x) = p, for 0 <= p < 1 and shapes in [1e-3, 1e10].
///
/// Safeguarded Newton iteration on ln P in ln x, from the start of Wilson & Hilferty (1931).
pub fn gamma_quantile(p: f64, shape: f64) -> Result<f64, Invalid> {
    if !(0.0..1.0).contains(&p) {
        return Err(Invalid::new("p", "a number from 0 to below 1", p));
    }
    gamma_quantile_of_tails(p, 1.0 - p, shape)
}

/// [`gamma_quantile`] of a lower tail p whose complement q > 0 is given with its own digits.
pub(crate) fn gamma_quantile_of_tails(p: f64, q: f64, shape: f64) -> Result<f64, Invalid> {
    check_shape(shape)?;
    if p <= 0.0 {
        return Ok(0.0);
    }
    let mut below = f64::MIN_POSITIVE;
    let mut above = shape + FAR * (shape.sqrt() + 1.0);
    if tails(below, shape).0 >= p {
        return Ok(0.0);
    }
    let mut x = start(p, q, shape).clamp(below, above);
    for _ in 0..STEPS_MAX {
        let (lower, upper) = tails(x, shape);
        // Both sides in logarithms of the smaller tail, where the function is nearly straight in ln x.
        let (error, tail) = if p <= q {
            ((lower / p).ln(), lower)
        } else {
            ((q / upper).ln(), upper)
        };
        if error < 0.0 {
            below = x;
        } else {
            above = x;
        }
        let slope = shape * ln_poisson_kernel(shape, x).exp() / tail;
        let newton = x * (-error / slope).exp();
        let next = if newton > below && newton < above {
            newton
        } else {
            below.sqrt() * above.sqrt()
        };
        if (next - x).abs() <= f64::EPSILON * x || above - below <= f64::EPSILON * below {
            return Ok(next);
        }
        x = next;
    }
    Ok(x)
}

fn check_shape(shape: f64) -> Result<(), Invalid> {
    if !(SHAPE_MIN..=SHAPE_MAX).contains(&shape) {
        return Err(Invalid::new("shape", "a shape from 1e-3 to 1e10", shape));
    }
    Ok(())
}

/// Both tails of Gamma(shape, 1) at x >= 0.
pub(crate) fn gamma_tails(x: f64, shape: f64) -> Result<(f64, f64), Invalid> {
    check_shape(shape)?;
    // A NaN compares with nothing.
    if x.is_nan() || x < 0.0 {
        return Err(Invalid::new("x", "a number of at least 0", x));
    }
    Ok(tails(x, shape))
}

fn tails(x: f64, a: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x > a + FAR * (a.sqrt() + 1.0) {
        return (1.0, 0.0);
    }
    let front = ln_poisson_kernel(a, x).exp();
    // For a < 1 the upper tail is small from x = 1 on.
    let series_below = if a < 1.0 { 1.0 } else { a + 1.0 };
    if x < series_below {
        let lower = (front * series(x, a)).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (front * a / fraction(x, a)).min(1.0);
        (1.0 - upper, upper)
    }
}

/// Σ x^n / ((a+1)…(a+n)) from n = 0.
fn series(x: f64, a: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..=TERMS_MAX {
        term *= x / (a + f64::from(n));
        sum += term;
        if term <= 0.1 * f64::EPSILON * sum {
            break;
        }
    }
    sum
}

/// x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - …)), so that Q = x^a e^-x / Γ(a) over it.
fn fraction(x: f64, a: f64) -> f64 {
    let mut b = x - a + 1.0;
    let mut value = away_from_zero(b);
    let (mut c, mut d) = (value, 0.0);
    for n in 1..=TERMS_MAX {
        let n = f64::from(n);
        let numerator = n * (a - n);
        b += 2.0;
        d = 1.0 / away_from_zero(b + numerator * d);
        c = away_from_zero(b + numerator / c);
        let change = c * d;
        value *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

/// Wilson & Hilferty's cube where it is positive, else the leading power of the lower tail.
fn start(p: f64, q: f64, a: f64) -> f64 {
    let ninth = 1.0 / (9.0 * a);
    let root = 1.0 - ninth + quantile_of_tails(p, q) * ninth.sqrt();
    if a > 0.5 && root > 0.1 {
        return a * root.powi(3);
    }
    // P ~ x^a / Γ(a+1), and x^a/Γ(a+1) at x = 1 is the kernel times e.
    ((p.ln() - ln_poisson_kernel(a, 1.0) - 1.0) / a).exp()
}
