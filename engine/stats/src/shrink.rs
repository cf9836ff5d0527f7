//! Empirical Bayes: what a unit's rate, count or mean probably is, given how much all units differ.
//!
//! A prior is fitted to all units, and each unit's estimate is drawn towards its mean, the more the less data
//! the unit has. What always holds: an estimate lies between the unit's own value and the prior's mean; fewer
//! than five units fit no prior (`small_n`); units that differ no more than chance would have it all get the
//! pooled value, at weight 0. Nothing here depends on the order of the units.

mod beta_binomial;
mod count;
mod mean;
mod newton;
mod rate;

pub use count::{CountMethod, CountPrior, ShrunkCounts, eb_count};
pub use mean::{MeanMethod, MeanPrior, ShrunkMeans, eb_mean};
pub use rate::{RateMethod, RatePrior, ShrunkRates, eb_rate, rate_posterior};

use crate::estimate::Status;
use crate::invalid::Invalid;

/// Fewer units than these fit no prior.
pub const UNITS_MIN: usize = 5;

/// One unit's estimate, its posterior under the prior fitted to all units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrunk {
    /// Posterior mean.
    pub est: Option<f64>,
    /// Quantile α/2 of the posterior.
    pub lo: Option<f64>,
    /// Quantile 1-α/2 of the posterior.
    pub hi: Option<f64>,
    /// Weight of the unit's own data in `est`, from 0 to 1; the prior's mean has the rest.
    pub weight: Option<f64>,
    /// Posterior probability that the unit is below `target_frac` times the prior's mean.
    pub p_below: Option<f64>,
    /// `ok`; `no_data` for a unit without data; `small_n` with fewer than five units, and then all is `None`;
    /// `not_converged` where the posterior's shapes are out of reach.
    pub status: Status,
}

impl Shrunk {
    fn absent(status: Status) -> Self {
        Self {
            est: None,
            lo: None,
            hi: None,
            weight: None,
            p_below: None,
            status,
        }
    }
}

fn check_target_frac(target_frac: f64) -> Result<(), Invalid> {
    if target_frac > 0.0 && target_frac <= 1e6 {
        return Ok(());
    }
    Err(Invalid::new(
        "target_frac",
        "a number above 0 and at most 1e6",
        target_frac,
    ))
}

/// Sorted data with equal units put together, each with how many there are.
fn distinct<T: PartialEq + Copy>(
    mut data: Vec<T>,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Vec<(T, f64)> {
    data.sort_unstable_by(order);
    data.chunk_by(|x, y| x == y)
        .map(|equal| (equal[0], equal.len() as f64))
        .collect()
}
