//! The upper tail of the χ² distribution, accurate relative to the tail itself.
//!
//! It is the regularised incomplete gamma function Q(df/2, x/2). Three regions share it, so that 1 - P is
//! never formed where P is near 1.

use super::gamma::{ln_gamma_positive, ln_poisson_kernel};
use crate::invalid::Invalid;

/// Largest degrees of freedom; the series below needs about √df steps.
const DF_MAX: f64 = 1e10;
/// A series or fraction that has not settled after this many steps is as good as it gets.
const STEPS_MAX: u32 = 2_000_000;

/// P(χ² > x) with `df` > 0 degrees of freedom, at most 1e10. x <= 0 gives 1, +∞ gives 0.
///
/// Below x/2 = df/2 + 1 one minus the series of Abramowitz & Stegun (1964) 6.5.29, beyond it the continued
/// fraction 6.5.31 by Lentz's method; for df < 2 and small x the form of Gautschi (1979, ACM TOMS 5:466,
/// sec. 4.1), which keeps the digits of a small Q. R's `pchisq(x, df, lower.tail = FALSE)`.
pub fn chi2_sf(x: f64, df: f64) -> Result<f64, Invalid> {
    if x.is_nan() {
        return Err(Invalid::new("x", "a number", x));
    }
    if !(df > 0.0 && df <= DF_MAX) {
        return Err(Invalid::new("df", "a number above 0 and at most 1e10", df));
    }
    Ok(if x <= 0.0 {
        1.0
    } else if x == f64::INFINITY {
        0.0
    } else {
        upper_gamma(0.5 * df, 0.5 * x).clamp(0.0, 1.0)
    })
}

/// Q(a, x) for a > 0 and finite x >= 0.
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else if a < 1.0 && x < 1.5 {
        small_shape(a, x)
    } else if x < a + 1.0 {
        1.0 - lower_series(a, x)
    } else {
        upper_fraction(a, x)
    }
}

/// P(a, x) = x^a e^-x / Γ(a+1) · Σ xᵏ / ((a+1)…(a+k)).
fn lower_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut shape) = (1.0, 1.0, a);
    for _ in 0..STEPS_MAX {
        shape += 1.0;
        term *= x / shape;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    ln_poisson_kernel(a, x).exp() * sum
}

/// Q(a, x) = x^a e^-x / Γ(a) · 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- …))).
fn upper_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut d = 1.0 / b.max(f64::MIN_POSITIVE);
    let (mut c, mut fraction) = (1.0 / f64::MIN_POSITIVE, d);
    for step in 1..STEPS_MAX {
        let step = f64::from(step);
        let numerator = step * (a - step);
        b += 2.0;
        d = 1.0 / away_from_zero(numerator * d + b);
        c = away_from_zero(b + numerator / c);
        fraction *= c * d;
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    ln_poisson_kernel(a, x).exp() * a * fraction
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < f64::MIN_POSITIVE {
        f64::MIN_POSITIVE
    } else {
        x
    }
}

/// Q = 1 - x^a/Γ(a+1) · (1 + a Σ_{k>=1} (-x)ᵏ/((a+k) k!)), with 1 - x^a/Γ(a+1) taken by `exp_m1`.
fn small_shape(a: f64, x: f64) -> f64 {
    let ln_lead = a * x.ln() - ln_gamma_positive(a + 1.0);
    let (mut power, mut sum) = (1.0, 0.0);
    for k in 1..=40 {
        let k = f64::from(k);
        power *= -x / k;
        sum += power / (a + k);
    }
    -ln_lead.exp_m1() - ln_lead.exp() * a * sum
}
