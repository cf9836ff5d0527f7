//! Two-by-two and larger tables: what always holds.

use crate::dice::{Dice, EXTREMES, all_finite};
use tributary_engine_stats::difference::rate_difference_test;
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::table::{Weights, fisher_p, kappa, kappa_weighted, kappa_with};

#[test]
fn differences_and_tables_take_any_number() {
    for a in EXTREMES {
        for b in EXTREMES {
            let (x, n) = (a.min(b), a.max(b));
            let d = rate_difference_test(x, n, 3, 9, 0.95).unwrap();
            all_finite(&[d.diff, d.lo, d.hi, d.z, d.p], "difference");
            for c in EXTREMES {
                for d in [0, 1, 1_000_000, u64::MAX] {
                    let k = kappa(a, b, c, d, 0.95).unwrap();
                    all_finite(
                        &[
                            k.po,
                            k.pe,
                            k.kappa,
                            k.lo,
                            k.hi,
                            k.var_kappa,
                            k.pabak,
                            k.ac1,
                            k.p_pos,
                            k.p_neg,
                            k.bias_index,
                            k.prevalence_index,
                            k.mcnemar,
                            k.mcnemar_p,
                            k.mcnemar_p_exact,
                        ],
                        "kappa",
                    );
                    let p = fisher_p(a, b, c, d);
                    assert!(
                        p.is_none_or(|p| (0.0..=1.0).contains(&p)),
                        "{a} {b} {c} {d}: {p:?}"
                    );
                }
            }
        }
    }
    assert_eq!(kappa(0, 0, 0, 0, 0.95).unwrap().status, Status::NoData);
    assert_eq!(
        kappa(9, 4, 0, 0, 0.95).unwrap().status,
        Status::VerificationBias
    );
    assert_eq!(kappa(0, 0, 0, 5, 0.95).unwrap().status, Status::Infeasible);
}

#[test]
fn fisher_sums_every_table() {
    let choose =
        |n: u64, k: u64| -> f64 { (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product() };
    let mut dice = Dice(3);
    for _ in 0..300 {
        let [a, b, c, d] = [0; 4].map(|_| dice.below(12));
        if a + b + c + d == 0 {
            continue;
        }
        let probability =
            |x: u64| choose(a + b, x) * choose(c + d, a + c - x) / choose(a + b + c + d, a + c);
        let least = (a + c).saturating_sub(c + d);
        let bound = probability(a) * (1.0 + 1e-7);
        let p: f64 = (least..=(a + b).min(a + c))
            .map(probability)
            .filter(|p| *p <= bound)
            .sum();
        let actual = fisher_p(a, b, c, d).unwrap();
        assert!(
            (actual - p.min(1.0)).abs() < 1e-12,
            "{a} {b} {c} {d}: {actual} {p}"
        );
    }
}

#[test]
fn weighted_kappa_refuses_nonsense() {
    let table = vec![vec![3.0, 1.0], vec![2.0, 4.0]];
    assert!(kappa_weighted(&table[..1], Weights::Linear, 0.95).is_err());
    assert!(kappa_weighted(&[vec![f64::NAN]], Weights::Linear, 0.95).is_err());
    assert!(kappa_with(&table, &[vec![1.0, 1.0], vec![1.0, 0.0]], 0.95).is_err());
    assert_eq!(
        kappa_weighted(&[], Weights::Linear, 0.95).unwrap().status,
        Status::NoData
    );
    let corner = kappa_weighted(&[vec![9.0, 0.0], vec![0.0, 0.0]], Weights::Linear, 0.95).unwrap();
    assert_eq!(corner.status, Status::Infeasible);
    assert_eq!("cubic".parse::<Weights>().unwrap_err().argument, "weights");
}
