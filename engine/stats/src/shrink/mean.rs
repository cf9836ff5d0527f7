//! Means with standard errors: normal-normal shrinkage.

use std::str::FromStr;

use super::{Shrunk, UNITS_MIN, check_target_frac, distinct};
use crate::compensated::{moment_weight, sum};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::{norm_cdf, two_sided_z};

/// Steps of the restricted likelihood's scoring; a dozen suffice.
const STEPS_MAX: u32 = 500;

/// How to find the variance τ² of the units' true means. w = 1/se².
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeanMethod {
    /// James-Stein if all standard errors are equal, else DerSimonian-Laird. The default.
    Auto,
    /// Positive part of 1 - (k-3)σ²/Σ(x-x̄)² as the weight of the own value. James & Stein (1961), towards the mean:
    /// Efron & Morris (1975) JASA 70:311, eq. 1.12. Needs equal standard errors.
    JamesStein,
    /// max(0, (Q-(k-1)) / (Σw - Σw²/Σw)), Q = Σw(x-x̄_w)². DerSimonian & Laird (1986) Control Clin Trials 7:177. R
    /// `metafor::rma(method = "DL")`.
    DerSimonianLaird,
    /// Restricted maximum likelihood by Fisher scoring (Harville 1977; Viechtbauer 2005). R `metafor::rma`.
    Reml,
}

impl FromStr for MeanMethod {
    type Err = Invalid;

    /// The method by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "auto" => Ok(Self::Auto),
            "james_stein" => Ok(Self::JamesStein),
            "dl" => Ok(Self::DerSimonianLaird),
            "reml" => Ok(Self::Reml),
            _ => Err(Invalid::new(
                "method",
                "auto, james_stein, dl or reml",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The distribution of the units' true means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanPrior {
    /// Mean: the units' values weighted by 1/(se²+τ²).
    pub mean: Option<f64>,
    /// Standard error of that mean, √(1/Σ 1/(se²+τ²)).
    pub mean_se: Option<f64>,
    /// Variance τ² of the true means; 0 when the units do not differ. `None` when James-Stein has the weight at 1.
    pub tau2: Option<f64>,
    /// Cochran's Q = Σw(x-x̄_w)², χ² with k-1 degrees of freedom when the units do not differ.
    pub q: Option<f64>,
    /// Units.
    pub units: u64,
    /// `ok`, `no_data` without units, `small_n` with fewer than five, `not_converged` when REML did not settle.
    pub status: Status,
}

impl MeanPrior {
    /// A unit's posterior at this weight of its own value; `scale` turns what comes out into the caller's unit.
    fn posterior(
        &self,
        x: f64,
        se: f64,
        weight: f64,
        z: f64,
        scale: f64,
        target_frac: f64,
    ) -> Result<Shrunk, Invalid> {
        let (Some(mean), Some(mean_se)) = (self.mean, self.mean_se) else {
            return Ok(Shrunk::absent(self.status));
        };
        let est = weight * x + (1.0 - weight) * mean;
        let sd = (weight * se * se + ((1.0 - weight) * mean_se).powi(2)).sqrt();
        let below = norm_cdf((target_frac * mean - est) / sd)?;
        Ok(Shrunk {
            est: Some(scale * est),
            lo: Some(scale * (est - z * sd)),
            hi: Some(scale * (est + z * sd)),
            weight: Some(weight),
            p_below: Some(below).filter(|_| mean > 0.0),
            status: Status::Ok,
        })
    }
}

/// A prior and each unit's posterior, in the order of the units.
#[derive(Debug, Clone, PartialEq)]
pub struct ShrunkMeans {
    /// What was fitted to all units.
    pub prior: MeanPrior,
    /// One entry per unit.
    pub units: Vec<Shrunk>,
}

/// Shrunken means of units with a value x and its standard error.
///
/// `weight` W = τ²/(τ²+se²), `est` = Wx + (1-W)μ, limits est ± z√(W·se² + (1-W)²·Var μ), so that the uncertainty of
/// the prior's mean is in them (R `metafor::blup`). `p_below` from the same normal distribution; `None` when the
/// prior's mean is not positive, where a fraction of it means nothing. [`Invalid`] when lengths differ, x is not
/// within ±1e30, se not from 1e-30 to 1e30, `conf` not strictly between 0 and 1, `target_frac` not positive, or
/// James-Stein meets unequal standard errors.
pub fn eb_mean(
    x: &[f64],
    se: &[f64],
    method: MeanMethod,
    conf: f64,
    target_frac: f64,
) -> Result<ShrunkMeans, Invalid> {
    let z = two_sided_z(conf)?;
    check_target_frac(target_frac)?;
    check_data(x, se)?;
    let least = se.iter().copied().fold(f64::INFINITY, f64::min);
    let equal = se.iter().all(|se| *se == least);
    if method == MeanMethod::JamesStein && !equal {
        return Err(Invalid::new("se", "equal values for james_stein", "others"));
    }
    // In units of the least standard error, so that no square leaves the range of f64.
    let scaled: Vec<(f64, f64)> = x
        .iter()
        .zip(se)
        .map(|(x, se)| (x / least, se / least))
        .collect();
    let data = Data(distinct(scaled.clone(), |x, y| {
        x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1))
    }));
    let method = match method {
        MeanMethod::Auto if equal => MeanMethod::JamesStein,
        MeanMethod::Auto => MeanMethod::DerSimonianLaird,
        named => named,
    };
    let (prior, stein) = data.prior(method);
    let units = scaled.iter().map(|(x, se)| {
        let tau2 = prior.tau2.unwrap_or(0.0);
        let weight = stein.unwrap_or(tau2 / (tau2 + se * se));
        prior.posterior(*x, *se, weight, z, least, target_frac)
    });
    Ok(ShrunkMeans {
        units: units.collect::<Result<_, Invalid>>()?,
        prior: MeanPrior {
            mean: prior.mean.map(|mean| least * mean),
            mean_se: prior.mean_se.map(|se| least * se),
            tau2: prior.tau2.map(|tau2| least * least * tau2),
            ..prior
        },
    })
}

