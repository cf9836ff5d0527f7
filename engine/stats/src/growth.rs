//! Growth: of one amount, of a set of units, of what existing customers bring, and the pace towards a quota.
//!
//! A quotient over a base of 0 doesn't exist, and one over a negative base (more returns than sales) says the
//! opposite of what it seems to; neither is ever shown as a number.

mod cohort;

use crate::estimate::Status;
use crate::invalid::Invalid;

pub use cohort::{LikeForLike, Retention, like_for_like, retention, retention_of_totals};

/// Amounts beyond this are refused, so that sums stay finite.
const AMOUNT_MAX: f64 = 1e290;

/// A change from a base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// now - base.
    pub diff: f64,
    /// (now - base) / base; 0.1 is 10 % more. `None` unless `ok`.
    pub rate: Option<f64>,
    /// `zero_base`: the base is 0. `infeasible`: the base is negative, or the rate is beyond what f64 holds.
    pub status: Status,
}

/// A growth rate per period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cagr {
    /// 0.1 is 10 % more per period; -1 where nothing is left. `None` unless `ok`.
    pub rate: Option<f64>,
    /// `zero_base`: `first` is 0. `infeasible`: one of the amounts is negative, or the rate is beyond what f64 holds.
    pub status: Status,
}

/// How far a quota is reached, and whether that is early or late.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// actual / quota. `None` when the quota is 0.
    pub attainment: Option<f64>,
    /// attainment / seasonal share to date: 1 is on plan. `None` when the quota or that share is 0.
    pub pace: Option<f64>,
    /// What should have been reached by now: quota · seasonal share to date.
    pub due: f64,
    /// What the whole period would reach at this pace: actual / seasonal share to date. `None` when that share is 0.
    pub projected: Option<f64>,
    /// `zero_base`: the quota or the share is 0. `infeasible`: the pace is beyond what f64 holds.
    pub status: Status,
}

/// The change from `base` to `now`. [`Invalid`] when either is not finite or beyond 1e290.
pub fn growth(base: f64, now: f64) -> Result<Growth, Invalid> {
    check_amount("base", base)?;
    check_amount("now", now)?;
    let diff = now - base;
    let (rate, status) = over_base(diff, base);
    Ok(Growth { diff, rate, status })
}

/// Compound growth per period, (last/first)^(1/periods) - 1.
///
/// [`Invalid`] when an amount is not finite or beyond 1e290, or `periods` is not above 0 and finite; it need not be
/// whole.
pub fn cagr(first: f64, last: f64, periods: f64) -> Result<Cagr, Invalid> {
    check_amount("first", first)?;
    check_amount("last", last)?;
    if !(periods > 0.0 && periods.is_finite()) {
        return Err(Invalid::new("periods", "a finite number above 0", periods));
    }
    let absent = |status| Cagr { rate: None, status };
    if first == 0.0 {
        return Ok(absent(Status::ZeroBase));
    }
    if first < 0.0 || last < 0.0 {
        return Ok(absent(Status::Infeasible));
    }
    let ratio = last / first;
    let ln_ratio = if last == 0.0 {
        f64::NEG_INFINITY
    } else if (0.5..2.0).contains(&ratio) {
        ((last - first) / first).ln_1p()
    } else {
        last.ln() - first.ln()
    };
    let rate = (ln_ratio / periods).exp_m1();
    Ok(if rate.is_finite() {
        Cagr {
            rate: Some(rate),
            status: Status::Ok,
        }
    } else {
        absent(Status::Infeasible)
    })
}

/// The pace of `actual` towards `quota` after the part of the period in which `seasonal_share` of a year's business is
/// usually done; with even business, that is the elapsed fraction.
///
/// [`Invalid`] when an amount is not finite or beyond 1e290, the quota is negative, or the share is outside 0 to 1.
pub fn pace(quota: f64, actual: f64, seasonal_share: f64) -> Result<Pace, Invalid> {
    check_amount("quota", quota)?;
    check_amount("actual", actual)?;
    if quota < 0.0 {
        return Err(Invalid::new("quota", "an amount of at least 0", quota));
    }
    if !(0.0..=1.0).contains(&seasonal_share) {
        return Err(Invalid::new(
            "seasonal_share",
            "a number from 0 to 1",
            seasonal_share,
        ));
    }
    let attainment = quotient(actual, quota);
    let pace = attainment.and_then(|attainment| quotient(attainment, seasonal_share));
    Ok(Pace {
        attainment,
        pace,
        due: quota * seasonal_share,
        projected: quotient(actual, seasonal_share),
        status: match pace {
            Some(_) => Status::Ok,
            None if quota == 0.0 || seasonal_share == 0.0 => Status::ZeroBase,
            None => Status::Infeasible,
        },
    })
}

fn check_amount(name: &'static str, amount: f64) -> Result<(), Invalid> {
    if !(-AMOUNT_MAX..=AMOUNT_MAX).contains(&amount) {
        return Err(Invalid::new(name, "an amount from -1e290 to 1e290", amount));
    }
    Ok(())
}

/// part / whole where the whole is not 0 and f64 holds the result.
fn quotient(part: f64, whole: f64) -> Option<f64> {
    let quotient = part / whole;
    (whole != 0.0 && quotient.is_finite()).then_some(quotient)
}

/// part / base where the base is above 0, and why not elsewhere.
fn over_base(part: f64, base: f64) -> (Option<f64>, Status) {
    if base == 0.0 {
        return (None, Status::ZeroBase);
    }
    match quotient(part, base).filter(|_| base > 0.0) {
        Some(value) => (Some(value), Status::Ok),
        None => (None, Status::Infeasible),
    }
}
