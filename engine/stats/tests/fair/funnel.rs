//! Funnels: what always holds, and how often they are wrong.

use crate::dice::{Dice, all_finite, as_numbers, pick, units};
use tributary_engine_stats::funnel::{self, Funnel, Kind, Options, Standing, funnel_limits};

fn every_funnel(kinds: &[(Kind, &[funnel::Method])], check: impl Fn(Options)) {
    for (kind, methods) in kinds {
        for method in *methods {
            check(Options {
                method: *method,
                ..Options::of(*kind)
            });
        }
    }
}

const FUNNELS: [(Kind, &[funnel::Method]); 3] = {
    use funnel::Method::{Anscombe, BetaBinomial, Cqc, Shmi};
    [
        (Kind::Rate, &[BetaBinomial, Anscombe, Cqc]),
        (Kind::Oe, &[BetaBinomial, Anscombe, Cqc, Shmi]),
        (Kind::Ratio, &[Anscombe, Cqc]),
    ]
};

fn check_funnel(funnel: &Funnel, options: &Options) {
    all_finite(&[funnel.target, funnel.phi, funnel.tau2], "funnel");
    for unit in &funnel.units {
        all_finite(
            &[
                unit.ratio, unit.z, unit.z_od, unit.p_low, unit.q_low, unit.mde,
            ],
            "unit",
        );
        assert!(unit.z_od.is_none_or(|z| z.abs() <= unit.z.unwrap().abs()));
        assert!(unit.q_low.is_none_or(|q| q >= unit.p_low.unwrap()));
        for limits in [unit.limits, unit.unadjusted].into_iter().flatten() {
            let ordered = [0.0, limits.lo998, limits.lo95, limits.hi95, limits.hi998];
            assert!(
                ordered.is_sorted() && limits.hi998.is_finite(),
                "{options:?} {limits:?}"
            );
            assert!(options.kind != Kind::Rate || limits.hi998 <= 1.0);
        }
    }
}

#[test]
fn funnels_do_not_depend_on_order() {
    let mut dice = Dice(29);
    let (y, n) = units(&mut dice, 60, 0.2);
    let (num, den) = (as_numbers(&y), as_numbers(&n));
    let order = dice.shuffled(num.len());
    every_funnel(&FUNNELS, |options| {
        let den: Vec<f64> = match options.kind {
            Kind::Oe => den.iter().map(|n| 0.2 * n).collect(),
            Kind::Rate | Kind::Ratio => den.clone(),
        };
        let funnel = funnel_limits(&num, &den, &options).unwrap();
        check_funnel(&funnel, &options);
        let other = funnel_limits(&pick(&num, &order), &pick(&den, &order), &options).unwrap();
        assert_eq!(other.units, pick(&funnel.units, &order));
        assert_eq!((other.phi, other.tau2), (funnel.phi, funnel.tau2));
    });
}

#[test]
fn funnels_take_extremes() {
    let cases: [(&[f64], &[f64]); 9] = [
        (&[], &[]),
        (&[0.0], &[0.0]),
        (&[3.0], &[9.0]),
        (&[0.0; 6], &[10.0; 6]),
        (&[10.0; 6], &[10.0; 6]),
        (&[0.0, 1.0, 0.0, 5.0], &[0.0, 1.0, 7.0, 0.0]),
        (
            &[1.0, 1e9, 2e8, 0.0, 7.0, 3.0],
            &[1.0, 1e9, 1e9, 1e9, 9.0, 4.0],
        ),
        (&[0.0, 1e15, 0.0, 1e15, 5.0], &[1e15, 1e15, 1e15, 1e15, 5.0]),
        (&[0.0, 0.0, 0.0, 0.0, 1.0], &[1e9, 1e9, 1e9, 1e9, 1e9]),
    ];
    for (num, den) in cases {
        every_funnel(&FUNNELS, |options| {
            let num: Vec<f64> = match options.kind {
                Kind::Rate => num.iter().zip(den).map(|(a, b)| a.min(*b)).collect(),
                Kind::Oe | Kind::Ratio => num.to_vec(),
            };
            let funnel = funnel_limits(&num, den, &options).unwrap();
            check_funnel(&funnel, &options);
            for (unit, den) in funnel.units.iter().zip(den) {
                assert!(
                    *den > 0.0 || unit.ratio.is_none() && unit.standing == Standing::CannotTell
                );
            }
        });
    }
    let rate = Options::of(Kind::Rate);
    assert!(funnel_limits(&[1.0], &[], &rate).is_err());
    assert!(funnel_limits(&[f64::NAN], &[1.0], &rate).is_err());
    assert!(funnel_limits(&[2.0], &[1.0], &rate).is_err());
    assert!(funnel_limits(&[0.5], &[1.0], &rate).is_err());
    let shmi = Options {
        method: funnel::Method::Shmi,
        ..rate
    };
    assert_eq!(
        funnel_limits(&[1.0], &[1.0], &shmi).unwrap_err().argument,
        "method"
    );
    let trim = Options { trim: 0.5, ..rate };
    assert_eq!(
        funnel_limits(&[1.0], &[1.0], &trim).unwrap_err().argument,
        "trim"
    );
}

/// Flags per funnel over `rounds` networks of 100 units, `bad` of them at half rate, with 20 to 60 leads each.
fn flags(rounds: u32, bad: usize, leads: u64, is: impl Fn(Standing) -> bool) -> (f64, f64) {
    let mut dice = Dice(41);
    let (mut right, mut wrong) = (0, 0);
    for _ in 0..rounds {
        let n: Vec<u64> = (0..100).map(|_| leads + dice.below(2 * leads)).collect();
        let rate = |i: usize| if i < bad { 0.1 } else { 0.2 };
        let y: Vec<u64> = n
            .iter()
            .enumerate()
            .map(|(i, n)| dice.successes(*n, rate(i)))
            .collect();
        let funnel =
            funnel_limits(&as_numbers(&y), &as_numbers(&n), &Options::of(Kind::Rate)).unwrap();
        let flagged = |unit: &funnel::Unit| is(unit.standing);
        right += funnel.units[..bad].iter().filter(|u| flagged(u)).count();
        wrong += funnel.units[bad..].iter().filter(|u| flagged(u)).count();
    }
    (
        f64::from(right as u32) / f64::from(rounds),
        f64::from(wrong as u32) / f64::from(rounds),
    )
}

#[test]
fn where_nobody_is_bad_few_are_flagged() {
    let (_, below) = flags(200, 0, 20, |s| s == Standing::Below);
    assert!(below <= 0.1, "{below} below per 100");
    let (_, watched) = flags(200, 0, 20, |s| s == Standing::Watch);
    assert!(watched <= 3.5, "{watched} watched per 100");
    let (right, wrong) = flags(100, 10, 100, |s| s == Standing::Below);
    assert!(
        right > 3.0 && wrong < 0.1 * (right + wrong),
        "{right} right, {wrong} wrong"
    );
}
