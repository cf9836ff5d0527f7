//! The chart of the exponentially weighted moving average.

use super::cusum::Shift;
use super::{VALUE_MAX, check_from, check_values, mean, moving_range_sigma};
use crate::estimate::Status;
use crate::invalid::Invalid;

/// How wide the limits are at the start of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Width {
    /// The average's own standard deviation at point t, σ√(λ/(2-λ) · (1-(1-λ)²ᵗ)): narrow at first. R's `qcc::ewma`.
    #[default]
    Exact,
    /// Its limit for large t from the first point on, σ√(λ/(2-λ)), as the NIST handbook draws it.
    Asymptotic,
}

impl Width {
    /// The width by its SQL name.
    pub fn named(name: &str) -> Result<Self, Invalid> {
        match name {
            "exact" => Ok(Self::Exact),
            "asymptotic" => Ok(Self::Asymptotic),
            _ => Err(Invalid::new(
                "width",
                "exact or asymptotic",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// How to draw the chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EwmaChart {
    /// Weight of the newest value, 0 < λ <= 1.
    pub lambda: f64,
    /// The average before the first value and the centre of the limits; if absent the mean of the values.
    pub start: Option<f64>,
    /// Standard deviation of one value; if absent from moving ranges ([`moving_range_sigma`]).
    pub sigma: Option<f64>,
    /// How many standard deviations of the average the limits are away.
    pub sigmas: f64,
    /// Their width at the start.
    pub width: Width,
}

impl EwmaChart {
    /// Exact limits at three standard deviations, the rest from the data.
    pub fn new(lambda: f64) -> Self {
        Self {
            lambda,
            start: None,
            sigma: None,
            sigmas: 3.0,
            width: Width::Exact,
        }
    }
}

/// The chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Ewma {
    /// One per value.
    pub points: Vec<EwmaPoint>,
    /// The average before the first value, and the centre of the limits.
    pub start: Option<f64>,
    /// Standard deviation of one value; `None` where a single value had to tell it.
    pub sigma: Option<f64>,
    /// Index of the first signal.
    pub first_signal: Option<usize>,
    /// `no_data` without values; `small_n` without `sigma`, when there are no limits.
    pub status: Status,
}

/// The chart at one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EwmaPoint {
    /// The average including this value.
    pub value: f64,
    /// Lower limit.
    pub lcl: Option<f64>,
    /// Upper limit.
    pub ucl: Option<f64>,
    /// Where the average lies outside the limits.
    pub signal: Option<Shift>,
}

/// zₜ = λxₜ + (1-λ)zₜ₋₁ with limits start ± `sigmas` · its standard deviation.
///
/// Roberts (1959) Technometrics 1:239; NIST/SEMATECH e-Handbook 6.3.2.4; Montgomery (2009), eq. 9.22-9.26. [`Invalid`]:
/// values that are not finite or beyond 1e100, λ outside (0, 1\], sigma below 0, sigmas not above 0.
pub fn ewma(x: &[f64], chart: EwmaChart) -> Result<Ewma, Invalid> {
    let EwmaChart { lambda, .. } = chart;
    check_values("x", x)?;
    check_chart(chart)?;
    let start = chart.start.or_else(|| mean(x));
    let sigma = match chart.sigma {
        Some(sigma) => Some(sigma),
        None => moving_range_sigma(x)?,
    };
    let mut points = Vec::with_capacity(x.len());
    let mut value = start.unwrap_or(0.0);
    let centre = value;
    let mut forgotten = 1.0;
    for next in x {
        // This form keeps a constant series constant.
        value += lambda * (next - value);
        forgotten *= (1.0 - lambda) * (1.0 - lambda);
        let share = match chart.width {
            Width::Exact => 1.0 - forgotten,
            Width::Asymptotic => 1.0,
        };
        let reach = sigma.map(|s| chart.sigmas * s * (lambda / (2.0 - lambda) * share).sqrt());
        let (lcl, ucl) = (reach.map(|r| centre - r), reach.map(|r| centre + r));
        points.push(EwmaPoint {
            value,
            lcl,
            ucl,
            signal: Shift::of(
                ucl.is_some_and(|ucl| value > ucl),
                lcl.is_some_and(|lcl| value < lcl),
            ),
        });
    }
    Ok(Ewma {
        first_signal: points.iter().position(|point| point.signal.is_some()),
        status: match (x.len(), sigma) {
            (0, _) => Status::NoData,
            (_, None) => Status::SmallN,
            (_, Some(_)) => Status::Ok,
        },
        points,
        start,
        sigma,
    })
}

fn check_chart(chart: EwmaChart) -> Result<(), Invalid> {
    if !(chart.lambda > 0.0 && chart.lambda <= 1.0) {
        let needs = "a number above 0 and at most 1";
        return Err(Invalid::new("lambda", needs, chart.lambda));
    }
    let start = chart.start.unwrap_or(0.0);
    check_from("start", start, -VALUE_MAX, "a finite number up to 1e100")?;
    let sigma = chart.sigma.unwrap_or(0.0);
    check_from("sigma", sigma, 0.0, "a finite number of at least 0")?;
    check_from(
        "sigmas",
        chart.sigmas,
        f64::MIN_POSITIVE,
        "a finite number above 0",
    )
}
