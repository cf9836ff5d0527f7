//! Score quality: what must hold for any rows.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::quality::{
    AucMethod, Binning, Drift, Scored, auc, auc_ci, auc_diff, brier, brier_diff, calibration, ece,
    hosmer_lemeshow, isotonic, isotonic_of_labels, ks_stat, lift_at, lift_at_count, log_loss, psi,
    psi_critical, recalibration, score_counts,
};

use crate::published::{Rng, assert_close};
use crate::quality::{BINNINGS, DELONG, booleans, scored};

#[test]
fn row_order_does_not_matter() {
    let mut rng = Rng::new(1);
    let n = 503;
    let first: Vec<f64> = (0..n).map(|_| (rng.unit() * 40.0).round() / 41.0).collect();
    let second: Vec<f64> = (0..n).map(|_| rng.unit()).collect();
    let labels: Vec<bool> = first.iter().map(|p| rng.unit() < *p).collect();
    let all = |order: &[usize]| {
        let (a, b): (Vec<f64>, Vec<f64>) = order.iter().map(|i| (first[*i], second[*i])).unzip();
        let y: Vec<bool> = order.iter().map(|i| labels[*i]).collect();
        let rows = Scored::new(&a, &y).unwrap();
        (
            auc_ci(&rows, 0.9, DELONG).unwrap(),
            auc_diff(&a, &b, &y, 0.9).unwrap(),
            (brier(&rows).unwrap(), log_loss(&rows).unwrap()),
            brier_diff(&a, &b, &y, 0.9).unwrap(),
            BINNINGS.map(|(_, binning)| {
                (
                    ece(&rows, 7, binning).unwrap(),
                    calibration(&rows, 7, binning, 0.9).unwrap(),
                )
            }),
            (ks_stat(&rows), lift_at(&rows, 0.123).unwrap()),
            recalibration(&rows, 0.9).unwrap(),
            isotonic(&a, &b, None).unwrap(),
            hosmer_lemeshow(&rows, 8, Binning::Ntile).unwrap(),
        )
    };
    let original: Vec<usize> = (0..n).collect();
    let expected = all(&original);
    for step in [2, 7, 100, 502] {
        // 503 is prime, so every step visits every row once.
        let order: Vec<usize> = (0..n).map(|i| i * step % n).collect();
        assert_eq!(all(&order), expected);
    }
}

#[test]
fn area_is_the_double_sum_over_pairs() {
    let mut rng = Rng::new(2);
    for n in 2..60_usize {
        let scores: Vec<f64> = (0..n).map(|_| (rng.unit() * 9.0).floor()).collect();
        let labels: Vec<bool> = (0..n)
            .map(|i| i == 0 || (i > 1 && rng.unit() < 0.4))
            .collect();
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in (0..n).filter(|i| labels[*i]) {
            for j in (0..n).filter(|j| !labels[*j]) {
                pairs += 1.0;
                won += if scores[i] == scores[j] {
                    0.5
                } else {
                    f64::from(u8::from(scores[i] > scores[j]))
                };
            }
        }
        let rows = Scored::new(&scores, &labels).unwrap();
        assert_eq!(auc(&rows).value, Some(won / pairs));
        let reversed: Vec<f64> = scores.iter().map(|score| -score).collect();
        let reversed = auc(&Scored::new(&reversed, &labels).unwrap())
            .value
            .unwrap();
        assert_close("reversed", won / pairs + reversed, 1.0, 1e-15);
        // Any increasing function of a score ranks alike.
        let bent: Vec<f64> = scores.iter().map(|score| score.exp()).collect();
        let same = auc_diff(&scores, &bent, &labels, 0.95).unwrap();
        assert_eq!((same.diff, same.z), (Some(0.0), same.se.map(|_| 0.0)));
        // Against a constant score the paired test is the test of one area against ½.
        let constant = auc_diff(&scores, &vec![1.0; n], &labels, 0.95).unwrap();
        let alone = auc_ci(&rows, 0.95, DELONG).unwrap();
        assert_eq!((constant.second, constant.se), (Some(0.5), alone.se));
    }
}

