//! The cheapest segmentation of a series under a penalty per change.
//!
//! Both searches compute the same minimum by the same sums, so they agree to the last bit; the pruned one only
//! skips starts that lost for good.

use super::cost::SegmentCost;

/// Up to here all starts are tried: simpler, and as fast.
const UNPRUNED_MAX: usize = 120;
/// A start is dropped only if it is worse by more than rounding, relative to the cost.
const ROUNDING: f64 = 1e-9;

/// The ends of all segments, ascending; the last is the length. Needs a series of at least one period.
pub(super) fn change_points(costs: &SegmentCost, penalty: f64, min_seg: usize) -> Vec<usize> {
    if costs.len() <= UNPRUNED_MAX {
        all_starts(costs, penalty, min_seg)
    } else {
        pruned_starts(costs, penalty, min_seg)
    }
}

/// The k with the cheapest two segments, and how much cheaper than one they are.
pub(super) fn cheapest_split(costs: &SegmentCost, min_seg: usize) -> Option<(usize, f64)> {
    let n = costs.len();
    let last = n.checked_sub(min_seg)?;
    let mut best: Option<(usize, f64)> = None;
    for k in min_seg..=last {
        let cost = costs.of(0, k) + costs.of(k, n);
        if best.is_none_or(|(_, least)| cost < least) {
            best = Some((k, cost));
        }
    }
    best.map(|(k, cost)| (k, (costs.of(0, n) - cost).max(0.0)))
}

/// F(t), the least cost of the first t periods, and where its last segment starts.
struct Best {
    cost: Vec<f64>,
    start: Vec<usize>,
}

impl Best {
    /// Before the first period no change was paid for.
    fn new(n: usize, penalty: f64) -> Self {
        let mut cost = vec![f64::INFINITY; n + 1];
        cost[0] = -penalty;
        Self {
            cost,
            start: vec![0; n + 1],
        }
    }

    fn offer(&mut self, start: usize, end: usize, cost: f64) {
        if cost < self.cost[end] {
            self.cost[end] = cost;
            self.start[end] = start;
        }
    }

    fn ends(self) -> Vec<usize> {
        let mut ends = vec![];
        let mut end = self.start.len() - 1;
        while end > 0 {
            ends.push(end);
            end = self.start[end];
        }
        ends.reverse();
        ends
    }
}

fn all_starts(costs: &SegmentCost, penalty: f64, min_seg: usize) -> Vec<usize> {
    let n = costs.len();
    let mut best = Best::new(n, penalty);
    for end in min_seg..=n {
        for start in 0..=end - min_seg {
            // The cost of an unreachable start is infinite and never taken.
            let cost = best.cost[start] + costs.of(start, end) + penalty;
            best.offer(start, end, cost);
        }
    }
    best.ends()
}

/// Once F(u) + C(u, t) > F(t), a change at t always beats u, but not before a segment fits after t.
struct Start {
    at: usize,
    /// F(u) + C(u, t) at the t last looked at.
    reached: f64,
    useful_until: usize,
}

fn pruned_starts(costs: &SegmentCost, penalty: f64, min_seg: usize) -> Vec<usize> {
    let n = costs.len();
    let mut best = Best::new(n, penalty);
    let mut starts: Vec<Start> = vec![];
    for end in min_seg..=n {
        let newest = end - min_seg;
        if best.cost[newest].is_finite() {
            starts.push(Start {
                at: newest,
                reached: 0.0,
                useful_until: usize::MAX,
            });
        }
        starts.retain(|start| start.useful_until > end);
        for start in &mut starts {
            start.reached = best.cost[start.at] + costs.of(start.at, end);
            best.offer(start.at, end, start.reached + penalty);
        }
        let least = best.cost[end];
        for start in &mut starts {
            let margin = ROUNDING * (least.abs() + start.reached.abs() + penalty);
            if start.useful_until == usize::MAX && start.reached > least + margin {
                start.useful_until = end.saturating_add(min_seg);
            }
        }
    }
    best.ends()
}

#[cfg(test)]
mod tests {
    use super::super::points::Cost;
    use super::*;

    /// Counts with a level that jumps now and then.
    fn series(seed: u64, n: usize) -> Vec<f64> {
        let mut state = seed;
        let mut next = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        let mut level = 20;
        (0..n)
            .map(|_| {
                if next() % 23 == 0 {
                    level = 5 + next() % 40;
                }
                (level + next() % 9) as f64
            })
            .collect()
    }

    #[test]
    fn pruning_changes_nothing() {
        for seed in 0..40 {
            for n in [1, 2, 5, 30, 121, 200] {
                let y = series(seed, n);
                let trials = vec![60; n];
                for cost in [Cost::L2, Cost::Poisson, Cost::Binomial(&trials)] {
                    let costs = SegmentCost::new(&y, cost);
                    for (penalty, min_seg) in [
                        (0.0, 1),
                        (0.5, 2),
                        (9.0, 1),
                        (40.0, 3),
                        (300.0, 7),
                        (2.0, 40),
                    ] {
                        assert_eq!(
                            pruned_starts(&costs, penalty, min_seg),
                            all_starts(&costs, penalty, min_seg),
                            "{seed} {n} {cost:?} {penalty} {min_seg}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn no_segmentation_is_cheaper() {
        for seed in 0..20 {
            let y = series(seed, 11);
            let costs = SegmentCost::new(&y, Cost::L2);
            for (penalty, min_seg) in [(3.0, 1), (30.0, 2), (30.0, 4)] {
                let price = |ends: &[usize]| {
                    let starts = [0].into_iter().chain(ends.iter().copied());
                    let sum: f64 = starts.zip(ends).map(|(a, b)| costs.of(a, *b)).sum();
                    sum + penalty * (ends.len() - 1) as f64
                };
                let found = price(&all_starts(&costs, penalty, min_seg));
                for choice in 0_u32..1 << 10 {
                    let inner = (0..10)
                        .filter(|bit| choice >> bit & 1 == 1)
                        .map(|bit| bit + 1);
                    let ends: Vec<usize> = inner.chain([11]).collect();
                    let starts = [0].into_iter().chain(ends.iter().copied());
                    if starts.zip(&ends).all(|(a, b)| b - a >= min_seg) {
                        assert!(found <= price(&ends) + 1e-9);
                    }
                }
            }
        }
    }
}
