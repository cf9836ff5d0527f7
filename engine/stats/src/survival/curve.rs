//! The Kaplan-Meier curve: the share that has no event yet, as a function of time.

use super::limits::Limits;
use super::timeline::{Moment, Timeline};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::two_sided_z;

/// R's `survmean` calls two levels equal within this, √ε.
const LEVEL_TOLERANCE: f64 = 1.490_116_119_384_765_6e-8;

/// The curve at every distinct duration.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// One per distinct duration, ascending. Before the first the curve is 1; between two it is the earlier.
    pub points: Vec<Point>,
    /// Durations behind the curve.
    pub n: u64,
    /// Negative durations, left out.
    pub excluded: u64,
    /// `no_data` without durations.
    pub status: Status,
}

/// The curve at one duration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The duration.
    pub t: f64,
    /// Durations of at least `t`.
    pub n_risk: u64,
    /// Events at `t`.
    pub n_event: u64,
    /// Durations still open at `t`.
    pub n_censor: u64,
    /// Probability of no event up to and including `t`.
    pub surv: f64,
    /// Standard error of `surv`, Greenwood's. `None` once the curve is 0, as R's NaN.
    pub se: Option<f64>,
    /// Lower limit; see [`Limits`] for where there is none.
    pub lo: Option<f64>,
    /// Upper limit.
    pub hi: Option<f64>,
}

/// The curve at a time of the caller's choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalAt {
    /// Probability of no event up to and including `t`; `None` past the end of what was observed.
    pub surv: Option<f64>,
    /// Its standard error; `None` once the curve is 0.
    pub se: Option<f64>,
    /// Lower limit.
    pub lo: Option<f64>,
    /// Upper limit.
    pub hi: Option<f64>,
    /// Durations of at least `t`.
    pub n_risk: u64,
    /// All durations.
    pub n: u64,
    /// `no_data` without durations; `immature` when `t` lies past the last duration and some had no event.
    pub status: Status,
}

/// The median time to the event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Median {
    /// Where the curve reaches ½; `None` if it stays above.
    pub median: Option<f64>,
    /// Where the curve's lower limit reaches ½.
    pub lo: Option<f64>,
    /// Where its upper limit does; often `None` though the median exists.
    pub hi: Option<f64>,
    /// All durations.
    pub n: u64,
    /// `no_data` without durations; `immature` when the curve stays above ½.
    pub status: Status,
}

/// Kaplan-Meier estimate with limits at confidence `conf`.
///
/// S(t) = Π (1 - dᵢ/nᵢ) over durations tᵢ <= t with dᵢ events among nᵢ at risk (Kaplan & Meier 1958, JASA
/// 53:457, eq. 2b); se = S √(Σ dᵢ/(nᵢ(nᵢ-dᵢ))) (Greenwood 1926). The numbers of R's `survfit`.
pub fn km(timeline: &Timeline, conf: f64, limits: Limits) -> Result<Curve, Invalid> {
    let z = two_sided_z(conf)?;
    let mut walk = Walk::default();
    let points: Vec<Point> = timeline
        .moments()
        .map(|moment| {
            walk.pass(&moment);
            let (se, lo, hi) = walk.spread(z, limits);
            Point {
                t: moment.t,
                n_risk: moment.n_risk,
                n_event: moment.n_event,
                n_censor: moment.n_censor,
                surv: walk.surv,
                se,
                lo,
                hi,
            }
        })
        .collect();
    Ok(Curve {
        status: if points.is_empty() {
            Status::NoData
        } else {
            Status::Ok
        },
        points,
        n: timeline.n(),
        excluded: timeline.excluded(),
    })
}

/// The curve of [`km`] at time `t` >= 0. 1 - `surv` is the share that had the event within `t`.
///
/// Past the last duration the curve is unknown unless it has reached 0 (R's `summary(fit, times)` gives no
/// row there; `extend = TRUE` would repeat the last one).
pub fn km_at(
    timeline: &Timeline,
    t: f64,
    conf: f64,
    limits: Limits,
) -> Result<SurvivalAt, Invalid> {
    let z = two_sided_z(conf)?;
    check_time("t", t)?;
    let mut walk = Walk::default();
    for moment in timeline.moments().take_while(|moment| moment.t <= t) {
        walk.pass(&moment);
    }
    let status = match timeline.last() {
        None => Status::NoData,
        Some(last) if t > last && walk.surv > 0.0 => Status::Immature,
        Some(_) => Status::Ok,
    };
    let known = status == Status::Ok;
    let (se, lo, hi) = if known {
        walk.spread(z, limits)
    } else {
        (None, None, None)
    };
    Ok(SurvivalAt {
        surv: known.then_some(walk.surv),
        se,
        lo,
        hi,
        n_risk: timeline.at_risk(t),
        n: timeline.n(),
        status,
    })
}

