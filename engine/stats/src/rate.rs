//! Intervals for a conversion rate, and for the difference of two.
//!
//! Every interval lies in the range of what it estimates, and grows with `conf`. No trials is `no_data`,
//! never 0. Maturity of the trials is the caller's business.

use std::str::FromStr;

use crate::estimate::{Estimate, Status};
use crate::invalid::Invalid;
use crate::special::{beta_quantile_of_tails, two_sided_z};

/// How to draw the interval around a rate of x successes in n trials. z is Φ⁻¹(1-α/2), p̂ is x/n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// (p̂ + z²/2n ± z√(p̂(1-p̂)/n + z²/4n²)) / (1 + z²/n). Wilson (1927); Newcombe (1998) Stat Med
    /// 17:857, method 3. The default: coverage near `conf` from small n on.
    Wilson,
    /// Wilson with continuity correction, Newcombe (1998) method 4:
    /// (2x + z² ∓ 1 ∓ z√(z² ∓ 2 - 1/n + 4p̂(n(1-p̂) ± 1))) / (2(n + z²)); 0 if x = 0, 1 if x = n.
    /// R's `prop.test` shrinks the correction when |x - n/2| < ½; this does not.
    WilsonCc,
    /// Quantiles α/2 and 1-α/2 of Beta(x+½, n-x+½); 0 if x = 0, 1 if x = n. Brown, Cai & DasGupta (2001)
    /// Stat Sci 16:101, eq. 6-8. At very small `conf` it need not contain p̂.
    Jeffreys,
    /// Quantile α/2 of Beta(x, n-x+1) and 1-α/2 of Beta(x+1, n-x). Clopper & Pearson (1934). Never covers
    /// less than `conf`, usually far more.
    ClopperPearson,
    /// p̃ ± z√(p̃(1-p̃)/ñ) with ñ = n + z², p̃ = (x + z²/2)/ñ, cut to \[0, 1\]. Agresti & Coull (1998) Am
    /// Stat 52:119.
    AgrestiCoull,
}

impl FromStr for Method {
    type Err = Invalid;

