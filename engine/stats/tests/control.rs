//! Control charts: worked examples, and what must hold for any series.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose function refuses a valid argument has failed"
)]

use tributary_engine_stats::control::cusum::{Shift, cusum};
use tributary_engine_stats::control::ewma::{EwmaChart, Width, ewma};
use tributary_engine_stats::control::individuals::xmr;
use tributary_engine_stats::control::moving_range_sigma;
use tributary_engine_stats::control::risk_adjusted::ra_cusum;
use tributary_engine_stats::estimate::Status;

/// Montgomery (2009), Introduction to Statistical Quality Control, table 9.1: mean 10 up to sample 20, then 11.
const SHIFTED: [f64; 30] = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40,
    10.08, 9.37, 10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62,
    11.31, 10.52,
];

#[test]
fn montgomery_cusum_signals_at_sample_29() {
    let chart = cusum(&SHIFTED, 10.0, 0.5, 5.0).unwrap();
    // Table 9.2: C+ at 29 is 5.28 with N+ = 7, at 30 it is 5.30; C- at 2 is 1.56.
    assert_eq!(chart.first_signal, Some(28));
    let at = |i: usize| chart.points[i - 1];
    assert!((at(29).high - 5.28).abs() < 1e-9 && at(29).run_high == 7);
    assert!((at(30).high - 5.30).abs() < 1e-9 && at(30).signal == Some(Shift::High));
    assert!((at(2).low - 1.56).abs() < 1e-9 && at(2).run_low == 2);
}

#[test]
fn montgomery_ewma_signals_at_sample_29() {
    // Table 9.10: λ = 0.1, L = 2.7, σ = 1: z₁ = 9.945, z₂₉ = 10.6468 is the first outside.
    let chart = EwmaChart {
        start: Some(10.0),
        sigma: Some(1.0),
        sigmas: 2.7,
        ..EwmaChart::new(0.1)
    };
    let drawn = ewma(&SHIFTED, chart).unwrap();
    assert_eq!(drawn.first_signal, Some(28));
    assert!((drawn.points[28].value - 10.6468).abs() < 5e-5);
    assert!((drawn.points[0].value - 9.945).abs() < 1e-9);
    assert!((drawn.points[0].ucl.unwrap() - 10.27).abs() < 1e-9);
    assert!((drawn.points[1].ucl.unwrap() - 10.36).abs() < 5e-3);
    assert!((drawn.points[29].lcl.unwrap() - 9.38).abs() < 5e-3);
}

#[test]
fn xmr_draws_the_limits_of_its_moving_ranges() {
    let x = [
        39.0, 41.0, 41.0, 41.0, 43.0, 44.0, 41.0, 42.0, 40.0, 41.0, 44.0, 40.0,
    ];
    let chart = xmr(&x).unwrap();
    let ranges = [2.0, 0.0, 0.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0, 3.0, 4.0];
    let mean_range = ranges.iter().sum::<f64>() / 11.0;
    let centre = x.iter().sum::<f64>() / 12.0;
    assert!((chart.mean_range.unwrap() - mean_range).abs() < 1e-14);
    assert!((chart.ucl.unwrap() - (centre + 3.0 / 1.128 * mean_range)).abs() < 1e-12);
    assert!((chart.lcl.unwrap() - (centre - 3.0 / 1.128 * mean_range)).abs() < 1e-12);
    assert!((chart.range_ucl.unwrap() - 3.267 * mean_range).abs() < 1e-12);
    assert_eq!(chart.sigma, moving_range_sigma(&x).unwrap());
    assert!(
        chart
            .points
            .iter()
            .zip([None].into_iter().chain(ranges.map(Some)))
            .all(|(point, range)| point.range == range)
    );
    assert!(
        chart
            .points
            .iter()
            .all(|p| !p.beyond_limit && !p.run && !p.range_beyond)
    );
}

/// A long quiet series around 0 with σ near 1, and some values put at its end.
fn marked(end: &[f64]) -> Vec<(bool, bool, bool, bool)> {
    let quiet = (0..4000).map(|i| if i % 2 == 0 { 0.564 } else { -0.564 });
    let x: Vec<f64> = quiet.chain(end.iter().copied()).collect();
    let chart = xmr(&x).unwrap();
    let marks = chart
        .points
        .iter()
        .map(|p| (p.beyond_limit, p.two_of_three, p.four_of_five, p.run));
    marks.skip(4000).collect()
}

#[test]
fn run_signals_are_marked_where_they_complete() {
    for sign in [1.0, -1.0] {
        let of = |end: &[f64]| marked(&end.iter().map(|v| sign * v).collect::<Vec<_>>());
        assert_eq!(of(&[3.2]), [(true, false, false, false)]);
        assert_eq!(of(&[2.5, 0.1, 2.5])[2], (false, true, false, false));
        assert_eq!(of(&[2.5, 0.1, 0.1, 2.5])[3], (false, false, false, false));
        assert_eq!(of(&[2.5, -2.5])[1], (false, false, false, false));
        assert_eq!(
            of(&[1.5, 1.5, 0.1, 1.5, 1.5])[4],
            (false, false, true, false)
        );
        assert_eq!(
            of(&[1.5, 1.5, 0.1, 1.5, 0.1])[4],
            (false, false, false, false)
        );
    }
    // Counted from the last value on the other side, -0.564.
    let runs: Vec<bool> = marked(&[0.3; 9]).into_iter().map(|m| m.3).collect();
    assert_eq!(runs, [[false; 7].as_slice(), &[true; 2]].concat());
}

