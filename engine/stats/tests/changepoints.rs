//! Change points: what must hold for any series.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose function refuses a valid argument has failed"
)]

use tributary_engine_stats::change::points::{
    Cost, LENGTH_MAX, Segment, Segmentation, at_most_one, changepoints,
};
use tributary_engine_stats::estimate::Status;

fn ends(found: &Segmentation) -> Vec<f64> {
    found
        .segments
        .iter()
        .map(|segment| segment.end as f64)
        .collect()
}

fn of(y: &[f64], cost: Cost<'_>) -> Vec<Segment> {
    let found = changepoints(y, cost, None, 1).unwrap();
    assert_eq!((found.status, found.n), (Status::Ok, y.len() as u64));
    found.segments
}

#[test]
fn a_constant_series_has_one_segment() {
    for level in [0.0, 0.1, -1e99, 1e-300, 12_345.678] {
        for n in [1, 2, 3, 50, 130, 500] {
            let segments = of(&vec![level; n], Cost::L2);
            let whole = Segment {
                start: 0,
                end: n,
                level: Some(level),
                delta_prev: None,
            };
            assert_eq!(segments, [whole]);
        }
    }
    assert_eq!(of(&[0.0; 30], Cost::Poisson).len(), 1);
    assert_eq!(of(&[7.0; 30], Cost::Binomial(&[7; 30])).len(), 1);
}

#[test]
fn exact_steps_are_found_though_most_differences_are_0() {
    for (scale, origin) in [(1.0, 0.0), (1e-6, 1e3), (1e9, -1e9)] {
        let y: Vec<f64> = (0..40)
            .map(|i| {
                origin
                    + scale
                        * if i < 13 {
                            0.1
                        } else if i < 30 {
                            5.3
                        } else {
                            2.2
                        }
            })
            .collect();
        let segments = of(&y, Cost::L2);
        let ends: Vec<usize> = segments.iter().map(|s| s.end).collect();
        assert_eq!(ends, [13, 30, 40]);
        assert!((segments[1].delta_prev.unwrap() / scale - 5.2).abs() < 1e-6);
    }
}

#[test]
fn a_rate_that_falls_is_found_whatever_the_trials() {
    let trials: Vec<u64> = (0..48).map(|i| [0, 40, 90, 10][i % 4]).collect();
    let y: Vec<f64> = trials
        .iter()
        .enumerate()
        .map(|(i, n)| (*n as f64 * if i < 20 { 0.4 } else { 0.1 }).round())
        .collect();
    let segments = of(&y, Cost::Binomial(&trials));
    assert_eq!((segments.len(), segments[0].level), (2, Some(0.4)));
    assert!(segments[0].end == 20 || segments[0].end == 21);
    let empty = changepoints(&[0.0; 4], Cost::Binomial(&[0; 4]), None, 1).unwrap();
    assert_eq!(empty.segments[0].level, None);
}

#[test]
fn deviances_keep_their_digits_for_large_counts() {
    let y: Vec<f64> = (0..60)
        .map(|i| if i < 30 { 1e9 } else { 1e9 + 4e5 })
        .collect();
    let change = at_most_one(&y, Cost::Poisson, 1).unwrap().unwrap();
    // Two levels m ± h of 30 periods each: 60 m((1+u) ln(1+u) + (1-u) ln(1-u)), nearly 60 m u².
    let (m, u): (f64, f64) = (1e9 + 2e5, 2e5 / (1e9 + 2e5));
    assert!(
        (change.gain / (60.0 * m * u * u) - 1.0).abs() < 1e-6,
        "{}",
        change.gain
    );
    assert_eq!(change.k, 30);
}

#[test]
fn reading_backwards_mirrors_the_segments() {
    let y: Vec<f64> = (0..90)
        .map(|i| f64::from((i * i) % 7 + if i / 20 % 2 == 0 { 30 } else { 0 }))
        .collect();
    let back: Vec<f64> = y.iter().rev().copied().collect();
    let starts: Vec<usize> = of(&back, Cost::L2)
        .iter()
        .rev()
        .map(|s| 90 - s.start)
        .collect();
    let ends: Vec<usize> = of(&y, Cost::L2).iter().map(|s| s.end).collect();
    assert_eq!(starts, ends);
}

#[test]
fn short_and_long_series_answer() {
    assert_eq!(
        changepoints(&[], Cost::L2, None, 1).unwrap().status,
        Status::NoData
    );
    assert_eq!(at_most_one(&[], Cost::L2, 1), Ok(None));
    assert_eq!(at_most_one(&[1.0, 2.0, 9.0], Cost::L2, 2), Ok(None));
    let one = changepoints(&[1.0, 9.0], Cost::L2, Some(0.0), usize::MAX).unwrap();
    assert_eq!(ends(&one), [2.0]);
    let long = changepoints(&vec![1.0; LENGTH_MAX + 1], Cost::L2, None, 1).unwrap();
    assert_eq!(
        (long.status, long.segments.len()),
        (Status::NotConverged, 0)
    );
    let y: Vec<f64> = (0..10_000)
        .map(|i| f64::from(i / 700 % 3 + i * i % 5))
        .collect();
    assert_eq!(of(&y, Cost::L2).len(), 15);
}

#[test]
fn nonsense_is_invalid() {
    let refused = |y: &[f64], cost, penalty, min_seg| {
        changepoints(y, cost, penalty, min_seg)
            .unwrap_err()
            .argument
    };
    for bad in [f64::NAN, f64::INFINITY, 1e101] {
        assert_eq!(refused(&[1.0, bad], Cost::L2, None, 1), "y");
    }
    assert_eq!(refused(&[-1.0], Cost::Poisson, None, 1), "y");
    assert_eq!(refused(&[2.0], Cost::Binomial(&[1]), None, 1), "y");
    assert_eq!(refused(&[2.0], Cost::Binomial(&[]), None, 1), "trials");
    assert_eq!(refused(&[2.0], Cost::L2, None, 0), "min_seg");
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(refused(&[2.0], Cost::L2, Some(bad), 1), "penalty");
    }
    assert!(at_most_one(&[f64::NAN], Cost::L2, 1).is_err());
    assert!(Cost::named("binomial", None).is_err() && Cost::named("l1", None).is_err());
}
