//! Score quality: the published numbers, values computed by other programs, and what must hold for any rows.

use crate::published::{File, assert_close, json, numbers};
use tributary_engine_stats::quality::{
    AucMethod, Binning, Scored, auc, auc_ci, auc_diff, brier, brier_diff, calibration, ece,
    hosmer_lemeshow, isotonic, isotonic_of_labels, ks_stat, lift_at, log_loss, psi, psi_critical,
    recalibration,
};

pub const DELONG: AucMethod = AucMethod::DeLong;
pub const BINNINGS: [(&str, Binning); 2] = [
    ("equal_width", Binning::EqualWidth),
    ("quantile", Binning::Quantile),
];

pub fn scored(scores: &[f64], labels: &[u8]) -> Scored {
    Scored::new(scores, &booleans(labels)).unwrap()
}

pub fn booleans(labels: &[u8]) -> Vec<bool> {
    labels.iter().map(|label| *label == 1).collect()
}

#[test]
fn i3_calibration() {
    let mut file = File::open("i3_calibration");
    for case in file.cases.clone() {
        let y = numbers(&case["input"]["y"]);
        let x: Vec<f64> = (0..y.len()).map(|i| i as f64).collect();
        let fitted = isotonic(&x, &y, None).unwrap();
        let expected = numbers(&case["expected"]["isotonic"]);
        assert_eq!(fitted.points.len(), expected.len());
        for (point, expected) in fitted.points.iter().zip(expected) {
            file.check("isotonic", point.value, expected);
        }
    }
    file.report();
}

#[test]
fn i4_psi() {
    let mut file = File::open("i4_psi");
    for case in file.cases.clone() {
        let (input, expected) = (&case["input"], &case["expected"]);
        if let Some(critical) = expected["critical"].as_f64() {
            let [bins, n, m] = ["bins", "n_ref", "n_new"].map(|key| input[key].as_f64().unwrap());
            let alpha = input["alpha"].as_f64().unwrap();
            let actual = psi_critical(bins as usize, n, m, alpha).unwrap();
            file.check("critical", actual, critical);
            continue;
        }
        let (keys, smoothing) = match input["smoothing"].as_str() {
            Some(text) => {
                assert_eq!(text, "add 0.5 per bin");
                (["expected_counts", "actual_counts"], 0.5)
            }
            None => (["expected", "actual"], 0.0),
        };
        let [e, a] = keys.map(|key| numbers(&input[key]));
        let found = psi(&e, &a, smoothing, 0.05).unwrap();
        file.check(
            "psi",
            found.value.unwrap(),
            expected["psi"].as_f64().unwrap(),
        );
        assert_eq!(found.critical.is_some(), smoothing > 0.0);
    }
    file.report();
}