#[test]
fn a_risk_adjusted_cusum_scores_as_steiner_does() {
    // R = 2: a failure at p = 0.5 scores -ln 1.5, a success ln(4/3).
    let chart = ra_cusum(&[true, true, false, true], &[0.5; 4], 2.0, Some(0.5)).unwrap();
    let (up, down) = (f64::ln(4.0 / 3.0), -f64::ln(1.5));
    let sums = [up, 2.0 * up, 2.0 * up + down, 3.0 * up + down];
    for (point, sum) in chart.points.iter().zip(sums) {
        assert!((point.sum - sum).abs() < 1e-15);
    }
    assert_eq!(chart.first_signal, Some(1));
    // Watching successes for a drop is watching failures for a rise.
    let y: Vec<bool> = (0..50).map(|i| i % 3 == 0).collect();
    let p: Vec<f64> = (0..50).map(|i| f64::from(i + 1) / 60.0).collect();
    let (failed, q): (Vec<bool>, Vec<f64>) = y.iter().zip(&p).map(|(y, p)| (!y, 1.0 - p)).unzip();
    let (drop, rise) = (
        ra_cusum(&y, &p, 0.5, None).unwrap(),
        ra_cusum(&failed, &q, 2.0, None).unwrap(),
    );
    for (a, b) in drop.points.iter().zip(&rise.points) {
        assert!((a.sum - b.sum).abs() < 1e-12 && !a.signal);
    }
}

#[test]
fn extremes_stay_finite() {
    for ratio in [f64::MIN_POSITIVE, 1e-300, 1.0, 1e100] {
        let y = [true, false, true, false, true, false];
        let chart = ra_cusum(
            &y,
            &[0.0, 0.0, 1.0, 1.0, 1e-300, 1.0 - 1e-16],
            ratio,
            Some(1.0),
        )
        .unwrap();
        assert!(
            chart
                .points
                .iter()
                .all(|p| p.score.is_finite() && p.sum.is_finite())
        );
    }
    let x = [1e100, -1e100, 1e100, 0.0];
    assert!(
        cusum(&x, -1e100, 1e100, 1.0)
            .unwrap()
            .points
            .iter()
            .all(|p| p.high.is_finite() && p.low.is_finite())
    );
    assert!(xmr(&x).unwrap().ucl.unwrap().is_finite());
    assert!(
        ewma(&x, EwmaChart::new(1e-300))
            .unwrap()
            .points
            .iter()
            .all(|p| p.ucl.unwrap().is_finite())
    );
    assert!(
        xmr(&[0.1; 9])
            .unwrap()
            .points
            .iter()
            .all(|p| !p.beyond_limit && !p.run && !p.two_of_three)
    );
}

#[test]
fn too_little_is_said_not_guessed() {
    assert_eq!(cusum(&[], 0.0, 1.0, 1.0).unwrap().status, Status::NoData);
    assert_eq!(
        ra_cusum(&[], &[], 2.0, None).unwrap().status,
        Status::NoData
    );
    let nothing = ewma(&[], EwmaChart::new(0.2)).unwrap();
    assert_eq!(
        (nothing.status, nothing.start, nothing.sigma),
        (Status::NoData, None, None)
    );
    let one = ewma(&[3.0], EwmaChart::new(0.2)).unwrap();
    assert_eq!(
        (one.status, one.points[0].ucl, one.points[0].value),
        (Status::SmallN, None, 3.0)
    );
    assert_eq!(
        (xmr(&[]).unwrap().status, xmr(&[]).unwrap().centre),
        (Status::NoData, None)
    );
    assert_eq!(
        (xmr(&[3.0]).unwrap().status, xmr(&[3.0]).unwrap().ucl),
        (Status::SmallN, None)
    );
    assert_eq!(moving_range_sigma(&[3.0]), Ok(None));
}

#[test]
fn nonsense_is_invalid() {
    for bad in [f64::NAN, f64::INFINITY, 1e101] {
        assert!(
            cusum(&[bad], 0.0, 1.0, 1.0).is_err()
                && xmr(&[bad]).is_err()
                && moving_range_sigma(&[bad]).is_err()
        );
        assert_eq!(cusum(&[0.0], bad, 1.0, 1.0).unwrap_err().argument, "target");
        assert_eq!(cusum(&[0.0], 0.0, bad, 1.0).unwrap_err().argument, "k");
        assert_eq!(cusum(&[0.0], 0.0, 1.0, bad).unwrap_err().argument, "h");
        assert_eq!(
            ewma(&[0.0], EwmaChart::new(bad)).unwrap_err().argument,
            "lambda"
        );
        assert_eq!(ewma(&[bad], EwmaChart::new(0.5)).unwrap_err().argument, "x");
        assert_eq!(
            ra_cusum(&[true], &[bad], 2.0, None).unwrap_err().argument,
            "p"
        );
        assert_eq!(
            ra_cusum(&[true], &[0.5], bad, None).unwrap_err().argument,
            "odds_ratio"
        );
        assert_eq!(
            ra_cusum(&[true], &[0.5], 2.0, Some(bad))
                .unwrap_err()
                .argument,
            "h"
        );
    }
    assert!(cusum(&[0.0], 0.0, -1.0, 1.0).is_err() && cusum(&[0.0], 0.0, 1.0, 0.0).is_err());
    assert!(ra_cusum(&[true], &[], 2.0, None).is_err());
    let with = |start, sigma, sigmas| {
        ewma(
            &[0.0],
            EwmaChart {
                start,
                sigma,
                sigmas,
                ..EwmaChart::new(0.5)
            },
        )
        .unwrap_err()
        .argument
    };
    assert_eq!(with(Some(f64::NAN), None, 3.0), "start");
    assert_eq!(with(None, Some(-1.0), 3.0), "sigma");
    assert_eq!(with(None, None, 0.0), "sigmas");
    assert!(Width::named("wide").is_err());
}
