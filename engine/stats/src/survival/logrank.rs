//! The log-rank test: do groups have their events at the same pace?

use std::cmp::Ordering;

use super::cholesky::Cholesky;
use super::timeline::{check_lengths, checked_duration};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::chi2_sf;

/// Most groups; the covariance of all pairs is kept.
pub const GROUPS_MAX: usize = 500;

/// The test and what it compares.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// The statistic, χ² distributed with `df` degrees of freedom if the groups are alike.
    pub chi2: Option<f64>,
    /// Groups with expected events, less one.
    pub df: u64,
    /// P(χ² >= `chi2`).
    pub p: Option<f64>,
    /// One per group, ascending by label.
    pub groups: Vec<Group>,
    /// Durations of all groups.
    pub n: u64,
    /// Negative durations, left out.
    pub excluded: u64,
    /// `no_data` without durations; `infeasible` when fewer than two groups were ever at risk of an event, or
    /// their covariance is singular.
    pub status: Status,
}

/// One group of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// The caller's label.
    pub group: u32,
    /// Durations.
    pub n: u64,
    /// Events.
    pub observed: u64,
    /// Events expected if all groups had the same hazard.
    pub expected: f64,
}

/// Compares any number of groups, labelled per row.
///
/// Per event time with d events among n, of them n_g in the group: E_g = Σ d n_g/n and
/// V_gh = Σ d(n-d)/(n-1) · n_g/n · (δ_gh - n_h/n); χ² = (O-E)ᵀ V⁻ (O-E) (Mantel 1966; Kalbfleisch & Prentice 2002,
/// 1.24). R's `survdiff` with rho = 0: groups without expected events have no degree of freedom. [`Invalid`] when
/// lengths differ, a duration is not finite, or there are more than [`GROUPS_MAX`] groups.
pub fn logrank(durations: &[f64], events: &[bool], groups: &[u32]) -> Result<LogRank, Invalid> {
    check_lengths("events", events.len(), durations.len())?;
    check_lengths("groups", groups.len(), durations.len())?;
    let labels = distinct(groups)?;
    let (rows, excluded) = sorted(durations, events, groups, &labels)?;
    let mut counts = Counts::new(labels.len(), &rows);
    for moment in rows.chunk_by(|a, b| a.t == b.t) {
        counts.pass(moment);
    }
    Ok(counts.result(&labels, rows.len() as u64, excluded))
}

#[derive(Clone, Copy)]
struct Row {
    t: f64,
    group: usize,
    event: bool,
}

fn distinct(groups: &[u32]) -> Result<Vec<u32>, Invalid> {
    let mut labels: Vec<u32> = vec![];
    for group in groups {
        if let Err(place) = labels.binary_search(group) {
            if labels.len() == GROUPS_MAX {
                return Err(Invalid::new("groups", "at most 500 groups", "more"));
            }
            labels.insert(place, *group);
        }
    }
    Ok(labels)
}

fn sorted(
    durations: &[f64],
    events: &[bool],
    groups: &[u32],
    labels: &[u32],
) -> Result<(Vec<Row>, u64), Invalid> {
    let mut rows = Vec::with_capacity(durations.len());
    for ((duration, event), group) in durations.iter().zip(events).zip(groups) {
        if let Some(t) = checked_duration(*duration)? {
            let group = labels.partition_point(|label| label < group);
            let event = *event;
            rows.push(Row { t, group, event });
        }
    }
    rows.sort_unstable_by(order);
    let excluded = (durations.len() - rows.len()) as u64;
    Ok((rows, excluded))
}

fn order(a: &Row, b: &Row) -> Ordering {
    let by_time = a.t.total_cmp(&b.t);
    by_time
        .then(a.group.cmp(&b.group))
        .then(a.event.cmp(&b.event))
}

/// Sums over the event times. A term that holds n_g is added only when n_g changes, as n_g times how much the
/// running total of the rest has grown since: work is per row and group, not per event time and pair.
struct Counts {
    at_risk: Vec<f64>,
    rows: Vec<u64>,
    observed: Vec<u64>,
    expected: Vec<f64>,
    /// Σ d/n, and what of it each group has.
    hazard: f64,
    hazard_seen: Vec<f64>,
    /// Σ d(n-d)/(n-1)/n², and what of it each pair has.
    pairs: f64,
    pairs_seen: Vec<f64>,
    /// -V_gh for g > h. Its terms are all positive, and V_gg is their sum, since the rows of V add up to 0.
    together: Vec<f64>,
}

