//! Counts over exposure: gamma-Poisson shrinkage.

use std::str::FromStr;

use super::newton::{Slope, maximise};
use super::{Shrunk, UNITS_MIN, check_target_frac, distinct};
use crate::compensated::sum;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::{gamma_quantile_of_tails, gamma_tails, rising, two_sided_z};

/// A prior shape above this says that all units are alike.
const SHAPE_MAX: f64 = 1e9;
/// ln of the least prior shape: below, the prior says that nearly every rate is 0.
const LN_SHAPE_MIN: f64 = -6.9;

/// How to fit the prior Gamma(α, β) to y events over exposure E of each unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountMethod {
    /// Maximise Σ ln Γ(α+y)/Γ(α) + α ln β - (α+y) ln(β+E), the negative binomial likelihood. The default.
    Mle,
    /// Marshall (1991) Appl Stat 40:283: m = Σy/ΣE, s² = ΣE(y/E - m)²/ΣE - m/Ē, α = m²/s², β = m/s². R
    /// `spdep::EBest`.
    Moments,
}

impl FromStr for CountMethod {
    type Err = Invalid;

    /// The method by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "mle" => Ok(Self::Mle),
            "moments" => Ok(Self::Moments),
            _ => Err(Invalid::new(
                "method",
                "mle or moments",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The distribution of the units' rates of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountPrior {
    /// Shape α of Gamma(α, β). `None` when the units do not differ, which is α and β without bound.
    pub shape: Option<f64>,
    /// Rate β, in the unit of exposure: the exposure that the prior is worth.
    pub rate: Option<f64>,
    /// Mean α/β; the pooled rate when the units do not differ.
    pub mean: Option<f64>,
    /// Standard deviation √α/β of the units' rates; 0 when they do not differ.
    pub sd: Option<f64>,
    /// Σ ln Γ(α+y)/Γ(α) + α ln β - (α+y) ln(β+E). `None` when the units do not differ.
    pub log_likelihood: Option<f64>,
    /// Units with exposure.
    pub units: u64,
    /// `ok`, `no_data` without exposure, `small_n` with fewer than five units, `not_converged` when the best
    /// prior has nearly every rate at 0 (what is given is then the last one tried).
    pub status: Status,
}

/// A prior and each unit's posterior, in the order of the units.
#[derive(Debug, Clone, PartialEq)]
pub struct ShrunkCounts {
    /// What was fitted to all units.
    pub prior: CountPrior,
    /// One entry per unit; estimates are rates per unit of exposure.
    pub units: Vec<Shrunk>,
}

/// Shrunken rates of units with y events over an exposure; with expected events as exposure, shrunken O/E ratios.
///
/// Posterior Gamma(α+y, β+E); `est` its mean (α+y)/(β+E), `weight` E/(β+E). Clayton & Kaldor (1987) Biometrics
/// 43:671. If the units differ no more than Poisson chance (Σ(y-mE)² - y is not positive), everyone gets the
/// pooled rate with Jeffreys' interval of it, and `p_below` is 0 or 1. A unit without exposure is `no_data`, or
/// `zero_base` if it has events. [`Invalid`] when lengths differ, an exposure is not from 0 to 1e100 (or is below
/// 1e-100 but not 0), `conf` is not strictly between 0 and 1 or `target_frac` not positive.
pub fn eb_count(
    y: &[u64],
    exposure: &[f64],
    method: CountMethod,
    conf: f64,
    target_frac: f64,
) -> Result<ShrunkCounts, Invalid> {
    two_sided_z(conf)?;
    check_target_frac(target_frac)?;
    if y.len() != exposure.len() {
        return Err(Invalid::new(
            "exposure",
            "as many entries as y",
            exposure.len(),
        ));
    }
    let in_range = |e: f64| e == 0.0 || (1e-100..=1e100).contains(&e);
    if let Some(bad) = exposure.iter().find(|e| !in_range(**e)) {
        return Err(Invalid::new(
            "exposure",
            "0 or a number from 1e-100 to 1e100",
            bad,
        ));
    }
    let pairs = y.iter().zip(exposure).filter(|(_, e)| **e > 0.0);
    let data = distinct(pairs.map(|(y, e)| (*y as f64, *e)).collect(), |x, y| {
        x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1))
    });
    let data = Data(data);
    let prior = data.prior(method);
    let pooled = data.pooled(&prior, conf, target_frac);
    let units = y.iter().zip(exposure).map(|(y, e)| {
        let y = *y as f64;
        match (prior.status, prior.shape, prior.rate) {
            (Status::NoData | Status::SmallN, ..) => Shrunk::absent(prior.status),
            _ if *e == 0.0 && y > 0.0 => Shrunk::absent(Status::ZeroBase),
            _ if *e == 0.0 => Shrunk::absent(Status::NoData),
            (_, Some(shape), Some(rate)) => posterior(y, *e, shape, rate, conf, target_frac),
            _ => pooled,
        }
    });
    Ok(ShrunkCounts {
        units: units.collect(),
        prior,
    })
}

