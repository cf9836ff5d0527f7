//! A metric of one period beside that of another: value, difference and change, each with how sure it is.
//!
//! What is known of a period are the sums over its rows ([`Moments`]), which add up over units and days, so that any cut of
//! the data can be compared without going back to the rows.

use std::str::FromStr;

use crate::count::{self, count_ci, rate_ratio_ci};
use crate::difference::rate_difference_test;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::rate::{self, rate_interval};
use crate::special::{norm_cdf, two_sided_z};

/// How the rows of a period become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Σy. The number of rows is taken as Poisson and their amounts as independent, so its variance is Σy².
    Sum,
    /// The number of rows, taken as Poisson.
    Count,
    /// Σy / Σx with the variance of a ratio of sums, n/(n-1) Σ(y-Rx)² / (Σx)²: Cochran (1977) eq. 2.39.
    Ratio,
    /// y successes of n trials.
    Rate,
}

impl FromStr for Kind {
    type Err = Invalid;

    /// The kind by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "sum" => Ok(Self::Sum),
            "count" => Ok(Self::Count),
            "ratio" => Ok(Self::Ratio),
            "rate" => Ok(Self::Rate),
            _ => Err(Invalid::new(
                "kind",
                "sum, count, ratio or rate",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// Sums over the rows of a period.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// rows
    pub n: u64,
    /// Σy: values, numerators, or successes
    pub y: f64,
    /// Σx: denominators
    pub x: f64,
    /// Σy²
    pub yy: f64,
    /// Σxy
    pub xy: f64,
    /// Σx²
    pub xx: f64,
}

/// What a period is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Base {
    /// nothing is known of it
    Unknown,
    /// another period, or other units
    Measured(Moments),
    /// a number without uncertainty, as a quota
    Fixed(f64),
}

/// A period beside its base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// the period's number
    pub value: Option<f64>,
    /// rows behind it
    pub n: u64,
    /// lower end of its interval
    pub lo: Option<f64>,
    /// upper end of its interval
    pub hi: Option<f64>,
    /// the base's number
    pub base_value: Option<f64>,
    /// rows behind it
    pub base_n: u64,
    /// value minus base
    pub diff: Option<f64>,
    /// lower end of its interval
    pub diff_lo: Option<f64>,
    /// upper end of its interval
    pub diff_hi: Option<f64>,
    /// the difference over the base
    pub pct_change: Option<f64>,
    /// two-sided, of no difference
    pub p: Option<f64>,
    /// of the value and the change: no_data, zero_base, or ok
    pub status: Status,
}

/// Compares a period with a base at confidence `conf`.
///
/// No rows are a sum or a count of 0, and no ratio and no rate (`no_data`). A base of 0 or below gives no percentage
/// (`zero_base`); one that is not known gives none either. [`Invalid`] where successes exceed trials, where a sum is not
/// finite, or where `conf` is not strictly between 0 and 1.
pub fn compare(kind: Kind, now: Moments, base: Base, conf: f64) -> Result<Comparison, Invalid> {
    let z = two_sided_z(conf)?;
    let one = measured(kind, now, conf, z)?;
    let other = match base {
        Base::Unknown => None,
        Base::Fixed(value) => Some(Measured::fixed(value)?),
        Base::Measured(moments) => Some(measured(kind, moments, conf, z)?),
    };
    let difference = match (other, base) {
        (Some(_), Base::Measured(moments)) if kind == Kind::Rate => rates(now, moments, conf)?,
        (Some(_), Base::Measured(moments)) if kind == Kind::Count => {
            let p = rate_ratio_ci(now.n, 1.0, moments.n, 1.0, conf)?.p;
            Difference {
                p,
                ..other.map_or(Difference::NONE, |other| one.minus(&other, z))
            }
        }
        (Some(other), _) => one.minus(&other, z),
        (None, _) => Difference::NONE,
    };
    let base_value = other.and_then(|other| other.value);
    let pct_change = difference
        .diff
        .zip(base_value)
        .and_then(|(diff, base)| (base > 0.0).then(|| diff / base));
    let status = match (one.value, base_value) {
        (None, _) if one.zero_base => Status::ZeroBase,
        (None, _) => Status::NoData,
        (Some(_), Some(base)) if base <= 0.0 => Status::ZeroBase,
        _ => Status::Ok,
    };
    Ok(Comparison {
        value: one.value,
        n: now.n,
        lo: one.lo,
        hi: one.hi,
        base_value,
        base_n: match base {
            Base::Measured(moments) => moments.n,
            _ => 0,
        },
        diff: difference.diff,
        diff_lo: difference.lo,
        diff_hi: difference.hi,
        pct_change: pct_change.filter(|it| it.is_finite()),
        p: difference.p,
        status,
    })
}

