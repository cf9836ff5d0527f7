//! Since when: one change in a success rate, with the exact posterior over the period it happened in.
//!
//! The answer is a distribution over periods, not a date. Absolute series mix season and market into the
//! answer; pass the network's expected rates to take them out. Knows no calendar: a period is an index.

mod cost;
mod offset;
mod partition;
mod plain;
pub mod points;

use std::ops::Range;

use crate::estimate::Status;
use crate::invalid::Invalid;
use offset::Offset;
use plain::Plain;

/// Posterior mass of the credible set of periods.
const SET_MASS: f64 = 0.95;

/// Whether a rate changed, and when. `change` is present exactly when `status` is `ok`.
#[derive(Debug, Clone, PartialEq)]
pub struct SinceWhen {
    /// The change, where the data can tell one.
    pub change: Option<ChangePoint>,
    /// Trials over all periods.
    pub n: u64,
    /// `no_data`: no trials. `infeasible`: informative trials in fewer than two periods, or successes where the expected rate is
    /// 0 (failures where it is 1). `not_converged`: an integral met its bound.
    pub status: Status,
}

/// A change between periods k-1 and k (counted from 0), so k periods lie before it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePoint {
    /// Posterior probability that the rate changed at all; ½ beforehand.
    pub p_change: f64,
    /// ln of the Bayes factor of one change against none.
    pub log_bf: f64,
    /// The most probable k, the earliest of equals: the first period after the change.
    pub mode: usize,
    /// First and last k of the smallest set holding 95 % of the posterior (equals included). The set may
    /// have gaps between them.
    pub set_lo: usize,
    /// Last k of that set.
    pub set_hi: usize,
    /// Maximum-likelihood rate before and after `mode`; see [`since_when`] for its scale.
    pub rate_before: f64,
    /// The rate from `mode` on.
    pub rate_after: f64,
    /// Largest likelihood-ratio statistic over all k. Being a maximum, it is not χ² distributed.
    pub lr: f64,
    /// The k where `lr` is reached; `mode` weighs how well each side is known and may differ.
    pub lr_mode: usize,
    /// P(change at k | there is a change) for k = 1, 2, …; one shorter than the series.
    pub posterior: Vec<f64>,
}

/// Finds the single change point of `y` successes in `n` trials per period, in time order.
///
/// Without `expected`: yₜ ~ Bin(nₜ, θ₁) before and Bin(nₜ, θ₂) from k on, θ's independent Beta(1,1). A segment
/// with Y of N has the marginal B(1+Y, 1+N-Y), so with k uniform over the candidates
/// BFₖ = B(before) B(after) / B(all), P(k) ∝ BFₖ, BF = mean BFₖ, P(change) = BF/(1+BF)
/// (Smith 1975, Biometrika 62:407, sec. 2-3, with binomial likelihood). The rates are ΣY/ΣN.
///
/// With `expected` rates p̂ₜ (the network's in that period, for this case-mix): the same model on the odds
/// scale relative to the network, logit P(success in t) = logit θ + logit p̂ₜ - logit p̄ with p̄ = Σnₜp̂ₜ/Σnₜ
/// (logistic regression with a known offset, McCullagh & Nelder 1989, sec. 4.3), θ again Beta(1,1). θ is the
/// rate in a period like the network's average one, so `rate_before` and `rate_after` are standardised
/// rates, comparable with p̄ and with each other; a distributor that follows the network through any season
/// has one θ. Constant p̂ gives exactly the model without it. The marginal is a one-dimensional integral of a
/// log-concave function, done to about 1e-13. The alternative, a Gamma-Poisson model of y against n·p̂, is
/// closed but overstates the variance by 1/(1-p): it is blind at acceptance rates of 80 %.
///
/// Periods without trials carry no information: at the ends they are no candidates, inside they share the
/// posterior of their neighbour, and their `expected` is not read. A period whose expected rate is 0 (or 1)
/// and where nothing (everything) succeeded likewise. [`Invalid`] when lengths differ, y exceeds n, or an
/// expected rate is not in 0..=1.
pub fn since_when(y: &[u64], n: &[u64], expected: Option<&[f64]>) -> Result<SinceWhen, Invalid> {
    check_counts(y, n)?;
    let trials = n.iter().fold(0, |sum: u64, n| sum.saturating_add(*n));
    if trials == 0 {
        return Ok(SinceWhen {
            change: None,
            n: 0,
            status: Status::NoData,
        });
    }
    let change = match expected {
        None => locate(&Plain::new(y, n), n.len()),
        Some(expected) => match Offset::new(y, n, expected)? {
            Some(offset) => locate(&offset, n.len()),
            None => Err(Status::Infeasible),
        },
    };
    let status = change.as_ref().err().copied().unwrap_or(Status::Ok);
    Ok(SinceWhen {
        change: change.ok(),
        n: trials,
        status,
    })
}

