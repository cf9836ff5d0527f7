//! The χ² distribution against values computed with 700 digits (tests/themes/chi2.json; mpmath).

use crate::published::{assert_close, json};
use tributary_engine_stats::special::{chi2_sf, chi2_upper_quantile};

#[test]
fn the_upper_tail_keeps_its_digits() {
    let mut worst = 0.0_f64;
    for row in json("tests/themes/chi2.json").as_array().unwrap() {
        let row = row.as_str().unwrap();
        let numbers: Vec<f64> = row.split(' ').map(|v| v.parse().unwrap()).collect();
        let (x, df, expected) = (numbers[0], numbers[1], numbers[2]);
        let actual = chi2_sf(x, df).unwrap();
        let error = (actual / expected - 1.0).abs();
        assert!(error <= 1e-12, "{row}: {actual}, off by {error:e}");
        worst = worst.max(error);
    }
    println!("chi2_sf: {worst:.1e}");
}

#[test]
fn the_quantile_inverts_the_tail() {
    for df in [0.5, 1.0, 2.0, 3.0, 9.0, 100.0, 1e4, 1e7] {
        let mut last = f64::INFINITY;
        for tail in [1e-300, 1e-12, 0.001, 0.05, 0.5, 0.95, 0.999] {
            let x = chi2_upper_quantile(tail, df).unwrap();
            assert!(x < last, "{tail} {df}: {x} after {last}");
            last = x;
            // One bit of x moves a far tail of many degrees of freedom by df bits.
            let slack = 1e-13 * (1.0 + x);
            let back = chi2_sf(x, df).unwrap();
            assert!(
                (back / tail - 1.0).abs() <= slack.max(1e-12),
                "{tail} {df}: {x} {back}"
            );
        }
    }
    // Two degrees of freedom are closed; the others are R's qchisq as printed.
    assert_close(
        "df 2",
        chi2_upper_quantile(0.05, 2.0).unwrap(),
        -2.0 * 0.05_f64.ln(),
        1e-15,
    );
    for (df, printed) in [(1.0, 3.841459), (9.0, 16.91898), (10.0, 18.30704)] {
        let x = chi2_upper_quantile(0.05, df).unwrap();
        assert!((x - printed).abs() < 5.1e-6, "{df}: {x}");
    }
}

#[test]
fn ends_are_exact_and_outside_is_invalid() {
    assert_eq!(
        (chi2_sf(0.0, 3.0), chi2_sf(f64::INFINITY, 3.0)),
        (Ok(1.0), Ok(0.0))
    );
    assert_eq!(chi2_sf(f64::MAX, 1e10), Ok(0.0));
    for (x, df) in [(f64::NAN, 1.0), (1.0, 0.0), (1.0, f64::NAN), (1.0, 1e11)] {
        assert!(chi2_sf(x, df).is_err());
    }
    for tail in [0.0, 1.0, f64::NAN] {
        assert!(chi2_upper_quantile(tail, 1.0).is_err());
    }
}

#[test]
fn no_argument_makes_a_nan() {
    for df in [0.01, 0.1, 1.0, 3.0, 1e3, 1e10] {
        for p in [5e-324, 1e-300, 1e-20, 0.3, 0.999, 1.0 - f64::EPSILON] {
            let x = chi2_upper_quantile(p, df).unwrap();
            assert!(x.is_finite() && x >= 0.0, "{p} {df}: {x}");
        }
        for x in [5e-324, 1e-9, 1.0, df, 1e9, 1e10, 1e11, 1e308] {
            assert!((0.0..=1.0).contains(&chi2_sf(x, df).unwrap()), "{x} {df}");
        }
    }
}