#[test]
fn other_programs_agree() {
    let file = json("tests/themes/quality.json");
    let expected = &file["expected"];
    let (a, b, y) = (
        numbers(&file["first"]),
        numbers(&file["second"]),
        numbers(&file["labels"])
            .iter()
            .map(|y| *y == 1.0)
            .collect::<Vec<bool>>(),
    );
    let rows = Scored::new(&a, &y).unwrap();
    let area = auc_ci(&rows, 0.95, DELONG).unwrap();
    let logit = auc_ci(&rows, 0.95, AucMethod::Logit).unwrap();
    let difference = auc_diff(&a, &b, &y, 0.95).unwrap();
    let (square, log) = (brier(&rows).unwrap(), log_loss(&rows).unwrap());
    let squares = brier_diff(&a, &b, &y, 0.95).unwrap();
    let test = hosmer_lemeshow(&rows, 10, Binning::Quantile).unwrap();
    let line = recalibration(&rows, 0.95).unwrap();
    let (intercept, slope, shift) = (
        line.intercept.unwrap(),
        line.slope.unwrap(),
        line.in_the_large.unwrap(),
    );
    let errors = BINNINGS.map(|(_, binning)| ece(&rows, 10, binning).unwrap());
    for (key, actual) in [
        ("auc", auc(&rows).value),
        ("auc", area.value),
        ("auc", difference.first),
        ("auc_second", difference.second),
        ("auc_se", area.se),
        ("auc_lo", area.lo),
        ("auc_hi", area.hi),
        ("auc_logit_lo", logit.lo),
        ("auc_logit_hi", logit.hi),
        ("diff", difference.diff),
        ("diff_se", difference.se),
        ("diff_lo", difference.lo),
        ("diff_hi", difference.hi),
        ("diff_z", difference.z),
        ("diff_p", difference.p),
        ("ks", ks_stat(&rows).value),
        ("brier", square.value),
        ("brier_se", square.se),
        ("log_loss", log.value),
        ("log_loss_se", log.se),
        ("brier_diff", squares.diff),
        ("brier_diff_se", squares.se),
        ("brier_diff_p", squares.p),
        ("ece_equal_width", errors[0].value),
        ("ece_largest_equal_width", errors[0].largest),
        ("ece_quantile", errors[1].value),
        ("ece_largest_quantile", errors[1].largest),
        ("hl_chi2", test.chi2),
        ("hl_df", test.df.map(|df| df as f64)),
        ("hl_p", test.p),
        ("rc_intercept", Some(intercept.value)),
        ("rc_intercept_se", Some(intercept.se)),
        ("rc_slope", Some(slope.value)),
        ("rc_slope_se", Some(slope.se)),
        ("rc_slope_lo", Some(slope.lo)),
        ("rc_slope_hi", Some(slope.hi)),
        ("rc_large", Some(shift.value)),
        ("rc_large_se", Some(shift.se)),
    ] {
        assert_close(key, actual.unwrap(), expected[key].as_f64().unwrap(), 1e-10);
    }
    for (name, binning) in BINNINGS {
        let table = calibration(&rows, 10, binning, 0.95).unwrap();
        let expected = file[format!("calibration_{name}")]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(table.len(), expected.len());
        for (bin, expected) in table.iter().zip(expected) {
            let actual = [
                bin.bin as f64,
                bin.n as f64,
                bin.positives as f64,
                bin.mean_score,
                bin.rate,
                bin.lo,
                bin.hi,
            ];
            for (actual, expected) in actual.into_iter().zip(numbers(&expected)) {
                assert_close(name, actual, expected, 1e-12);
            }
        }
    }
    for pair in file["lift"].as_array().unwrap() {
        let pair = numbers(pair);
        let lift = lift_at(&rows, pair[0]).unwrap();
        assert_close("lift", lift.lift.unwrap(), pair[1], 1e-12);
    }
    let fits = [
        ("isotonic_at", isotonic_of_labels(&rows)),
        (
            "weighted_isotonic_at",
            isotonic(&a, &b, Some(&numbers(&file["weights"]))).unwrap(),
        ),
    ];
    for (key, fit) in fits {
        for pair in file[key].as_array().unwrap() {
            let pair = numbers(pair);
            assert_close(key, fit.value_at(pair[0]).unwrap(), pair[1], 1e-12);
        }
    }
}

/// The examples of scikit-learn's documentation of `roc_auc_score`, `brier_score_loss`, `log_loss` and
/// `calibration_curve`, as printed there.
#[test]
fn documented_examples() {
    let rows = scored(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1]);
    assert_eq!(auc(&rows).value, Some(0.75));
    let rows = scored(&[0.1, 0.9, 0.8, 0.3], &[0, 1, 1, 0]);
    assert_close("brier", brier(&rows).unwrap().value.unwrap(), 0.0375, 1e-14);
    let rows = scored(&[0.1, 0.9, 0.8, 0.35], &[0, 1, 1, 0]);
    let log = log_loss(&rows).unwrap().value.unwrap();
    assert!((log - 0.21616).abs() < 5e-6);
    let scores = [0.1, 0.2, 0.3, 0.4, 0.65, 0.7, 0.8, 0.9, 1.0];
    let rows = scored(&scores, &[0, 0, 0, 0, 1, 1, 1, 1, 1]);
    let table = calibration(&rows, 3, Binning::EqualWidth, 0.95).unwrap();
    let rates: Vec<f64> = table.iter().map(|bin| bin.rate).collect();
    assert_eq!(rates, [0.0, 0.5, 1.0]);
    for (bin, mean) in table.iter().zip([0.2, 0.525, 0.85]) {
        assert_close("prob_pred", bin.mean_score, mean, 1e-14);
    }
}
