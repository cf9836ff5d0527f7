//! Intervals for a rate of events over exposure, and for the ratio of two.
//!
//! Events are counted, exposure is measured (days, expected events, money) and only has to be positive. An
//! O/E ratio is the rate of the observed events over the expected ones. What always holds: an interval
//! starts at 0 or above and grows with `conf`.

use std::str::FromStr;

use crate::estimate::{Estimate, Status};
use crate::invalid::Invalid;
use crate::special::{
    beta_quantile_of_tails, beta_tails, gamma_quantile_of_tails, ln_beta_density_kernel,
    two_sided_z,
};

/// Two outcomes are equally probable when they differ by less than this, as in R's `binom.test`.
const RELATIVE_SLACK: f64 = 1e-7;

/// More events than this are refused by the beta distribution.
const EVENTS_MAX: u64 = 10_000_000_000;

/// How to draw the interval around x events over exposure E. z is Φ⁻¹(1-α/2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Quantile α/2 of Gamma(x) and 1-α/2 of Gamma(x+1), over E; 0 if x = 0. Garwood (1936) Biometrika
    /// 28:437; R `poisson.test`. The default: never covers less than `conf`.
    Garwood,
    /// x(1 - 1/9x - z/3√x)³ / E and (x+1)(1 - 1/9(x+1) + z/3√(x+1))³ / E; 0 if x = 0. Breslow & Day (1987)
    /// vol. II, eq. 2.10: Byar's approximation to Garwood.
    Byar,
    /// x/E · exp(±z/√x), the normal interval of the logarithm; no interval if x = 0. R
    /// `epitools::ageadjust.indirect`.
    Log,
}

impl FromStr for Method {
    type Err = Invalid;