impl Counts {
    fn new(groups: usize, rows: &[Row]) -> Self {
        let mut counts = vec![0_u64; groups];
        for row in rows {
            counts[row.group] += 1;
        }
        Self {
            at_risk: counts.iter().map(|n| *n as f64).collect(),
            rows: counts,
            observed: vec![0; groups],
            expected: vec![0.0; groups],
            hazard: 0.0,
            hazard_seen: vec![0.0; groups],
            pairs: 0.0,
            pairs_seen: vec![0.0; groups * groups],
            together: vec![0.0; groups * groups],
        }
    }

    fn pass(&mut self, moment: &[Row]) {
        let d = moment.iter().filter(|row| row.event).count() as f64;
        if d > 0.0 {
            let n: f64 = self.at_risk.iter().sum();
            self.hazard += d / n;
            if n > 1.0 {
                self.pairs += d * ((n - d) / (n - 1.0)) / n / n;
            }
        }
        for leaving in moment.chunk_by(|a, b| a.group == b.group) {
            let group = leaving[0].group;
            self.settle(group);
            self.at_risk[group] -= leaving.len() as f64;
            self.observed[group] += leaving.iter().filter(|row| row.event).count() as u64;
        }
    }

    /// Adds what the sums with this group's n owe it.
    fn settle(&mut self, group: usize) {
        let (n, groups) = (self.at_risk[group], self.at_risk.len());
        self.expected[group] += n * (self.hazard - self.hazard_seen[group]);
        self.hazard_seen[group] = self.hazard;
        for other in (0..groups).filter(|other| *other != group) {
            let pair = group.max(other) * groups + group.min(other);
            self.together[pair] += n * self.at_risk[other] * (self.pairs - self.pairs_seen[pair]);
            self.pairs_seen[pair] = self.pairs;
        }
    }

    /// Every row has left by now, so everything is settled.
    fn result(self, labels: &[u32], n: u64, excluded: u64) -> LogRank {
        let tested: Vec<usize> = (0..labels.len())
            .filter(|g| self.expected[*g] > 0.0)
            .collect();
        let df = tested.len().saturating_sub(1);
        let chi2 = if df == 0 {
            None
        } else {
            self.chi2(&tested[1..])
        };
        let p = chi2.and_then(|chi2| chi2_sf(chi2, df as f64).ok());
        let status = match chi2 {
            Some(_) => Status::Ok,
            None if n == 0 => Status::NoData,
            None => Status::Infeasible,
        };
        let group = |(g, label): (usize, &u32)| Group {
            group: *label,
            n: self.rows[g],
            observed: self.observed[g],
            expected: self.expected[g],
        };
        LogRank {
            chi2,
            df: df as u64,
            p,
            groups: labels.iter().enumerate().map(group).collect(),
            n,
            excluded,
            status,
        }
    }

    /// Any one group is determined by the others; the caller leaves out the first.
    fn chi2(&self, tested: &[usize]) -> Option<f64> {
        let all = self.at_risk.len();
        let shared = |g: usize, h: usize| self.together[g.max(h) * all + g.min(h)];
        let entry = |g: usize, h: usize| {
            if g == h {
                (0..all).map(|other| shared(g, other)).sum()
            } else {
                -shared(g, h)
            }
        };
        let matrix: Vec<f64> = tested
            .iter()
            .flat_map(|g| tested.iter().map(move |h| entry(*g, *h)))
            .collect();
        let excess: Vec<f64> = tested
            .iter()
            .map(|g| self.observed[*g] as f64 - self.expected[*g])
            .collect();
        let solved = Cholesky::of(&matrix, tested.len())?.solve(&excess);
        let chi2: f64 = solved.iter().zip(&excess).map(|(a, b)| a * b).sum();
        chi2.is_finite().then_some(chi2.max(0.0))
    }
}
