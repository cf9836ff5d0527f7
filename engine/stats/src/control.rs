//! Control charts: is a process still what it was?
//!
//! Each reads a series in time order and says at every point how far the process has moved and whether that is
//! a signal. A signal does not reset a chart: what follows says how long it lasts.

pub mod cusum;
pub mod ewma;
pub mod individuals;
pub mod risk_adjusted;

use crate::invalid::Invalid;

/// Beyond this a sum over a series need no longer be finite.
const VALUE_MAX: f64 = 1e100;

fn check_values(argument: &'static str, values: &[f64]) -> Result<(), Invalid> {
    match values.iter().find(|v| v.is_nan() || v.abs() > VALUE_MAX) {
        Some(bad) => Err(Invalid::new(argument, "finite numbers up to 1e100", bad)),
        None => Ok(()),
    }
}

/// A value between `least` and 1e100.
fn check_from(
    argument: &'static str,
    value: f64,
    least: f64,
    needs: &'static str,
) -> Result<(), Invalid> {
    if value >= least && value <= VALUE_MAX {
        Ok(())
    } else {
        Err(Invalid::new(argument, needs, value))
    }
}

fn mean(x: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    (!x.is_empty()).then(|| x.iter().map(|v| v / n).sum())
}

/// Spread of one point, from the differences of neighbours: mean |xₜ - xₜ₋₁| / 1.128, where 1.128 is the mean range
/// of two standard normal values as the tables print it (Montgomery 2009, Introduction to Statistical Quality
/// Control, eq. 6.32; R's `qcc`, `sd.xbar.one`). `None` for fewer than two points.
pub fn moving_range_sigma(x: &[f64]) -> Result<Option<f64>, Invalid> {
    check_values("x", x)?;
    Ok(mean_moving_range(x).map(|mean| mean / RANGE_OF_TWO))
}

/// d₂ for two values.
const RANGE_OF_TWO: f64 = 1.128;

fn mean_moving_range(x: &[f64]) -> Option<f64> {
    let ranges: Vec<f64> = x.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    mean(&ranges)
}
