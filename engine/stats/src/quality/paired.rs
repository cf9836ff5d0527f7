//! The test of a mean difference between two scores of the same rows.

use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::norm_cdf;

/// A difference of two numbers from 0 to 1 with its standard error, tested by the normal distribution.
pub(super) struct Paired {
    pub(super) se: f64,
    pub(super) lo: f64,
    pub(super) hi: f64,
    /// diff / se; 0 where both are 0; `None` where only `se` is.
    pub(super) z: Option<f64>,
    /// Two-sided p value; present exactly when `z` is.
    pub(super) p: Option<f64>,
}

impl Paired {
    /// The interval reaches `reach` standard errors, and no further than -1 and 1.
    pub(super) fn of(diff: f64, se: f64, reach: f64) -> Result<Self, Invalid> {
        let statistic = if diff == 0.0 { 0.0 } else { diff / se };
        let (z, p) = if statistic.is_finite() {
            let p = 2.0 * norm_cdf(-statistic.abs())?;
            (Some(statistic), Some(p.min(1.0)))
        } else {
            (None, None)
        };
        Ok(Self {
            se,
            lo: (diff - reach * se).max(-1.0),
            hi: (diff + reach * se).min(1.0),
            z,
            p,
        })
    }

    /// `small_n` for a difference whose variance is estimated as 0.
    pub(super) fn status(&self) -> Status {
        self.z.map_or(Status::SmallN, |_| Status::Ok)
    }
}
