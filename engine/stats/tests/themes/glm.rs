//! Logistic regression: a published fit, its defining equations, and what has no fit.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::glm::logistic;

use crate::published::{Rng, assert_close};

/// Spector & Mazzeo (1980) as in Greene, "Econometric Analysis": GPA, TUCE, PSI, GRADE.
const SPECTOR: [[f64; 4]; 32] = [
    [2.66, 20.0, 0.0, 0.0],
    [2.89, 22.0, 0.0, 0.0],
    [3.28, 24.0, 0.0, 0.0],
    [2.92, 12.0, 0.0, 0.0],
    [4.0, 21.0, 0.0, 1.0],
    [2.86, 17.0, 0.0, 0.0],
    [2.76, 17.0, 0.0, 0.0],
    [2.87, 21.0, 0.0, 0.0],
    [3.03, 25.0, 0.0, 0.0],
    [3.92, 29.0, 0.0, 1.0],
    [2.63, 20.0, 0.0, 0.0],
    [3.32, 23.0, 0.0, 0.0],
    [3.57, 23.0, 0.0, 0.0],
    [3.26, 25.0, 0.0, 1.0],
    [3.53, 26.0, 0.0, 0.0],
    [2.74, 19.0, 0.0, 0.0],
    [2.75, 25.0, 0.0, 0.0],
    [2.83, 19.0, 0.0, 0.0],
    [3.12, 23.0, 1.0, 0.0],
    [3.16, 25.0, 1.0, 1.0],
    [2.06, 22.0, 1.0, 0.0],
    [3.62, 28.0, 1.0, 1.0],
    [2.89, 14.0, 1.0, 0.0],
    [3.51, 26.0, 1.0, 0.0],
    [3.54, 24.0, 1.0, 1.0],
    [2.83, 27.0, 1.0, 1.0],
    [3.39, 17.0, 1.0, 1.0],
    [2.67, 24.0, 1.0, 0.0],
    [3.65, 21.0, 1.0, 1.0],
    [4.0, 23.0, 1.0, 1.0],
    [3.1, 21.0, 1.0, 0.0],
    [2.39, 19.0, 1.0, 1.0],
];

