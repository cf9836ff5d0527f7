//! Funnel limits: which units lie further from the target than chance and ordinary differences explain.
//!
//! A unit with little data may lie far out by chance, so its limits are wide; units that are well run still differ
//! a little, so the spread between units (over-dispersion) is estimated and added. What always holds: nothing
//! depends on the order of the units; limits lie in the range of what they limit and bracket each other; a unit
//! without data has no standing but `cannot_tell`.

mod dispersion;
mod law;
mod options;
mod plot;
mod scale;

pub use options::{Kind, Method, Options};

use std::fmt;

use self::plot::Plot;
use crate::adjust::{self, p_adjust};
use crate::compensated::sum;
use crate::estimate::Status;
use crate::invalid::Invalid;

/// z of the 95 % and of the 99.8 % limits, rounded as in R's FunnelPlotR so that limits agree to the last digit.
const Z: [f64; 2] = [1.959_964, 3.090_232];
/// The tails of these limits.
const TAILS: [f64; 2] = [0.025, 0.001];
/// Fewer units than these say little about how much units differ.
const UNITS_MIN: usize = 5;

/// Where a unit stands. The names are part of the SQL surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// q_low is at most `q_max`.
    Below,
    /// Not below, but z_od < -1.96 or p_low < 0.025.
    Watch,
    /// Neither, and a material drop would have shown.
    InLine,
    /// Neither, but a material drop need not have shown either.
    CannotTell,
}

impl Standing {
    /// The standing as SQL spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Below => "below",
            Self::Watch => "watch",
            Self::InLine => "in_line",
            Self::CannotTell => "cannot_tell",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Limits between which 95 % and 99.8 % of units on target lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Lower 95 % limit.
    pub lo95: f64,
    /// Upper 95 % limit.
    pub hi95: f64,
    /// Lower 99.8 % limit.
    pub lo998: f64,
    /// Upper 99.8 % limit.
    pub hi998: f64,
}

impl Limits {
    fn of(limit: impl Fn(usize, f64) -> f64) -> Self {
        Self {
            lo95: limit(0, -1.0),
            hi95: limit(0, 1.0),
            lo998: limit(1, -1.0),
            hi998: limit(1, 1.0),
        }
    }
}

/// One unit in the funnel. All is `None` for a unit without data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// Numerator over denominator.
    pub ratio: Option<f64>,
    /// Distance from the target in standard errors of chance alone.
    pub z: Option<f64>,
    /// Distance from the target in standard errors of chance and of the spread between units.
    pub z_od: Option<f64>,
    /// Probability of a unit on target to be as low; Φ(z_od) unless the method has a distribution of its own.
    pub p_low: Option<f64>,
    /// p_low adjusted for the number of units (Benjamini-Hochberg).
    pub q_low: Option<f64>,
    /// Limits with the spread between units.
    pub limits: Option<Limits>,
    /// Limits of chance alone; for kind `oe` the exact Poisson ones, χ²(2E)/2E and χ²(2E+2)/2E.
    pub unadjusted: Option<Limits>,
    /// The smallest drop below the target that would be detected, in points of the ratio. `None` if no drop would.
    pub mde: Option<f64>,
    /// Where the unit stands.
    pub standing: Standing,
    /// `ok`, `no_data` without denominator, `zero_base` without denominator but with a numerator.
    pub status: Status,
}

/// A funnel, with its units in the order of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    /// What units are set against. `None` without data.
    pub target: Option<f64>,
    /// Over-dispersion: about 1 if units differ by chance alone. `None` without data, or without any chance.
    pub phi: Option<f64>,
    /// Variance between units on the scale of the method (for `BetaBinomial`: of the rates themselves).
    pub tau2: Option<f64>,
    /// Units behind φ and τ².
    pub units_used: u64,
    /// One entry per unit.
    pub units: Vec<Unit>,
    /// `ok`, `no_data`, `infeasible` when all of kind `ratio` are 0, or `small_n` with fewer than five units, which
    /// say little about how much units differ.
    pub status: Status,
}

