//! The mean time to the event within a window, which open durations do not distort.

use super::curve::{Walk, check_time, greenwood_term};
use super::timeline::Timeline;
use crate::estimate::Status;
use crate::invalid::Invalid;

/// The mean time spent without the event during the first `tau`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestrictedMean {
    /// The mean, in the unit of the durations; at most tau.
    pub rmst: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// All durations.
    pub n: u64,
    /// `no_data` without durations; `immature` when tau lies past the last duration and some had no event.
    pub status: Status,
}

/// Restricted mean survival time: the area under the Kaplan-Meier curve from 0 to `tau` > 0.
///
/// var = Σ Aᵢ² dᵢ/(nᵢ(nᵢ-dᵢ)) with Aᵢ the area from tᵢ to tau (Irwin 1949; Klein & Moeschberger 2003,
/// eq. 4.5.2). R's `print(survfit(…), rmean = tau)`, which however draws the curve level past its end.
pub fn rmst(timeline: &Timeline, tau: f64) -> Result<RestrictedMean, Invalid> {
    check_time("tau", tau)?;
    if tau == 0.0 {
        return Err(Invalid::new("tau", "a finite number above 0", tau));
    }
    let n = timeline.n();
    let area = Area::under(timeline, tau);
    let status = match timeline.last() {
        None => Status::NoData,
        Some(last) if tau > last && area.surv > 0.0 => Status::Immature,
        Some(_) => Status::Ok,
    };
    let known = status == Status::Ok;
    let se = known.then(|| variance(timeline, tau, area.total).sqrt());
    Ok(RestrictedMean {
        rmst: known.then_some(area.total),
        se,
        n,
        status,
    })
}

/// The area so far, and the level of the curve there.
struct Area {
    total: f64,
    surv: f64,
}

impl Area {
    fn under(timeline: &Timeline, tau: f64) -> Self {
        let mut walk = Walk::default();
        let (mut total, mut since) = (0.0, 0.0);
        for moment in timeline.moments().take_while(|moment| moment.t <= tau) {
            total += walk.surv * (moment.t - since);
            since = moment.t;
            walk.pass(&moment);
        }
        total += walk.surv * (tau - since);
        Self {
            total,
            surv: walk.surv,
        }
    }
}

fn variance(timeline: &Timeline, tau: f64, area: f64) -> f64 {
    let mut walk = Walk::default();
    let (mut passed, mut since, mut sum) = (0.0, 0.0, 0.0);
    for moment in timeline.moments().take_while(|moment| moment.t <= tau) {
        passed += walk.surv * (moment.t - since);
        since = moment.t;
        walk.pass(&moment);
        let rest = (area - passed).max(0.0);
        sum += rest * rest * greenwood_term(moment.n_risk as f64, moment.n_event as f64);
    }
    sum
}