/// The columns of the first three entries, and the labels.
fn spector() -> (Vec<Vec<f64>>, Vec<bool>) {
    let columns = (0..3).map(|j| SPECTOR.iter().map(|row| row[j]).collect());
    (
        columns.collect(),
        SPECTOR.iter().map(|row| row[3] == 1.0).collect(),
    )
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

#[test]
fn spector_and_mazzeo() {
    let (columns, labels) = spector();
    let fit = logistic(&slices(&columns), &labels).unwrap();
    assert_eq!(
        (fit.status, fit.penalty, fit.n, fit.positives),
        (Status::Ok, 0.0, 32, 11)
    );
    // Greene prints -13.021 (4.931), 2.826 (1.263), 0.095 (0.142), 2.379 (1.065); the digits are statsmodels'.
    let expected = [
        (-13.02134686, 4.93132421),
        (2.82611259, 1.26294108),
        (0.09515766, 0.14155421),
        (2.37868766, 1.06456425),
    ];
    let all = [fit.intercept].into_iter().chain(fit.coefficients.clone());
    for (term, (value, se)) in all.map(Option::unwrap).zip(expected) {
        assert_close("value", term.value, value, 1e-7);
        assert_close("se", term.se, se, 1e-7);
    }
    assert_close(
        "log likelihood",
        fit.log_likelihood.unwrap(),
        -12.889634222131415,
        1e-13,
    );
    // The likelihood equations: residuals are orthogonal to every column.
    let expected = fit.expected(&slices(&columns), 32).unwrap().unwrap();
    let residuals: Vec<f64> = labels
        .iter()
        .zip(&expected)
        .map(|(y, p)| f64::from(u8::from(*y)) - p)
        .collect();
    assert!(residuals.iter().sum::<f64>().abs() < 1e-12);
    for column in &columns {
        let dot: f64 = column.iter().zip(&residuals).map(|(x, r)| x * r).sum();
        assert!(dot.abs() < 1e-10);
    }
}

#[test]
fn row_order_does_not_matter() {
    let (columns, labels) = spector();
    let fit = logistic(&slices(&columns), &labels).unwrap();
    for step in [3, 5, 31] {
        let order = (0..32).map(|i| i * step % 32);
        let moved: Vec<Vec<f64>> = columns
            .iter()
            .map(|c| order.clone().map(|i| c[i]).collect())
            .collect();
        let labels: Vec<bool> = order.map(|i| labels[i]).collect();
        assert_eq!(logistic(&slices(&moved), &labels).unwrap(), fit);
    }
}

#[test]
fn strata_are_expected_at_their_own_rate() {
    let mut rng = Rng::new(12);
    let strata: Vec<usize> = (0..4000).map(|_| (rng.unit() * 4.0) as usize).collect();
    let labels: Vec<bool> = strata
        .iter()
        .map(|s| rng.unit() < 0.1 + 0.2 * *s as f64)
        .collect();
    let columns: Vec<Vec<f64>> = (1..4)
        .map(|s| {
            strata
                .iter()
                .map(|t| f64::from(u8::from(*t == s)))
                .collect()
        })
        .collect();
    let fit = logistic(&slices(&columns), &labels).unwrap();
    let expected = fit.expected(&slices(&columns), 4000).unwrap().unwrap();
    for stratum in 0..4 {
        let rows: Vec<usize> = (0..4000).filter(|i| strata[*i] == stratum).collect();
        let won = rows.iter().filter(|i| labels[**i]).count() as f64;
        assert_close("stratum", expected[rows[0]], won / rows.len() as f64, 1e-12);
    }
    // Without columns, everyone is expected at the common rate.
    let plain = logistic(&[], &labels).unwrap();
    let rate = plain.positives as f64 / 4000.0;
    assert_close(
        "rate",
        plain.expected(&[], 1).unwrap().unwrap()[0],
        rate,
        1e-14,
    );
}

#[test]
fn useless_columns_are_left_out() {
    let (mut columns, labels) = spector();
    let alone = logistic(&slices(&columns), &labels).unwrap();
    let sum: Vec<f64> = (0..32)
        .map(|i| columns[0][i] + 2.0 * columns[1][i])
        .collect();
    columns.push(sum);
    columns.push(vec![7.0; 32]);
    let fit = logistic(&slices(&columns), &labels).unwrap();
    assert_eq!(fit.status, Status::Ok);
    assert_eq!(fit.coefficients[3..], [None, None]);
    assert_eq!(fit.coefficients[..3], alone.coefficients[..]);
    let expected = fit.expected(&slices(&columns), 32).unwrap().unwrap();
    assert_eq!(
        expected,
        alone.expected(&slices(&columns[..3]), 32).unwrap().unwrap()
    );
}

#[test]
fn separated_labels_get_a_ridge_and_say_so() {
    let x: Vec<f64> = (0..20).map(f64::from).collect();
    let quasi: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i > 15))).collect();
    let labels: Vec<bool> = (0..20).map(|i| i >= 10).collect();
    for columns in [vec![x.clone()], vec![quasi]] {
        let fit = logistic(&slices(&columns), &labels).unwrap();
        assert_eq!((fit.status, fit.penalty), (Status::Infeasible, 1.0));
        let slope = fit.coefficients[0].unwrap();
        assert!(slope.value > 0.0 && slope.value < 5.0 && slope.se.is_finite());
        let expected = fit.expected(&slices(&columns), 20).unwrap().unwrap();
        assert_close("sum", expected.iter().sum(), 10.0, 1e-12);
    }
    for labels in [vec![true; 20], vec![false; 20], vec![]] {
        let fit = logistic(&[&x[..labels.len()]], &labels).unwrap();
        assert!(fit.intercept.is_none() && fit.log_likelihood.is_none());
        let status = if labels.is_empty() {
            Status::NoData
        } else {
            Status::Infeasible
        };
        assert_eq!(fit.status, status);
        assert_eq!(fit.expected(&[&x], 20), Ok(None));
    }
}

