//! Rates: beta-binomial shrinkage.

use std::str::FromStr;

use super::beta_binomial::Data;
use super::{Shrunk, check_target_frac, distinct};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::{beta_quantile_of_tails, beta_tails, two_sided_z};

/// How to fit the prior Beta(a, b) to y successes in n trials of each unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateMethod {
    /// Maximise Σ ln B(a+y, b+n-y) - ln B(a, b) (Griffiths 1973 Biometrics 29:637). The default.
    Mle,
    /// Kleinman (1973) JASA 68:46, with weights w = n/(1+ρ(n-1)) repeated until they settle: m = Σwp/Σw, ρ =
    /// (S - m(1-m)Σu/n) / (m(1-m)(Σu - Σu/n)) with S = Σw(p-m)² and u = w(1-w/Σw).
    Moments,
    /// Mean m and variance s² of the raw rates, as if all had the same n: a+b = m(1-m)/s² - 1 (Gelman et al.
    /// 2013, Bayesian Data Analysis, 5.1).
    SimpleMoments,
}

impl FromStr for RateMethod {
    type Err = Invalid;

    /// The method by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "mle" => Ok(Self::Mle),
            "moments" => Ok(Self::Moments),
            "simple_moments" => Ok(Self::SimpleMoments),
            _ => Err(Invalid::new(
                "method",
                "mle, moments or simple_moments",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The distribution of the units' rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatePrior {
    /// First shape of Beta(a, b). `None` when the units do not differ, which is a and b without bound.
    pub a: Option<f64>,
    /// Second shape.
    pub b: Option<f64>,
    /// Mean a/(a+b); the pooled rate when the units do not differ.
    pub mean: Option<f64>,
    /// Standard deviation √(m(1-m)/(a+b+1)) of the units' rates; 0 when they do not differ.
    pub sd: Option<f64>,
    /// 1/(a+b+1): the share of a single trial's variance that is between units. 0 when the units do not differ.
    pub rho: Option<f64>,
    /// Σ ln B(a+y, b+n-y) - ln B(a, b); the binomial coefficients are left out.
    pub log_likelihood: Option<f64>,
    /// Units with trials.
    pub units: u64,
    /// `ok`, `no_data` without trials, `small_n` with fewer than five units, `not_converged` when the best prior
    /// has every rate at 0 or 1 (what is given is then the last one tried).
    pub status: Status,
}

/// A prior and each unit's posterior, in the order of the units.
#[derive(Debug, Clone, PartialEq)]
pub struct ShrunkRates {
    /// What was fitted to all units.
    pub prior: RatePrior,
    /// One entry per unit.
    pub units: Vec<Shrunk>,
}

/// Shrunken rates of units with y successes in n trials.
///
/// Posterior Beta(a+y, b+n-y); `est` its mean, `weight` n/(a+b+n), `p_below` its distribution function at
/// `target_frac` times the prior's mean. If the units differ no more than binomial chance (the derivative of the
/// likelihood at ρ = 0 is not positive: Tarone 1979 Biometrika 66:585), everyone gets the pooled rate with
/// Jeffreys' interval of it, and `p_below` is 0 or 1. [`Invalid`] when lengths differ, successes exceed trials,
/// `conf` is not strictly between 0 and 1 or `target_frac` not positive.
pub fn eb_rate(
    y: &[u64],
    n: &[u64],
    method: RateMethod,
    conf: f64,
    target_frac: f64,
) -> Result<ShrunkRates, Invalid> {
    two_sided_z(conf)?;
    check_target_frac(target_frac)?;
    if y.len() != n.len() {
        return Err(Invalid::new("n", "as many entries as y", n.len()));
    }
    if let Some((y, _)) = y.iter().zip(n).find(|(y, n)| y > n) {
        return Err(Invalid::new("y", "at most as many as n", y));
    }
    let pairs = y.iter().zip(n).filter(|(_, n)| **n > 0);
    let data = distinct(
        pairs.map(|(y, n)| (*y as f64, *n as f64)).collect(),
        |x, y| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)),
    );
    let fitted = Data(data).prior(method);
    let pooled = Pooled::new(y, n, &fitted, conf)?;
    let units = y.iter().zip(n).map(|(y, n)| {
        let (y, n) = (*y as f64, *n as f64);
        match (fitted.status, fitted.a, fitted.b) {
            (Status::NoData | Status::SmallN, ..) => Ok(Shrunk::absent(fitted.status)),
            _ if n == 0.0 => Ok(Shrunk::absent(Status::NoData)),
            (_, Some(a), Some(b)) => rate_posterior(y, n, a, b, conf, target_frac),
            _ => Ok(pooled.unit(target_frac)),
        }
    });
    Ok(ShrunkRates {
        units: units.collect::<Result<_, _>>()?,
        prior: fitted,
    })
}

/// One unit's posterior under the prior Beta(a, b), with `p_below` at `target_frac` of the prior's mean.
pub fn rate_posterior(
    y: f64,
    n: f64,
    a: f64,
    b: f64,
    conf: f64,
    target_frac: f64,
) -> Result<Shrunk, Invalid> {
    two_sided_z(conf)?;
    check_target_frac(target_frac)?;
    if !(y >= 0.0 && n >= y && n.is_finite()) {
        return Err(Invalid::new("y", "a number from 0 to n", y));
    }
    for (name, shape) in [("a", a), ("b", b)] {
        if !(shape > 0.0 && shape.is_finite()) {
            return Err(Invalid::new(name, "a positive number", shape));
        }
    }
    let (post_a, post_b) = (a + y, b + (n - y));
    let tail = 0.5 * (1.0 - conf);
    let target = target_frac * (a / (a + b));
    let limits = beta_quantile_of_tails(tail, 1.0 - tail, post_a, post_b).and_then(|lo| {
        Ok((
            lo,
            beta_quantile_of_tails(1.0 - tail, tail, post_a, post_b)?,
        ))
    });
    let below = if target >= 1.0 {
        Ok(1.0)
    } else {
        beta_tails(target, 1.0 - target, post_a, post_b).map(|tails| tails.0)
    };
    Ok(Shrunk {
        est: Some(post_a / (post_a + post_b)),
        lo: limits.as_ref().ok().map(|limits| limits.0),
        hi: limits.as_ref().ok().map(|limits| limits.1),
        weight: Some(n / (a + b + n)),
        p_below: below.ok(),
        status: if limits.is_ok() {
            Status::Ok
        } else {
            Status::NotConverged
        },
    })
}

/// What every unit gets when they do not differ.
struct Pooled {
    est: Option<f64>,
    lo: Option<f64>,
    hi: Option<f64>,
}

impl Pooled {
    fn new(y: &[u64], n: &[u64], prior: &RatePrior, conf: f64) -> Result<Self, Invalid> {
        let total = |x: &[u64]| x.iter().fold(0_u64, |sum, x| sum.saturating_add(*x));
        let interval =
            crate::rate::rate_interval(total(y), total(n), conf, crate::rate::Method::Jeffreys)?;
        Ok(Self {
            est: prior.mean,
            lo: interval.lo,
            hi: interval.hi,
        })
    }

    fn unit(&self, target_frac: f64) -> Shrunk {
        Shrunk {
            est: self.est,
            lo: self.lo,
            hi: self.hi,
            weight: Some(0.0),
            // All rates being the mean, one is below a fraction of it only if that is more than the whole.
            p_below: self
                .est
                .map(|mean| f64::from(target_frac > 1.0 && mean > 0.0)),
            status: Status::Ok,
        }
    }
}