/// The funnel of units with numerators and denominators.
///
/// Spiegelhalter (2005) Stat Med 24:1185, with the additive spread of Spiegelhalter et al. (2012). R
/// `FunnelPlotR::funnel_plot` for `Cqc` and `Shmi`, except that angles are kept within \[0, π/2\], where FunnelPlotR
/// replaces whole rows of limits by 0 and 1. The standing follows the rule of [`Standing`]; `mde` solves δ =
/// z_{α/2} sd(target) + z_power sd(target-δ), with the spread between units in both.
///
/// [`Invalid`] when lengths differ, a number is negative, not finite or above 1e15, successes exceed trials,
/// `BetaBinomial` meets a numerator that is not whole, the method does not suit the kind, or an option is out of its
/// range.
pub fn funnel_limits(num: &[f64], den: &[f64], options: &Options) -> Result<Funnel, Invalid> {
    options::check(num, den, options)?;
    let mut order: Vec<usize> = (0..num.len()).filter(|i| den[*i] > 0.0).collect();
    order.sort_by(|i, j| {
        num[*i]
            .total_cmp(&num[*j])
            .then(den[*i].total_cmp(&den[*j]))
    });
    let rows: Vec<(f64, f64)> = order.iter().map(|i| (num[*i], den[*i])).collect();
    let mut units: Vec<Unit> = num.iter().map(|num| absent(*num)).collect();
    let target = options
        .target
        .or_else(|| natural_target(options.kind, &rows));
    let Some(target) = target.filter(|_| !rows.is_empty()) else {
        return Ok(without_target(units, &order));
    };
    let plot = Plot::new(&rows, target, options)?;
    for (place, row) in order.iter().zip(&rows) {
        units[*place] = plot.unit(row.0, row.1)?;
    }
    let p_low: Vec<Option<f64>> = units.iter().map(|unit| unit.p_low).collect();
    for (unit, q_low) in units.iter_mut().zip(p_adjust(&p_low, adjust::Method::Bh)?) {
        unit.q_low = q_low;
        unit.standing = standing(unit, target, options);
    }
    Ok(Funnel {
        target: Some(target),
        phi: plot.spread.phi,
        tau2: Some(plot.spread.tau2),
        units_used: plot.spread.used,
        units,
        status: if rows.len() < UNITS_MIN {
            Status::SmallN
        } else {
            Status::Ok
        },
    })
}

/// No unit has data, or those of kind `ratio` that have any have all the ratio 0.
fn without_target(mut units: Vec<Unit>, with_data: &[usize]) -> Funnel {
    for place in with_data {
        units[*place].ratio = Some(0.0);
        units[*place].status = Status::Infeasible;
    }
    Funnel {
        target: None,
        phi: None,
        tau2: None,
        units_used: 0,
        units,
        status: if with_data.is_empty() {
            Status::NoData
        } else {
            Status::Infeasible
        },
    }
}

fn standing(unit: &Unit, target: f64, options: &Options) -> Standing {
    let is = |value: Option<f64>, test: &dyn Fn(f64) -> bool| value.is_some_and(test);
    if is(unit.q_low, &|q| q <= options.q_max) {
        Standing::Below
    } else if is(unit.z_od, &|z| z < -Z[0]) || is(unit.p_low, &|p| p < TAILS[0]) {
        Standing::Watch
    } else if is(unit.mde, &|mde| mde <= options.materiality * target) {
        Standing::InLine
    } else {
        Standing::CannotTell
    }
}

fn natural_target(kind: Kind, rows: &[(f64, f64)]) -> Option<f64> {
    if kind == Kind::Oe {
        return Some(1.0);
    }
    let num = sum(rows.iter().map(|row| row.0));
    let den = sum(rows.iter().map(|row| row.1));
    let target = num / den;
    // A ratio of 0 has no logarithm, and nothing is below it.
    (target.is_finite() && (kind == Kind::Rate || target > 0.0)).then_some(target)
}

fn absent(num: f64) -> Unit {
    Unit {
        ratio: None,
        z: None,
        z_od: None,
        p_low: None,
        q_low: None,
        limits: None,
        unadjusted: None,
        mde: None,
        standing: Standing::CannotTell,
        status: if num > 0.0 {
            Status::ZeroBase
        } else {
            Status::NoData
        },
    }
}
