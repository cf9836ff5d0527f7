//! Shrinkage: what always holds.

use crate::dice::{Dice, all_finite, pick, units};
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::shrink::{
    CountMethod, MeanMethod, RateMethod, Shrunk, eb_count, eb_mean, eb_rate,
};

fn check_shrunk(unit: &Shrunk, own: f64, mean: f64, what: &str) {
    let (est, lo, hi) = (unit.est.unwrap(), unit.lo.unwrap(), unit.hi.unwrap());
    let slack = 1e-9 * (own.abs() + mean.abs());
    assert!(
        est >= own.min(mean) - slack && est <= own.max(mean) + slack,
        "{what}: {est} between {own} and {mean}"
    );
    assert!(
        lo <= hi && (0.0..=1.0).contains(&unit.weight.unwrap()),
        "{what}"
    );
    assert!(
        unit.p_below.is_none_or(|p| (0.0..=1.0).contains(&p)),
        "{what}"
    );
}

#[test]
fn shrinkage_lies_between_own_and_pooled_in_any_order() {
    let mut dice = Dice(17);
    for (round, spread) in [0.0, 0.1, 0.3, 0.4]
        .into_iter()
        .cycle()
        .take(24)
        .enumerate()
    {
        let (y, n) = units(&mut dice, 6 + round * 3, spread);
        let order = dice.shuffled(y.len());
        for method in [
            RateMethod::Mle,
            RateMethod::Moments,
            RateMethod::SimpleMoments,
        ] {
            let shrunk = eb_rate(&y, &n, method, 0.9, 0.75).unwrap();
            assert_eq!(shrunk.prior.status, Status::Ok);
            for (unit, (y, n)) in shrunk.units.iter().zip(y.iter().zip(&n)) {
                let own = *y as f64 / *n as f64;
                check_shrunk(unit, own, shrunk.prior.mean.unwrap(), "rate");
            }
            let other = eb_rate(&pick(&y, &order), &pick(&n, &order), method, 0.9, 0.75).unwrap();
            assert_eq!(other.prior, shrunk.prior);
            assert_eq!(other.units, pick(&shrunk.units, &order));
        }
        let exposure: Vec<f64> = n.iter().map(|n| *n as f64 * 0.3).collect();
        for method in [CountMethod::Mle, CountMethod::Moments] {
            let shrunk = eb_count(&y, &exposure, method, 0.9, 0.75).unwrap();
            assert_eq!(shrunk.prior.status, Status::Ok);
            for (unit, (y, e)) in shrunk.units.iter().zip(y.iter().zip(&exposure)) {
                check_shrunk(unit, *y as f64 / e, shrunk.prior.mean.unwrap(), "count");
            }
            let other = eb_count(
                &pick(&y, &order),
                &pick(&exposure, &order),
                method,
                0.9,
                0.75,
            )
            .unwrap();
            assert_eq!(
                (other.prior, other.units),
                (shrunk.prior, pick(&shrunk.units, &order))
            );
        }
        let x: Vec<f64> = y
            .iter()
            .zip(&n)
            .map(|(y, n)| *y as f64 / *n as f64)
            .collect();
        let se: Vec<f64> = n.iter().map(|n| 0.4 / (*n as f64).sqrt()).collect();
        for method in [
            MeanMethod::Auto,
            MeanMethod::DerSimonianLaird,
            MeanMethod::Reml,
        ] {
            let shrunk = eb_mean(&x, &se, method, 0.9, 0.75).unwrap();
            assert_eq!(shrunk.prior.status, Status::Ok);
            for (unit, x) in shrunk.units.iter().zip(&x) {
                check_shrunk(unit, *x, shrunk.prior.mean.unwrap(), "mean");
            }
            let other = eb_mean(&pick(&x, &order), &pick(&se, &order), method, 0.9, 0.75).unwrap();
            assert_eq!(
                (other.prior, other.units),
                (shrunk.prior, pick(&shrunk.units, &order))
            );
        }
    }
}

