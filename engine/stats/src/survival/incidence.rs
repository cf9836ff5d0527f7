//! Competing events: the share that ended for each cause, as a function of time.
//!
//! One minus a Kaplan-Meier curve that treats the other causes as censored overstates every cause; these
//! curves add up to the share that ended at all.

use super::curve::check_time;
use super::limits::Limits;
use super::timeline::{Moment, Timeline};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::two_sided_z;

/// Most causes of one timeline; each has a value at every duration.
pub const CAUSES_MAX: usize = 32;

/// The curves of all causes, at every distinct duration.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidence {
    /// The distinct durations, ascending. All other columns are as long.
    pub t: Vec<f64>,
    /// Durations of at least `t`.
    pub n_risk: Vec<u64>,
    /// Durations still open at `t`.
    pub n_censor: Vec<u64>,
    /// Probability that nothing has happened up to `t`.
    pub p_none: Vec<f64>,
    /// One per cause that occurred, ascending.
    pub causes: Vec<CauseIncidence>,
    /// Durations behind the curves.
    pub n: u64,
    /// Negative durations, left out.
    pub excluded: u64,
    /// `no_data` without durations.
    pub status: Status,
}

/// The curve of one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct CauseIncidence {
    /// The cause.
    pub cause: u32,
    /// Its events at `t`.
    pub n_event: Vec<u64>,
    /// Probability of having ended for this cause up to and including `t`.
    pub cif: Vec<f64>,
    /// Standard error of `cif`.
    pub se: Vec<f64>,
    /// Lower limit; see [`Limits`] for where there is none.
    pub lo: Vec<Option<f64>>,
    /// Upper limit.
    pub hi: Vec<Option<f64>>,
}

/// The curve of one cause at a time of the caller's choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IncidenceAt {
    /// Probability of having ended for the cause up to and including `t`; `None` past the end of what was
    /// observed.
    pub cif: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Lower limit.
    pub lo: Option<f64>,
    /// Upper limit.
    pub hi: Option<f64>,
    /// Durations of at least `t`.
    pub n_risk: u64,
    /// All durations.
    pub n: u64,
    /// `no_data` without durations; `immature` when `t` lies past the last duration and some are open.
    pub status: Status,
}

/// Aalen-Johansen estimate of every cause, with limits at confidence `conf`.
///
/// Fₖ(t) = Σ S(tᵢ₋) dₖᵢ/nᵢ with S the Kaplan-Meier curve of all causes together (Aalen & Johansen 1978, Scand
/// J Stat 5:141). The standard error is the infinitesimal jackknife, the root of the summed squares of every
/// row's influence on Fₖ(t), as R's `survfit` for multi-state data; without censoring it is √(F(1-F)/n).
/// [`Invalid`] with more than [`CAUSES_MAX`] causes.
pub fn cuminc(timeline: &Timeline, conf: f64, limits: Limits) -> Result<Incidence, Invalid> {
    let z = two_sided_z(conf)?;
    let causes = distinct_causes(timeline)?;
    let mut walks: Vec<Walk> = causes.iter().map(|cause| Walk::of(*cause)).collect();
    let mut incidence = Incidence {
        t: vec![],
        n_risk: vec![],
        n_censor: vec![],
        p_none: vec![],
        causes: causes.into_iter().map(CauseIncidence::of).collect(),
        n: timeline.n(),
        excluded: timeline.excluded(),
        status: if timeline.n() == 0 {
            Status::NoData
        } else {
            Status::Ok
        },
    };
    let mut nothing = super::curve::Walk::default();
    for moment in timeline.moments() {
        nothing.pass(&moment);
        incidence.t.push(moment.t);
        incidence.n_risk.push(moment.n_risk);
        incidence.n_censor.push(moment.n_censor);
        incidence.p_none.push(nothing.surv);
        for (walk, column) in walks.iter_mut().zip(&mut incidence.causes) {
            walk.pass(&moment);
            column.n_event.push(moment.n_of(walk.cause));
            column.cif.push(walk.cif);
            column.se.push(walk.se());
            let bounds = walk.bounds(z, limits);
            column.lo.push(bounds.map(|b| b.0));
            column.hi.push(bounds.map(|b| b.1));
        }
    }
    Ok(incidence)
}

