//! The chart of individual values and their moving ranges (XmR).

use super::{RANGE_OF_TWO, check_values, mean, mean_moving_range};
use crate::estimate::Status;
use crate::invalid::Invalid;

/// D₄ for two values, as the tables print it: how far above their mean ranges of neighbours may reach.
const RANGE_LIMIT: f64 = 3.267;
/// Values in a row on one side of the centre that are no chance.
const RUN_LENGTH: u64 = 8;

/// The chart. Limits are absent when there are fewer than two values.
#[derive(Debug, Clone, PartialEq)]
pub struct Xmr {
    /// One per value.
    pub points: Vec<XmrPoint>,
    /// Mean of the values.
    pub centre: Option<f64>,
    /// Lower limit of the values, centre - 3σ.
    pub lcl: Option<f64>,
    /// Upper limit of the values, centre + 3σ.
    pub ucl: Option<f64>,
    /// Mean moving range.
    pub mean_range: Option<f64>,
    /// Upper limit of the moving ranges, 3.267 mean ranges.
    pub range_ucl: Option<f64>,
    /// σ of one value, mean range / 1.128.
    pub sigma: Option<f64>,
    /// `no_data` without values; `small_n` for one value.
    pub status: Status,
}

/// One value and what is unusual about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct XmrPoint {
    /// The value.
    pub value: f64,
    /// Its distance from the value before; `None` for the first.
    pub range: Option<f64>,
    /// The value lies outside the limits.
    pub beyond_limit: bool,
    /// It and at least one of the two before lie more than 2σ from the centre, on the same side.
    pub two_of_three: bool,
    /// It and at least three of the four before lie more than 1σ from the centre, on the same side.
    pub four_of_five: bool,
    /// It and at least the seven before lie on the same side of the centre.
    pub run: bool,
    /// Its range exceeds the limit of the ranges.
    pub range_beyond: bool,
}

/// Natural limits of a process from its own moving ranges, and the four run signals of Western Electric (1956,
/// Statistical Quality Control Handbook, p. 25-28), each marked at the value that completes it.
///
/// centre ± 3 MR̄/1.128 (2.66 MR̄ to the two digits usually printed), range limit 3.267 MR̄ (Wheeler & Chambers 1992;
/// Montgomery 2009, eq. 6.33). A value on the centre belongs to neither side. The limits of R's `qcc(type =
/// "xbar.one")`, which calls seven in a row a run. [`Invalid`]: values that are not finite or beyond 1e100.
pub fn xmr(x: &[f64]) -> Result<Xmr, Invalid> {
    check_values("x", x)?;
    let centre = mean(x);
    let mean_range = mean_moving_range(x);
    let sigma = mean_range.map(|range| range / RANGE_OF_TWO);
    let range_ucl = mean_range.map(|range| RANGE_LIMIT * range);
    let limits = centre.zip(sigma);
    Ok(Xmr {
        points: points(x, limits, range_ucl),
        centre,
        lcl: limits.map(|(centre, sigma)| centre - 3.0 * sigma),
        ucl: limits.map(|(centre, sigma)| centre + 3.0 * sigma),
        mean_range,
        range_ucl,
        sigma,
        status: match x.len() {
            0 => Status::NoData,
            1 => Status::SmallN,
            _ => Status::Ok,
        },
    })
}

fn points(x: &[f64], limits: Option<(f64, f64)>, range_ucl: Option<f64>) -> Vec<XmrPoint> {
    let Some((centre, sigma)) = limits else {
        return x.iter().map(|value| quiet(*value)).collect();
    };
    let mut sides = [Side::new(centre, sigma), Side::new(-centre, sigma)];
    let mut points: Vec<XmrPoint> = Vec::with_capacity(x.len());
    for value in x {
        let range = points.last().map(|before| (value - before.value).abs());
        let range_beyond = range.zip(range_ucl).is_some_and(|(range, ucl)| range > ucl);
        let mut point = XmrPoint {
            range,
            range_beyond,
            ..quiet(*value)
        };
        for (side, sign) in sides.iter_mut().zip([1.0, -1.0]) {
            side.pass(sign * value, &mut point);
        }
        points.push(point);
    }
    points
}

fn quiet(value: f64) -> XmrPoint {
    XmrPoint {
        value,
        range: None,
        beyond_limit: false,
        two_of_three: false,
        four_of_five: false,
        run: false,
        range_beyond: false,
    }
}

/// What happened above the centre; below it, everything is mirrored.
struct Side {
    centre: f64,
    sigma: f64,
    run: u64,
    /// Whether each of the last five values was beyond 2σ, newest in the lowest bit.
    beyond_two: u8,
    /// The same for 1σ.
    beyond_one: u8,
}

impl Side {
    fn new(centre: f64, sigma: f64) -> Self {
        Self {
            centre,
            sigma,
            run: 0,
            beyond_two: 0,
            beyond_one: 0,
        }
    }

    fn pass(&mut self, value: f64, point: &mut XmrPoint) {
        let beyond = |sigmas: f64| u8::from(value > self.centre + sigmas * self.sigma);
        let (one, two) = (beyond(1.0), beyond(2.0));
        point.beyond_limit |= beyond(3.0) == 1;
        self.beyond_two = self.beyond_two << 1 | two;
        self.beyond_one = self.beyond_one << 1 | one;
        self.run = if value > self.centre { self.run + 1 } else { 0 };
        point.two_of_three |= two == 1 && (self.beyond_two & 0b111).count_ones() >= 2;
        point.four_of_five |= one == 1 && (self.beyond_one & 0b1_1111).count_ones() >= 4;
        point.run |= self.run >= RUN_LENGTH;
    }
}
