//! Change points: the segments between which the level of a series jumps, any number of them.
//!
//! The answer is exact, the cheapest of all segmentations; it comes without a probability, and a P value
//! computed for a change that was picked as the largest would be wrong. Knows no calendar.

use super::cost::SegmentCost;
use super::partition::{change_points, cheapest_split};
use crate::estimate::Status;
use crate::invalid::Invalid;

/// Longest series. Without changes the search compares all pairs of periods.
pub const LENGTH_MAX: usize = 10_000;
/// Beyond this a sum of squares is no longer finite.
const VALUE_MAX: f64 = 1e100;

/// What a segment costs, given one level for all its periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cost<'a> {
    /// Σ(y - ȳ)²: measurements with one spread. Level: the mean.
    L2,
    /// Poisson deviance up to a constant, -2Y ln(Y/T) for Y events in T periods. Level: events per period.
    Poisson,
    /// Binomial deviance up to a constant, of y successes in these trials. Level: the rate.
    Binomial(&'a [u64]),
}

impl<'a> Cost<'a> {
    /// The cost by its SQL name: l2, poisson, or binomial with its trials.
    pub fn named(name: &str, trials: Option<&'a [u64]>) -> Result<Self, Invalid> {
        match (name, trials) {
            ("l2", _) => Ok(Self::L2),
            ("poisson", _) => Ok(Self::Poisson),
            ("binomial", Some(trials)) => Ok(Self::Binomial(trials)),
            _ => Err(Invalid::new(
                "cost",
                "l2, poisson, or binomial with trials",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The segments of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// In time order, without gaps; one segment if nothing changed.
    pub segments: Vec<Segment>,
    /// The penalty per change that was used, in units of the cost.
    pub penalty: f64,
    /// Estimated spread of one period, where the default penalty needed it.
    pub sigma: Option<f64>,
    /// Periods.
    pub n: u64,
    /// `no_data` without periods; `not_converged` when there are more than [`LENGTH_MAX`].
    pub status: Status,
}

/// Consecutive periods of one level, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// First period.
    pub start: usize,
    /// The period after the last.
    pub end: usize,
    /// The level; `None` if no trial falls into the segment.
    pub level: Option<f64>,
    /// `level` less the level before; `None` for the first segment.
    pub delta_prev: Option<f64>,
}

/// The one change that explains most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SingleChange {
    /// Periods before the change.
    pub k: usize,
    /// How much the change lowers the cost: for `Poisson` and `Binomial` the likelihood-ratio statistic, for
    /// `L2` a sum of squares. Being a maximum over k, it is not χ² distributed.
    pub gain: f64,
    /// Level before; `None` without trials.
    pub level_before: Option<f64>,
    /// Level from period k on.
    pub level_after: Option<f64>,
}

/// The segmentation that minimises Σ cost + `penalty` · changes, every segment at least `min_seg` periods long.
///
/// F(t) = min over u of F(u) + C(u, t) + penalty: optimal partitioning (Jackson et al. 2005, IEEE SPL 12:105) up to 120
/// periods, beyond that PELT (Killick, Fearnhead & Eckley 2012, JASA 107:1590), which skips only u that cannot
/// win. Of equally good ones the longest last segment is taken. A series shorter than two segments is one.
///
/// The default penalty is 2 ln n · σ̂² for `L2` and 2 ln n otherwise, where σ̂ = 1.4826 · MAD(Δy)/√2, Δy the
/// differences of neighbours; when more than half of them are equal, their root mean square over √2.
/// [`Invalid`]: a value that is not finite or beyond 1e100, negative counts, more successes than trials,
/// lengths that differ, a penalty below 0, `min_seg` 0.
pub fn changepoints(
    y: &[f64],
    cost: Cost<'_>,
    penalty: Option<f64>,
    min_seg: usize,
) -> Result<Segmentation, Invalid> {
    check(y, cost)?;
    check_min_seg(min_seg)?;
    let (penalty, sigma) = match penalty {
        Some(given) if given.is_finite() && given >= 0.0 => (given, None),
        Some(given) => {
            return Err(Invalid::new(
                "penalty",
                "a finite number of at least 0",
                given,
            ));
        }
        None => default_penalty(y, cost),
    };
    let status = match y.len() {
        0 => Status::NoData,
        n if n > LENGTH_MAX => Status::NotConverged,
        _ => Status::Ok,
    };
    let segments = if status == Status::Ok {
        let costs = SegmentCost::new(y, cost);
        segments(&costs, &change_points(&costs, penalty, min_seg))
    } else {
        vec![]
    };
    Ok(Segmentation {
        segments,
        penalty,
        sigma,
        n: y.len() as u64,
        status,
    })
}

/// The best place for exactly one change, both sides at least `min_seg` periods long; the earliest of equals.
///
/// `None` for a series shorter than that. Whether it is a change at all is the caller's judgement: `gain` against
/// a penalty. [`Invalid`] as [`changepoints`].
pub fn at_most_one(
    y: &[f64],
    cost: Cost<'_>,
    min_seg: usize,
) -> Result<Option<SingleChange>, Invalid> {
    check(y, cost)?;
    check_min_seg(min_seg)?;
    let costs = SegmentCost::new(y, cost);
    Ok(
        cheapest_split(&costs, min_seg).map(|(k, gain)| SingleChange {
            k,
            gain,
            level_before: costs.level(0, k),
            level_after: costs.level(k, y.len()),
        }),
    )
}

/// Spread of one period around a level that seldom jumps: differences of neighbours hardly see the jumps.
fn noise(y: &[f64]) -> f64 {
    let mut steps: Vec<f64> = y.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.is_empty() {
        return 0.0;
    }
    let largest = steps
        .iter()
        .fold(0.0, |most: f64, step| most.max(step.abs()));
    let middle = median(&mut steps);
    let mut distances: Vec<f64> = steps.iter().map(|step| (step - middle).abs()).collect();
    let sigma = 1.4826 * median(&mut distances) / 2_f64.sqrt();
    // A spread of rounding errors is none: steps between exact levels.
    if sigma > 1e-9 * largest || largest == 0.0 {
        return sigma;
    }
    let squares = steps.iter().map(|step| (step / largest).powi(2));
    largest * (squares.sum::<f64>() / steps.len() as f64 / 2.0).sqrt()
}

/// Sorts; the mean of the two in the middle.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 {
        values[half]
    } else {
        0.5 * (values[half - 1] + values[half])
    }
}