fn check_counts(y: &[u64], n: &[u64]) -> Result<(), Invalid> {
    if y.len() != n.len() {
        return Err(Invalid::new("y", "one entry per entry of n", y.len()));
    }
    match y.iter().zip(n).find(|(y, n)| y > n) {
        Some((y, _)) => Err(Invalid::new("y", "at most n successes in every period", y)),
        None => Ok(()),
    }
}

/// What the search needs to know of a segment of periods. Logarithms share one arbitrary constant factor
/// per trial, so only sums over the same periods compare.
trait Segments {
    fn has_trials(&self, period: usize) -> bool;
    /// ln of the likelihood integrated over the prior; `None` if the integral met its bound.
    fn log_marginal(&self, periods: Range<usize>) -> Option<f64>;
    /// ln of the likelihood at its maximum.
    fn log_maximum(&self, periods: Range<usize>) -> f64;
    /// Where that maximum is.
    fn rate(&self, periods: Range<usize>) -> f64;
}

fn locate(segments: &impl Segments, len: usize) -> Result<ChangePoint, Status> {
    let first = (0..len).find(|t| segments.has_trials(*t));
    let last = (0..len).rfind(|t| segments.has_trials(*t));
    let (Some(first), Some(last)) = (first, last) else {
        return Err(Status::Infeasible);
    };
    if first == last {
        return Err(Status::Infeasible);
    }
    let candidates = first + 1..last + 1;
    let log_bfs =
        log_bayes_factors(segments, candidates.clone(), len).ok_or(Status::NotConverged)?;
    let largest = log_bfs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = log_bfs
        .iter()
        .map(|log_bf| (log_bf - largest).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    let log_bf = largest + (total / weights.len() as f64).ln();

    let mut posterior = vec![0.0; len - 1];
    for (k, weight) in candidates.clone().zip(&weights) {
        posterior[k - 1] = weight / total;
    }
    let mode = 1 + first_largest(&posterior);
    let (set_lo, set_hi) = credible_set(&posterior);
    let (lr, lr_mode) = likelihood_ratio(segments, candidates, len);
    Ok(ChangePoint {
        p_change: 1.0 / (1.0 + (-log_bf).exp()),
        log_bf,
        mode,
        set_lo,
        set_hi,
        rate_before: segments.rate(0..mode),
        rate_after: segments.rate(mode..len),
        lr,
        lr_mode,
        posterior,
    })
}

fn log_bayes_factors(
    segments: &impl Segments,
    candidates: Range<usize>,
    len: usize,
) -> Option<Vec<f64>> {
    let unchanged = segments.log_marginal(0..len)?;
    let of = |k| Some(segments.log_marginal(0..k)? + segments.log_marginal(k..len)? - unchanged);
    candidates.map(of).collect()
}

/// The largest likelihood-ratio statistic and its k.
fn likelihood_ratio(
    segments: &impl Segments,
    candidates: Range<usize>,
    len: usize,
) -> (f64, usize) {
    let unchanged = segments.log_maximum(0..len);
    let at = |k| 2.0 * (segments.log_maximum(0..k) + segments.log_maximum(k..len) - unchanged);
    let ratios: Vec<f64> = candidates.clone().map(at).collect();
    let best = first_largest(&ratios);
    (ratios[best].max(0.0), candidates.start + best)
}

fn first_largest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// First and last k of the smallest set of k with at least [`SET_MASS`], with everything as probable as its
/// least member: a set must not depend on which of two equals came first.
fn credible_set(posterior: &[f64]) -> (usize, usize) {
    let mut descending = posterior.to_vec();
    descending.sort_by(|a, b| b.total_cmp(a));
    let mut mass = 0.0;
    let least = descending.into_iter().find(|p| {
        mass += p;
        mass >= SET_MASS
    });
    // Rounding may leave the whole sum short of the mass only if every k is needed.
    let least = least.unwrap_or(0.0);
    let inside = |p: &f64| *p >= least;
    let lo = posterior.iter().position(inside).unwrap_or(0);
    let hi = posterior.iter().rposition(inside).unwrap_or(0);
    (lo + 1, hi + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const Y: [u64; 12] = [15, 13, 14, 17, 21, 18, 5, 7, 4, 6, 3, 4];
    const N: [u64; 12] = [57, 45, 47, 55, 43, 51, 53, 49, 42, 62, 31, 54];

    fn found(y: &[u64], n: &[u64], expected: Option<&[f64]>) -> ChangePoint {
        let since = since_when(y, n, expected).unwrap();
        assert_eq!((since.status, since.n), (Status::Ok, n.iter().sum()));
        since.change.unwrap()
    }

    fn status(y: &[u64], n: &[u64], expected: Option<&[f64]>) -> Status {
        let since = since_when(y, n, expected).unwrap();
        assert!(since.change.is_none());
        since.status
    }

    fn numbers(c: &ChangePoint) -> Vec<f64> {
        let mut all = vec![c.p_change, c.log_bf, c.rate_before, c.rate_after, c.lr];
        all.extend(&c.posterior);
        all
    }

    fn assert_close(a: &ChangePoint, b: &ChangePoint, tolerance: f64) {
        let indices = |c: &ChangePoint| (c.mode, c.set_lo, c.set_hi, c.lr_mode);
        assert_eq!(indices(a), indices(b));
        for (x, y) in numbers(a).into_iter().zip(numbers(b)) {
            assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "{a:?} {b:?}");
        }
    }

    #[test]
    fn finds_the_planted_change() {
        let change = found(&Y, &N, None);
        assert_eq!((change.mode, change.lr_mode), (6, 6));
        assert!(change.p_change > 0.999 && change.set_lo <= 6 && 6 <= change.set_hi);
        assert_eq!(change.rate_before, 98.0 / 298.0);
        assert_eq!(change.rate_after, 29.0 / 291.0);
        assert!((change.posterior.iter().sum::<f64>() - 1.0).abs() < 1e-14);
    }

    #[test]
    fn a_flat_series_has_low_p_change() {
        for (y, n) in [
            (2, 10),
            (10, 50),
            (160, 200),
            (0, 30),
            (30, 30),
            (200_000, 1_000_000),
        ] {
            let change = found(&[y; 36], &[n; 36], None);
            assert!(change.p_change < 0.2, "{y}/{n}: {}", change.p_change);
            assert!(change.lr.abs() < 1e-9);
            let rate = y as f64 / n as f64;
            assert_eq!((change.rate_before, change.rate_after), (rate, rate));
        }
    }

    #[test]
    fn following_the_network_is_no_change() {
        // Odds halve in the second half for everyone, twice as high here as in the network.
        let network: Vec<f64> = (0..24)
            .map(|t| if t < 12 { 0.25 } else { 1.0 / 7.0 })
            .collect();
        let y: Vec<u64> = (0..24).map(|t| if t < 12 { 40 } else { 25 }).collect();
        let n = [100; 24];
        assert!(found(&y, &n, None).p_change > 0.99);
        let relative = found(&y, &n, Some(&network));
        assert!(relative.p_change < 0.2, "{}", relative.p_change);
        assert!((relative.rate_before / relative.rate_after - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_change_against_a_moving_network_is_found() {
        // Constant here while the network doubles its odds from period 12 on.
        let network: Vec<f64> = (0..24)
            .map(|t| if t < 12 { 0.2 } else { 1.0 / 3.0 })
            .collect();
        let change = found(&[20; 24], &[100; 24], Some(&network));
        assert!(found(&[20; 24], &[100; 24], None).p_change < 0.2);
        assert!(change.p_change > 0.99 && change.mode == 12, "{change:?}");
        assert!(change.rate_after < change.rate_before);
    }

    #[test]
    fn constant_expected_rates_change_nothing() {
        for p in [1e-6, 0.2, 0.5, 0.97] {
            assert_close(&found(&Y, &N, Some(&[p; 12])), &found(&Y, &N, None), 1e-11);
        }
        for (y, n) in [(0, 9), (9, 9), (1, 2000), (3, 4)] {
            let (y, n) = ([y, 0, y, y, 0, y], [n; 6]);
            assert_close(&found(&y, &n, Some(&[0.3; 6])), &found(&y, &n, None), 1e-11);
        }
    }

    #[test]
    fn moving_expected_rates_match_forty_digits() {
        // mpmath 1.3.0: tanh-sinh quadrature of the likelihood over θ, in pieces of ¾ standard error.
        let expected: Vec<f64> = (0..12).map(|t| 0.10 + 0.05 * f64::from(t % 4)).collect();
        let change = found(&Y, &N, Some(&expected));
        let checks = [
            (change.log_bf, 27.989_463_104_765_7),
            (change.p_change, 0.999_999_999_999_301_2),
            (change.rate_before, 0.361_768_719_719_045_9),
            (change.rate_after, 0.089_229_627_498_941_31),
            (change.lr, 66.170_957_186_980_82),
            (change.posterior[0], 7.843_535_784_398_058e-13),
            (change.posterior[4], 3.101_142_397_540_118e-6),
            (change.posterior[5], 0.999_974_440_218_522_7),
            (change.posterior[10], 4.930_053_990_022_726e-11),
        ];
        for (actual, exact) in checks {
            assert!((actual / exact - 1.0).abs() < 1e-12, "{actual} {exact}");
        }
        assert_eq!((change.mode, change.lr_mode), (6, 6));
    }

    #[test]
    fn only_the_shape_of_expected_odds_matters() {
        let odds: Vec<f64> = (0..12).map(|t| 0.2 + 0.05 * f64::from(t % 4)).collect();
        let p = |scale: f64| {
            odds.iter()
                .map(|o| scale * o / (1.0 + scale * o))
                .collect::<Vec<_>>()
        };
        let (a, b) = (
            found(&Y, &N, Some(&p(1.0))),
            found(&Y, &N, Some(&p(1.0 + 1e-9))),
        );
        assert_close(&a, &b, 1e-7);
        assert!((a.lr - found(&Y, &N, Some(&p(3.0))).lr).abs() < 1e-9);
    }

    #[test]
    fn looking_back_from_the_end_mirrors_the_answer() {
        let reversed = |x: &[u64]| x.iter().rev().copied().collect::<Vec<_>>();
        let (a, b) = (
            found(&Y, &N, None),
            found(&reversed(&Y), &reversed(&N), None),
        );
        assert_eq!(
            (a.mode, a.set_lo, a.set_hi),
            (12 - b.mode, 12 - b.set_hi, 12 - b.set_lo)
        );
        assert!((a.log_bf - b.log_bf).abs() < 1e-12);
    }

    #[test]
    fn failures_tell_the_same_story_as_successes() {
        let failures: Vec<u64> = Y.iter().zip(N).map(|(y, n)| n - y).collect();
        let (a, b) = (found(&Y, &N, None), found(&failures, &N, None));
        assert!((a.log_bf - b.log_bf).abs() < 1e-12 && a.mode == b.mode);
    }

    #[test]
    fn empty_periods_at_the_ends_are_no_candidates() {
        let pad = |x: &[u64]| [&[0, 0, 0], x, &[0, 0]].concat();
        let expected = [f64::NAN; 3]
            .into_iter()
            .chain([0.2; 12])
            .chain([f64::NAN; 2])
            .collect::<Vec<_>>();
        for (expected, bare_expected) in [(None, None), (Some(&expected[..]), Some(&[0.2; 12][..]))]
        {
            let (bare, padded) = (
                found(&Y, &N, bare_expected),
                found(&pad(&Y), &pad(&N), expected),
            );
            assert_eq!(
                (bare.p_change, bare.log_bf, bare.lr),
                (padded.p_change, padded.log_bf, padded.lr)
            );
            assert_eq!(
                (bare.mode + 3, bare.set_hi + 3),
                (padded.mode, padded.set_hi)
            );
            assert_eq!(padded.posterior[..3], [0.0; 3]);
        }
    }

    #[test]
    fn a_change_inside_a_gap_spans_it() {
        let change = found(&[20, 20, 0, 0, 2, 2], &[40, 40, 0, 0, 40, 40], None);
        assert_eq!((change.mode, change.set_lo, change.set_hi), (2, 2, 4));
    }

    #[test]
    fn extremes_stay_finite() {
        let huge = [1 << 40, 0, 1 << 40];
        let n = [1 << 40; 3];
        for expected in [None, Some(&[1e-300, 0.5, 1.0 - 1e-16][..])] {
            let since = since_when(&huge, &n, expected).unwrap();
            if let Some(change) = since.change {
                assert!(numbers(&change).iter().all(|x| x.is_finite()), "{change:?}");
            }
        }
    }

    #[test]
    fn absent_or_impossible_data_has_a_status() {
        assert_eq!(status(&[], &[], None), Status::NoData);
        assert_eq!(status(&[0, 0], &[0, 0], None), Status::NoData);
        assert_eq!(status(&[0, 3, 0], &[0, 9, 0], None), Status::Infeasible);
        assert_eq!(
            status(&[1, 1], &[9, 9], Some(&[0.0, 0.1])),
            Status::Infeasible
        );
        assert_eq!(
            status(&[1, 1], &[9, 9], Some(&[1.0, 0.1])),
            Status::Infeasible
        );
        assert_eq!(
            status(&[0, 0], &[9, 9], Some(&[0.0, 0.0])),
            Status::Infeasible
        );
    }

    #[test]
    fn nonsense_is_invalid() {
        assert_eq!(since_when(&[1], &[1, 2], None).unwrap_err().argument, "y");
        assert_eq!(since_when(&[3], &[2], None).unwrap_err().argument, "y");
        for bad in [&[0.1][..], &[0.1, f64::NAN], &[0.1, -0.1], &[0.1, 1.1]] {
            assert_eq!(
                since_when(&[1, 1], &[2, 2], Some(bad))
                    .unwrap_err()
                    .argument,
                "expected"
            );
        }
    }
}