#[test]
fn intervals_are_nested_in_conf_and_inside_0_1() {
    let mut rng = Rng::new(3);
    let scores: Vec<f64> = (0..30).map(|_| rng.unit()).collect();
    let labels: Vec<bool> = scores.iter().map(|p| rng.unit() < *p).collect();
    let rows = Scored::new(&scores, &labels).unwrap();
    for method in ["delong", "logit"] {
        let mut inner: Option<(f64, f64)> = None;
        for conf in [1e-9, 0.5, 0.95, 0.999_999, 1.0 - 1e-12] {
            let e = auc_ci(&rows, conf, method.parse().unwrap()).unwrap();
            let (lo, hi) = (e.lo.unwrap(), e.hi.unwrap());
            assert!(0.0 <= lo && lo <= e.value.unwrap() && e.value.unwrap() <= hi && hi <= 1.0);
            if let Some(inner) = inner {
                assert!(lo <= inner.0 && inner.1 <= hi);
            }
            inner = Some((lo, hi));
        }
    }
}

#[test]
fn one_class_has_no_area_and_separation_no_width() {
    for labels in [&[][..], &[1, 1, 1], &[0, 0, 0]] {
        let rows = scored(&[0.2, 0.5, 0.5][..labels.len()], labels);
        let e = auc_ci(&rows, 0.95, DELONG).unwrap();
        assert_eq!((e.value, e.lo, e.status), (None, None, Status::NoData));
        assert_eq!(auc(&rows).status, Status::NoData);
        assert_eq!((ks_stat(&rows).value, ks_stat(&rows).at), (None, None));
        let line = recalibration(&rows, 0.95).unwrap();
        assert_eq!((line.slope, line.in_the_large), (None, None));
    }
    let apart = scored(&[0.1, 0.2, 0.8, 0.9], &[0, 0, 1, 1]);
    let e = auc_ci(&apart, 0.95, DELONG).unwrap();
    assert_eq!(
        (e.lo, e.hi, e.status),
        (Some(1.0), Some(1.0), Status::SmallN)
    );
    assert_eq!(ks_stat(&apart).value, Some(1.0));
    assert_eq!(ks_stat(&apart).at, Some(0.2));
    assert_eq!(
        recalibration(&apart, 0.95).unwrap().status,
        Status::Infeasible
    );
    let single = scored(&[0.1, 0.2, 0.8], &[0, 0, 1]);
    let e = auc_ci(&single, 0.95, DELONG).unwrap();
    assert_eq!((e.value, e.se, e.status), (Some(1.0), None, Status::SmallN));
    // A sure thing against its opposite: a difference of 1 in every row.
    let labels = booleans(&[0, 0, 1, 1]);
    let e = auc_diff(&[0.0, 0.0, 1.0, 1.0], &[1.0, 1.0, 0.0, 0.0], &labels, 0.95).unwrap();
    assert_eq!((e.diff, e.z, e.status), (Some(1.0), None, Status::SmallN));
}

