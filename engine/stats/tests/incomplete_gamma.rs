//! The gamma distribution against values computed with 60 digits (tests/incomplete_gamma.txt).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its file has failed"
)]

use tributary_engine_stats::special::{chi2_sf, gamma_cdf, gamma_quantile, gamma_sf};

fn rows() -> Vec<(String, f64, f64, f64)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/incomplete_gamma.txt");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |i: usize| words[i].parse::<f64>().unwrap();
            (words[0].to_owned(), number(1), number(2), number(3))
        })
        .collect()
}

#[test]
fn both_tails_keep_their_digits() {
    let mut worst = 0.0_f64;
    for (function, x, shape, expected) in rows() {
        let actual = match function.as_str() {
            "cdf" => gamma_cdf(x, shape).unwrap(),
            _ => gamma_sf(x, shape).unwrap(),
        };
        let error = (actual / expected - 1.0).abs();
        worst = worst.max(error);
        assert!(
            error <= 1e-12,
            "{function} {x} {shape}: {actual} for {expected}, off by {error:e}"
        );
    }
    println!("largest relative error {worst:.1e}");
}

#[test]
fn chi_square_has_its_closed_forms() {
    for x in [1e-12, 0.3, 1.0, 5.0, 40.0, 700.0, 1300.0_f64] {
        let two = (-0.5 * x).exp();
        assert!((chi2_sf(x, 2.0).unwrap() / two - 1.0).abs() < 1e-12);
        let four = two * (1.0 + 0.5 * x);
        assert!((chi2_sf(x, 4.0).unwrap() / four - 1.0).abs() < 1e-12);
    }
    // R: pchisq(3.841459, 1, lower = FALSE) is 0.05.
    assert!((chi2_sf(3.841_458_820_694_124, 1.0).unwrap() - 0.05).abs() < 1e-15);
}

#[test]
fn quantile_inverts_the_distribution_over_its_whole_domain() {
    for shape in [1e-3, 0.5, 1.0, 3.0, 1e3, 1e6, 1e10] {
        let mut last = 0.0;
        for p in [0.0, 1e-300, 1e-12, 0.025, 0.5, 0.975, 1.0 - 1e-12] {
            let x = gamma_quantile(p, shape).unwrap();
            assert!(x >= last && x.is_finite(), "{p} {shape}: {x} after {last}");
            last = x;
            let (before, after) = (
                gamma_cdf(x.next_down().max(0.0), shape).unwrap(),
                gamma_cdf(x.next_up(), shape).unwrap(),
            );
            let slack = 1e-10 * p;
            assert!(
                x == 0.0 || before - slack <= p && p <= after + slack,
                "{p} {shape}: {x} {before} {after}"
            );
        }
    }
}

#[test]
fn ends_are_exact_and_outside_is_invalid() {
    assert_eq!(
        (gamma_cdf(0.0, 2.0), gamma_sf(0.0, 2.0)),
        (Ok(0.0), Ok(1.0))
    );
    assert_eq!(
        (gamma_cdf(f64::INFINITY, 2.0), gamma_sf(1e300, 2.0)),
        (Ok(1.0), Ok(0.0))
    );
    for (x, shape) in [
        (-1.0, 1.0),
        (f64::NAN, 1.0),
        (1.0, 0.0),
        (1.0, f64::NAN),
        (1.0, 1e11),
    ] {
        assert!(gamma_cdf(x, shape).is_err() && gamma_sf(x, shape).is_err());
        assert!(x < 0.0 || chi2_sf(x, 2.0 * shape).is_err());
    }
    for p in [1.0, -0.1, f64::NAN] {
        assert!(gamma_quantile(p, 1.0).is_err());
    }
}