/// A time must be finite and not negative.
pub(super) fn check_time(argument: &'static str, t: f64) -> Result<(), Invalid> {
    if t.is_finite() && t >= 0.0 {
        Ok(())
    } else {
        Err(Invalid::new(argument, "a finite number of at least 0", t))
    }
}

/// The median of the curve of [`km`], with the times at which its limits cross ½.
///
/// The rule of R's `print.survfit`: the first duration with S <= ½; where S is ½ over a stretch that ends
/// with a further event, the middle of the stretch. The same rule on the lower and the upper limit gives
/// `lo` and `hi` (Brookmeyer & Crowley 1982, Biometrics 38:29).
pub fn km_median(timeline: &Timeline, conf: f64, limits: Limits) -> Result<Median, Invalid> {
    let z = two_sided_z(conf)?;
    let (mut middle, mut lower, mut upper) = (
        Crossing::default(),
        Crossing::default(),
        Crossing::default(),
    );
    let mut walk = Walk::default();
    for moment in timeline.moments() {
        walk.pass(&moment);
        let (_, lo, hi) = walk.spread(z, limits);
        middle.pass(moment.t, Some(walk.surv));
        lower.pass(moment.t, lo);
        upper.pass(moment.t, hi);
    }
    let median = middle.time();
    Ok(Median {
        median,
        lo: lower.time(),
        hi: upper.time(),
        n: timeline.n(),
        status: match median {
            Some(_) => Status::Ok,
            None if timeline.n() == 0 => Status::NoData,
            None => Status::Immature,
        },
    })
}

/// The curve while it is followed through time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    pub(super) surv: f64,
    /// Greenwood's Σ d/(n(n-d)).
    hazard_variance: f64,
    /// `surv` and the number at risk after the last censoring: until the next, the product telescopes.
    base: Option<(f64, f64)>,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            surv: 1.0,
            hazard_variance: 0.0,
            base: None,
        }
    }
}

impl Walk {
    pub(super) fn pass(&mut self, moment: &Moment<'_>) {
        let (n, d) = (moment.n_risk as f64, moment.n_event as f64);
        let (surv, at_risk) = self.base.unwrap_or((self.surv, n));
        self.base = Some((surv, at_risk));
        if moment.n_event > 0 {
            self.surv = surv * ((n - d) / at_risk);
            self.hazard_variance += greenwood_term(n, d);
        }
        if moment.n_censor > 0 {
            self.base = None;
        }
    }

    fn spread(&self, z: f64, limits: Limits) -> (Option<f64>, Option<f64>, Option<f64>) {
        if self.surv == 0.0 {
            return (None, None, None);
        }
        let relative = self.hazard_variance.sqrt();
        let bounds = limits.around(self.surv, relative, z);
        (
            Some(self.surv * relative),
            bounds.map(|b| b.0),
            bounds.map(|b| b.1),
        )
    }
}

/// d/(n(n-d)); 0 where all have the event, since nothing of the curve is left to vary.
pub(super) fn greenwood_term(n: f64, d: f64) -> f64 {
    if n > d { d / n / (n - d) } else { 0.0 }
}

/// Finds where a falling sequence crosses ½.
#[derive(Debug, Clone, Copy, Default)]
struct Crossing {
    /// Time and level of the first at or below ½.
    first: Option<(f64, f64)>,
    /// The next time at which the level falls, looked for only if the first was at ½.
    falls: Option<f64>,
}

impl Crossing {
    fn pass(&mut self, t: f64, level: Option<f64>) {
        let Some(level) = level else {
            return;
        };
        match self.first {
            None if level < 0.5 + LEVEL_TOLERANCE => self.first = Some((t, level)),
            Some((_, first)) if self.falls.is_none() && level < first => self.falls = Some(t),
            _ => {}
        }
    }

    fn time(&self) -> Option<f64> {
        let (t, level) = self.first?;
        let flat = (level - 0.5).abs() < LEVEL_TOLERANCE;
        Some(match self.falls {
            Some(falls) if flat => 0.5 * (t + falls),
            _ => t,
        })
    }
}