#[test]
fn ties_count_by_their_share_not_their_order() {
    // Four rows of one score, one of them positive: half of them hold half a positive.
    let rows = scored(&[0.9, 0.5, 0.5, 0.5, 0.5, 0.1], &[1, 1, 0, 0, 0, 0]);
    let lift = lift_at(&rows, 0.5).unwrap();
    assert_eq!(lift.rate_top, Some((1.0 + 0.5) / 3.0));
    assert_eq!(lift.captured, Some(0.75));
    assert_eq!((lift.top, lift.threshold), (3.0, Some(0.5)));
    assert_eq!(lift_at_count(&rows, 3).unwrap(), lift);
    assert_eq!(lift_at(&rows, 1.0).unwrap().lift, Some(1.0));
    assert_eq!(lift_at_count(&rows, 1_000_000).unwrap().lift, Some(1.0));
    let constant = scored(&[0.3; 10], &[1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    for frac in [1e-300, 0.01, 0.37, 1.0] {
        assert_close(
            "lift",
            lift_at(&constant, frac).unwrap().lift.unwrap(),
            1.0,
            1e-15,
        );
    }
    let hopeless = lift_at(&scored(&[0.3, 0.4], &[0, 0]), 0.5).unwrap();
    assert_eq!(
        (hopeless.lift, hopeless.rate_top, hopeless.status),
        (None, Some(0.0), Status::ZeroBase)
    );
    // -0 and 0 are one score.
    let rows = scored(&[-0.0, 0.0], &[1, 0]);
    assert_eq!(auc(&rows).value, Some(0.5));
    let labels = booleans(&[1, 0]);
    assert_eq!(
        auc_diff(&[-0.0, 0.0], &[1.0, 1.0], &labels, 0.95)
            .unwrap()
            .diff,
        Some(0.0)
    );
}

#[test]
fn certain_and_wrong_is_finite() {
    let wrong = log_loss(&scored(&[0.0, 1.0], &[1, 0])).unwrap();
    assert_close("log_loss", wrong.value.unwrap(), 52.0 * 2f64.ln(), 1e-15);
    let right = log_loss(&scored(&[0.0, 1.0], &[0, 1])).unwrap();
    assert!(right.value.unwrap() < 3e-16);
    let test = hosmer_lemeshow(&scored(&[0.0, 0.5, 1.0], &[1, 1, 0]), 3, Binning::Ntile).unwrap();
    assert_eq!((test.chi2, test.status), (None, Status::Infeasible));
    let line = recalibration(&scored(&[0.0, 1.0], &[1, 0]), 0.95).unwrap();
    assert_eq!((line.n, line.excluded, line.status), (0, 2, Status::NoData));
}

#[test]
fn a_score_on_an_edge_belongs_below_it() {
    let rows = scored(&[0.0, 0.1, 0.2, 0.3, 0.6, 0.7, 1.0], &[0; 7]);
    let table = calibration(&rows, 10, Binning::EqualWidth, 0.95).unwrap();
    let bins: Vec<usize> = table.iter().map(|bin| bin.bin).collect();
    assert_eq!(bins, [0, 1, 2, 5, 6, 9]);
    assert_eq!((table[0].n, table[0].from, table[0].to), (2, 0.0, 0.1));
}

#[test]
fn calibrated_scores_need_no_recalibration() {
    // Each score occurs with exactly its own rate.
    let (mut scores, mut labels) = (vec![], vec![]);
    for tenth in 1..10_u8 {
        for row in 0..10 {
            scores.push(f64::from(tenth) / 10.0);
            labels.push(row < tenth);
        }
    }
    let rows = Scored::new(&scores, &labels).unwrap();
    let line = recalibration(&rows, 0.95).unwrap();
    assert_eq!(line.status, Status::Ok);
    assert!(line.intercept.unwrap().value.abs() < 1e-12);
    assert!((line.slope.unwrap().value - 1.0).abs() < 1e-12);
    assert!(line.in_the_large.unwrap().value.abs() < 1e-12);
    assert!(ece(&rows, 10, Binning::EqualWidth).unwrap().value.unwrap() < 1e-15);
    let one = scored(&[0.3; 4], &[1, 0, 0, 0]);
    let line = recalibration(&one, 0.95).unwrap();
    assert_eq!((line.slope, line.status), (None, Status::Infeasible));
    assert!(line.in_the_large.is_some());
}

#[test]
fn isotonic_fits_any_rows() {
    let mut rng = Rng::new(4);
    for n in 0..80 {
        let x: Vec<f64> = (0..n).map(|_| (rng.unit() * 20.0).round()).collect();
        let y: Vec<f64> = (0..n).map(|_| rng.unit() - 0.5).collect();
        let w: Vec<f64> = (0..n).map(|_| (rng.unit() * 3.0).floor()).collect();
        let fit = isotonic(&x, &y, Some(&w)).unwrap();
        let ascending = fit.points.windows(2);
        assert!(
            ascending
                .clone()
                .all(|p| p[0].score < p[1].score && p[0].value <= p[1].value)
        );
        // The fit keeps the weighted sum.
        let total: f64 = y.iter().zip(&w).map(|(y, w)| y * w).sum();
        let fitted: f64 = fit.points.iter().map(|p| p.value * p.weight).sum();
        assert!((total - fitted).abs() < 1e-12);
        assert_eq!(fit.value_at(1e300), fit.points.last().map(|p| p.value));
    }
    let huge = isotonic(&[1.0, 2.0, 3.0], &[f64::MAX, f64::MAX, f64::MIN], None).unwrap();
    assert!(huge.points.iter().all(|p| p.value.is_finite()));
    let far = isotonic(&[f64::MIN, f64::MAX], &[f64::MIN, f64::MAX], None).unwrap();
    assert_eq!(far.value_at(0.0), Some(0.0));
    assert_eq!(far.value_at(f64::NAN), None);
}

#[test]
fn drift_is_what_chance_does_not_explain() {
    let mut rng = Rng::new(5);
    let mut sample = |n: usize, power: f64| {
        let scores: Vec<f64> = (0..n).map(|_| rng.unit().powf(power)).collect();
        Scored::new(&scores, &vec![false; n]).unwrap()
    };
    let reference = sample(2000, 1.0);
    let mut drifted = 0;
    for _ in 0..200 {
        let counts = score_counts(&reference, &sample(150, 1.0), 10).unwrap();
        assert_eq!(counts.expected.iter().sum::<f64>(), 2000.0);
        assert_eq!(counts.actual.iter().sum::<f64>(), 150.0);
        assert!(counts.expected.iter().all(|n| *n == 200.0));
        let found = psi(&counts.expected, &counts.actual, 0.5, 0.05).unwrap();
        drifted += usize::from(found.verdict == Some(Drift::Drifted));
        assert_eq!(
            found.verdict == Some(Drift::Drifted),
            found.p.unwrap() < 0.05
        );
    }
    assert!((1..=25).contains(&drifted), "{drifted} of 200 at 5 %");
    let counts = score_counts(&reference, &sample(500, 1.5), 10).unwrap();
    let moved = psi(&counts.expected, &counts.actual, 0.5, 0.05).unwrap();
    assert_eq!(moved.verdict.unwrap().as_str(), "drifted");
    let swapped = psi(&counts.actual, &counts.expected, 0.0, 0.05).unwrap();
    let plain = psi(&counts.expected, &counts.actual, 0.0, 0.05).unwrap();
    assert_close(
        "symmetry",
        swapped.value.unwrap(),
        plain.value.unwrap(),
        1e-14,
    );
    let same = psi(&counts.actual, &counts.actual, 0.0, 0.05).unwrap();
    assert_eq!((same.value, same.p), (Some(0.0), Some(1.0)));
    let empty = psi(&[1.0, 0.0], &[1.0, 1.0], 0.0, 0.05).unwrap();
    assert_eq!((empty.value, empty.status), (None, Status::Infeasible));
    for (e, a) in [(&[][..], &[][..]), (&[0.0], &[1.0]), (&[1.0], &[0.0])] {
        assert_eq!(psi(e, a, 0.5, 0.05).unwrap().status, Status::NoData);
    }
    let nothing = score_counts(&scored(&[], &[]), &reference, 10).unwrap();
    assert!(nothing.expected.is_empty() && nothing.actual.is_empty());
    let constant = score_counts(&scored(&[0.5; 3], &[0; 3]), &reference, 10).unwrap();
    assert_eq!(
        (constant.expected, constant.actual),
        (vec![3.0], vec![2000.0])
    );
}

#[test]
fn nonsense_is_invalid() {
    let y = booleans(&[0, 1]);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Scored::new(&[0.1, bad], &y).unwrap_err().argument, "scores");
        assert!(auc_diff(&[0.1, bad], &[0.1, 0.2], &y, 0.95).is_err());
        assert!(brier_diff(&[0.1, 0.2], &[0.1, bad], &y, 0.95).is_err());
        assert!(isotonic(&[0.1, bad], &[0.1, 0.2], None).is_err());
        assert!(isotonic(&[0.1, 0.2], &[0.1, bad], None).is_err());
        assert!(isotonic(&[0.1, 0.2], &[0.1, 0.2], Some(&[1.0, bad])).is_err());
        assert!(psi(&[1.0, bad], &[1.0, 1.0], 0.5, 0.05).is_err());
    }
    assert!(Scored::new(&[0.1], &y).is_err());
    assert!(auc_diff(&[0.1, 0.2], &[0.1], &y, 0.95).is_err());
    assert!(psi(&[1.0], &[1.0, 1.0], 0.5, 0.05).is_err());
    let rows = scored(&[-0.1, 0.3], &[0, 1]);
    assert!(auc(&rows).value.is_some(), "any finite score can rank");
    assert!(brier(&rows).is_err() && log_loss(&rows).is_err());
    assert!(
        ece(&rows, 10, Binning::Quantile).is_err()
            && hosmer_lemeshow(&rows, 10, Binning::Quantile).is_err()
    );
    assert!(recalibration(&rows, 0.95).is_err());
    let rows = scored(&[0.1, 0.3], &[0, 1]);
    for conf in [0.0, 1.0, f64::NAN] {
        assert!(auc_ci(&rows, conf, DELONG).is_err());
        assert!(calibration(&rows, 10, Binning::EqualWidth, conf).is_err());
    }
    for bins in [0, usize::MAX] {
        assert!(ece(&rows, bins, Binning::EqualWidth).is_err());
        assert!(score_counts(&rows, &rows, bins).is_err());
    }
    for frac in [0.0, -1.0, 1.1, f64::NAN] {
        assert_eq!(lift_at(&rows, frac).unwrap_err().argument, "frac");
    }
    assert!(lift_at_count(&rows, 0).is_err());
    assert!("wald".parse::<AucMethod>().is_err() && "kmeans".parse::<Binning>().is_err());
    assert!(psi_critical(1, 10.0, 10.0, 0.05).is_err());
}

