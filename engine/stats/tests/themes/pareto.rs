//! Pareto classes, and the conventions of the concentration measures beside them.

use tributary_engine_stats::pareto::{ParetoClass, pareto_classes};
use tributary_engine_stats::share::{effective_n, gini, gini_unbiased, hhi, top_share};

use crate::published::{Rng, assert_close};

fn classes(x: &[f64]) -> String {
    let parts = pareto_classes(x, 0.8, 0.95).unwrap().unwrap();
    parts.iter().map(|part| part.class.as_str()).collect()
}

#[test]
fn the_part_that_crosses_a_cut_is_still_inside() {
    assert_eq!(classes(&[50.0, 30.0, 15.0, 5.0]), "AABC");
    assert_eq!(classes(&[5.0, 50.0, 15.0, 30.0]), "CABA");
    assert_eq!(classes(&[81.0, 10.0, 9.0]), "ABB");
    assert_eq!(classes(&[7.0]), "A");
    assert_eq!(classes(&[1.0, 0.0]), "AC");
    // Equals are treated alike: all of ten equal parts, not eight of them.
    assert_eq!(classes(&[1.0; 10]), "AAAAAAAAAA");
    // A cut that is met exactly in tenths, which f64 cannot write.
    assert_eq!(classes(&[0.4, 0.3, 0.1, 0.1, 0.05, 0.05]), "AAAABB");
    let parts = pareto_classes(&[50.0, 30.0, 20.0, 20.0, 0.0], 0.8, 0.95)
        .unwrap()
        .unwrap();
    let ranks: Vec<u64> = parts.iter().map(|part| part.rank).collect();
    assert_eq!(ranks, [1, 2, 3, 3, 5]);
    assert_close("cumulative", parts[2].cumulative_share, 1.0, 1e-15);
    assert_close("cumulative", parts[1].cumulative_share, 80.0 / 120.0, 1e-15);
}

#[test]
fn class_a_is_the_fewest_that_hold_the_cut() {
    let mut rng = Rng::new(11);
    for n in 1..120_usize {
        let x: Vec<f64> = (0..n)
            .map(|_| (rng.unit() * 30.0).floor().powi(2) + f64::from(n == 1))
            .collect();
        let Some(parts) = pareto_classes(&x, 0.8, 0.95).unwrap() else {
            continue;
        };
        let total: f64 = x.iter().sum();
        let held = |class: ParetoClass| -> f64 {
            x.iter()
                .zip(&parts)
                .filter(|(_, part)| part.class <= class)
                .map(|(x, _)| x)
                .sum()
        };
        assert!(held(ParetoClass::A) >= 0.8 * total && held(ParetoClass::B) >= 0.95 * total - 1e-9);
        let least = x
            .iter()
            .zip(&parts)
            .filter(|(_, part)| part.class == ParetoClass::A)
            .map(|(x, _)| *x)
            .fold(f64::MAX, f64::min);
        let larger: f64 = x.iter().filter(|part| **part > least).sum();
        assert!(larger < 0.8 * total);
        // Order and currency don't matter.
        let mut reversed: Vec<f64> = x.iter().rev().copied().collect();
        let mut backwards = pareto_classes(&reversed, 0.8, 0.95).unwrap().unwrap();
        backwards.reverse();
        assert_eq!(parts, backwards);
        reversed.iter_mut().for_each(|part| *part *= 1e-200);
        let other = pareto_classes(&reversed, 0.8, 0.95).unwrap().unwrap();
        assert!(
            other
                .iter()
                .rev()
                .zip(&parts)
                .all(|(a, b)| a.class == b.class)
        );
    }
}

#[test]
fn nothing_to_share_is_none_and_nonsense_invalid() {
    assert_eq!(pareto_classes(&[], 0.8, 0.95), Ok(None));
    assert_eq!(pareto_classes(&[0.0, 0.0], 0.8, 0.95), Ok(None));
    assert!(pareto_classes(&[1.0, -1.0], 0.8, 0.95).is_err());
    for (a, b) in [
        (0.0, 0.9),
        (0.9, 0.8),
        (0.8, 1.1),
        (f64::NAN, 1.0),
        (0.8, f64::NAN),
    ] {
        assert!(pareto_classes(&[1.0], a, b).is_err());
    }
    let huge = pareto_classes(&[f64::MAX, f64::MAX, 1.0], 0.8, 0.95)
        .unwrap()
        .unwrap();
    assert!(
        huge.iter()
            .all(|part| part.share.is_finite() && part.cumulative_share <= 1.0)
    );
}

/// The example of R's `ineq::Gini` and of `DescTools::Gini`, and closed forms.
#[test]
fn concentration_follows_the_conventions_of_r() {
    let x = [
        541.0, 1463.0, 2445.0, 3438.0, 4437.0, 5401.0, 6392.0, 8304.0, 11904.0, 22261.0,
    ];
    assert!((gini(&x).unwrap().unwrap() - 0.4620911).abs() < 5e-8);
    assert!((gini_unbiased(&x).unwrap().unwrap() - 0.5134346).abs() < 5e-8);
    // 1 to n: the Gini coefficient is (n-1)/(3n), the Herfindahl index 2(2n+1)/(3n(n+1)).
    for n in [2_u32, 10, 1000] {
        let x: Vec<f64> = (1..=n).map(f64::from).collect();
        let n = f64::from(n);
        assert_close(
            "gini",
            gini(&x).unwrap().unwrap(),
            (n - 1.0) / (3.0 * n),
            1e-14,
        );
        let index = 2.0 * (2.0 * n + 1.0) / (3.0 * n * (n + 1.0));
        assert_close("hhi", hhi(&x).unwrap().unwrap() / 1e4, index, 1e-14);
        assert_close(
            "effective_n",
            effective_n(&x).unwrap().unwrap(),
            1.0 / index,
            1e-14,
        );
    }
    assert_eq!(
        top_share(&[f64::MAX, f64::MAX, 0.0, 0.0], 0.25),
        Ok(Some(0.5))
    );
}
