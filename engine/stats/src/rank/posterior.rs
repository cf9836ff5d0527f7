//! How sure the ranks of several rates are.

use crate::better::{Beta, PRIOR_MAX, PRIOR_MIN, TRIALS_MAX, edge};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::shrink::{RateMethod, eb_rate};
use crate::special::two_sided_z;

/// Above this many units the limits of ranks are not computed: they take K² numbers, and K² steps per point.
const LIMITS_UP_TO: usize = 1000;
/// A posterior is followed until its density falls below e^-40 = 4e-18 of its peak.
const LN_NEGLIGIBLE: f64 = 40.0;
/// A cell of the grid is at most this many standard deviations, and this many logits, wide.
const CELL_WIDTH: f64 = 1.5;
/// A unit that begins inside a cell splits it only if it needs cells narrower by this factor.
const NARROWER: f64 = 0.7;
/// Positive half of the 8-point Gauss-Legendre rule on [-1, 1]: nodes and weights.
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_29),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_47),
    (0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
];

/// What is known of one unit's rank among all; rank 1 is the highest rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitRank {
    /// Expected rank, from 1 to the number of units with trials. `None` without trials, like all the others.
    pub rank_mean: Option<f64>,
    /// Quantile α/2 of the rank. `None` with more than 1000 units.
    pub rank_lo: Option<u64>,
    /// Quantile 1-α/2 of the rank. `None` with more than 1000 units.
    pub rank_hi: Option<u64>,
    /// Probability that no unit's rate is higher.
    pub p_best: Option<f64>,
    /// Probability that no unit's rate is lower.
    pub p_worst: Option<f64>,
    /// `ok`, `no_data` without trials, `not_converged` with more than 9e9.
    pub status: Status,
}

const ABSENT: UnitRank = UnitRank {
    rank_mean: None,
    rank_lo: None,
    rank_hi: None,
    p_best: None,
    p_worst: None,
    status: Status::NoData,
};

