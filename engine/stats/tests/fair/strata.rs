//! Strata and expected counts: what always holds.

use crate::dice::{Dice, EXTREMES, all_finite, pick};
use tributary_engine_stats::count::Method;
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::indirect::{adjusted_rate, expected_from_strata};
use tributary_engine_stats::strata::{Stratum, mh_or, mix_rate};

#[test]
fn strata_in_any_order_and_any_size() {
    let mut dice = Dice(47);
    let mut strata: Vec<Stratum> = (0..30)
        .map(|_| Stratum {
            success1: dice.below(20),
            failure1: dice.below(30),
            success2: dice.below(25),
            failure2: dice.below(40),
        })
        .collect();
    let empty = Stratum {
        success1: 0,
        failure1: 0,
        success2: 0,
        failure2: 0,
    };
    strata.push(empty);
    strata.push(Stratum {
        success2: 1,
        ..empty
    });
    let (mh, mix) = (mh_or(&strata, 0.95).unwrap(), mix_rate(&strata));
    let order = dice.shuffled(strata.len());
    assert_eq!(mh_or(&pick(&strata, &order), 0.95).unwrap(), mh);
    assert_eq!(mix_rate(&pick(&strata, &order)), mix);
    let parts = mix.rate_effect.unwrap() + mix.mix_effect.unwrap();
    assert!((parts - mix.diff.unwrap()).abs() < 1e-14);
    assert!(mh.lo < mh.or_adj && mh.or_adj < mh.hi);
    // One stratum has nothing to adjust.
    let one = mh_or(&strata[..1], 0.95).unwrap();
    assert!((one.or_adj.unwrap() / one.or_crude.unwrap() - 1.0).abs() < 1e-14);
    assert_eq!(one.simpson, Some(false));
    for a in EXTREMES {
        for b in EXTREMES {
            for c in EXTREMES {
                let strata = [
                    Stratum {
                        success1: a,
                        failure1: b,
                        success2: c,
                        failure2: 3,
                    },
                    empty,
                ];
                let mh = mh_or(&strata, 0.95).unwrap();
                all_finite(
                    &[
                        mh.or_crude,
                        mh.or_adj,
                        mh.lo,
                        mh.hi,
                        mh.chi2,
                        mh.p,
                        mh.chi2_corrected,
                        mh.p_corrected,
                    ],
                    "mh",
                );
                let mix = mix_rate(&strata);
                all_finite(&[mix.diff, mix.rate_effect, mix.mix_effect], "mix");
            }
        }
    }
    assert_eq!(mh_or(&[], 0.95).unwrap().status, Status::NoData);
    assert_eq!(mix_rate(&[empty]).status, Status::NoData);
}

#[test]
fn a_mix_without_common_strata_is_mix_alone() {
    let strata = [
        Stratum {
            success1: 5,
            failure1: 5,
            success2: 0,
            failure2: 0,
        },
        Stratum {
            success1: 0,
            failure1: 0,
            success2: 2,
            failure2: 8,
        },
    ];
    let mix = mix_rate(&strata);
    assert_eq!(mix.rate_effect, Some(0.0));
    assert!((mix.mix_effect.unwrap() - 0.3).abs() < 1e-15);
}

#[test]
fn expected_successes_sum_to_the_observed() {
    let mut dice = Dice(53);
    let rows = 400;
    let unit: Vec<usize> = (0..rows).map(|_| dice.below(20) as usize).collect();
    let stratum: Vec<usize> = (0..rows).map(|_| dice.below(6) as usize).collect();
    let n: Vec<u64> = (0..rows).map(|_| dice.below(30)).collect();
    let y: Vec<u64> = n.iter().map(|n| dice.successes(*n, 0.3)).collect();
    for pseudo in [0.0, 10.0] {
        let units = expected_from_strata(&unit, &stratum, &y, &n, pseudo).unwrap();
        let expected: f64 = units.iter().map(|u| u.expected).sum();
        let observed: u64 = units.iter().map(|u| u.observed).sum();
        assert!((expected - observed as f64).abs() < 1e-9);
        let order = dice.shuffled(rows);
        let other = expected_from_strata(
            &pick(&unit, &order),
            &pick(&stratum, &order),
            &pick(&y, &order),
            &pick(&n, &order),
            pseudo,
        );
        assert_eq!(other.unwrap(), units);
    }
    let nothing = expected_from_strata(&[0, 1], &[0, 0], &[0, 0], &[0, 0], 0.0).unwrap();
    assert_eq!((nothing[0].expected, nothing[1].trials), (0.0, 0));
    assert_eq!(expected_from_strata(&[], &[], &[], &[], 0.0).unwrap(), []);
    assert!(expected_from_strata(&[9], &[0], &[0], &[1], 0.0).is_err());
    assert!(expected_from_strata(&[0], &[0], &[2], &[1], 0.0).is_err());
    assert!(expected_from_strata(&[0], &[0], &[0], &[1], f64::NAN).is_err());
    let adjusted = adjusted_rate(&[0], &[0.0], &[0], &[0.0], 0.95, Method::Byar).unwrap();
    assert_eq!(
        (adjusted.expected, adjusted.rate.value, adjusted.crude_rate),
        (None, None, None)
    );
    assert!(adjusted_rate(&[1], &[], &[1], &[1.0], 0.95, Method::Byar).is_err());
}
