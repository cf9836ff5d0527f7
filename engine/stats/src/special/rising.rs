//! ln Γ(a+y)/Γ(a), and its first two derivatives in a: what likelihoods of counts are sums of.
//!
//! Invariant: neither the two logarithms nor the two digammas are formed and subtracted, so the result
//! keeps its digits when a is large and y small, where a prior is nearly certain.

/// From here on the asymptotic series are exact to the last bits.
const SERIES_FROM: f64 = 12.0;
/// Coefficients B_2k / (2k (2k-1)) of the Stirling series of ln Γ.
const LN_SERIES: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];

/// ln Γ(a+y)/Γ(a) at one a.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rising {
    /// The value, Σ_{r<y} ln(a+r) for whole y.
    pub(crate) ln: f64,
    /// Its derivative in a, ψ(a+y) - ψ(a) = Σ_{r<y} 1/(a+r).
    pub(crate) first: f64,
    /// Its second derivative in a, -Σ_{r<y} 1/(a+r)².
    pub(crate) second: f64,
}

/// For a > 0 and a whole y >= 0.
///
/// The first terms of the sums directly until a+r reaches 12, the rest by the difference of two Stirling
/// series (Abramowitz & Stegun 1964, 6.1.41) and of their derivatives (6.3.18, 6.4.12).
pub(crate) fn rising(a: f64, y: f64) -> Rising {
    let (mut a, mut y) = (a, y);
    let mut sum = Rising::default();
    while y >= 1.0 && a < SERIES_FROM {
        sum.ln += a.ln();
        sum.first += 1.0 / a;
        sum.second -= 1.0 / (a * a);
        a += 1.0;
        y -= 1.0;
    }
    if y < 1.0 {
        return sum;
    }
    let rest = by_series(a, y);
    Rising {
        ln: sum.ln + rest.ln,
        first: sum.first + rest.first,
        second: sum.second + rest.second,
    }
}

fn by_series(a: f64, y: f64) -> Rising {
    let b = a + y;
    let growth = (y / a).ln_1p();
    // 1/b - 1/a, from which the differences of higher powers follow without cancellation.
    let inverse = -y / a / b;
    let mut rest = Rising {
        ln: y * a.ln() + (b - 0.5) * growth - y,
        first: growth - 0.5 * inverse,
        second: inverse + 0.5 * inverse * (1.0 / a + 1.0 / b),
    };
    let (a1, b1) = (1.0 / a, 1.0 / b);
    for (k, c) in (1..).zip(LN_SERIES) {
        let m = 2 * k - 1;
        // d/da of c a^-m is -mc a^-(m+1), and so on.
        let times = f64::from(m);
        rest.ln += c * power_difference(a1, b1, m);
        rest.first -= c * times * power_difference(a1, b1, m + 1);
        rest.second += c * times * (times + 1.0) * power_difference(a1, b1, m + 2);
    }
    rest
}

/// b^m - a^m for m >= 1.
fn power_difference(a: f64, b: f64, m: i32) -> f64 {
    let sum: f64 = (0..m).map(|k| b.powi(k) * a.powi(m - 1 - k)).sum();
    (b - a) * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_continues_the_sums() {
        for a in [1e-3, 0.4, 1.0, 7.5, 11.9, 12.0, 300.0, 1e6, 1e12] {
            for y in [0_u32, 1, 2, 5, 13, 40, 1000] {
                let sums = (0..y)
                    .map(|r| a + f64::from(r))
                    .fold(Rising::default(), |sum, x| Rising {
                        ln: sum.ln + x.ln(),
                        first: sum.first + 1.0 / x,
                        second: sum.second - 1.0 / (x * x),
                    });
                let actual = rising(a, f64::from(y));
                for (actual, expected) in [
                    (actual.ln, sums.ln),
                    (actual.first, sums.first),
                    (actual.second, sums.second),
                ] {
                    assert!(
                        (actual - expected).abs() <= 1e-13 * (expected.abs() + f64::MIN_POSITIVE),
                        "{a} {y}: {actual} for {expected}"
                    );
                }
            }
        }
    }
}
