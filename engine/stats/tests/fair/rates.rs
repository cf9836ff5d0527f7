//! Counts, samples, differences of rates and p values: what always holds.

use crate::dice::{CONFS, Dice, EXTREMES, all_finite, pick};
use tributary_engine_stats::adjust::{self, p_adjust};
use tributary_engine_stats::better::p_better;
use tributary_engine_stats::count::{Method, count_ci, rate_ratio_ci};
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::power::{mde, mde_from_target, power, sample_size};

#[test]
fn count_intervals_hold_their_rate_and_are_nested() {
    for method in [Method::Garwood, Method::Byar, Method::Log] {
        for events in [0, 1, 2, 7, 1000, 1_000_000_000] {
            for exposure in [1e-9, 1.0, 12.5, 1e12] {
                let mut inner: Option<(f64, f64)> = None;
                for conf in CONFS {
                    let e = count_ci(events, exposure, conf, method).unwrap();
                    let Some((lo, hi)) = e.lo.zip(e.hi) else {
                        assert!(events == 0 && method == Method::Log);
                        continue;
                    };
                    let value = e.value.unwrap();
                    assert!(0.0 <= lo && lo <= value && value <= hi && hi.is_finite());
                    if let Some((inner_lo, inner_hi)) = inner {
                        assert!(
                            lo <= inner_lo && hi >= inner_hi,
                            "{method:?} {events} {conf}"
                        );
                    }
                    inner = Some((lo, hi));
                }
            }
        }
    }
}

#[test]
fn counts_take_any_number() {
    for events in EXTREMES {
        for exposure in [0.0, 5e-324, 1e-300, 1.0, 1e300, f64::MAX] {
            for method in [Method::Garwood, Method::Byar, Method::Log] {
                let e = count_ci(events, exposure, 0.95, method).unwrap();
                all_finite(&[e.value, e.lo, e.hi], "count");
            }
            for other in EXTREMES {
                let r = rate_ratio_ci(events, exposure, other, 2.0, 0.95).unwrap();
                all_finite(&[r.ratio, r.lo, r.hi, r.p], "ratio");
                assert!(r.p.is_none_or(|p| (0.0..=1.0).contains(&p)));
            }
        }
    }
    assert_eq!(
        count_ci(0, 0.0, 0.95, Method::Byar).unwrap().status,
        Status::NoData
    );
    assert_eq!(
        count_ci(3, 0.0, 0.95, Method::Byar).unwrap().status,
        Status::ZeroBase
    );
    assert!(count_ci(3, f64::NAN, 0.95, Method::Byar).is_err());
    assert!(count_ci(3, -1.0, 0.95, Method::Byar).is_err());
    assert!(count_ci(3, 1.0, 1.0, Method::Byar).is_err());
    assert_eq!("wald".parse::<Method>().unwrap_err().argument, "method");
}

#[test]
fn a_rate_ratio_turned_round_is_its_inverse() {
    let mut dice = Dice(7);
    for _ in 0..200 {
        let (c1, c2) = (1 + dice.below(300), 1 + dice.below(300));
        let (e1, e2) = (1.0 + 10.0 * dice.share(), 1.0 + 10.0 * dice.share());
        let one = rate_ratio_ci(c1, e1, c2, e2, 0.9).unwrap();
        let other = rate_ratio_ci(c2, e2, c1, e1, 0.9).unwrap();
        assert!((one.lo.unwrap() * other.hi.unwrap() - 1.0).abs() < 1e-11);
        assert!((one.p.unwrap() - other.p.unwrap()).abs() < 1e-11);
    }
}

#[test]
fn power_sample_size_and_mde_agree() {
    for (p1, p2) in [
        (0.1, 0.2),
        (0.5, 0.75),
        (0.001, 0.002),
        (0.0, 0.3),
        (0.0, 1.0),
    ] {
        let n = sample_size(p1, p2, 0.8, 0.05).unwrap().unwrap();
        assert!((power(n, p1, p2, 0.05).unwrap() - 0.8).abs() < 1e-9 || p2 == 1.0);
    }
    assert_eq!(sample_size(0.2, 0.2, 0.8, 0.05).unwrap(), None);
    for n in [1, 36, 150, 10_000, 1_000_000_000] {
        for p0 in [0.0, 1e-6, 0.2, 0.5, 1.0] {
            let two = mde(n, p0, 0.8, 0.05).unwrap();
            let one = mde_from_target(n, p0, 0.8, 0.05).unwrap();
            for (other, size) in [
                (two.drop.map(|d| p0 - d), two.drop),
                (two.rise.map(|r| p0 + r), two.rise),
            ] {
                let (Some(other), Some(size)) = (other, size) else {
                    continue;
                };
                assert!((-1e-12..=1.0 + 1e-12).contains(&other) && size > 0.0);
                if size > 1e-9 {
                    let reached = power(n as f64, p0, other.clamp(0.0, 1.0), 0.05).unwrap();
                    assert!(
                        (reached - 0.8).abs() < 1e-6 || reached > 0.8,
                        "{n} {p0}: {reached}"
                    );
                }
            }
            if let (Some(one), Some(two)) = (one.drop, two.drop) {
                assert!(one <= two);
            }
        }
    }
    // Thirty-six leads at 20 % do not show a halved rate.
    assert!(
        mde_from_target(36, 0.2, 0.8, 0.05)
            .unwrap()
            .drop
            .is_none_or(|d| d > 0.1)
    );
    assert_eq!(mde(0, 0.3, 0.8, 0.05).unwrap().drop, None);
    for bad in [f64::NAN, -0.1, 1.1] {
        assert!(mde(9, bad, 0.8, 0.05).is_err() && power(9.0, bad, 0.5, 0.05).is_err());
    }
    assert!(mde(9, 0.1, 0.04, 0.05).is_err() && power(f64::NAN, 0.1, 0.2, 0.05).is_err());
}