fn posterior(y: f64, exposure: f64, shape: f64, rate: f64, conf: f64, target_frac: f64) -> Shrunk {
    let (post_shape, post_rate) = (shape + y, rate + exposure);
    let tail = 0.5 * (1.0 - conf);
    let limit = |p: f64, q: f64| gamma_quantile_of_tails(p, q, post_shape).map(|x| x / post_rate);
    let limits = limit(tail, 1.0 - tail).and_then(|lo| Ok((lo, limit(1.0 - tail, tail)?)));
    let target = target_frac * (shape / rate) * post_rate;
    Shrunk {
        est: Some(post_shape / post_rate),
        lo: limits.as_ref().ok().map(|limits| limits.0),
        hi: limits.as_ref().ok().map(|limits| limits.1),
        weight: Some(exposure / post_rate),
        p_below: gamma_tails(target, post_shape).ok().map(|tails| tails.0),
        status: if limits.is_ok() {
            Status::Ok
        } else {
            Status::NotConverged
        },
    }
}

/// Distinct (y, E) in ascending order, with how many units have them.
struct Data(Vec<((f64, f64), f64)>);

impl Data {
    fn sum(&self, term: impl Fn(f64, f64) -> f64) -> f64 {
        sum(self.0.iter().map(|((y, e), times)| times * term(*y, *e)))
    }

    fn prior(&self, method: CountMethod) -> CountPrior {
        let units = self.sum(|_, _| 1.0);
        let mut prior = CountPrior {
            shape: None,
            rate: None,
            mean: None,
            sd: None,
            log_likelihood: None,
            units: units as u64,
            status: Status::SmallN,
        };
        if units < UNITS_MIN as f64 {
            if units == 0.0 {
                prior.status = Status::NoData;
            }
            return prior;
        }
        prior.status = Status::Ok;
        let pooled = self.sum(|y, _| y) / self.sum(|_, e| e);
        let fitted = match method {
            _ if pooled <= 0.0 => None,
            CountMethod::Mle => self.most_likely(pooled, &mut prior.status),
            CountMethod::Moments => self.moments(pooled),
        };
        let Some((mean, shape)) = fitted.filter(|(_, shape)| *shape < SHAPE_MAX) else {
            prior.mean = Some(pooled);
            prior.sd = Some(0.0);
            return prior;
        };
        prior.shape = Some(shape);
        prior.rate = Some(shape / mean);
        prior.mean = Some(mean);
        prior.sd = Some(mean / shape.sqrt());
        prior.log_likelihood = Some(self.slope(mean, shape).value);
        prior
    }

    /// Mean and shape, or `None` if the likelihood only falls as the units begin to differ.
    fn most_likely(&self, pooled: f64, status: &mut Status) -> Option<(f64, f64)> {
        let score = self.sum(|y, e| (y - pooled * e).powi(2) - y);
        let scale = self.sum(|y, e| (pooled * e).powi(2) + y);
        if score <= 1e-12 * scale {
            return None;
        }
        let start = self.moments(pooled).map_or(1.0, |(_, shape)| shape);
        // In units of the pooled rate, so that the scale of the exposure does not matter.
        let slope = |at: [f64; 2]| self.slope(pooled * at[0].exp(), at[1].exp());
        let maximum = maximise(slope, [0.0, start.ln()], LN_SHAPE_MIN);
        let [mean, shape] = [pooled * maximum.at[0].exp(), maximum.at[1].exp()];
        if !maximum.converged && shape < SHAPE_MAX {
            *status = Status::NotConverged;
        }
        Some((mean, shape))
    }

    /// The log likelihood and its derivatives by the logarithms of the mean and of the shape.
    fn slope(&self, mean: f64, shape: f64) -> Slope {
        let mut terms = [0.0; 6];
        for ((y, e), times) in &self.0 {
            let expected = mean * e;
            let (both, excess) = (shape + expected, y - expected);
            let events = rising(shape, *y);
            // Derivatives by the shape itself.
            let first = events.first - (expected / shape).ln_1p() - excess / both;
            let second = events.second + expected / shape / both + excess / both / both;
            let each = [
                events.ln - shape * (expected / shape).ln_1p() + y * (mean.ln() - both.ln()),
                shape * excess / both,
                shape * first,
                -shape * expected * (shape + y) / both / both,
                shape * excess * expected / both / both,
                shape * shape * second + shape * first,
            ];
            for (sum, term) in terms.iter_mut().zip(each) {
                *sum += times * term;
            }
        }
        Slope {
            value: terms[0],
            gradient: [terms[1], terms[2]],
            hessian: [terms[3], terms[4], terms[5]],
        }
    }

    fn moments(&self, pooled: f64) -> Option<(f64, f64)> {
        let exposure = self.sum(|_, e| e);
        let units = self.sum(|_, _| 1.0);
        let squares = self.sum(|y, e| e * (y / e - pooled).powi(2)) / exposure;
        let variance = squares - pooled * units / exposure;
        let shape = pooled * pooled / variance;
        (variance > 0.0 && shape.is_finite()).then(|| (pooled, shape.max(LN_SHAPE_MIN.exp())))
    }

    /// What every unit gets when they do not differ.
    fn pooled(&self, prior: &CountPrior, conf: f64, target_frac: f64) -> Shrunk {
        let (events, exposure) = (self.sum(|y, _| y), self.sum(|_, e| e));
        let tail = 0.5 * (1.0 - conf);
        let limit = |p: f64, q: f64| {
            let x = gamma_quantile_of_tails(p, q, events + 0.5).ok()?;
            Some(x / exposure).filter(|x| x.is_finite())
        };
        Shrunk {
            est: prior.mean,
            lo: if events == 0.0 {
                Some(0.0)
            } else {
                limit(tail, 1.0 - tail)
            },
            hi: limit(1.0 - tail, tail),
            weight: Some(0.0),
            p_below: prior
                .mean
                .map(|mean| f64::from(target_frac > 1.0 && mean > 0.0)),
            status: Status::Ok,
        }
    }
}