/// One side.
#[derive(Clone, Copy)]
struct Measured {
    value: Option<f64>,
    variance: Option<f64>,
    lo: Option<f64>,
    hi: Option<f64>,
    zero_base: bool,
}

struct Difference {
    diff: Option<f64>,
    lo: Option<f64>,
    hi: Option<f64>,
    p: Option<f64>,
}

impl Difference {
    const NONE: Self = Self {
        diff: None,
        lo: None,
        hi: None,
        p: None,
    };
}

impl Measured {
    fn fixed(value: f64) -> Result<Self, Invalid> {
        finite("base", value)?;
        Ok(Self {
            value: Some(value),
            variance: Some(0.0),
            lo: None,
            hi: None,
            zero_base: false,
        })
    }

    /// The difference of two independent numbers, by their variances.
    fn minus(&self, other: &Self, z: f64) -> Difference {
        let (Some(one), Some(two)) = (self.value, other.value) else {
            return Difference::NONE;
        };
        let diff = one - two;
        let variance = self
            .variance
            .zip(other.variance)
            .map(|(one, two)| one + two);
        let sd = variance
            .map(f64::sqrt)
            .filter(|sd| *sd > 0.0 && sd.is_finite());
        let p = sd.and_then(|sd| norm_cdf(-(diff / sd).abs()).ok());
        Difference {
            diff: Some(diff),
            lo: sd.map(|sd| diff - z * sd),
            hi: sd.map(|sd| diff + z * sd),
            p: p.map(|p| (2.0 * p).min(1.0)),
        }
    }
}

fn measured(kind: Kind, it: Moments, conf: f64, z: f64) -> Result<Measured, Invalid> {
    for (name, sum) in [
        ("y", it.y),
        ("x", it.x),
        ("yy", it.yy),
        ("xy", it.xy),
        ("xx", it.xx),
    ] {
        finite(name, sum)?;
    }
    Ok(match kind {
        Kind::Sum => around(it.y, (it.n > 0).then_some(it.yy.max(0.0)), z),
        Kind::Count => {
            let count = it.n as f64;
            let exact = count_ci(it.n, 1.0, conf, count::Method::Garwood)?;
            Measured {
                value: Some(count),
                variance: Some(count),
                lo: exact.lo,
                hi: exact.hi,
                zero_base: false,
            }
        }
        Kind::Ratio => ratio(it, z),
        Kind::Rate => {
            let rate = rate_interval(successes(it)?, it.n, conf, rate::Method::Wilson)?;
            Measured {
                value: rate.value,
                variance: rate.value.map(|rate| rate * (1.0 - rate) / it.n as f64),
                lo: rate.lo,
                hi: rate.hi,
                zero_base: false,
            }
        }
    })
}

fn ratio(it: Moments, z: f64) -> Measured {
    if it.n == 0 || it.x == 0.0 {
        return Measured {
            value: None,
            variance: None,
            lo: None,
            hi: None,
            zero_base: it.n > 0,
        };
    }
    let ratio = it.y / it.x;
    let n = it.n as f64;
    let squares = (it.yy - 2.0 * ratio * it.xy + ratio * ratio * it.xx).max(0.0);
    around(
        ratio,
        (it.n > 1).then(|| n / (n - 1.0) * squares / (it.x * it.x)),
        z,
    )
}