#[test]
fn two_million_rows_are_no_matter() {
    let mut rng = Rng::new(6);
    let n = 2_000_000;
    let scores: Vec<f64> = (0..n).map(|_| rng.unit()).collect();
    let labels: Vec<bool> = scores.iter().map(|p| rng.unit() < *p).collect();
    let rows = Scored::new(&scores, &labels).unwrap();
    let e = auc_ci(&rows, 0.95, DELONG).unwrap();
    // P(label) = score, uniform: the area is 5/6.
    assert!(e.lo.unwrap() < 5.0 / 6.0 && 5.0 / 6.0 < e.hi.unwrap() && e.se.unwrap() < 3e-4);
    let same = auc_diff(&scores, &scores, &labels, 0.95).unwrap();
    assert_eq!(same.p, Some(1.0));
    let slope = recalibration(&rows, 0.999).unwrap().slope.unwrap();
    assert!(slope.lo < 1.0 && 1.0 < slope.hi);
    assert!(isotonic_of_labels(&rows).points.len() > 1_999_000);
}

#[test]
fn ntile_bins_hold_as_many_rows() {
    let scores: Vec<f64> = (0..113).map(|i| f64::from(i * 37 % 113) / 113.0).collect();
    let rows = Scored::new(&scores, &[false; 113]).unwrap();
    let sizes = |bins| -> Vec<u64> {
        let table = calibration(&rows, bins, Binning::Ntile, 0.95).unwrap();
        table.iter().map(|bin| bin.n).collect()
    };
    // numpy: [len(part) for part in np.array_split(np.arange(113), 10)].
    assert_eq!(sizes(10), [12, 12, 12, 11, 11, 11, 11, 11, 11, 11]);
    assert_eq!(sizes(113), [1; 113]);
    assert_eq!(sizes(1000), [1; 113]);
    let ties = scored(&[0.1, 0.1, 0.1, 0.1, 0.9, 0.9], &[0, 1, 0, 1, 1, 1]);
    let table = calibration(&ties, 3, Binning::Ntile, 0.95).unwrap();
    let bins: Vec<(usize, u64)> = table.iter().map(|bin| (bin.bin, bin.n)).collect();
    assert_eq!(bins, [(0, 4), (2, 2)]);
    assert!(
        calibration(&scored(&[], &[]), 3, Binning::Ntile, 0.95)
            .unwrap()
            .is_empty()
    );
}

