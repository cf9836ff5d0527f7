//! Special functions against values computed with 45 digits (tests/special.json; mpmath 1.3.0).
//!
//! `cargo test -- --nocapture` prints the largest relative error of each function.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its file has failed"
)]

use serde_json::Value;
use tributary_engine_stats::special::{beta_cdf, beta_quantile, ln_gamma, norm_cdf, norm_quantile};

fn check(function: &str, tolerance: f64, call: impl Fn(&[f64]) -> f64) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/special.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut worst = (0.0, vec![]);
    for row in file[function].as_array().unwrap() {
        let row: Vec<f64> = row
            .as_str()
            .unwrap()
            .split(' ')
            .map(|v| v.parse().unwrap())
            .collect();
        let (expected, arguments) = row.split_last().unwrap();
        let error = (call(arguments) - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
        if error > worst.0 {
            worst = (error, row.clone());
        }
    }
    println!("{function}: {:.1e} at {:?}", worst.0, worst.1);
    assert!(
        worst.0 <= tolerance,
        "{function}: relative error {:e} at {:?}",
        worst.0,
        worst.1
    );
}

#[test]
fn ln_gamma_keeps_its_digits() {
    check("ln_gamma", 2e-15, |x| ln_gamma(x[0]).unwrap());
}

#[test]
fn norm_cdf_keeps_its_digits() {
    check("norm_cdf", 2e-15, |x| norm_cdf(x[0]).unwrap());
}

#[test]
fn norm_quantile_keeps_its_digits() {
    check("norm_quantile", 2e-15, |p| norm_quantile(p[0]).unwrap());
}

#[test]
fn beta_cdf_keeps_its_digits() {
    check("beta_cdf", 1e-12, |v| beta_cdf(v[0], v[1], v[2]).unwrap());
}

#[test]
fn beta_quantile_keeps_its_digits() {
    // A shape of 0.001 turns one bit of p into a thousand bits of x.
    check("beta_quantile", 2e-12, |v| {
        beta_quantile(v[0], v[1], v[2]).unwrap()
    });
}

#[test]
fn ends_are_exact_and_outside_is_invalid() {
    assert_eq!(
        (beta_cdf(0.0, 2.0, 3.0), beta_cdf(1.0, 2.0, 3.0)),
        (Ok(0.0), Ok(1.0))
    );
    assert_eq!(
        (beta_quantile(0.0, 2.0, 3.0), beta_quantile(1.0, 2.0, 3.0)),
        (Ok(0.0), Ok(1.0))
    );
    assert_eq!(
        (norm_cdf(f64::NEG_INFINITY), norm_cdf(f64::INFINITY)),
        (Ok(0.0), Ok(1.0))
    );
    assert!(norm_cdf(f64::NAN).is_err());
    for p in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(norm_quantile(p).is_err());
    }
    for x in [0.0, -1.5, f64::NAN, f64::INFINITY] {
        assert!(ln_gamma(x).is_err());
    }
    for (x, a, b) in [
        (f64::NAN, 1.0, 1.0),
        (1.1, 1.0, 1.0),
        (0.5, 0.0, 1.0),
        (0.5, 1.0, f64::INFINITY),
    ] {
        assert!(beta_cdf(x, a, b).is_err() && beta_quantile(x, a, b).is_err());
    }
}

#[test]
fn beta_quantile_inverts_beta_cdf_over_its_whole_domain() {
    let shapes = [1e-6, 1e-3, 0.5, 1.0, 3.0, 1e3, 1e6, 1e10];
    for (a, b) in shapes.into_iter().flat_map(|a| shapes.map(|b| (a, b))) {
        let mut last = 0.0;
        for p in [1e-300, 1e-12, 0.025, 0.5, 0.975, 1.0 - 1e-12] {
            let x = beta_quantile(p, a, b).unwrap();
            assert!((last..=1.0).contains(&x), "{p} {a} {b}: {x} after {last}");
            last = x;
            let back = beta_cdf(x, a, b).unwrap();
            // Where f64 has no x between, the cdf jumps over p: check the neighbours instead.
            let (before, after) = (
                beta_cdf(x.next_down().max(0.0), a, b).unwrap(),
                beta_cdf(x.next_up().min(1.0), a, b).unwrap(),
            );
            let slack = 1e-10 * p;
            assert!(
                x == 0.0 || before - slack <= p && p <= after + slack,
                "{p} {a} {b}: {x} {back}"
            );
        }
    }
}
