//! Seasons: what must hold for any series.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::season::{Fit, SeasonWindow, stl};

const WINDOWS: [SeasonWindow; 6] = [
    SeasonWindow::Periodic,
    SeasonWindow::Cycles(3),
    SeasonWindow::Cycles(4),
    SeasonWindow::Cycles(7),
    SeasonWindow::Cycles(101),
    SeasonWindow::Cycles(1_000_000_000),
];

fn wave(n: usize, period: usize) -> Vec<f64> {
    (0..n)
        .map(|t| (t % period * t % 5) as f64 + 0.25 * t as f64)
        .collect()
}

#[test]
fn the_parts_add_up_for_every_shape_of_series() {
    for period in [2, 3, 4, 7, 12, 52] {
        for n in [2 * period, 2 * period + 1, 5 * period + 3, 40 * period] {
            let y = wave(n, period);
            for (window, fit) in WINDOWS
                .into_iter()
                .flat_map(|w| [(w, Fit::Plain), (w, Fit::Robust)])
            {
                let seasons = stl(&y, period, window, fit).unwrap();
                assert_eq!((seasons.status, seasons.points.len()), (Status::Ok, n));
                for (point, y) in seasons.points.iter().zip(&y) {
                    let sum = point.seasonal + point.trend + point.remainder;
                    assert!((sum - y).abs() < 1e-10 && (0.0..=1.0).contains(&point.weight));
                }
            }
        }
    }
}

#[test]
fn a_line_with_a_fixed_season_is_nearly_taken_apart() {
    let season = [3.0, -1.0, -2.5, 0.5];
    let y: Vec<f64> = (0..48)
        .map(|t| 10.0 + 0.5 * t as f64 + season[t % 4])
        .collect();
    for fit in [Fit::Plain, Fit::Robust] {
        let points = stl(&y, 4, SeasonWindow::Periodic, fit).unwrap().points;
        for (t, point) in points.iter().enumerate() {
            assert!(
                (point.seasonal - season[t % 4]).abs() < 0.15,
                "{t}: {point:?}"
            );
            assert!(
                (point.trend - 10.0 - 0.5 * t as f64).abs() < 0.15,
                "{t}: {point:?}"
            );
        }
    }
}

#[test]
fn periodic_repeats_itself() {
    let points = stl(&wave(65, 12), 12, SeasonWindow::Periodic, Fit::Plain)
        .unwrap()
        .points;
    for (now, then) in points.iter().skip(12).zip(&points) {
        assert_eq!(now.seasonal, then.seasonal);
    }
}

#[test]
fn an_outlier_bends_the_robust_fit_less() {
    let mut y = wave(96, 12);
    let before = stl(&y, 12, SeasonWindow::Periodic, Fit::Robust)
        .unwrap()
        .points;
    y[40] += 500.0;
    let moved = |fit| {
        let after = stl(&y, 12, SeasonWindow::Periodic, fit).unwrap().points;
        let distance: f64 = after
            .iter()
            .zip(&before)
            .map(|(a, b)| (a.trend - b.trend).abs())
            .sum();
        (distance, after[40].weight)
    };
    let (plain, robust) = (moved(Fit::Plain), moved(Fit::Robust));
    assert!(robust.0 < plain.0 / 10.0, "{robust:?} {plain:?}");
    assert_eq!((plain.1, robust.1), (1.0, 0.0));
}

#[test]
fn too_little_is_said_not_guessed() {
    let status = |n, period| {
        stl(&vec![1.0; n], period, SeasonWindow::Periodic, Fit::Plain)
            .unwrap()
            .status
    };
    assert_eq!(status(0, 12), Status::NoData);
    assert_eq!(status(23, 12), Status::Infeasible);
    assert_eq!(status(24, 12), Status::Ok);
    assert_eq!(status(5, usize::MAX), Status::Infeasible);
}

#[test]
fn extremes_stay_finite() {
    for fit in [Fit::Plain, Fit::Robust] {
        for y in [vec![0.0; 30], vec![1e100; 30], vec![-1e-300; 30]] {
            let seasons = stl(&y, 5, SeasonWindow::Cycles(7), fit).unwrap();
            assert_eq!((seasons.status, seasons.points.len()), (Status::Ok, 30));
        }
    }
    let y = wave(200_000, 7);
    assert_eq!(
        stl(&y, 7, SeasonWindow::Cycles(7), Fit::Robust)
            .unwrap()
            .status,
        Status::Ok
    );
}

#[test]
fn nonsense_is_invalid() {
    for bad in [f64::NAN, f64::INFINITY, 1e101] {
        assert_eq!(
            stl(&[bad], 2, SeasonWindow::Periodic, Fit::Plain)
                .unwrap_err()
                .argument,
            "y"
        );
    }
    for period in [0, 1] {
        assert_eq!(
            stl(&[], period, SeasonWindow::Periodic, Fit::Plain)
                .unwrap_err()
                .argument,
            "period"
        );
    }
    for cycles in [0, 2, usize::MAX] {
        assert_eq!(
            stl(&[], 2, SeasonWindow::Cycles(cycles), Fit::Plain)
                .unwrap_err()
                .argument,
            "window"
        );
    }
}