/// Finite where present, for scores and labels of every kind.
#[test]
fn no_rows_make_a_nan() {
    let mut rng = Rng::new(14);
    let odd = [
        0.0,
        -0.0,
        5e-324,
        1e-300,
        0.5,
        0.5_f64.next_up(),
        1.0 - f64::EPSILON,
        1.0,
    ];
    let wide = [f64::MIN, -1.0, 0.0, 5e-324, 1.0, f64::MAX];
    for round in 0..3000 {
        let n = (rng.unit() * 12.0) as usize;
        let mut pick = |from: &[f64]| from[(rng.unit() * from.len() as f64) as usize];
        let scores: Vec<f64> = (0..n).map(|_| pick(&odd)).collect();
        let second: Vec<f64> = (0..n).map(|_| pick(&odd)).collect();
        let (x, y): (Vec<f64>, Vec<f64>) = (0..n).map(|_| (pick(&wide), pick(&wide))).unzip();
        let weights: Vec<f64> = y.iter().map(|w| w.abs()).collect();
        let labels: Vec<bool> = (0..n).map(|_| rng.unit() < 0.5).collect();
        let conf = [1e-300, 0.95, 1.0 - f64::EPSILON][round % 3];
        let rows = Scored::new(&scores, &labels).unwrap();
        let mut all = vec![];
        for method in [DELONG, AucMethod::Logit] {
            let e = auc_ci(&rows, conf, method).unwrap();
            all.extend([e.value, e.se, e.lo, e.hi]);
        }
        let e = auc_diff(&x, &y, &labels, conf).unwrap();
        all.extend([e.first, e.second, e.diff, e.se, e.lo, e.hi, e.z, e.p]);
        let e = brier_diff(&scores, &second, &labels, conf).unwrap();
        all.extend([e.diff, e.se, e.lo, e.hi, e.z, e.p]);
        for e in [brier(&rows).unwrap(), log_loss(&rows).unwrap()] {
            all.extend([e.value, e.se]);
        }
        let lift = lift_at(&rows, [5e-324, 0.3, 1.0][round % 3]).unwrap();
        all.extend([lift.lift, lift.rate_top, lift.captured, lift.threshold]);
        for binning in ["equal_width", "quantile", "ntile"] {
            let binning: Binning = binning.parse().unwrap();
            let e = ece(&rows, 4, binning).unwrap();
            let h = hosmer_lemeshow(&rows, 4, binning).unwrap();
            all.extend([e.value, e.largest, h.chi2, h.p]);
            let table = calibration(&rows, 4, binning, conf).unwrap();
            assert_eq!(table.iter().map(|bin| bin.n).sum::<u64>(), n as u64);
            all.extend(
                table
                    .iter()
                    .flat_map(|b| [b.mean_score, b.rate, b.lo, b.hi].map(Some)),
            );
        }
        let line = recalibration(&rows, conf).unwrap();
        for c in [line.intercept, line.slope, line.in_the_large]
            .into_iter()
            .flatten()
        {
            all.extend([c.value, c.se, c.lo, c.hi].map(Some));
        }
        let fit = isotonic(&x, &y, Some(&weights)).unwrap();
        all.extend(
            fit.points
                .iter()
                .flat_map(|p| [p.value, p.weight].map(Some)),
        );
        all.extend(wide.map(|score| fit.value_at(score)));
        let reference = Scored::new(&x, &labels).unwrap();
        let counts = score_counts(&reference, &rows, 3).unwrap();
        for smoothing in [0.0, 0.5] {
            let e = psi(&counts.expected, &counts.actual, smoothing, 0.05).unwrap();
            all.extend([e.value, e.critical, e.p]);
        }
        assert!(
            all.into_iter().flatten().all(f64::is_finite),
            "{scores:?} {labels:?} {x:?} {y:?}"
        );
    }
}