    /// The method by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "wilson" => Ok(Self::Wilson),
            "wilson_cc" => Ok(Self::WilsonCc),
            "jeffreys" => Ok(Self::Jeffreys),
            "clopper_pearson" => Ok(Self::ClopperPearson),
            "agresti_coull" => Ok(Self::AgrestiCoull),
            _ => Err(Invalid::new(
                "method",
                "wilson, wilson_cc, jeffreys, clopper_pearson or agresti_coull",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The rate `successes / trials` with its interval at confidence `conf`.
///
/// No trials: `no_data`. More than 1e10 trials with a beta method: the rate without an interval,
/// `not_converged`. [`Invalid`] when successes exceed trials or `conf` is not strictly between 0 and 1.
pub fn rate_interval(
    successes: u64,
    trials: u64,
    conf: f64,
    method: Method,
) -> Result<Estimate, Invalid> {
    let z = two_sided_z(conf)?;
    if successes > trials {
        return Err(Invalid::new(
            "successes",
            "at most as many as trials",
            successes,
        ));
    }
    if trials == 0 {
        return Ok(Estimate::NO_DATA);
    }
    let (x, n) = (successes as f64, trials as f64);
    let value = x / n;
    let bounds = match method {
        Method::Wilson => Some(wilson(x, n, z)),
        Method::WilsonCc => Some(wilson_cc(x, n, z)),
        Method::Jeffreys => jeffreys(x, n, conf),
        Method::ClopperPearson => clopper_pearson(x, n, conf),
        Method::AgrestiCoull => Some(agresti_coull(x, n, z)),
    };
    let Some((lo, hi)) = bounds else {
        let status = Status::NotConverged;
        return Ok(Estimate {
            value: Some(value),
            n: trials,
            lo: None,
            hi: None,
            status,
        });
    };
    Ok(Estimate {
        value: Some(value),
        n: trials,
        lo: Some(lo),
        hi: Some(hi),
        status: Status::Ok,
    })
}

/// The difference `x1/n1 - x2/n2` with Newcombe's hybrid score interval; `n` is n1 + n2.
///
/// With Wilson limits (l, u) of each rate: lo = d - √((p₁-l₁)² + (u₂-p₂)²), hi = d + √((u₁-p₁)² +
/// (p₂-l₂)²). Newcombe (1998) Stat Med 17:873, method 10. Either side without trials: `no_data`.
/// [`Invalid`] as in [`rate_interval`].
pub fn rate_difference(x1: u64, n1: u64, x2: u64, n2: u64, conf: f64) -> Result<Estimate, Invalid> {
    let first = rate_interval(x1, n1, conf, Method::Wilson)?;
    let second = rate_interval(x2, n2, conf, Method::Wilson)?;
    let (Some(p1), Some(l1), Some(u1)) = (first.value, first.lo, first.hi) else {
        return Ok(Estimate {
            n: n2,
            ..Estimate::NO_DATA
        });
    };
    let (Some(p2), Some(l2), Some(u2)) = (second.value, second.lo, second.hi) else {
        return Ok(Estimate {
            n: n1,
            ..Estimate::NO_DATA
        });
    };
    let difference = p1 - p2;
    let lo = (difference - (p1 - l1).hypot(u2 - p2)).max(-1.0);
    let hi = (difference + (u1 - p1).hypot(p2 - l2)).min(1.0);
    let n = n1.saturating_add(n2);
    Ok(Estimate {
        value: Some(difference),
        n,
        lo: Some(lo),
        hi: Some(hi),
        status: Status::Ok,
    })
}

/// The upper root first, which is a sum; the lower is the product of the roots, p̂²/(1+z²/n), over it.
fn wilson(x: f64, n: f64, z: f64) -> (f64, f64) {
    let z2 = z * z;
    let twice_upper = 2.0 * x + z2 + z * (z2 + 4.0 * x * ((n - x) / n)).sqrt();
    let hi = (twice_upper / (2.0 * (n + z2))).min(1.0);
    let lo = if x == 0.0 {
        0.0
    } else {
        2.0 * x * (x / n) / twice_upper
    };
    (lo.min(x / n), hi.max(x / n))
}

fn wilson_cc(x: f64, n: f64, z: f64) -> (f64, f64) {
    let (p, z2, twice) = (x / n, z * z, 2.0 * (n + z * z));
    let lo = if x == 0.0 {
        0.0
    } else {
        let root = (z2 - 2.0 - 1.0 / n + 4.0 * p * (n - x + 1.0)).sqrt();
        ((2.0 * x + z2 - 1.0 - z * root) / twice).clamp(0.0, p)
    };
    let hi = if x == n {
        1.0
    } else {
        let root = (z2 + 2.0 - 1.0 / n + 4.0 * p * (n - x - 1.0)).sqrt();
        ((2.0 * x + z2 + 1.0 + z * root) / twice).clamp(p, 1.0)
    };
    (lo, hi)
}

fn agresti_coull(x: f64, n: f64, z: f64) -> (f64, f64) {
    let adjusted = n + z * z;
    let centre = (x + 0.5 * z * z) / adjusted;
    let half = z * (centre * (1.0 - centre) / adjusted).sqrt();
    (
        (centre - half).clamp(0.0, x / n),
        (centre + half).clamp(x / n, 1.0),
    )
}

fn jeffreys(x: f64, n: f64, conf: f64) -> Option<(f64, f64)> {
    let (a, b) = (x + 0.5, n - x + 0.5);
    let tail = 0.5 * (1.0 - conf);
    let lo = if x == 0.0 {
        0.0
    } else {
        beta_quantile_of_tails(tail, 1.0 - tail, a, b).ok()?
    };
    let hi = if x == n {
        1.0
    } else {
        beta_quantile_of_tails(1.0 - tail, tail, a, b).ok()?
    };
    Some((lo.min(hi), hi))
}

fn clopper_pearson(x: f64, n: f64, conf: f64) -> Option<(f64, f64)> {
    let p = x / n;
    let tail = 0.5 * (1.0 - conf);
    let lo = if x == 0.0 {
        0.0
    } else {
        beta_quantile_of_tails(tail, 1.0 - tail, x, n - x + 1.0).ok()?
    };
    let hi = if x == n {
        1.0
    } else {
        beta_quantile_of_tails(1.0 - tail, tail, x + 1.0, n - x).ok()?
    };
    Some((lo.min(p), hi.max(p)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [&str; 5] = [
        "wilson",
        "wilson_cc",
        "jeffreys",
        "clopper_pearson",
        "agresti_coull",
    ];
    const SIZES: [u64; 9] = [1, 2, 3, 7, 20, 36, 400, 100_000, 1_000_000_000];

    fn each_interval(check: impl Fn(&str, u64, u64, f64, Estimate)) {
        for name in METHODS {
            let method: Method = name.parse().unwrap();
            for n in SIZES {
                for x in [0, 1, n / 3, n / 2, n.saturating_sub(1), n] {
                    for conf in [1e-9, 0.05, 0.5, 0.8, 0.95, 0.999, 1.0 - 1e-9] {
                        check(
                            name,
                            x,
                            n,
                            conf,
                            rate_interval(x.min(n), n, conf, method).unwrap(),
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn bounds_are_ordered_and_inside_0_1() {
        each_interval(|name, x, n, conf, e| {
            let (lo, hi) = (e.lo.unwrap(), e.hi.unwrap());
            assert!(
                0.0 <= lo && lo <= hi && hi <= 1.0,
                "{name} {x}/{n} at {conf}: {lo}..{hi}"
            );
            assert_eq!((e.n, e.status), (n, Status::Ok));
        });
    }

    #[test]
    fn intervals_are_nested_in_conf() {
        for name in METHODS {
            let method: Method = name.parse().unwrap();
            for n in SIZES {
                for x in [0, 1, n / 3, n / 2, n] {
                    let mut inner: Option<(f64, f64)> = None;
                    for conf in [1e-9, 0.05, 0.5, 0.8, 0.95, 0.999, 1.0 - 1e-9] {
                        let e = rate_interval(x, n, conf, method).unwrap();
                        let (lo, hi) = (e.lo.unwrap(), e.hi.unwrap());
                        if let Some((inner_lo, inner_hi)) = inner {
                            assert!(lo <= inner_lo && hi >= inner_hi, "{name} {x}/{n} at {conf}");
                        }
                        inner = Some((lo, hi));
                    }
                }
            }
        }
    }

    #[test]
    fn failures_mirror_successes() {
        each_interval(|name, x, n, conf, e| {
            let mirror = rate_interval(n - x.min(n), n, conf, name.parse().unwrap()).unwrap();
            assert!(
                (e.lo.unwrap() - (1.0 - mirror.hi.unwrap())).abs() < 1e-14,
                "{name} {x}/{n} at {conf}"
            );
        });
    }

    #[test]
    fn clopper_pearson_without_successes_is_closed() {
        // x = 0: the exact upper limit is 1 - (α/2)^(1/n).
        for n in [1u64, 20, 1000, 1_000_000] {
            let hi = rate_interval(0, n, 0.95, Method::ClopperPearson)
                .unwrap()
                .hi
                .unwrap();
            let exact = -(f64::ln(0.025) / n as f64).exp_m1();
            assert!((hi / exact - 1.0).abs() < 1e-13, "{n}: {hi} {exact}");
        }
    }

    #[test]
    fn absent_data_is_not_zero() {
        assert_eq!(
            rate_interval(0, 0, 0.95, Method::Wilson).unwrap(),
            Estimate::NO_DATA
        );
        let difference = rate_difference(1, 2, 0, 0, 0.95).unwrap();
        assert_eq!(
            (difference.value, difference.status),
            (None, Status::NoData)
        );
    }

    #[test]
    fn nonsense_is_invalid() {
        assert_eq!(
            rate_interval(3, 2, 0.95, Method::Wilson)
                .unwrap_err()
                .argument,
            "successes"
        );
        for conf in [0.0, 1.0, -1.0, 95.0, f64::NAN, f64::INFINITY] {
            assert_eq!(
                rate_interval(1, 2, conf, Method::Jeffreys)
                    .unwrap_err()
                    .argument,
                "conf"
            );
        }
        assert_eq!("wald".parse::<Method>().unwrap_err().argument, "method");
    }

    #[test]
    fn too_many_trials_for_beta_keep_the_rate() {
        let e = rate_interval(1, u64::MAX, 0.95, Method::Jeffreys).unwrap();
        assert_eq!((e.lo, e.hi, e.status), (None, None, Status::NotConverged));
        assert!(e.value.unwrap() > 0.0);
        assert_eq!(
            rate_interval(1, u64::MAX, 0.95, Method::Wilson)
                .unwrap()
                .status,
            Status::Ok
        );
    }

    #[test]
    fn swapping_sides_negates_the_difference() {
        let a = rate_difference(56, 70, 48, 80, 0.95).unwrap();
        let b = rate_difference(48, 80, 56, 70, 0.95).unwrap();
        assert_eq!(
            (a.value, a.lo, a.hi),
            (b.value.map(|v| -v), b.hi.map(|v| -v), b.lo.map(|v| -v))
        );
    }
}
