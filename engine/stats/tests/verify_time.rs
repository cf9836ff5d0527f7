//! Every case of the published numbers in tests/verify about time: survival, change points, control charts, seasons.
//!
//! A number passes when it is within the file's tolerance both absolutely and relatively; a relative check
//! against an expected 0 is the absolute one.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its file has failed"
)]

use serde_json::Value;
use tributary_engine_stats::change::points::{Cost, Segmentation, at_most_one, changepoints};
use tributary_engine_stats::control::cusum::cusum;
use tributary_engine_stats::control::ewma::{EwmaChart, Width, ewma};
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::season::{Fit, SeasonPoint, SeasonWindow, stl};
use tributary_engine_stats::survival::cox::{Ties, cox};
use tributary_engine_stats::survival::curve::{Curve, Point, km, km_at, km_median};
use tributary_engine_stats::survival::incidence::{cuminc, cuminc_at};
use tributary_engine_stats::survival::limits::Limits;
use tributary_engine_stats::survival::logrank::logrank;
use tributary_engine_stats::survival::mean::rmst;
use tributary_engine_stats::survival::timeline::Timeline;

/// One file, and the largest error met so far.
struct Published {
    name: &'static str,
    tolerance: f64,
    cases: Vec<Value>,
    worst: f64,
}

impl Published {
    fn open(name: &'static str) -> Self {
        let file: Value = serde_json::from_str(&read(&format!("{name}.json"))).unwrap();
        Self {
            name,
            tolerance: file["tolerance"].as_f64().unwrap(),
            cases: file["cases"].as_array().unwrap().clone(),
            worst: 0.0,
        }
    }

    /// Within the file's tolerance, absolutely and relatively.
    fn check(&mut self, what: &str, actual: f64, expected: f64) {
        let absolute = (actual - expected).abs();
        let error = if expected == 0.0 {
            absolute
        } else {
            absolute.max(absolute / expected.abs())
        };
        let (name, tolerance) = (self.name, self.tolerance);
        assert!(
            error <= tolerance,
            "{name} {what}: {actual} for {expected}, off by {error:e}"
        );
        self.worst = self.worst.max(error);
    }

    fn check_all(&mut self, what: &str, actual: &[f64], expected: &Value) {
        let expected = numbers(expected);
        assert_eq!(actual.len(), expected.len(), "{what}");
        for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
            self.check(&format!("{what}[{i}]"), *actual, expected);
        }
    }

    fn report(self) {
        let (name, worst, tolerance) = (self.name, self.worst, self.tolerance);
        println!("{name}: largest error {worst:.1e} of {tolerance:.0e} allowed");
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap()).collect()
}

/// The rows of a CSV file beside the cases, without the header and without quotes.
fn csv(name: &str) -> Vec<Vec<String>> {
    let unquoted = |cell: &str| cell.trim_matches('"').to_owned();
    let text = read(name);
    let rows = text.lines().skip(1).filter(|line| !line.is_empty());
    rows.map(|line| line.split(',').map(unquoted).collect())
        .collect()
}