/// The posterior of each unit's rank, for rates θᵢ ~ Beta(a + yᵢ, b + nᵢ - yᵢ) independent of each other.
///
/// E\[Rᵢ\] = 1 + Σ_{j≠i} P(θⱼ > θᵢ) (Laird & Louis 1989 J Educ Stat 14:29), P(best) = ∫ fᵢ Π_{j≠i} Fⱼ, P(worst) =
/// ∫ fᵢ Π_{j≠i} (1-Fⱼ); given θᵢ the rank less 1 is a sum of unequal coins, whose distribution gives the limits.
/// All of it on one grid in logits, so that each Fⱼ is evaluated once per point, where it is neither 0 nor 1.
/// (a, b) is usually the prior that [`eb_rate`] fits. A unit without trials is not ranked.
/// [`Invalid`] when lengths differ, successes exceed trials, a or b is not from 0.01 to 1e9, or `conf` not
/// strictly between 0 and 1.
pub fn rank_posterior(
    y: &[u64],
    n: &[u64],
    a: f64,
    b: f64,
    conf: f64,
) -> Result<Vec<UnitRank>, Invalid> {
    two_sided_z(conf)?;
    if y.len() != n.len() {
        return Err(Invalid::new("n", "as many entries as y", n.len()));
    }
    if let Some((y, _)) = y.iter().zip(n).find(|(y, n)| y > n) {
        return Err(Invalid::new("y", "at most as many as n", y));
    }
    for (name, shape) in [("a", a), ("b", b)] {
        if !(PRIOR_MIN..=PRIOR_MAX).contains(&shape) {
            return Err(Invalid::new(name, "a number from 0.01 to 1e9", shape));
        }
    }
    let mut ranked: Vec<(Spread, usize)> = Vec::new();
    let mut result = vec![ABSENT; y.len()];
    for (place, (y, n)) in y.iter().zip(n).enumerate() {
        if *n > TRIALS_MAX {
            result[place].status = Status::NotConverged;
        } else if *n > 0 {
            let posterior = Beta {
                a: a + *y as f64,
                b: b + (n - y) as f64,
            };
            ranked.push((Spread::new(posterior), place));
        }
    }
    ranked.sort_by(|(s, _), (t, _)| {
        s.order()
            .partial_cmp(&t.order())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let spreads: Vec<Spread> = ranked.iter().map(|(spread, _)| *spread).collect();
    let ranks = Ranks::over(&spreads)?;
    for (i, (_, place)) in ranked.iter().enumerate() {
        result[*place] = ranks.unit(i, conf);
    }
    Ok(result)
}

/// [`rank_posterior`] with the prior that [`eb_rate`] finds most likely.
///
/// Fewer than five units with trials: all is `None`, `small_n`. Units that do not differ are in any order: every rank
/// has the probability 1/K. A shape of the prior below 0.01 counts as 0.01.
pub fn rank_posterior_eb(y: &[u64], n: &[u64], conf: f64) -> Result<Vec<UnitRank>, Invalid> {
    let prior = eb_rate(y, n, RateMethod::Mle, conf, 1.0)?.prior;
    if let Some((a, b)) = prior.a.zip(prior.b) {
        let in_range = |shape: f64| shape.clamp(PRIOR_MIN, PRIOR_MAX);
        return rank_posterior(y, n, in_range(a), in_range(b), conf);
    }
    let ranked = prior.units as f64;
    let anywhere = UnitRank {
        rank_mean: Some(0.5 * (ranked + 1.0)),
        rank_lo: Some((0.5 * (1.0 - conf) * ranked).ceil().max(1.0) as u64),
        rank_hi: Some((0.5 * (1.0 + conf) * ranked).ceil().min(ranked) as u64),
        p_best: Some(1.0 / ranked),
        p_worst: Some(1.0 / ranked),
        status: Status::Ok,
    };
    Ok(n.iter()
        .map(|n| match prior.status {
            _ if *n == 0 => ABSENT,
            Status::Ok => anywhere,
            status => UnitRank { status, ..ABSENT },
        })
        .collect())
}

/// A posterior and where it lies, in logits.
#[derive(Debug, Clone, Copy)]
struct Spread {
    posterior: Beta,
    lo: f64,
    hi: f64,
    cell: f64,
}

impl Spread {
    fn new(posterior: Beta) -> Self {
        let deviation = posterior.precision().sqrt().recip();
        let mode = posterior.mode();
        let density = |t: f64| posterior.ln_density(t);
        let floor = density(mode) - LN_NEGLIGIBLE;
        Self {
            posterior,
            lo: edge(&density, mode, -deviation, floor),
            hi: edge(&density, mode, deviation, floor),
            cell: CELL_WIDTH * deviation.min(1.0),
        }
    }

    /// What units are sorted by; those that are equal in it are equal in everything.
    fn order(&self) -> (f64, f64, f64) {
        (self.lo, self.posterior.a, self.posterior.b)
    }
}

/// Integrals over the grid, by unit in sorted order.
struct Ranks {
    mass: Vec<f64>,
    above: Vec<f64>,
    best: Vec<f64>,
    worst: Vec<f64>,
    /// Row i: the probability of each rank of unit i. Empty with too many units.
    by_rank: Vec<Vec<f64>>,
}

impl Ranks {
    fn over(spreads: &[Spread]) -> Result<Self, Invalid> {
        let count = spreads.len();
        let kept = if count <= LIMITS_UP_TO { count } else { 0 };
        let mut ranks = Self {
            mass: vec![0.0; count],
            above: vec![0.0; count],
            best: vec![0.0; count],
            worst: vec![0.0; count],
            by_rank: vec![vec![0.0; kept]; kept],
        };
        let mut active: Vec<usize> = Vec::new();
        let (mut begun, mut from) = (0, f64::NEG_INFINITY);
        loop {
            active.retain(|i| spreads[*i].hi > from);
            if active.is_empty() {
                let Some(next) = spreads.get(begun) else {
                    break;
                };
                from = next.lo;
                active.push(begun);
                begun += 1;
            }
            let mut to = from + narrowest(active.iter().map(|i| spreads[*i].cell));
            while let Some(next) = spreads.get(begun).filter(|next| next.lo < to) {
                if next.lo > from && next.cell < NARROWER * (to - from) {
                    to = next.lo;
                    break;
                }
                if next.lo <= from {
                    to = to.min(from + next.cell);
                }
                active.push(begun);
                begun += 1;
            }
            // Units that have ended lie below for sure; those that have not begun lie above.
            let below = begun - active.len();
            for (node, weight) in GAUSS {
                let half = 0.5 * (to - from);
                for t in [from + half * (1.0 - node), from + half * (1.0 + node)] {
                    ranks.add(spreads, &active, below, count - begun, t, half * weight)?;
                }
            }
            from = to;
        }
        Ok(ranks)
    }

    /// One point of the grid: `below` units are lower for sure, `higher` ones higher.
    fn add(
        &mut self,
        spreads: &[Spread],
        active: &[usize],
        below: usize,
        higher: usize,
        t: f64,
        weight: f64,
    ) -> Result<(), Invalid> {
        let mut tails = Vec::with_capacity(active.len());
        let (mut above, mut ln_all_below, mut ln_all_above) = (0.0, 0.0, 0.0);
        for i in active {
            let (lower, upper) = spreads[*i].posterior.tails(t)?;
            let (lower, upper) = (lower.max(f64::MIN_POSITIVE), upper.max(f64::MIN_POSITIVE));
            above += upper;
            ln_all_below += lower.ln();
            ln_all_above += upper.ln();
            tails.push((lower, upper));
        }
        let coins = if self.by_rank.is_empty() {
            Vec::new()
        } else {
            sum_of_coins(&tails)
        };
        for (i, (lower, upper)) in active.iter().zip(&tails) {
            let mass = weight * spreads[*i].posterior.ln_density(t).exp();
            self.mass[*i] += mass;
            self.above[*i] += mass * (higher as f64 + (above - upper).max(0.0));
            if higher == 0 {
                self.best[*i] += mass * (ln_all_below - lower.ln()).exp();
            }
            if below == 0 {
                self.worst[*i] += mass * (ln_all_above - upper.ln()).exp();
            }
            if let Some(row) = self.by_rank.get_mut(*i) {
                add_without(&mut row[higher..], &coins, *lower, *upper, mass);
            }
        }
        Ok(())
    }

    fn unit(&self, i: usize, conf: f64) -> UnitRank {
        let mass = self.mass[i];
        let tail = 0.5 * (1.0 - conf);
        UnitRank {
            rank_mean: Some((1.0 + self.above[i] / mass).min(self.mass.len() as f64)),
            rank_lo: self.quantile(i, tail),
            rank_hi: self.quantile(i, 1.0 - tail),
            p_best: Some((self.best[i] / mass).min(1.0)),
            p_worst: Some((self.worst[i] / mass).min(1.0)),
            status: Status::Ok,
        }
    }

    /// The least rank whose probability, with that of all above it, reaches p.
    fn quantile(&self, i: usize, p: f64) -> Option<u64> {
        let row = self.by_rank.get(i)?;
        let total: f64 = row.iter().sum();
        let mut so_far = 0.0;
        let reached = row.iter().position(|probability| {
            so_far += probability / total;
            // The probabilities are good to twelve digits.
            so_far >= p - 1e-12
        });
        Some(reached.unwrap_or(row.len() - 1) as u64 + 1)
    }
}

fn narrowest(cells: impl Iterator<Item = f64>) -> f64 {
    cells.fold(f64::INFINITY, f64::min)
}

/// The distribution of how many of the coins show heads, each with its (tails, heads) probability.
fn sum_of_coins(coins: &[(f64, f64)]) -> Vec<f64> {
    let mut sum = Vec::with_capacity(coins.len() + 1);
    sum.push(1.0);
    for (tails, heads) in coins {
        let mut carried = 0.0;
        for probability in &mut sum {
            let here = *probability;
            *probability = here * tails + carried;
            carried = here * heads;
        }
        sum.push(carried);
    }
    sum
}

/// Adds `mass` times the distribution `coins` without one of its coins, undone from the side where it is stable.
fn add_without(row: &mut [f64], coins: &[f64], tails: f64, heads: f64, mass: f64) {
    let others = coins.len() - 1;
    let mut last = 0.0;
    if tails >= 0.5 {
        for k in 0..others {
            last = (coins[k] - heads * last) / tails;
            row[k] += mass * last.max(0.0);
        }
    } else {
        for k in (0..others).rev() {
            last = (coins[k + 1] - tails * last) / heads;
            row[k] += mass * last.max(0.0);
        }
    }
}
