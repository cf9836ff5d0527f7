//! Ranks and correlations of ranks: what always holds.

use crate::dice::{Dice, pick, units};
use tributary_engine_stats::better::p_better;
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::rank::{kendall_w, rank_posterior, rank_posterior_eb, spearman};
use tributary_engine_stats::shrink::{RateMethod, eb_rate};

#[test]
fn ranks_sum_to_what_they_must() {
    let mut dice = Dice(31);
    for count in [1, 2, 5, 40] {
        let (y, n) = units(&mut dice, count, 0.3);
        let ranks = rank_posterior(&y, &n, 2.0, 8.0, 0.9).unwrap();
        let sum = |field: fn(&tributary_engine_stats::rank::UnitRank) -> Option<f64>| -> f64 {
            ranks.iter().map(|r| field(r).unwrap()).sum()
        };
        let k = count as f64;
        assert!((sum(|r| r.rank_mean) - 0.5 * k * (k + 1.0)).abs() < 1e-9 * k * k);
        assert!((sum(|r| r.p_best) - 1.0).abs() < 1e-10);
        assert!((sum(|r| r.p_worst) - 1.0).abs() < 1e-10);
        for rank in &ranks {
            let (lo, hi) = (rank.rank_lo.unwrap(), rank.rank_hi.unwrap());
            assert!(1 <= lo && lo <= hi && hi <= count as u64);
        }
        let order = dice.shuffled(count);
        let other = rank_posterior(&pick(&y, &order), &pick(&n, &order), 2.0, 8.0, 0.9).unwrap();
        assert_eq!(other, pick(&ranks, &order));
    }
}

#[test]
fn ranks_of_two_are_which_is_better() {
    for (y, n) in [
        ([20, 30], [100, 100]),
        ([0, 1], [3, 1_000_000]),
        ([1, 500_000_000], [2, 1_000_000_000]),
    ] {
        let better = p_better(y[0], n[0], y[1], n[1], 1.0, 2.0).unwrap().unwrap();
        let ranks = rank_posterior(&y, &n, 1.0, 2.0, 0.95).unwrap();
        assert!(
            (ranks[1].p_best.unwrap() - better).abs() < 1e-9,
            "{ranks:?} {better}"
        );
        assert!((ranks[0].rank_mean.unwrap() - 1.0 - better).abs() < 1e-9);
    }
    let far = rank_posterior(
        &[0, 1_000_000_000, 500_000_000],
        &[1_000_000_000; 3],
        1.0,
        1.0,
        0.95,
    )
    .unwrap();
    assert_eq!(
        far.iter().map(|r| r.rank_hi.unwrap()).collect::<Vec<_>>(),
        [3, 1, 2]
    );
    let absent = rank_posterior(&[0, 1], &[0, 3], 1.0, 1.0, 0.95).unwrap();
    assert_eq!(
        (absent[0].status, absent[1].rank_mean),
        (Status::NoData, Some(1.0))
    );
    assert_eq!(rank_posterior(&[], &[], 1.0, 1.0, 0.95).unwrap(), []);
    assert!(rank_posterior(&[3], &[2], 1.0, 1.0, 0.95).is_err());
    assert!(rank_posterior(&[1], &[2], f64::NAN, 1.0, 0.95).is_err());
}

#[test]
fn rank_limits_are_those_of_many_draws() {
    // Three exchangeable units: each rank has probability 1/3.
    let ranks = rank_posterior(&[3; 3], &[9; 3], 1.0, 1.0, 0.5).unwrap();
    assert_eq!((ranks[0].rank_lo, ranks[0].rank_hi), (Some(1), Some(3)));
    let ranks = rank_posterior(&[3; 40], &[9; 40], 1.0, 1.0, 0.9).unwrap();
    assert_eq!((ranks[7].rank_lo, ranks[7].rank_hi), (Some(2), Some(38)));
    assert!((ranks[7].rank_mean.unwrap() - 20.5).abs() < 1e-9);
}

