//! ln Γ, the Stirling remainder, and the binomial kernel built on it.
//!
//! Invariant: nothing here subtracts two large logarithms. Densities are formed from deviances (Loader
//! 2000), so they keep their digits when counts reach millions.

use crate::invalid::Invalid;

/// ½ ln 2π.
const HALF_LN_TAU: f64 = 0.9189385332046728;
/// 1 - γ, with Euler's γ.
const ONE_MINUS_EULER: f64 = 0.42278433509846713;
/// (-1)^k (ζ(k) - 1) / k for k = 2, 3, …
const ZETA_SERIES: [f64; 28] = [
    0.3224670334241132,
    -0.0673523010531981,
    0.020580808427784546,
    -0.007385551028673986,
    0.0028905103307415234,
    -0.001192753911703261,
    0.0005096695247430425,
    -0.00022315475845357939,
    9.945751278180853e-05,
    -4.492623673813314e-05,
    2.050721277567069e-05,
    -9.439488275268397e-06,
    4.374866789907488e-06,
    -2.039215753801366e-06,
    9.55141213040742e-07,
    -4.492469198764566e-07,
    2.1207184805554665e-07,
    -1.0043224823968099e-07,
    4.7698101693639804e-08,
    -2.2711094608943164e-08,
    1.0838659214896955e-08,
    -5.183475041970047e-09,
    2.4836745438024785e-09,
    -1.1921401405860912e-09,
    5.731367241678862e-10,
    -2.7595228851242334e-10,
    1.330476437424449e-10,
    -6.4229645638381e-11,
];
/// Bernoulli coefficients B_2k / (2k (2k-1)) of the Stirling series.
const STIRLING_SERIES: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];
/// From here on eight terms of the Stirling series are exact to the last bit.
const STIRLING_FROM: f64 = 12.0;
/// Above this the result is no longer finite.
const LN_GAMMA_MAX: f64 = 1e305;

/// ln Γ(x) for 0 < x <= 1e305.
///
/// On [1.5, 2.5] the series ln Γ(2+z) = (1-γ)z + Σ_k (-1)^k (ζ(k)-1) z^k / k (Abramowitz & Stegun 1964,
/// 6.1.33); elsewhere below 12 the recurrence Γ(x+1) = xΓ(x) leads there; above, Stirling's series (A&S
/// 6.1.41). Relative accuracy is kept at the zeros x = 1 and x = 2. Outside the domain: [`Invalid`].
pub fn ln_gamma(x: f64) -> Result<f64, Invalid> {
    if !(x > 0.0 && x <= LN_GAMMA_MAX) {
        return Err(Invalid::new("x", "a number above 0 and at most 1e305", x));
    }
    Ok(ln_gamma_positive(x))
}

/// [`ln_gamma`] for an argument already known to be in its domain.
pub(super) fn ln_gamma_positive(x: f64) -> f64 {
    if x < 0.5 {
        ln_gamma_near_two(x) - x.ln_1p() - x.ln()
    } else if x < 1.5 {
        ln_gamma_near_two(x - 1.0) - (x - 1.0).ln_1p()
    } else if x < STIRLING_FROM {
        let mut base = x;
        let mut product = 1.0;
        while base > 2.5 {
            base -= 1.0;
            product *= base;
        }
        ln_gamma_near_two(base - 2.0) + f64::ln(product)
    } else {
        (x - 0.5) * x.ln() - x + HALF_LN_TAU + stirling_remainder(x)
    }
}

/// ln Γ(2 + z) for |z| <= ½.
fn ln_gamma_near_two(z: f64) -> f64 {
    let tail = ZETA_SERIES.iter().rev().fold(0.0, |sum, c| sum * z + c);
    z * (ONE_MINUS_EULER + z * tail)
}

/// δ(x) = ln Γ(x+1) - (x+½) ln x + x - ½ ln 2π for x > 0 (Loader 2000, "stirlerr").
///
/// Below 12 it climbs by δ(x) = δ(x+1) + (x+½) ln(1+1/x) - 1, which cancels nothing.
fn stirling_remainder(x: f64) -> f64 {
    let mut climbed = 0.0;
    let mut x = x;
    while x < STIRLING_FROM {
        climbed += (x + 0.5) * (1.0 / x).ln_1p() - 1.0;
        x += 1.0;
    }
    let inverse_square = 1.0 / (x * x);
    let series = STIRLING_SERIES
        .iter()
        .rev()
        .fold(0.0, |sum, c| sum * inverse_square + c);
    climbed + series / x
}

/// ln of Γ(a+b+1)/(Γ(a+1)Γ(b+1)) x^a y^b, where y = 1-x is given with its own digits.
///
/// For whole a, b this is the binomial probability of a successes in a+b trials; the beta distribution's
/// x^a y^b / B(a,b) is ab/(a+b) times it. Saddle-point form: Loader (2000), "Fast and accurate computation
/// of binomial probabilities", eq. 4. Requires a, b >= 0 and 0 < x, y < 1.
pub(crate) fn ln_beta_density_kernel(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if a == 0.0 {
        return b * ln_of_pair(y, x);
    }
    if b == 0.0 {
        return a * ln_of_pair(x, y);
    }
    let n = a + b;
    let remainders = stirling_remainder(n) - stirling_remainder(a) - stirling_remainder(b);
    let scale = 0.5 * (n / a / b).ln() - HALF_LN_TAU;
    remainders + scale - deviance(a, n, x) - deviance(b, n, y)
}

/// ln of x^a e^-x / Γ(a+1), for whole a the Poisson probability of a events at mean x, by its deviance
/// (Loader 2000, eq. 5). Requires a >= 0 and x > 0.
pub(crate) fn ln_poisson_kernel(a: f64, x: f64) -> f64 {
    if a == 0.0 {
        return -x;
    }
    -stirling_remainder(a) - deviance(a, x, 1.0) - 0.5 * a.ln() - HALF_LN_TAU
}

/// ln p, where q = 1-p is the better known of the two when p is near 1.
fn ln_of_pair(p: f64, q: f64) -> f64 {
    if p > 0.5 { (-q).ln_1p() } else { p.ln() }
}

/// k ln(k/np) + np - k >= 0: half the Poisson deviance of k against its mean np (Loader's "bd0").
pub(crate) fn deviance(k: f64, n: f64, p: f64) -> f64 {
    let mean = n * p;
    if k == 0.0 {
        return mean;
    }
    let excess = mean - k;
    let u = excess / k;
    if u.abs() < 0.5 {
        k * minus_ln_1p(u)
    } else {
        k * ((k / n).ln() - p.ln()) + excess
    }
}

/// u - ln(1+u) for |u| < ½, by ln(1+u) = 2 atanh(v), v = u/(2+u); no term cancels another.
fn minus_ln_1p(u: f64) -> f64 {
    let v = u / (2.0 + u);
    let v2 = v * v;
    // |v| <= 1/3, so the first omitted term is below 1e-18 of the sum.
    let series = (1..=18)
        .rev()
        .fold(0.0, |sum, j| (sum + 1.0 / f64::from(2 * j + 1)) * v2);
    u * v - 2.0 * v * series
}
