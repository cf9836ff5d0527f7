//! What the manufacturer gives away (except lead costs, which follow leads), and what revenue answers to it.

use crate::rng::Streams;
use crate::time::{DAY_SECONDS, MONTHS, month_start};
use crate::truths::{GRANTED_KINDS, RESPONSE_MONTHS, REVENUE_PER_COST};

/// How often a month brings a grant of each of `GRANTED_KINDS`.
const GRANT_CHANCE: [f64; GRANTED_KINDS.len()] = [0.22, 0.18, 0.22, 0.25];
/// Median cost of a grant as a share of a month's planned revenue.
const GRANT_SHARE: f64 = 0.045;
/// Rebates are paid every quarter on the quarter before, earned or not.
const REBATE_SHARE: f64 = 0.015;
pub(crate) const REBATE: usize = GRANTED_KINDS.len();

/// One grant; its cost is in units of the plan.
pub(crate) struct Grant {
    pub(crate) distributor: usize,
    pub(crate) month: usize,
    pub(crate) granted_at: i64,
    /// Index into `GRANTED_KINDS`, or `REBATE`.
    pub(crate) kind: usize,
    /// Cost relative to the distributor's planned revenue of the month.
    pub(crate) share: f64,
    pub(crate) quantity: i64,
}

/// All grants in the order of their time.
pub(crate) fn grants(streams: &Streams, plan: &[[f64; MONTHS]]) -> Vec<Grant> {
    let mut grants = Vec::new();
    for month in 0..MONTHS {
        for (distributor, planned) in plan.iter().enumerate() {
            if planned[month] > 0.0 {
                of_month(streams, month, distributor, planned, &mut grants);
            }
        }
    }
    grants.sort_by_key(|grant| (grant.granted_at, grant.distributor, grant.kind));
    grants
}

fn of_month(
    streams: &Streams,
    month: usize,
    distributor: usize,
    planned: &[f64; MONTHS],
    grants: &mut Vec<Grant>,
) {
    let mut stream = streams.at((distributor * MONTHS + month) as u64);
    let first = month_start(month as i64) * DAY_SECONDS;
    let day = |stream: &mut crate::rng::Stream| {
        first + (stream.between(0.0, 28.0) * DAY_SECONDS as f64) as i64
    };
    for (kind, chance) in GRANT_CHANCE.into_iter().enumerate() {
        let granted_at = day(&mut stream);
        let share = stream.lognormal(GRANT_SHARE, 0.5);
        let quantity = 1 + stream.below(12) as i64;
        if stream.chance(chance) {
            grants.push(Grant {
                distributor,
                month,
                granted_at,
                kind,
                share,
                quantity,
            });
        }
    }
    if month.is_multiple_of(3) && month > 0 {
        let quarter: f64 = planned[month - 3..month].iter().sum();
        let share = REBATE_SHARE * quarter / planned[month];
        grants.push(Grant {
            distributor,
            month,
            granted_at: day(&mut stream),
            kind: REBATE,
            share,
            quantity: 1,
        });
    }
}

/// Extra revenue by distributor and month: the paying kind's cost, times what it brings, over the months after.
pub(crate) fn response(
    grants: &[Grant],
    paying: usize,
    plan: &[[f64; MONTHS]],
) -> Vec<[f64; MONTHS]> {
    let mut response = vec![[0.0; MONTHS]; plan.len()];
    for grant in grants.iter().filter(|grant| grant.kind == paying) {
        let cost = grant.share * plan[grant.distributor][grant.month];
        let after = response[grant.distributor].iter_mut().skip(grant.month + 1);
        for month in after.take(RESPONSE_MONTHS) {
            *month += cost * REVENUE_PER_COST / RESPONSE_MONTHS as f64;
        }
    }
    response
}
