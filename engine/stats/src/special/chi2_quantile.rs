//! The upper quantile of the χ² distribution.

use super::chi2::chi2_sf;
use super::gamma::ln_poisson_kernel;
use super::normal::quantile_of_tails;
use crate::invalid::Invalid;

/// Steps of the safeguarded Newton iteration; bisection alone would end well before.
const STEPS_MAX: u32 = 400;

/// The x with P(X > x) = `tail` for X ~ χ² with `df` degrees of freedom, 0 < `tail` < 1, `df` in [0.01, 1e10];
/// R's `qchisq(tail, df, lower.tail = FALSE)`.
///
/// Safeguarded Newton iteration on ln Q in x, from the start of Wilson & Hilferty (1931). Small tails keep their
/// digits; tails near 1 are as good as 1 - `tail` is. Outside the domain: [`Invalid`].
pub fn chi2_upper_quantile(tail: f64, df: f64) -> Result<f64, Invalid> {
    if !(tail > 0.0 && tail < 1.0) {
        return Err(Invalid::new(
            "tail",
            "a number strictly between 0 and 1",
            tail,
        ));
    }
    // Whatever is wrong with the degrees of freedom, the first tail says so.
    chi2_sf(0.0, df)?;
    let a = 0.5 * df;
    let (mut lo, mut hi) = (0.0, f64::INFINITY);
    let mut x = start(tail, a);
    for _ in 0..STEPS_MAX {
        let here = chi2_sf(2.0 * x, df)?;
        if here > tail {
            lo = x;
        } else {
            hi = x;
        }
        // d ln Q / dx = -density / Q. At the ends the step is no number, and the bisection below takes over.
        let ln_density = ln_poisson_kernel(a, x) + a.ln() - x.ln();
        let step = (here.ln() - tail.ln()) * (here.ln() - ln_density).exp();
        let mut next = x + step;
        if !(next > lo && next < hi) {
            next = if hi.is_finite() {
                0.5 * (lo + hi)
            } else {
                2.0 * x + 1.0
            };
        }
        let moved = (next - x).abs();
        x = next;
        if moved <= 4e-16 * x {
            break;
        }
    }
    Ok(2.0 * x)
}

fn start(tail: f64, a: f64) -> f64 {
    let z = -quantile_of_tails(tail, 1.0 - tail);
    let c = 1.0 / (9.0 * a);
    let x = a * (1.0 - c + z * c.sqrt()).powi(3);
    if x > 1e-3 * a {
        x
    } else {
        // P ~ x^a / Γ(a+1) near 0.
        ((1.0 - tail).ln() / a).exp().max(1e-290) * (a + 1.0)
    }
}
