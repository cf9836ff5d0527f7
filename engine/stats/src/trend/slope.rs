//! The Theil-Sen slope: the median of the slopes between all pairs, which a few outliers cannot bend.

use super::kendall::sort_counting;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::two_sided_z;

/// Longest series; beyond 1000 each slope costs some sixty counts of inversions.
pub const LENGTH_MAX: usize = 100_000;
/// Up to here all pairs are listed and sorted.
const LISTED_MAX: usize = 1_000;
/// Beyond this a difference over a difference need no longer be finite.
const VALUE_MAX: f64 = 1e100;

/// The slope with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TheilSen {
    /// Change of y per unit of x.
    pub slope: Option<f64>,
    /// Lower limit.
    pub lo: Option<f64>,
    /// Upper limit.
    pub hi: Option<f64>,
    /// Median of y less slope times median of x.
    pub intercept: Option<f64>,
    /// Points.
    pub n: u64,
    /// `no_data` without points; `infeasible` when all x are equal; `not_converged` beyond [`LENGTH_MAX`] points.
    pub status: Status,
}

/// Median of (yⱼ - yᵢ)/(xⱼ - xᵢ) over the N pairs with different x, with limits at confidence `conf`.
///
/// Theil (1950); Sen (1968) JASA 63:1379: with C = z √var S the limits are the slopes of rank (N - C)/2 and
/// (N + C)/2 + 1, rounded half to even; var S as in [`super::kendall::mann_kendall`], ties in x and in y both
/// taken off. The numbers of scipy's `theilslopes` and, for distinct x, of R's `trend::sens.slope`. Up to 1000
/// points the slopes are exact, beyond that to about 1e-12. [`Invalid`]: lengths that differ, NaN, infinity,
/// numbers beyond 1e100.
pub fn theil_sen(x: &[f64], y: &[f64], conf: f64) -> Result<TheilSen, Invalid> {
    let z = two_sided_z(conf)?;
    if x.len() != y.len() {
        return Err(Invalid::new("y", "one entry per entry of x", y.len()));
    }
    for (argument, values) in [("x", x), ("y", y)] {
        if let Some(bad) = values.iter().find(|v| v.is_nan() || v.abs() > VALUE_MAX) {
            return Err(Invalid::new(argument, "finite numbers up to 1e100", bad));
        }
    }
    let slopes = match x.len() {
        0 => Err(Status::NoData),
        n if n > LENGTH_MAX => Err(Status::NotConverged),
        _ => Slopes::of(x, y).ok_or(Status::Infeasible),
    };
    Ok(match slopes {
        Ok(slopes) => estimate(&slopes, x, y, z),
        Err(status) => TheilSen {
            slope: None,
            lo: None,
            hi: None,
            intercept: None,
            n: x.len() as u64,
            status,
        },
    })
}

fn estimate(slopes: &Slopes, x: &[f64], y: &[f64], z: f64) -> TheilSen {
    let pairs = slopes.pairs();
    let reach = z * rank_variance(x, y).sqrt();
    let rank = |rank: f64| rank.round_ties_even().clamp(1.0, pairs as f64) as u64;
    let (lower, upper) = (
        rank(0.5 * (pairs as f64 - reach)),
        rank(0.5 * (pairs as f64 + reach) + 1.0),
    );
    let below = slopes.ranked(pairs.div_ceil(2));
    let above = if pairs % 2 == 1 {
        below
    } else {
        slopes.ranked(pairs / 2 + 1)
    };
    let slope = 0.5 * below + 0.5 * above;
    TheilSen {
        slope: Some(slope),
        lo: Some(slopes.ranked(lower).min(slope)),
        hi: Some(slopes.ranked(upper).max(slope)),
        intercept: Some(median(y) - slope * median(x)).filter(|v| v.is_finite()),
        n: x.len() as u64,
        status: Status::Ok,
    }
}

/// var S with ties on both sides.
fn rank_variance(x: &[f64], y: &[f64]) -> f64 {
    let term = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let of_ties = |values: &[f64]| -> f64 {
        let sorted = ascending(values);
        sorted
            .chunk_by(|a, b| a == b)
            .map(|c| term(c.len() as f64))
            .sum()
    };
    ((term(x.len() as f64) - of_ties(x) - of_ties(y)) / 18.0).max(0.0)
}