#[test]
fn units_of_a_column_do_not_matter() {
    let (columns, labels) = spector();
    let fit = logistic(&slices(&columns), &labels).unwrap();
    let mut other = columns.clone();
    other[0].iter_mut().for_each(|x| *x *= 1e90);
    other[1].iter_mut().for_each(|x| *x += 1e6);
    let moved = logistic(&slices(&other), &labels).unwrap();
    assert_close(
        "likelihood",
        moved.log_likelihood.unwrap(),
        fit.log_likelihood.unwrap(),
        1e-12,
    );
    let (a, b) = (moved.coefficients[0].unwrap(), fit.coefficients[0].unwrap());
    assert!((a.value * 1e90 / b.value - 1.0).abs() < 1e-8);
    let expected = moved.expected(&slices(&other), 32).unwrap().unwrap();
    assert!(expected.iter().all(|p| (0.0..=1.0).contains(p)));
}

#[test]
fn rare_events_and_many_rows_converge() {
    let mut rng = Rng::new(13);
    let n = 300_000;
    let columns: Vec<Vec<f64>> = (0..6)
        .map(|_| (0..n).map(|_| rng.unit()).collect())
        .collect();
    let labels: Vec<bool> = columns[0]
        .iter()
        .map(|x| rng.unit() < 1e-3 * (3.0 * x).exp())
        .collect();
    let fit = logistic(&slices(&columns), &labels).unwrap();
    assert_eq!(fit.status, Status::Ok);
    let slope = fit.coefficients[0].unwrap();
    assert!((slope.value - 3.0).abs() < 5.0 * slope.se);
}

#[test]
fn nonsense_is_invalid() {
    let labels = [true, false];
    for bad in [f64::NAN, f64::INFINITY, 1e101] {
        assert_eq!(
            logistic(&[&[1.0, bad]], &labels).unwrap_err().argument,
            "columns"
        );
    }
    assert!(logistic(&[&[1.0]], &labels).is_err());
    assert!(logistic(&[&[1.0, 2.0][..]; 31], &labels).is_err());
    let fit = logistic(&[], &labels).unwrap();
    assert!(fit.expected(&[&[1.0]], 1).is_err());
}

/// Finite where present, for columns of every kind.
#[test]
fn no_rows_make_a_nan() {
    let mut rng = Rng::new(15);
    let odd = [
        -1e100,
        -1.0,
        0.0,
        5e-324,
        1e-300,
        1.0,
        1.0_f64.next_up(),
        3.0,
        1e100,
    ];
    let mut fitted = 0;
    for _ in 0..3000 {
        let n = (rng.unit() * 15.0) as usize;
        let mut pick = || odd[(rng.unit() * odd.len() as f64) as usize];
        let columns: Vec<Vec<f64>> = (0..3).map(|_| (0..n).map(|_| pick()).collect()).collect();
        let labels: Vec<bool> = (0..n).map(|_| rng.unit() < 0.5).collect();
        let fit = logistic(&slices(&columns), &labels).unwrap();
        let terms = fit.coefficients.iter().copied().chain([fit.intercept]);
        assert!(
            terms
                .flatten()
                .all(|t| t.value.is_finite() && t.se.is_finite())
        );
        assert!(fit.log_likelihood.is_none_or(f64::is_finite));
        if let Some(expected) = fit.expected(&slices(&columns), n).unwrap() {
            assert!(expected.iter().all(|p| (0.0..=1.0).contains(p)));
            fitted += 1;
        }
    }
    assert!(fitted > 1000);
}