    /// The method by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "garwood" => Ok(Self::Garwood),
            "byar" => Ok(Self::Byar),
            "log" => Ok(Self::Log),
            _ => Err(Invalid::new(
                "method",
                "garwood, byar or log",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The rate `events / exposure` with its interval at confidence `conf`; `n` is the number of events.
///
/// No exposure: `no_data` without events, `zero_base` with some. More than 1e10 events with `Garwood`, or none
/// with `Log`: the rate without an interval, `not_converged` and `infeasible`. [`Invalid`] when `exposure` is
/// negative or not finite, or `conf` not strictly between 0 and 1.
pub fn count_ci(
    events: u64,
    exposure: f64,
    conf: f64,
    method: Method,
) -> Result<Estimate, Invalid> {
    let z = two_sided_z(conf)?;
    check_exposure("exposure", exposure)?;
    let x = events as f64;
    let value = x / exposure;
    if !value.is_finite() {
        let status = if events == 0 {
            Status::NoData
        } else {
            Status::ZeroBase
        };
        return Ok(Estimate {
            n: events,
            status,
            ..Estimate::NO_DATA
        });
    }
    let (bounds, otherwise) = match method {
        Method::Garwood => (garwood(x, conf), Status::NotConverged),
        Method::Byar => (Some(byar(x, z)), Status::NotConverged),
        Method::Log => (log_limits(x, z), Status::Infeasible),
    };
    let bounds = bounds
        .map(|(lo, hi)| (lo.min(x) / exposure, hi.max(x) / exposure))
        .filter(|(_, hi)| hi.is_finite());
    Ok(Estimate {
        value: Some(value),
        n: events,
        lo: bounds.map(|(lo, _)| lo),
        hi: bounds.map(|(_, hi)| hi),
        status: if bounds.is_some() {
            Status::Ok
        } else {
            otherwise
        },
    })
}

/// The ratio of two rates of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRatio {
    /// (c1/e1) / (c2/e2). `None` without events on the second side.
    pub ratio: Option<f64>,
    /// Lower end; present even where the ratio is not, since the first side's events bound it from below.
    pub lo: Option<f64>,
    /// Upper end; `None` without events on the second side, where nothing bounds it.
    pub hi: Option<f64>,
    /// Two-sided p value of equal rates. `None` without events at all.
    pub p: Option<f64>,
    /// Events of both sides.
    pub n: u64,
    /// `no_data` without events or without any exposure on one side, `zero_base` without events on the second.
    pub status: Status,
}

/// The ratio of the rates c1/e1 and c2/e2, by the exact test of c1 given c1+c2 (Przyborowski & Wilenski 1940).
///
/// Given the sum, c1 is binomial with probability e1/(e1+e2) if the rates are equal. p sums the outcomes at
/// most as probable as the one observed; the interval is Clopper & Pearson's, with θ turned into
/// θ/(1-θ) · e2/e1. R `poisson.test(c(c1, c2), c(e1, e2))`. More than 1e10 events: the ratio alone,
/// `not_converged`. [`Invalid`] as in [`count_ci`].
pub fn rate_ratio_ci(c1: u64, e1: f64, c2: u64, e2: f64, conf: f64) -> Result<RateRatio, Invalid> {
    two_sided_z(conf)?;
    check_exposure("e1", e1)?;
    check_exposure("e2", e2)?;
    let n = c1.saturating_add(c2);
    let absent = RateRatio {
        ratio: None,
        lo: None,
        hi: None,
        p: None,
        n,
        status: Status::NoData,
    };
    if n == 0 || e1 == 0.0 || e2 == 0.0 {
        return Ok(absent);
    }
    let (x1, x2) = (c1 as f64, c2 as f64);
    let scale = e2 / e1;
    let ratio = (c2 > 0).then(|| x1 / x2 * scale).filter(|r| r.is_finite());
    let limits = ratio_limits(x1, x2, scale, 0.5 * (1.0 - conf));
    let (share1, share2) = (1.0 / (1.0 + scale), scale / (1.0 + scale));
    let p = binomial_p(c1, c2, share1, share2);
    let Some((lo, hi)) = limits else {
        return Ok(RateRatio {
            ratio,
            status: Status::NotConverged,
            ..absent
        });
    };
    Ok(RateRatio {
        ratio,
        lo: Some(lo),
        hi,
        p,
        n,
        status: if c2 == 0 {
            Status::ZeroBase
        } else {
            Status::Ok
        },
    })
}

/// Two-sided p value of x successes and `rest` failures when a success has probability `p` and a failure `q`:
/// the sum over the outcomes at most as probable as this one. R `binom.test`. `None` beyond 1e10 trials.
pub(crate) fn binomial_p(x: u64, rest: u64, p: f64, q: f64) -> Option<f64> {
    if p <= 0.0 || q <= 0.0 {
        // One outcome alone is possible.
        return Some(if (p <= 0.0 && x == 0) || (q <= 0.0 && rest == 0) {
            1.0
        } else {
            0.0
        });
    }
    let n = x.checked_add(rest).filter(|n| *n <= EVENTS_MAX)?;
    let mean = n as f64 * p;
    let x_f = x as f64;
    if x_f == mean || n == 0 {
        return Some(1.0);
    }
    // Seen from the nearer end, so that one story serves both sides of the mean.
    if x_f > mean {
        return lower_sided_p(rest, x, q, p);
    }
    lower_sided_p(x, rest, p, q)
}

/// [`binomial_p`] for an x below the mean: its own tail, and the far tail from the first outcome past the mean
/// that is no more probable.
fn lower_sided_p(x: u64, rest: u64, p: f64, q: f64) -> Option<f64> {
    let n = x + rest;
    let total = n as f64;
    let ln_probability = |k: u64| ln_beta_density_kernel(k as f64, (n - k) as f64, p, q);
    let bound = ln_probability(x) + RELATIVE_SLACK;
    // Past the mean the probability falls, so the first outcome at most that probable is found by bisection.
    let (mut probable, mut rare) = (((total * p).ceil() as u64).min(n), n + 1);
    if ln_probability(probable) <= bound {
        rare = probable;
    }
    while rare - probable > 1 && probable < rare {
        let middle = probable + (rare - probable) / 2;
        if ln_probability(middle) <= bound {
            rare = middle;
        } else {
            probable = middle;
        }
    }
    // P(X <= x) is the upper tail of Beta(x+1, n-x) at p, P(X >= k) the lower one of Beta(k, n-k+1).
    let own = beta_tails(p, q, x as f64 + 1.0, rest as f64).ok()?.1;
    let far = if rare > n {
        0.0
    } else {
        let k = rare as f64;
        beta_tails(p, q, k, total - k + 1.0).ok()?.0
    };
    Some((own + far).min(1.0))
}

/// Clopper & Pearson's limits of the share x1/(x1+x2) as odds times `scale`; the upper one is `None` if it is
/// not bounded.
fn ratio_limits(x1: f64, x2: f64, scale: f64, tail: f64) -> Option<(f64, Option<f64>)> {
    let lo = if x1 == 0.0 {
        0.0
    } else {
        // The share of the other side is as near to 0 as this one is to 1, and keeps its digits.
        let share = beta_quantile_of_tails(tail, 1.0 - tail, x1, x2 + 1.0).ok()?;
        let other = beta_quantile_of_tails(1.0 - tail, tail, x2 + 1.0, x1).ok()?;
        share / other * scale
    };
    let hi = if x2 == 0.0 {
        None
    } else {
        let share = beta_quantile_of_tails(1.0 - tail, tail, x1 + 1.0, x2).ok()?;
        let other = beta_quantile_of_tails(tail, 1.0 - tail, x2, x1 + 1.0).ok()?;
        Some(share / other * scale).filter(|hi| hi.is_finite())
    };
    lo.is_finite().then_some((lo, hi))
}

fn garwood(x: f64, conf: f64) -> Option<(f64, f64)> {
    let tail = 0.5 * (1.0 - conf);
    let lo = if x == 0.0 {
        0.0
    } else {
        gamma_quantile_of_tails(tail, 1.0 - tail, x).ok()?
    };
    let hi = gamma_quantile_of_tails(1.0 - tail, tail, x + 1.0).ok()?;
    Some((lo, hi))
}

fn byar(x: f64, z: f64) -> (f64, f64) {
    let lo = if x == 0.0 {
        0.0
    } else {
        // Far out the bracket turns negative; a rate does not.
        x * (1.0 - 1.0 / (9.0 * x) - z / (3.0 * x.sqrt()))
            .max(0.0)
            .powi(3)
    };
    let more = x + 1.0;
    let hi = more * (1.0 - 1.0 / (9.0 * more) + z / (3.0 * more.sqrt())).powi(3);
    (lo, hi)
}

fn log_limits(x: f64, z: f64) -> Option<(f64, f64)> {
    let factor = (z / x.sqrt()).exp();
    (x > 0.0).then_some((x / factor, x * factor))
}

fn check_exposure(name: &'static str, exposure: f64) -> Result<(), Invalid> {
    if exposure.is_finite() && exposure >= 0.0 {
        return Ok(());
    }
    Err(Invalid::new(
        name,
        "a finite number of at least 0",
        exposure,
    ))
}