fn ascending(values: &[f64]) -> Vec<f64> {
    // -0 + 0 is 0.
    let mut sorted: Vec<f64> = values.iter().map(|v| v + 0.0).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

fn median(values: &[f64]) -> f64 {
    let sorted = ascending(values);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        0.5 * sorted[half - 1] + 0.5 * sorted[half]
    }
}

/// The slopes of all pairs with different x, by rank from 1.
enum Slopes {
    Listed(Vec<f64>),
    Counted(Counted),
}

impl Slopes {
    /// `None` if all x are equal.
    fn of(x: &[f64], y: &[f64]) -> Option<Self> {
        let mut points: Vec<(f64, f64)> =
            x.iter().zip(y).map(|(x, y)| (x + 0.0, y + 0.0)).collect();
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (first, last) = (points.first()?.0, points.last()?.0);
        if first == last {
            return None;
        }
        if points.len() > LISTED_MAX {
            return Some(Self::Counted(Counted::new(points)));
        }
        let mut slopes: Vec<f64> = vec![];
        for (i, from) in points.iter().enumerate() {
            let later = points[i + 1..].iter().filter(|to| to.0 > from.0);
            slopes.extend(later.map(|to| quotient(to.1 - from.1, to.0 - from.0)));
        }
        slopes.sort_unstable_by(f64::total_cmp);
        Some(Self::Listed(slopes))
    }

    fn pairs(&self) -> u64 {
        match self {
            Self::Listed(slopes) => slopes.len() as u64,
            Self::Counted(counted) => pairs(counted.points.len()) - counted.same_x,
        }
    }

    /// The slope of a rank in 1..=pairs.
    fn ranked(&self, rank: u64) -> f64 {
        match self {
            Self::Listed(slopes) => slopes[rank as usize - 1],
            Self::Counted(counted) => counted.ranked(rank),
        }
    }
}

fn pairs(n: usize) -> u64 {
    n as u64 * (n as u64).saturating_sub(1) / 2
}

/// A slope, kept finite where x hardly differ.
fn quotient(rise: f64, run: f64) -> f64 {
    (rise / run).clamp(-f64::MAX, f64::MAX)
}

/// Points whose slopes are too many to list: ascending by x, then by y, measured from the middle one.
struct Counted {
    points: Vec<(f64, f64)>,
    same_x: u64,
    /// No slope is steeper.
    bound: f64,
}

impl Counted {
    fn new(mut points: Vec<(f64, f64)>) -> Self {
        let middle = points[points.len() / 2];
        for point in &mut points {
            *point = (point.0 - middle.0, point.1 - middle.1);
        }
        let steps = points.windows(2).map(|pair| pair[1].0 - pair[0].0);
        let least_run = steps
            .filter(|step| *step > 0.0)
            .fold(f64::INFINITY, f64::min);
        let rise = points
            .iter()
            .fold(0.0, |most: f64, point| most.max(point.1.abs()));
        Self {
            same_x: points
                .chunk_by(|a, b| a.0 == b.0)
                .map(|c| pairs(c.len()))
                .sum(),
            bound: quotient(2.0 * rise, least_run),
            points,
        }
    }

    /// The largest number with fewer than `rank` slopes below it, by bisection over the floating point numbers.
    fn ranked(&self, rank: u64) -> f64 {
        let (mut few, mut enough) = (key(-self.bound), key(self.bound).saturating_add(1));
        while few + 1 < enough {
            let middle = few + (enough - few) / 2;
            if self.below(number(middle)) < rank {
                few = middle;
            } else {
                enough = middle;
            }
        }
        number(few)
    }

    /// How many slopes lie below `slope`: the pairs that fall once it is taken off. Points of equal x stand in
    /// rising order and never fall.
    fn below(&self, slope: f64) -> u64 {
        let rest = self.points.iter().map(|(x, y)| y - slope * x);
        sort_counting(&mut rest.collect::<Vec<f64>>())
    }
}

/// Whole numbers in the order of the floating point numbers.
fn key(number: f64) -> i128 {
    let bits = i128::from(number.abs().to_bits());
    if number.is_sign_negative() {
        -bits
    } else {
        bits
    }
}

fn number(key: i128) -> f64 {
    let size = f64::from_bits(key.unsigned_abs() as u64);
    if key < 0 { -size } else { size }
}
