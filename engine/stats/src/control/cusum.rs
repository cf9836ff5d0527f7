//! The tabular cusum: small lasting shifts of a mean, summed up until they show.

use super::{VALUE_MAX, check_from, check_values};
use crate::estimate::Status;
use crate::invalid::Invalid;

/// The chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Cusum {
    /// One per value.
    pub points: Vec<CusumPoint>,
    /// Index of the first signal.
    pub first_signal: Option<usize>,
    /// `no_data` without values.
    pub status: Status,
}

/// The chart at one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CusumPoint {
    /// Evidence for a mean above the target, in units of x; at least 0.
    pub high: f64,
    /// Evidence for a mean below it; at least 0.
    pub low: f64,
    /// For how many values in a row, this one included, `high` has been above 0: the shift, if it is one, began
    /// that long ago.
    pub run_high: u64,
    /// The same of `low`.
    pub run_low: u64,
    /// Where a sum exceeds h.
    pub signal: Option<Shift>,
}

/// In which direction a process moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shift {
    /// Above.
    High,
    /// Below.
    Low,
    /// Both sums exceed h.
    Both,
}

impl Shift {
    pub(super) fn of(high: bool, low: bool) -> Option<Self> {
        match (high, low) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::High),
            (false, true) => Some(Self::Low),
            (false, false) => None,
        }
    }

    /// The direction as SQL spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::Both => "both",
        }
    }
}

/// Sums deviations from `target` beyond the allowance `k`; signals where a sum exceeds `h`.
///
/// high = max(0, x - (target + k) + high before), low = max(0, (target - k) - x + low before), both 0 at the start (Page
/// 1954; Montgomery 2009, eq. 9.2-9.3). All in units of x: with standard deviation σ the usual choice is
/// k = σ/2, to find shifts of σ, and h = 4σ or 5σ. R's `qcc::cusum` plots the same in units of σ, the low one
/// below 0. [`Invalid`]: values that are not finite or beyond 1e100, k below 0, h not above 0.
pub fn cusum(x: &[f64], target: f64, k: f64, h: f64) -> Result<Cusum, Invalid> {
    check_values("x", x)?;
    check_from("target", target, -VALUE_MAX, "a finite number up to 1e100")?;
    check_from("k", k, 0.0, "a finite number of at least 0")?;
    check_from("h", h, f64::MIN_POSITIVE, "a finite number above 0")?;
    let (mut high, mut low): (f64, f64) = (0.0, 0.0);
    let (mut run_high, mut run_low) = (0, 0);
    let mut points = Vec::with_capacity(x.len());
    for value in x {
        high = (value - (target + k) + high).max(0.0);
        low = ((target - k) - value + low).max(0.0);
        run_high = if high > 0.0 { run_high + 1 } else { 0 };
        run_low = if low > 0.0 { run_low + 1 } else { 0 };
        points.push(CusumPoint {
            high,
            low,
            run_high,
            run_low,
            signal: Shift::of(high > h, low > h),
        });
    }
    Ok(Cusum {
        first_signal: points.iter().position(|point| point.signal.is_some()),
        status: if points.is_empty() {
            Status::NoData
        } else {
            Status::Ok
        },
        points,
    })
}