fn read(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/verify");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

fn ends(found: &Segmentation) -> Vec<f64> {
    found
        .segments
        .iter()
        .map(|segment| segment.end as f64)
        .collect()
}

/// Time, event and whether the arm is placebo, of the leukaemia remissions.
fn sixmp() -> Vec<(f64, bool, bool)> {
    csv("sixmp.csv")
        .into_iter()
        .map(|row| (row[0].parse().unwrap(), row[1] == "1", row[2] != "6MP"))
        .collect()
}

fn arm(placebo: bool) -> Timeline {
    let rows: Vec<(f64, bool)> = sixmp()
        .into_iter()
        .filter(|row| row.2 == placebo)
        .map(|row| (row.0, row.1))
        .collect();
    let (durations, events): (Vec<f64>, Vec<bool>) = rows.into_iter().unzip();
    Timeline::of_events(&durations, &events).unwrap()
}

fn column(curve: &Curve, of: impl Fn(&Point) -> f64) -> Vec<f64> {
    curve.points.iter().map(of).collect()
}

#[test]
fn f1_km_sixmp_curve() {
    let mut file = Published::open("f1_km_sixmp");
    let expected = file.cases[0]["expected"].clone();
    let arm = arm(false);
    let log = km(&arm, 0.95, Limits::Log).unwrap();
    let log_log = km(&arm, 0.95, Limits::LogLog).unwrap();
    let columns = [
        ("time", column(&log, |p| p.t)),
        ("n_risk", column(&log, |p| p.n_risk as f64)),
        ("events", column(&log, |p| p.n_event as f64)),
        ("surv", column(&log, |p| p.surv)),
        ("se", column(&log, |p| p.se.unwrap())),
        ("lo_log", column(&log, |p| p.lo.unwrap())),
        ("hi_log", column(&log, |p| p.hi.unwrap())),
        ("lo_loglog", column(&log_log, |p| p.lo.unwrap())),
        ("hi_loglog", column(&log_log, |p| p.hi.unwrap())),
    ];
    for (key, actual) in columns {
        file.check_all(key, &actual, &expected[key]);
    }
    let median = km_median(&arm, 0.95, Limits::Log).unwrap();
    file.check(
        "median",
        median.median.unwrap(),
        expected["median"].as_f64().unwrap(),
    );
    // Kleinbaum & Klein (2012), Survival Analysis, table 2.1, print four digits.
    for (t, printed) in [
        (6.0, 0.8571),
        (7.0, 0.8067),
        (10.0, 0.7529),
        (13.0, 0.6902),
        (16.0, 0.6275),
        (22.0, 0.5378),
        (23.0, 0.4482),
    ] {
        let at = km_at(&arm, t, 0.95, Limits::Log).unwrap();
        assert!((at.surv.unwrap() - printed).abs() < 5e-5);
    }
    file.report();
}

#[test]
fn f1_km_sixmp_groups() {
    let mut file = Published::open("f1_km_sixmp");
    let expected = file.cases[1]["expected"].clone();
    let number = |v: &Value| v.as_f64().unwrap();
    let rows = sixmp();
    let durations: Vec<f64> = rows.iter().map(|row| row.0).collect();
    let events: Vec<bool> = rows.iter().map(|row| row.1).collect();
    let groups: Vec<u32> = rows.iter().map(|row| u32::from(row.2)).collect();
    let placebo: Vec<f64> = groups.iter().map(|g| f64::from(*g)).collect();

    let test = logrank(&durations, &events, &groups).unwrap();
    file.check(
        "logrank_chisq",
        test.chi2.unwrap(),
        number(&expected["logrank_chisq"]),
    );
    let observed: Vec<f64> = test.groups.iter().map(|g| g.observed as f64).collect();
    let expected_events: Vec<f64> = test.groups.iter().map(|g| g.expected).collect();
    file.check_all("obs", &observed, &expected["obs"]);
    file.check_all("exp", &expected_events, &expected["exp"]);
    assert_eq!((test.df, test.status, test.n), (1, Status::Ok, 42));
    // R prints p = 4.17e-05.
    assert!((test.p.unwrap() - 4.17e-5).abs() < 5e-8);

    for (key, ties) in [("hr_efron", Ties::Efron), ("hr_breslow", Ties::Breslow)] {
        let fit = cox(&durations, &events, &[&placebo], ties, 0.95).unwrap();
        file.check(key, fit.terms[0].hr.unwrap(), number(&expected[key]));
    }
    for (key, placebo) in [("6MP", false), ("placebo", true)] {
        let arm = arm(placebo);
        let mean = rmst(&arm, 23.0).unwrap();
        file.check(
            "rmst",
            mean.rmst.unwrap(),
            number(&expected["rmst_tau23"][key]),
        );
        file.check(
            "rmst_se",
            mean.se.unwrap(),
            number(&expected["rmst_se"][key]),
        );
        let median = km_median(&arm, 0.95, Limits::Log).unwrap();
        file.check(
            "median",
            median.median.unwrap(),
            number(&expected["median"][key]),
        );
    }
    file.report();
}

#[test]
fn f3_cuminc() {
    let mut file = Published::open("f3_cuminc");
    let case = file.cases[0].clone();
    let durations = numbers(&case["input"]["time"]);
    let causes: Vec<u32> = numbers(&case["input"]["event"])
        .into_iter()
        .map(|cause| cause as u32)
        .collect();
    let timeline = Timeline::of_causes(&durations, &causes).unwrap();
    let incidence = cuminc(&timeline, 0.95, Limits::Log).unwrap();
    let expected = &case["expected"];
    file.check_all("time", &incidence.t, &expected["time"]);
    file.check_all("p_none", &incidence.p_none, &expected["p_none"]);
    file.check_all("p1", &incidence.causes[0].cif, &expected["p1"]);
    file.check_all("p2", &incidence.causes[1].cif, &expected["p2"]);
    file.check_all("se1", &incidence.causes[0].se, &expected["se1"]);
    let at = cuminc_at(&timeline, 1, 4.5, 0.95, Limits::Log).unwrap();
    file.check(
        "cuminc_at",
        at.cif.unwrap(),
        expected["p1"][3].as_f64().unwrap(),
    );
    file.check(
        "cuminc_at se",
        at.se.unwrap(),
        expected["se1"][3].as_f64().unwrap(),
    );

    let won: Vec<bool> = causes.iter().map(|cause| *cause == 1).collect();
    let naive = Timeline::of_events(&durations, &won).unwrap();
    let naive = km_at(&naive, 8.0, 0.95, Limits::Log).unwrap();
    let overstated = case["naive_1_minus_km_cause1_at_8"].as_f64().unwrap();
    file.check("naive", 1.0 - naive.surv.unwrap(), overstated);
    file.report();
}

#[test]
fn g5_pelt() {
    let mut file = Published::open("g5_pelt");
    for case in file.cases.clone() {
        let (input, expected) = (&case["input"], &case["expected"]);
        let y: Vec<f64> = match input["csv"].as_str() {
            Some(name) => csv(name)
                .iter()
                .map(|row| row[1].parse().unwrap())
                .collect(),
            None => numbers(&input["x"]),
        };
        let cost = Cost::named(input["cost"].as_str().unwrap(), None).unwrap();
        if input["mode"] == "at_most_one" {
            let change = at_most_one(&y, cost, 1).unwrap().unwrap();
            let first_year: f64 = csv("coal.csv")[0][0].parse().unwrap();
            let actual = [
                ("k", change.k as f64),
                ("last_year_before", first_year + change.k as f64 - 1.0),
                ("rate_before", change.level_before.unwrap()),
                ("rate_after", change.level_after.unwrap()),
                ("lr", change.gain),
            ];
            for (key, actual) in actual {
                file.check(key, actual, expected[key].as_f64().unwrap());
            }
            continue;
        }
        let min_seg = input["min_seg"].as_u64().unwrap() as usize;
        let penalty = input["penalty"].as_f64();
        for penalty in [penalty, None] {
            let found = changepoints(&y, cost, penalty, min_seg).unwrap();
            file.check_all("segment_ends", &ends(&found), &expected["segment_ends"]);
            file.check("penalty", found.penalty, input["penalty"].as_f64().unwrap());
            for (key, actual) in [
                ("mean_before", found.segments[0].level),
                ("mean_after", found.segments[1].level),
                (
                    "sigma_mad_diff",
                    found.sigma.or(expected["sigma_mad_diff"].as_f64()),
                ),
            ] {
                if let Some(expected) = expected[key].as_f64() {
                    file.check(key, actual.unwrap(), expected);
                }
            }
        }
    }
    file.report();
}

#[test]
fn g1_cusum() {
    let mut file = Published::open("g1_cusum");
    for case in file.cases.clone() {
        let (input, expected) = (&case["input"], &case["expected"]);
        let [target, k, h] = ["target", "k", "h"].map(|key| input[key].as_f64().unwrap());
        let chart = cusum(&numbers(&input["x"]), target, k, h).unwrap();
        let high: Vec<f64> = chart.points.iter().map(|point| point.high).collect();
        let low: Vec<f64> = chart.points.iter().map(|point| point.low).collect();
        file.check_all("cusum_high", &high, &expected["cusum_high"]);
        file.check_all("cusum_low", &low, &expected["cusum_low"]);
        assert_eq!(
            chart.first_signal.is_some(),
            expected["signal"].as_bool().unwrap()
        );
    }
    file.report();
}

#[test]
fn g2_ewma() {
    let mut file = Published::open("g2_ewma");
    for case in file.cases.clone() {
        let (input, expected) = (&case["input"], &case["expected"]);
        let chart = EwmaChart {
            start: input["start"].as_f64(),
            sigma: input["s"].as_f64(),
            width: Width::Asymptotic,
            ..EwmaChart::new(input["lam"].as_f64().unwrap())
        };
        let drawn = ewma(&numbers(&input["x"]), chart).unwrap();
        // The handbook lists the start as the first average.
        let averages: Vec<f64> = drawn
            .start
            .into_iter()
            .chain(drawn.points.iter().map(|point| point.value))
            .collect();
        file.check_all("ewma", &averages, &expected["ewma"]);
        for (printed, actual) in numbers(&case["published"]["ewma_2dp"])
            .iter()
            .zip(&averages)
        {
            assert!((printed - actual).abs() < 0.005 + 1e-9);
        }
        for point in &drawn.points {
            file.check("ucl", point.ucl.unwrap(), expected["ucl"].as_f64().unwrap());
            file.check("lcl", point.lcl.unwrap(), expected["lcl"].as_f64().unwrap());
        }
        assert_eq!((drawn.first_signal, drawn.status), (None, Status::Ok));
        let exact = ewma(
            &numbers(&input["x"]),
            EwmaChart {
                width: Width::Exact,
                ..chart
            },
        )
        .unwrap();
        let (first, last) = (exact.points[0], exact.points[19]);
        // λσ·3 at the first point; within (1-λ)^40 of the asymptote at the last.
        assert!((first.ucl.unwrap() - (50.0 + 3.0 * 0.3 * 2.0539)).abs() < 1e-12);
        assert!((last.ucl.unwrap() - expected["ucl"].as_f64().unwrap()).abs() < 1e-5);
    }
    file.report();
}

fn parts(points: &[SeasonPoint], key: &str) -> Vec<f64> {
    let of = |point: &SeasonPoint| match key {
        "seasonal" => point.seasonal,
        "trend" => point.trend,
        "weights" => point.weight,
        _ => point.remainder,
    };
    points.iter().map(of).collect()
}

#[test]
fn g7_stl() {
    let mut file = Published::open("g7_stl");
    for case in file.cases.clone() {
        let (input, expected) = (&case["input"], &case["expected"]);
        let Some(name) = input["csv"].as_str() else {
            // R's co2 is not at hand.
            assert_eq!(input["data"], "R co2 (log)");
            continue;
        };
        let rows = csv(name);
        let column =
            |i: usize| -> Vec<f64> { rows.iter().map(|row| row[i].parse().unwrap()).collect() };
        let window = match input["s_window"].as_u64() {
            Some(cycles) => SeasonWindow::Cycles(cycles as usize),
            None => SeasonWindow::Periodic,
        };
        let robust = input["robust"] == true;
        let fit = if robust { Fit::Robust } else { Fit::Plain };
        let points = stl(&column(1), 12, window, fit).unwrap().points;
        if expected.is_string() {
            for (i, key) in [(2, "seasonal"), (3, "trend"), (4, "remainder")] {
                for (actual, expected) in parts(&points, key).iter().zip(column(i)) {
                    file.check(key, *actual, expected);
                }
            }
        } else if let Some(first) = expected["first12"].as_object() {
            for (key, expected) in first {
                file.check_all(key, &parts(&points[..12], key), expected);
            }
        } else {
            // R's robust weights do not take the median (see the season module): its answer is near, not equal.
            let near = [("seasonal", 0.08), ("trend", 0.01), ("weights", 0.04)];
            for (key, distance) in near {
                let pairs = parts(&points, key)
                    .into_iter()
                    .zip(numbers(&expected["first24"][key]));
                for (actual, expected) in pairs {
                    assert!(
                        (actual - expected).abs() < distance,
                        "{key}: {actual} for {expected}"
                    );
                }
            }
        }
    }
    file.report();
}