#[test]
fn better_and_worse_are_the_whole() {
    let mut dice = Dice(11);
    for _ in 0..300 {
        let scale = 10_u64.pow(dice.below(8) as u32);
        let (n1, n2) = (1 + dice.below(10 * scale), 1 + dice.below(10 * scale));
        let (y1, y2) = (dice.below(n1 + 1), dice.below(n2 + 1));
        let (a, b) = (0.01 + 3.0 * dice.share(), 0.01 + 3.0 * dice.share());
        let better = p_better(y1, n1, y2, n2, a, b).unwrap().unwrap();
        let worse = p_better(y2, n2, y1, n1, a, b).unwrap().unwrap();
        assert!(
            (better + worse - 1.0).abs() < 1e-10,
            "{y1}/{n1} {y2}/{n2} {a} {b}: {better} {worse}"
        );
        let mirrored = p_better(n1 - y1, n1, n2 - y2, n2, b, a).unwrap().unwrap();
        assert!((mirrored - worse).abs() < 1e-10);
    }
    assert_eq!(p_better(1, 4, 1, 4, 1.0, 1.0).unwrap(), Some(0.5));
    assert_eq!(p_better(0, 0, 1, 4, 1.0, 1.0).unwrap(), None);
    assert_eq!(p_better(1, u64::MAX, 1, 4, 1.0, 1.0).unwrap(), None);
    let huge = p_better(
        100_000_000,
        1_000_000_000,
        900_000_000,
        1_000_000_000,
        1.0,
        1.0,
    );
    assert_eq!(huge.unwrap(), Some(1.0));
    assert!(p_better(5, 4, 1, 4, 1.0, 1.0).is_err() && p_better(1, 4, 1, 4, 0.0, 1.0).is_err());
}

#[test]
fn adjusted_p_values_keep_order_and_ignore_the_absent() {
    let methods = ["bh", "by", "holm", "hochberg", "bonferroni", "none"];
    let mut dice = Dice(5);
    let p: Vec<Option<f64>> = (0..200)
        .map(|i| (i % 7 != 0).then(|| (dice.share().powi(3) * 50.0).floor() / 50.0))
        .collect();
    for name in methods {
        let method: adjust::Method = name.parse().unwrap();
        let adjusted = p_adjust(&p, method).unwrap();
        for (p, q) in p.iter().zip(&adjusted) {
            assert_eq!(p.is_none(), q.is_none());
            assert!(q.is_none_or(|q| q >= p.unwrap() && q <= 1.0));
        }
        for (p1, q1) in p.iter().zip(&adjusted) {
            for (p2, q2) in p.iter().zip(&adjusted) {
                assert!(p1 >= p2 || p2.is_none() || q1 <= q2, "{name}");
            }
        }
        let order = dice.shuffled(p.len());
        assert_eq!(
            p_adjust(&pick(&p, &order), method).unwrap(),
            pick(&adjusted, &order)
        );
        let present: Vec<Option<f64>> = p.iter().copied().filter(Option::is_some).collect();
        let alone = p_adjust(&present, method).unwrap();
        assert!(adjusted.iter().filter(|q| q.is_some()).eq(alone.iter()));
    }
    assert_eq!(p_adjust(&[], adjust::Method::Bh).unwrap(), []);
    assert_eq!(p_adjust(&[None], adjust::Method::By).unwrap(), [None]);
    assert!(p_adjust(&[Some(f64::NAN)], adjust::Method::Bh).is_err());
    // R: p.adjust(c(.01, .02, .03, .04, .05), "hochberg") is .05 throughout.
    let five: Vec<Option<f64>> = (1..=5).map(|i| Some(f64::from(i) / 100.0)).collect();
    for q in p_adjust(&five, adjust::Method::Hochberg).unwrap() {
        assert!((q.unwrap() - 0.05).abs() < 1e-15);
    }
}