#[test]
fn correlations_have_their_limits() {
    let mut dice = Dice(37);
    let x: Vec<f64> = (0..50).map(|_| (dice.share() * 20.0).floor()).collect();
    let y: Vec<f64> = x.iter().map(|x| x + dice.share() * 9.0).collect();
    let s = spearman(&x, &y).unwrap();
    let order = dice.shuffled(50);
    assert_eq!(spearman(&pick(&x, &order), &pick(&y, &order)).unwrap(), s);
    assert_eq!(spearman(&y, &x).unwrap().rho, s.rho);
    let down: Vec<f64> = y.iter().map(|y| -y).collect();
    assert_eq!(spearman(&x, &down).unwrap().rho.unwrap(), -s.rho.unwrap());
    assert_eq!(spearman(&x, &x).unwrap().rho, Some(1.0));
    assert_eq!(spearman(&[], &[]).unwrap().status, Status::NoData);
    assert_eq!(
        spearman(&[1.0; 5], &x[..5]).unwrap().status,
        Status::Infeasible
    );
    assert!(spearman(&[1.0], &[]).is_err() && spearman(&[f64::NAN], &[1.0]).is_err());
    // W of two periods is (1+ρ)/2 without ties.
    let (a, b) = (
        y.clone(),
        dice.shuffled(50)
            .into_iter()
            .map(|i| i as f64)
            .collect::<Vec<_>>(),
    );
    let rho = spearman(&a, &b).unwrap().rho.unwrap();
    let w = kendall_w(&[a, b]).unwrap();
    assert!((w.w.unwrap() - 0.5 * (1.0 + rho)).abs() < 1e-14);
    assert!((w.mean_rho.unwrap() - rho).abs() < 1e-14);
    assert_eq!(kendall_w(&[]).unwrap().status, Status::NoData);
    assert!(kendall_w(&[vec![1.0], vec![]]).is_err());
}

#[test]
fn two_million_pairs_are_ranked_at_once() {
    let mut dice = Dice(43);
    let x: Vec<f64> = (0..2_000_000)
        .map(|_| (dice.share() * 1e5).floor())
        .collect();
    let y: Vec<f64> = x.iter().map(|x| x + 1e5 * dice.share()).collect();
    let s = spearman(&x, &y).unwrap();
    assert!(s.rho.unwrap() > 0.6 && s.p == Some(0.0));
}

#[test]
fn a_fitted_prior_ranks_as_the_same_prior_given() {
    let mut dice = Dice(59);
    let (y, n) = units(&mut dice, 30, 0.4);
    let prior = eb_rate(&y, &n, RateMethod::Mle, 0.95, 0.75).unwrap().prior;
    let given = rank_posterior(&y, &n, prior.a.unwrap(), prior.b.unwrap(), 0.9).unwrap();
    assert_eq!(rank_posterior_eb(&y, &n, 0.9).unwrap(), given);
    let alike = rank_posterior_eb(&[2; 8], &[9; 8], 0.5).unwrap();
    let first = alike[0];
    assert_eq!((first.rank_mean, first.p_best), (Some(4.5), Some(0.125)));
    assert_eq!((first.rank_lo, first.rank_hi), (Some(2), Some(6)));
    assert_eq!(
        rank_posterior_eb(&[1, 2], &[9, 9], 0.9).unwrap()[0].status,
        Status::SmallN
    );
    assert_eq!(rank_posterior_eb(&[], &[], 0.9).unwrap(), []);
}

#[test]
fn a_rate_that_may_be_anywhere_near_nothing_is_still_ranked() {
    // With shapes of 0.01 most of the posterior lies beyond the range of f64.
    let ranks = rank_posterior(&[0, 0, 1], &[1, 1, 1], 0.01, 0.01, 0.95).unwrap();
    let best: f64 = ranks.iter().map(|r| r.p_best.unwrap()).sum();
    assert!((best - 1.0).abs() < 1e-10, "{best}");
    let better = p_better(0, 1, 1, 1, 0.01, 0.01).unwrap().unwrap();
    let worse = p_better(1, 1, 0, 1, 0.01, 0.01).unwrap().unwrap();
    assert!(
        (better + worse - 1.0).abs() < 1e-10 && better > 0.99,
        "{better} {worse}"
    );
}