#[test]
fn the_maximum_is_one() {
    let mut dice = Dice(23);
    for _ in 0..20 {
        let (y, n) = units(&mut dice, 40, 0.3);
        let prior = eb_rate(&y, &n, RateMethod::Mle, 0.95, 0.75).unwrap().prior;
        let moments = eb_rate(&y, &n, RateMethod::Moments, 0.95, 0.75)
            .unwrap()
            .prior;
        assert!(prior.log_likelihood >= moments.log_likelihood);
        let exposure: Vec<f64> = n.iter().map(|n| *n as f64).collect();
        let prior = eb_count(&y, &exposure, CountMethod::Mle, 0.95, 0.75)
            .unwrap()
            .prior;
        let moments = eb_count(&y, &exposure, CountMethod::Moments, 0.95, 0.75)
            .unwrap()
            .prior;
        assert!(moments.log_likelihood.is_none() || prior.log_likelihood >= moments.log_likelihood);
        // Twice the exposure is half the rate and nothing else.
        let double: Vec<f64> = exposure.iter().map(|e| 2.0 * e).collect();
        let halved = eb_count(&y, &double, CountMethod::Mle, 0.95, 0.75)
            .unwrap()
            .prior;
        if let (Some(one), Some(other)) = (prior.shape, halved.shape) {
            assert!((one / other - 1.0).abs() < 1e-8, "{one} {other}");
        }
    }
}

#[test]
fn units_that_do_not_differ_get_the_pooled_rate() {
    let shrunk = eb_rate(&[2; 10], &[10; 10], RateMethod::Mle, 0.95, 0.75).unwrap();
    assert_eq!(
        (shrunk.prior.rho, shrunk.prior.a, shrunk.prior.mean),
        (Some(0.0), None, Some(0.2))
    );
    for unit in &shrunk.units {
        assert_eq!(
            (unit.est, unit.weight, unit.p_below),
            (Some(0.2), Some(0.0), Some(0.0))
        );
        assert!(unit.lo.unwrap() < 0.2 && unit.hi.unwrap() > 0.2);
    }
    let none = eb_rate(&[0; 6], &[10; 6], RateMethod::Mle, 0.95, 0.75).unwrap();
    assert_eq!((none.prior.mean, none.units[0].lo), (Some(0.0), Some(0.0)));
    let binary = eb_rate(&[0, 1, 1, 0, 1, 0], &[1; 6], RateMethod::Mle, 0.95, 0.75).unwrap();
    assert_eq!(binary.prior.mean, Some(0.5));
    let equal = eb_mean(&[3.0; 6], &[1.0; 6], MeanMethod::Auto, 0.95, 0.75).unwrap();
    assert_eq!(
        (equal.units[0].est, equal.units[0].weight),
        (Some(3.0), Some(0.0))
    );
}

