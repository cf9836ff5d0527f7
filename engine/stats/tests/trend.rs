//! Trends: numbers of scipy, and what must hold for any series.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose function refuses a valid argument has failed"
)]

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::trend::kendall::{MannKendall, mann_kendall};
use tributary_engine_stats::trend::slope::{LENGTH_MAX, TheilSen, theil_sen};

fn close(actual: Option<f64>, expected: f64) {
    let actual = actual.unwrap();
    assert!(
        (actual - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
        "{actual} for {expected}"
    );
}

/// S, z, P of pymannkendall 1.4.3 `original_test`, τ_b of scipy 1.17.1 `kendalltau`.
fn check_trend(y: &[f64], s: f64, z: f64, p: f64, tau: f64) {
    let test = mann_kendall(y).unwrap();
    assert_eq!((test.s, test.status), (Some(s), Status::Ok));
    close(test.z, z);
    close(test.p, p);
    close(test.tau, tau);
}

#[test]
fn mann_kendall_as_python_computes_it() {
    let mut y: Vec<f64> = (0..40)
        .map(|i| f64::from(17 * i % 23) * 0.5 + f64::from(i) * 0.3)
        .collect();
    y[7] = 99.0;
    check_trend(
        &y,
        366.0,
        4.25262761465888,
        2.112767449347075e-05,
        0.4692307692307693,
    );
    let tied: Vec<f64> = (0..40)
        .map(|i| f64::from(17 * i % 23 / 4 + i / 10))
        .collect();
    check_trend(
        &tied,
        278.0,
        3.26583735565376,
        0.0010914091625606748,
        0.3789421799840826,
    );
}

/// scipy 1.17.1 `theilslopes`.
fn check_slope(x: &[f64], y: &[f64], conf: f64, expected: [f64; 4]) {
    let found = theil_sen(x, y, conf).unwrap();
    close(found.slope, expected[0]);
    close(found.intercept, expected[1]);
    close(found.lo, expected[2]);
    close(found.hi, expected[3]);
}

#[test]
fn theil_sen_as_scipy_computes_it() {
    let index: Vec<f64> = (0..40).map(f64::from).collect();
    let mut y: Vec<f64> = (0..40)
        .map(|i| f64::from(17 * i % 23) * 0.5 + f64::from(i) * 0.3)
        .collect();
    y[7] = 99.0;
    check_slope(
        &index,
        &y,
        0.95,
        [
            0.2571428571428571,
            6.935714285714285,
            0.17499999999999996,
            0.36666666666666664,
        ],
    );
    let x: Vec<f64> = (0..40).map(|i| f64::from(7 * i % 13)).collect();
    let y: Vec<f64> = (0..40)
        .map(|i| f64::from(17 * i % 23 / 4) + x[i as usize] * 0.25)
        .collect();
    check_slope(&x, &y, 0.9, [0.25, 2.25, 0.25, 0.4166666666666667]);
    // Too many pairs to list.
    let x: Vec<f64> = (0..1500).map(|i| f64::from(37 * i % 701) / 7.0).collect();
    let y: Vec<f64> = (0..1500)
        .map(|i| f64::from(i * i % 1009) / 3.0 + x[i as usize] * 1.7)
        .collect();
    check_slope(
        &x,
        &y,
        0.95,
        [
            1.7000000000000004,
            164.44523809523807,
            1.5303030303030294,
            1.8768421052631583,
        ],
    );
}

#[test]
fn theil_sen_of_hollander_and_wolfe() {
    // Nonparametric Statistical Methods (1999), section 9.1: ratios of rainfall in five years of cloud seeding.
    let y = [1.26, 1.27, 1.12, 1.16, 1.03];
    let found = theil_sen(&[1.0, 2.0, 3.0, 4.0, 5.0], &y, 0.95).unwrap();
    // By hand: of the ten slopes the middle two are -0.0575 and -0.055.
    close(found.slope, -0.05625);
}

#[test]
fn order_of_points_does_not_matter() {
    for n in [30_u32, 1300] {
        let points: Vec<(f64, f64)> = (0..n)
            .map(|i| (f64::from(i * 31 % 97), f64::from(i * i % 211)))
            .collect();
        let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let (back_x, back_y): (Vec<f64>, Vec<f64>) = points.iter().rev().copied().unzip();
        assert_eq!(theil_sen(&x, &y, 0.9), theil_sen(&back_x, &back_y, 0.9));
    }
}

#[test]
fn a_trend_read_backwards_is_the_opposite() {
    let y: Vec<f64> = (0..333).map(|i| f64::from(i * i % 47 + i / 20)).collect();
    let back: Vec<f64> = y.iter().rev().copied().collect();
    let (a, b) = (mann_kendall(&y).unwrap(), mann_kendall(&back).unwrap());
    assert_eq!((a.s, a.z, a.p), (b.s.map(|s| -s), b.z.map(|z| -z), b.p));
    let direct: f64 = (0..333)
        .flat_map(|j| (0..j).map(move |i| (i, j)))
        .map(|(i, j)| f64::from(i8::from(y[j] > y[i]) - i8::from(y[j] < y[i])))
        .sum();
    assert_eq!(a.s, Some(direct));
}

#[test]
fn intervals_are_nested_in_conf() {
    let x: Vec<f64> = (0..60).map(f64::from).collect();
    let y: Vec<f64> = (0..60)
        .map(|i| f64::from(i * 13 % 29) + f64::from(i) * 0.1)
        .collect();
    let mut inner: Option<TheilSen> = None;
    for conf in [1e-9, 0.5, 0.9, 0.99, 1.0 - 1e-12] {
        let found = theil_sen(&x, &y, conf).unwrap();
        if let Some(inner) = inner {
            assert!(found.lo <= inner.lo && found.hi >= inner.hi && found.slope == inner.slope);
        }
        inner = Some(found);
    }
}

#[test]
fn too_little_is_said_not_guessed() {
    let nothing = MannKendall {
        s: None,
        z: None,
        p: None,
        tau: None,
        n: 0,
        status: Status::NoData,
    };
    assert_eq!(mann_kendall(&[]), Ok(nothing));
    let one = mann_kendall(&[4.0]).unwrap();
    assert_eq!(
        (one.z, one.p, one.tau, one.status),
        (None, None, None, Status::SmallN)
    );
    let flat = mann_kendall(&[4.0; 9]).unwrap();
    assert_eq!(
        (flat.s, flat.z, flat.p, flat.tau),
        (Some(0.0), Some(0.0), Some(1.0), None)
    );
    assert_eq!(theil_sen(&[], &[], 0.95).unwrap().status, Status::NoData);
    assert_eq!(
        theil_sen(&[1.0], &[2.0], 0.95).unwrap().status,
        Status::Infeasible
    );
    assert_eq!(
        theil_sen(&[1.0, 1.0], &[2.0, 3.0], 0.95).unwrap().status,
        Status::Infeasible
    );
    let two = theil_sen(&[1.0, 2.0], &[2.0, 5.0], 0.95).unwrap();
    assert_eq!(
        (two.slope, two.lo, two.hi, two.intercept),
        (Some(3.0), Some(3.0), Some(3.0), Some(-1.0))
    );
    let long = vec![0.0; LENGTH_MAX + 1];
    assert_eq!(
        theil_sen(&long, &long, 0.95).unwrap().status,
        Status::NotConverged
    );
}

#[test]
fn extremes_stay_finite() {
    for n in [3_usize, 1200] {
        let x: Vec<f64> = (0..n)
            .map(|i| if i % 2 == 0 { 1e-300 } else { 1e100 })
            .collect();
        let y: Vec<f64> = (0..n)
            .map(|i| if i % 3 == 0 { -1e100 } else { 1e100 })
            .collect();
        for (x, y) in [(&x, &y), (&y, &x), (&x, &x)] {
            let found = theil_sen(x, y, 0.95).unwrap();
            assert!(
                [found.slope, found.lo, found.hi]
                    .iter()
                    .all(|v| v.unwrap().is_finite())
            );
        }
        let tiny: Vec<f64> = (0..n).map(|i| i as f64 * 5e-324).collect();
        assert!(
            theil_sen(&tiny, &y, 0.95)
                .unwrap()
                .slope
                .unwrap()
                .is_finite()
        );
    }
    let many: Vec<f64> = (0..2_000_000).map(|i| f64::from(i % 1000)).collect();
    assert!(mann_kendall(&many).unwrap().tau.unwrap().abs() < 0.01);
}

#[test]
fn nonsense_is_invalid() {
    for bad in [f64::NAN, f64::INFINITY] {
        assert_eq!(mann_kendall(&[bad]).unwrap_err().argument, "y");
        assert_eq!(theil_sen(&[bad], &[0.0], 0.95).unwrap_err().argument, "x");
        assert_eq!(theil_sen(&[0.0], &[bad], 0.95).unwrap_err().argument, "y");
    }
    assert_eq!(theil_sen(&[0.0], &[], 0.95).unwrap_err().argument, "y");
    assert_eq!(theil_sen(&[0.0], &[0.0], 1.0).unwrap_err().argument, "conf");
}
