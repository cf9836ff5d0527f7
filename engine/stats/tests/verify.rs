//! Every case of the published numbers in tests/verify that this crate answers.
//!
//! A number passes when it is within the file's tolerance both absolutely and relatively; a relative check
//! against an expected 0 is the absolute one.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its file has failed"
)]

use serde_json::Value;
use tributary_engine_stats::change::since_when;
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::rate::{rate_difference, rate_interval};
use tributary_engine_stats::share::{effective_n, gini, gini_unbiased, hhi, top_share};

struct File {
    name: &'static str,
    tolerance: f64,
    cases: Vec<Value>,
    worst: f64,
}

impl File {
    fn open(name: &'static str) -> Self {
        let path = format!(
            "{}/../../tests/verify/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = file["cases"].as_array().unwrap().clone();
        Self {
            name,
            tolerance: file["tolerance"].as_f64().unwrap(),
            cases,
            worst: 0.0,
        }
    }

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

    fn report(self) {
        println!(
            "{}: largest error {:.1e} of {:.0e} allowed",
            self.name, self.worst, self.tolerance
        );
    }
}

fn count(v: &Value) -> u64 {
    v.as_u64().unwrap()
}

fn counts(v: &Value) -> Vec<u64> {
    v.as_array().unwrap().iter().map(count).collect()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

#[test]
fn a1_proportion_ci() {
    let mut file = File::open("a1_proportion_ci");
    for case in file.cases.clone() {
        let input = &case["input"];
        let (x, n, conf) = (
            count(&input["successes"]),
            count(&input["trials"]),
            input["conf"].as_f64().unwrap(),
        );
        let Some(expected) = case["expected"].as_object() else {
            let e = rate_interval(x, n, conf, "wilson".parse().unwrap()).unwrap();
            assert_eq!(
                (e.value, e.lo, e.hi, e.status),
                (None, None, None, Status::NoData)
            );
            continue;
        };
        for (method, limits) in expected {
            let e = rate_interval(x, n, conf, method.parse().unwrap()).unwrap();
            let limits = numbers(limits);
            file.check(&format!("{method} {x}/{n} lo"), e.lo.unwrap(), limits[0]);
            file.check(&format!("{method} {x}/{n} hi"), e.hi.unwrap(), limits[1]);
        }
        for (key, limits) in case["published_4dp"].as_object().into_iter().flatten() {
            let method = if key == "cp" { "clopper_pearson" } else { key };
            let e = rate_interval(x, n, conf, method.parse().unwrap()).unwrap();
            for (actual, printed) in [e.lo.unwrap(), e.hi.unwrap()]
                .into_iter()
                .zip(numbers(limits))
            {
                assert!(
                    (actual - printed).abs() <= 5.1e-5,
                    "{key} {x}/{n}: {actual} for {printed}"
                );
            }
        }
    }
    file.report();
}

#[test]
fn a2_diff_ci() {
    let mut file = File::open("a2_diff_ci");
    for case in file.cases.clone() {
        let [x1, n1, x2, n2] = ["x1", "n1", "x2", "n2"].map(|key| count(&case["input"][key]));
        let e = rate_difference(x1, n1, x2, n2, 0.95).unwrap();
        for (key, actual) in [("diff", e.value), ("lo", e.lo), ("hi", e.hi)] {
            let what = format!("{x1}/{n1} - {x2}/{n2} {key}");
            file.check(
                &what,
                actual.unwrap(),
                case["expected"][key].as_f64().unwrap(),
            );
        }
        for (actual, printed) in [e.lo, e.hi]
            .into_iter()
            .zip(numbers(&case["published_4dp"]))
        {
            assert!((actual.unwrap() - printed).abs() <= 5.1e-5);
        }
    }
    file.report();
}

#[test]
fn g6_binomial_changepoint() {
    let mut file = File::open("g6_binomial_changepoint");
    for case in file.cases.clone() {
        let (input, expected) = (&case["input"], &case["expected"]);
        assert_eq!(
            (counts(&input["prior"]), input["p_change"].as_f64()),
            (vec![1, 1], Some(0.5))
        );
        let change = since_when(&counts(&input["y"]), &counts(&input["n"]), None)
            .unwrap()
            .change
            .unwrap();
        assert_eq!(change.lr_mode as u64, count(&expected["lr_argmax"]));
        for (key, actual) in [
            ("lr", change.lr),
            ("p_change", change.p_change),
            ("log_bf", change.log_bf),
        ] {
            file.check(key, actual, expected[key].as_f64().unwrap());
        }
        let posterior = numbers(&expected["posterior_k"]);
        assert_eq!(change.posterior.len(), posterior.len());
        for (k, (actual, expected)) in change.posterior.iter().zip(posterior).enumerate() {
            file.check(&format!("posterior_k[{k}]"), *actual, expected);
        }
    }
    file.report();
}

#[test]
fn j2_concentration() {
    let mut file = File::open("j2_concentration");
    for case in file.cases.clone() {
        let x = numbers(&case["input"]["x"]);
        let all = [
            ("gini", gini(&x)),
            ("gini_unbiased", gini_unbiased(&x)),
            ("hhi", hhi(&x)),
            ("effective_n", effective_n(&x)),
            ("top1_share", top_share(&x, 1.0 / x.len() as f64)),
            ("top20pct_share", top_share(&x, 0.2)),
        ];
        for (key, actual) in all {
            match &case["expected"] {
                Value::Null => assert_eq!(actual, Ok(None), "{key}"),
                Value::String(_) => assert!(actual.is_err(), "{key}"),
                expected => match expected.get(key) {
                    None => {}
                    Some(Value::Null) => assert_eq!(actual, Ok(None), "{key}"),
                    Some(expected) => {
                        file.check(key, actual.unwrap().unwrap(), expected.as_f64().unwrap());
                    }
                },
            }
        }
    }
    file.report();
}