#[test]
fn few_units_and_absent_ones_are_said_to_be() {
    let few = eb_rate(&[1, 2, 3, 4], &[9; 4], RateMethod::Mle, 0.95, 0.75).unwrap();
    assert_eq!((few.prior.status, few.units[0].est), (Status::SmallN, None));
    let none = eb_rate(&[], &[], RateMethod::Mle, 0.95, 0.75).unwrap();
    assert_eq!((none.prior.status, none.units.len()), (Status::NoData, 0));
    let one_empty = eb_rate(
        &[1, 2, 3, 4, 8, 0],
        &[9, 9, 9, 9, 9, 0],
        RateMethod::Mle,
        0.95,
        0.75,
    );
    assert_eq!(one_empty.unwrap().units[5].status, Status::NoData);
    let counts = eb_count(
        &[1, 2, 30, 4, 8, 0, 3],
        &[1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
        CountMethod::Mle,
        0.95,
        0.75,
    )
    .unwrap();
    assert_eq!(counts.units[5].status, Status::NoData);
    assert_eq!(counts.units[6].status, Status::ZeroBase);
    assert!(eb_rate(&[3], &[2], RateMethod::Mle, 0.95, 0.75).is_err());
    assert!(eb_rate(&[3], &[], RateMethod::Mle, 0.95, 0.75).is_err());
    assert!(eb_count(&[3], &[f64::NAN], CountMethod::Mle, 0.95, 0.75).is_err());
    assert!(eb_mean(&[f64::INFINITY], &[1.0], MeanMethod::Auto, 0.95, 0.75).is_err());
    assert!(eb_mean(&[1.0], &[0.0], MeanMethod::Auto, 0.95, 0.75).is_err());
    assert!(eb_mean(&[1.0, 2.0], &[1.0, 2.0], MeanMethod::JamesStein, 0.95, 0.75).is_err());
    assert!(eb_rate(&[1], &[2], RateMethod::Mle, 0.95, f64::NAN).is_err());
}

#[test]
fn shrinkage_takes_extremes() {
    let cases: [(&[u64], &[u64]); 7] = [
        (&[0, 9, 0, 9, 0, 9], &[9; 6]),
        (&[0, 1_000_000_000, 5, 7, 1, 0], &[1_000_000_000; 6]),
        (&[1, 1, 1, 1, 1, 999_999_999], &[1_000_000_000; 6]),
        (&[0, 0, 0, 0, 0, 1], &[1_000_000_000; 6]),
        (&[u64::MAX, 0, 3, 4, 5, 6], &[u64::MAX; 6]),
        (
            &[
                100_000_000,
                100_010_000,
                99_990_000,
                100_020_000,
                99_980_000,
            ],
            &[1_000_000_000; 5],
        ),
        (&[1, 2, 3, 1, 2, 0], &[1, 1_000_000_000, 3, 1, 9, 1]),
    ];
    for (y, n) in cases {
        for method in [
            RateMethod::Mle,
            RateMethod::Moments,
            RateMethod::SimpleMoments,
        ] {
            let n: Vec<u64> = y.iter().zip(n).map(|(y, n)| *y.max(n)).collect();
            let shrunk = eb_rate(y, &n, method, 0.95, 0.75).unwrap();
            let p = shrunk.prior;
            all_finite(
                &[p.a, p.b, p.mean, p.sd, p.rho, p.log_likelihood],
                "rate prior",
            );
            for u in &shrunk.units {
                all_finite(&[u.est, u.lo, u.hi, u.weight, u.p_below], "rate");
            }
        }
        for (exposure, method) in [1e-100, 1.0, 1e100]
            .into_iter()
            .flat_map(|e| [(e, CountMethod::Mle), (e, CountMethod::Moments)])
        {
            let shrunk = eb_count(y, &vec![exposure; y.len()], method, 0.95, 0.75).unwrap();
            let p = shrunk.prior;
            all_finite(
                &[p.shape, p.rate, p.mean, p.sd, p.log_likelihood],
                "count prior",
            );
            for u in &shrunk.units {
                all_finite(&[u.est, u.lo, u.hi, u.weight, u.p_below], "count");
            }
        }
    }
    let wide = [1e30, -1e30, 1e-30, 0.0, 3.0, 7.0];
    for se in [[1e-30; 6], [1e30; 6], [1e-30, 1e30, 1.0, 1.0, 3.0, 1e-10]] {
        for method in [
            MeanMethod::Auto,
            MeanMethod::DerSimonianLaird,
            MeanMethod::Reml,
        ] {
            let shrunk = eb_mean(&wide, &se, method, 0.95, 0.75).unwrap();
            let p = shrunk.prior;
            all_finite(&[p.mean, p.mean_se, p.tau2, p.q], "mean prior");
            for u in &shrunk.units {
                all_finite(&[u.est, u.lo, u.hi, u.weight, u.p_below], "mean");
            }
        }
    }
}