fn check_data(x: &[f64], se: &[f64]) -> Result<(), Invalid> {
    if x.len() != se.len() {
        return Err(Invalid::new("se", "as many entries as x", se.len()));
    }
    if let Some(bad) = x.iter().find(|x| !(-1e30..=1e30).contains(*x)) {
        return Err(Invalid::new("x", "numbers from -1e30 to 1e30", bad));
    }
    if let Some(bad) = se.iter().find(|se| !(1e-30..=1e30).contains(*se)) {
        return Err(Invalid::new("se", "numbers from 1e-30 to 1e30", bad));
    }
    Ok(())
}

/// Distinct (x, se) in ascending order, with how many units have them.
struct Data(Vec<((f64, f64), f64)>);

impl Data {
    fn sum(&self, term: impl Fn(f64, f64) -> f64) -> f64 {
        sum(self.0.iter().map(|((x, se), times)| times * term(*x, *se)))
    }

    /// The prior, and with James-Stein the weight of every unit.
    fn prior(&self, method: MeanMethod) -> (MeanPrior, Option<f64>) {
        let units = self.sum(|_, _| 1.0);
        let absent = MeanPrior {
            mean: None,
            mean_se: None,
            tau2: None,
            q: None,
            units: units as u64,
            status: if units == 0.0 {
                Status::NoData
            } else {
                Status::SmallN
            },
        };
        if units < UNITS_MIN as f64 {
            return (absent, None);
        }
        let (fixed, _) = self.mean(0.0);
        let q = self.sum(|x, se| ((x - fixed) / se).powi(2));
        let (mut stein, mut status) = (None, Status::Ok);
        let tau2 = match method {
            MeanMethod::JamesStein => {
                // All standard errors are 1 here.
                let weight = if q > 0.0 {
                    (1.0 - (units - 3.0) / q).max(0.0)
                } else {
                    0.0
                };
                stein = Some(weight);
                Some(weight / (1.0 - weight)).filter(|tau2| tau2.is_finite())
            }
            MeanMethod::Reml => {
                let (tau2, settled) = self.reml(self.moments(q, units));
                if !settled {
                    status = Status::NotConverged;
                }
                Some(tau2)
            }
            MeanMethod::Auto | MeanMethod::DerSimonianLaird => Some(self.moments(q, units)),
        };
        let (mean, mean_variance) = if stein.is_some() {
            (fixed, (1.0 + tau2.unwrap_or(0.0)) / units)
        } else {
            self.mean(tau2.unwrap_or(0.0))
        };
        let prior = MeanPrior {
            mean: Some(mean),
            mean_se: Some(mean_variance.sqrt()),
            tau2,
            q: Some(q),
            status,
            ..absent
        };
        (prior, stein)
    }

    /// The mean at weights 1/(se²+τ²), and its variance.
    fn mean(&self, tau2: f64) -> (f64, f64) {
        let total = self.sum(|_, se| 1.0 / (se * se + tau2));
        (self.sum(|x, se| x / (se * se + tau2)) / total, 1.0 / total)
    }

    fn moments(&self, q: f64, units: f64) -> f64 {
        let weights = self
            .0
            .iter()
            .flat_map(|((_, se), times)| vec![1.0 / (se * se); *times as usize]);
        let excess = (q - (units - 1.0)).max(0.0);
        excess / moment_weight(weights.collect())
    }

    fn reml(&self, start: f64) -> (f64, bool) {
        let mut tau2 = start;
        for _ in 0..STEPS_MAX {
            let weight = |se: f64| 1.0 / (se * se + tau2);
            let (mean, variance) = self.mean(tau2);
            let fit = self.sum(|x, se| (weight(se) * (x - mean)).powi(2));
            let second = self.sum(|_, se| weight(se).powi(2));
            let third = self.sum(|_, se| weight(se).powi(3));
            let trace = 1.0 / variance - second * variance;
            let information = second - 2.0 * third * variance + (second * variance).powi(2);
            let mut step = (fit - trace) / information;
            if !step.is_finite() {
                return (tau2, false);
            }
            // Half the way to 0 at most, unless 0 is where it ends.
            if tau2 + step < 0.0 {
                step = if tau2 < 1e-14 { -tau2 } else { -0.5 * tau2 };
            }
            tau2 += step;
            if step.abs() <= 1e-14 * (1.0 + tau2) {
                return (tau2, true);
            }
        }
        (tau2, false)
    }
}