/// The curve of `cause` >= 1 at time `t` >= 0; a cause that never occurred has 0.
///
/// Past the last duration nothing is known unless every duration had ended by then.
pub fn cuminc_at(
    timeline: &Timeline,
    cause: u32,
    t: f64,
    conf: f64,
    limits: Limits,
) -> Result<IncidenceAt, Invalid> {
    let z = two_sided_z(conf)?;
    check_time("t", t)?;
    if cause == 0 {
        return Err(Invalid::new(
            "cause",
            "a cause, which 0 (open) is not",
            cause,
        ));
    }
    let mut walk = Walk::of(cause);
    for moment in timeline.moments().take_while(|moment| moment.t <= t) {
        walk.pass(&moment);
    }
    let status = match timeline.last() {
        None => Status::NoData,
        Some(last) if t > last && walk.surv > 0.0 => Status::Immature,
        Some(_) => Status::Ok,
    };
    let known = status == Status::Ok;
    let bounds = walk.bounds(z, limits).filter(|_| known);
    Ok(IncidenceAt {
        cif: known.then_some(walk.cif),
        se: known.then(|| walk.se()),
        lo: bounds.map(|b| b.0),
        hi: bounds.map(|b| b.1),
        n_risk: timeline.at_risk(t),
        n: timeline.n(),
        status,
    })
}

impl CauseIncidence {
    fn of(cause: u32) -> Self {
        Self {
            cause,
            n_event: vec![],
            cif: vec![],
            se: vec![],
            lo: vec![],
            hi: vec![],
        }
    }
}

fn distinct_causes(timeline: &Timeline) -> Result<Vec<u32>, Invalid> {
    let mut causes: Vec<u32> = vec![];
    for moment in timeline.moments() {
        for cause in moment.causes() {
            if let Err(place) = causes.binary_search(&cause) {
                causes.insert(place, cause);
            }
        }
        if causes.len() > CAUSES_MAX {
            return Err(Invalid::new(
                "causes",
                "at most 32 different causes",
                causes.len(),
            ));
        }
    }
    Ok(causes)
}

/// One cause's curve while it is followed through time, with the influence of every row on it.
///
/// The derivative of ln S by the weight of a row that is still at risk is A = Σ d/(n(n-d)); of one that left
/// it is a constant C: A at that time, less 1/(n-d) if it left by an event. So the influences of those who left
/// change by C·dF when F grows by dF, and three sums over them are enough.
struct Walk {
    cause: u32,
    surv: f64,
    cif: f64,
    /// A.
    risk_on_surv: f64,
    /// Influence on F of a row at risk.
    risk_on_cif: f64,
    /// Rows at risk after this moment.
    at_risk: f64,
    /// Sums over the rows that left, U their influence on F: ΣU², ΣUC, ΣC².
    uu: f64,
    uc: f64,
    cc: f64,
}

impl Walk {
    fn of(cause: u32) -> Self {
        Self {
            cause,
            surv: 1.0,
            cif: 0.0,
            risk_on_surv: 0.0,
            risk_on_cif: 0.0,
            at_risk: 0.0,
            uu: 0.0,
            uc: 0.0,
            cc: 0.0,
        }
    }

    fn pass(&mut self, moment: &Moment<'_>) {
        let (n, d) = (moment.n_risk as f64, moment.n_event as f64);
        let censored = moment.n_censor as f64;
        self.at_risk = n - d - censored;
        let own = if moment.n_event == 0 {
            0.0
        } else {
            moment.n_of(self.cause) as f64
        };
        let growth = self.surv * (own / n);
        self.risk_on_cif += growth * (self.risk_on_surv - 1.0 / n);
        self.uu += growth * (2.0 * self.uc + growth * self.cc);
        self.uc += growth * self.cc;
        self.cif = (self.cif + growth).min(1.0);

        // Where all that were left have the event, the curve is at its end and C no longer matters.
        let rest = n - d;
        let by_event = if rest > 0.0 { 1.0 / rest } else { 0.0 };
        self.risk_on_surv += d / n * by_event;
        let (stays, leaves) = (self.risk_on_surv, self.risk_on_surv - by_event);
        let jump = self.surv / n;
        self.leave(own, self.risk_on_cif + jump, leaves);
        self.leave(d - own, self.risk_on_cif, leaves);
        self.leave(censored, self.risk_on_cif, stays);
        self.surv *= rest / n;
    }

    fn leave(&mut self, rows: f64, on_cif: f64, on_surv: f64) {
        self.uu += rows * on_cif * on_cif;
        self.uc += rows * on_cif * on_surv;
        self.cc += rows * on_surv * on_surv;
    }

    fn se(&self) -> f64 {
        // Rounding may leave a sum of squares just below 0.
        (self.uu + self.at_risk * self.risk_on_cif * self.risk_on_cif)
            .max(0.0)
            .sqrt()
    }

    fn bounds(&self, z: f64, limits: Limits) -> Option<(f64, f64)> {
        if self.cif == 0.0 {
            return limits.around(0.0, 0.0, z);
        }
        limits.around(self.cif, self.se() / self.cif, z)
    }
}