fn around(value: f64, variance: Option<f64>, z: f64) -> Measured {
    let half = variance.map(|variance| z * variance.sqrt());
    Measured {
        value: Some(value),
        variance,
        lo: half.map(|half| value - half),
        hi: half.map(|half| value + half),
        zero_base: false,
    }
}

fn rates(now: Moments, base: Moments, conf: f64) -> Result<Difference, Invalid> {
    let found = rate_difference_test(successes(now)?, now.n, successes(base)?, base.n, conf)?;
    Ok(Difference {
        diff: found.diff,
        lo: found.lo,
        hi: found.hi,
        p: found.p,
    })
}

fn successes(it: Moments) -> Result<u64, Invalid> {
    if it.y < 0.0 || it.y > it.n as f64 {
        return Err(Invalid::new(
            "y",
            "at most as many successes as trials",
            it.y,
        ));
    }
    Ok(it.y.round() as u64)
}

fn finite(name: &'static str, sum: f64) -> Result<(), Invalid> {
    match sum.is_finite() {
        true => Ok(()),
        false => Err(Invalid::new(name, "a finite number", sum)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> Moments {
        Moments {
            n: values.len() as u64,
            y: values.iter().sum(),
            yy: values.iter().map(|it| it * it).sum(),
            ..Moments::default()
        }
    }

    #[test]
    fn a_period_with_itself_does_not_change() {
        let rows = sum(&[3.0, 4.0, 5.0]);
        let ratio = Moments {
            x: 4.0,
            xy: 15.0,
            xx: 6.0,
            ..rows
        };
        let rate = Moments {
            n: 20,
            y: 5.0,
            ..Moments::default()
        };
        for (kind, it) in [
            (Kind::Sum, rows),
            (Kind::Count, rows),
            (Kind::Ratio, ratio),
            (Kind::Rate, rate),
        ] {
            let found = compare(kind, it, Base::Measured(it), 0.95).unwrap();
            assert_eq!(
                (found.diff, found.pct_change),
                (Some(0.0), Some(0.0)),
                "{kind:?}"
            );
            assert!((found.p.unwrap() - 1.0).abs() < 1e-9, "{kind:?}");
            assert!(found.diff_lo.unwrap() < 0.0 && found.diff_hi.unwrap() > 0.0);
        }
    }

    #[test]
    fn nothing_is_a_sum_of_0_and_no_rate() {
        let none = Moments::default();
        let found = compare(Kind::Sum, none, Base::Measured(sum(&[5.0])), 0.95).unwrap();
        assert_eq!(
            (found.value, found.pct_change, found.status),
            (Some(0.0), Some(-1.0), Status::Ok)
        );
        let found = compare(Kind::Sum, sum(&[5.0]), Base::Measured(none), 0.95).unwrap();
        assert_eq!((found.pct_change, found.status), (None, Status::ZeroBase));
        let found = compare(Kind::Rate, none, Base::Unknown, 0.95).unwrap();
        assert_eq!((found.value, found.status), (None, Status::NoData));
        let found = compare(Kind::Ratio, sum(&[5.0]), Base::Unknown, 0.95).unwrap();
        assert_eq!((found.value, found.status), (None, Status::ZeroBase));
    }

    #[test]
    fn a_quota_has_no_uncertainty() {
        let found = compare(Kind::Sum, sum(&[60.0, 20.0]), Base::Fixed(100.0), 0.95).unwrap();
        assert_eq!(
            (found.base_value, found.pct_change),
            (Some(100.0), Some(-0.2))
        );
        let half = found.hi.unwrap() - 80.0;
        assert!((found.diff_hi.unwrap() - (half - 20.0)).abs() < 1e-9);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let rate = Moments {
            n: 2,
            y: 3.0,
            ..Moments::default()
        };
        assert!(compare(Kind::Rate, rate, Base::Unknown, 0.95).is_err());
        assert!(
            compare(
                Kind::Sum,
                Moments {
                    y: f64::NAN,
                    ..rate
                },
                Base::Unknown,
                0.95
            )
            .is_err()
        );
        assert!(compare(Kind::Sum, rate, Base::Unknown, 1.0).is_err());
    }
}