fn default_penalty(y: &[f64], cost: Cost<'_>) -> (f64, Option<f64>) {
    let twice_log = 2.0 * (y.len().max(1) as f64).ln();
    match cost {
        Cost::L2 => {
            let sigma = noise(y);
            (twice_log * sigma * sigma, Some(sigma))
        }
        Cost::Poisson | Cost::Binomial(_) => (twice_log, None),
    }
}

fn check(y: &[f64], cost: Cost<'_>) -> Result<(), Invalid> {
    if let Some(bad) = y.iter().find(|v| v.is_nan() || v.abs() > VALUE_MAX) {
        return Err(Invalid::new("y", "finite numbers up to 1e100", bad));
    }
    if cost == Cost::L2 {
        return Ok(());
    }
    if let Some(bad) = y.iter().find(|v| **v < 0.0) {
        return Err(Invalid::new("y", "counts of at least 0", bad));
    }
    let Cost::Binomial(trials) = cost else {
        return Ok(());
    };
    if trials.len() != y.len() {
        let got = trials.len();
        return Err(Invalid::new("trials", "one entry per entry of y", got));
    }
    match y.iter().zip(trials).find(|(y, n)| **y > **n as f64) {
        Some((bad, _)) => Err(Invalid::new(
            "y",
            "at most as many successes as trials",
            bad,
        )),
        None => Ok(()),
    }
}

fn check_min_seg(min_seg: usize) -> Result<(), Invalid> {
    if min_seg == 0 {
        return Err(Invalid::new("min_seg", "at least 1 period", min_seg));
    }
    Ok(())
}

/// `ends` are the ends of all segments, ascending.
fn segments(costs: &SegmentCost, ends: &[usize]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::with_capacity(ends.len());
    for end in ends {
        let before = segments.last();
        let start = before.map_or(0, |segment| segment.end);
        let level = costs.level(start, *end);
        let previous = before.and_then(|segment| segment.level);
        segments.push(Segment {
            start,
            end: *end,
            level,
            delta_prev: level.zip(previous).map(|(now, then)| now - then),
        });
    }
    segments
}
