//! A series taken apart into season, trend and remainder (STL).
//!
//! The smoothing is stlrs 0.4, a port of the authors' Fortran without dependencies of its own; what is here
//! chooses the spans, as R's `stl` does, and holds what comes back to this crate's contract. It was preferred to
//! a port of our own because it reproduces R and statsmodels to 1e-9. Its robust fit takes the median of the
//! residuals, as Cleveland et al. define it and statsmodels does. R's does not for series of even length: `stl.f`
//! asks its partial sort for the upper of the two middle values first, which that sort cannot serve, and goes on
//! with other order statistics. With `nottem` and a window of 7 the season moves by up to 0.08 degrees.

use stlrs::Stl;

use crate::estimate::Status;
use crate::invalid::Invalid;

/// Beyond this a sum over a series need no longer be finite.
const VALUE_MAX: f64 = 1e100;
/// Longest window; longer ones smooth no more.
const WINDOW_MAX: usize = 1_000_000_000;

/// How quickly the season may change over the years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeasonWindow {
    /// It does not: every cycle has the same season, the mean over the cycles. R's `s.window = "periodic"`.
    Periodic,
    /// The span of its smoother in cycles, at least 3; an even span counts as the next odd one.
    Cycles(usize),
}

/// Whether outliers count fully.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Every period has weight 1; two passes.
    Plain,
    /// Periods far off get little weight, by Tukey's biweight; fifteen rounds of one pass.
    Robust,
}

/// The parts of a series. They are empty unless `status` is `ok`.
#[derive(Debug, Clone, PartialEq)]
pub struct Seasons {
    /// One per period; season + trend + remainder is the series.
    pub points: Vec<SeasonPoint>,
    /// Periods.
    pub n: u64,
    /// `no_data` without periods; `infeasible` with less than two whole cycles.
    pub status: Status,
}

/// One period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeasonPoint {
    /// What recurs with every cycle.
    pub seasonal: f64,
    /// The level without the season.
    pub trend: f64,
    /// What neither explains.
    pub remainder: f64,
    /// Weight of the period in the fit, 0 to 1.
    pub weight: f64,
}

/// Decomposes `y`, in time order without gaps, into a season of `period` >= 2 periods, a trend and a remainder.
///
/// Cleveland, Cleveland, McRae & Terpenning (1990) J Off Stat 6:3, with the choices of R's `stl`: the season is
/// smoothed by local constants, the trend by local lines over nextodd(⌈1.5 period / (1 - 1.5/window)⌉) periods,
/// the low-pass filter spans nextodd(period), and each smoother is evaluated at every tenth of its span. R asks
/// for more than two cycles; two whole ones are enough here. [`Invalid`]: values that are not finite or beyond 1e100, a period
/// below 2, a window below 3 or above 1e9.
pub fn stl(y: &[f64], period: usize, window: SeasonWindow, fit: Fit) -> Result<Seasons, Invalid> {
    if let Some(bad) = y.iter().find(|v| v.is_nan() || v.abs() > VALUE_MAX) {
        return Err(Invalid::new("y", "finite numbers up to 1e100", bad));
    }
    if period < 2 {
        return Err(Invalid::new("period", "at least 2 periods", period));
    }
    let cycles = match window {
        SeasonWindow::Periodic => y.len().saturating_mul(10).saturating_add(1),
        SeasonWindow::Cycles(cycles) if (3..=WINDOW_MAX).contains(&cycles) => cycles,
        SeasonWindow::Cycles(cycles) => {
            return Err(Invalid::new("window", "3 to 1e9 cycles", cycles));
        }
    };
    let status = match y.len() {
        0 => Status::NoData,
        n if n / 2 < period => Status::Infeasible,
        _ => Status::Ok,
    };
    let points = if status == Status::Ok {
        decompose(y, period, cycles, window, fit)
    } else {
        Some(vec![])
    };
    Ok(Seasons {
        status: if points.is_some() {
            status
        } else {
            Status::NotConverged
        },
        points: points.unwrap_or_default(),
        n: y.len() as u64,
    })
}

/// `None` if a smoother refuses its spans, which those computed here never cause.
fn decompose(
    y: &[f64],
    period: usize,
    cycles: usize,
    window: SeasonWindow,
    fit: Fit,
) -> Option<Vec<SeasonPoint>> {
    let trend_span = (1.5 * period as f64 / (1.0 - 1.5 / cycles as f64)).ceil() as usize;
    let (trend_span, low_pass_span) = (next_odd(trend_span), next_odd(period));
    let (inner, outer) = match fit {
        Fit::Plain => (2, 0),
        Fit::Robust => (1, 15),
    };
    let parts = Stl::params()
        .seasonal_length(next_odd(cycles))
        .trend_length(trend_span)
        .low_pass_length(low_pass_span)
        .seasonal_degree(0)
        .trend_degree(1)
        .low_pass_degree(1)
        .seasonal_jump(cycles.div_ceil(10))
        .trend_jump(trend_span.div_ceil(10))
        .low_pass_jump(low_pass_span.div_ceil(10))
        .inner_loops(inner)
        .outer_loops(outer)
        .fit(y, period)
        .ok()?;
    let (mut seasonal, trend, _, weights) = parts.into_parts();
    if window == SeasonWindow::Periodic {
        average_cycles(&mut seasonal, period);
    }
    let points: Vec<SeasonPoint> = (0..y.len())
        .map(|t| SeasonPoint {
            seasonal: seasonal[t],
            trend: trend[t],
            remainder: y[t] - seasonal[t] - trend[t],
            weight: weights[t],
        })
        .collect();
    let finite = |p: &SeasonPoint| (p.seasonal + p.trend + p.remainder + p.weight).is_finite();
    points.iter().all(finite).then_some(points)
}

fn next_odd(span: usize) -> usize {
    span + 1 - span % 2
}

/// Gives every period the mean of its place in the cycle.
fn average_cycles(seasonal: &mut [f64], period: usize) {
    for place in 0..period.min(seasonal.len()) {
        let of_place = || seasonal[place..].iter().step_by(period);
        let mean = of_place().sum::<f64>() / of_place().count() as f64;
        for value in seasonal[place..].iter_mut().step_by(period) {
            *value = mean;
        }
    }
}
