//! The rows of a regression: alike ones merged, columns standardised, useless columns left out.

use super::cholesky::Cholesky;
use crate::compensated::sum;
use crate::invalid::Invalid;

/// Entries beyond this are refused, so that squares stay finite.
const ENTRY_MAX: f64 = 1e100;
/// A column is left out when others explain all but this part of its variance; rounding explains 1e-14.
const UNEXPLAINED_MIN: f64 = 1e-11;

/// Groups of rows that are alike.
pub(crate) struct Groups {
    /// What each original column became.
    pub(super) columns: Vec<Standardised>,
    /// Kept columns.
    pub(super) width: usize,
    /// Standardised entries of the kept columns, group by group.
    pub(super) entries: Vec<f64>,
    /// Rows of each group.
    pub(super) trials: Vec<f64>,
    /// Rows of each group labelled true.
    pub(super) successes: Vec<f64>,
    /// A known part of the linear predictor; empty for none.
    pub(super) offset: Vec<f64>,
}

/// A column as (x - mean) / deviation.
#[derive(Clone, Copy)]
pub(super) struct Standardised {
    pub(super) mean: f64,
    pub(super) deviation: f64,
    /// Its place among the kept columns.
    pub(super) place: Option<usize>,
}

pub(super) fn check_columns(
    columns: &[&[f64]],
    rows: usize,
    columns_max: usize,
) -> Result<(), Invalid> {
    if columns.len() > columns_max {
        return Err(Invalid::new("columns", "at most 30 columns", columns.len()));
    }
    for column in columns {
        if column.len() != rows {
            return Err(Invalid::new("columns", "one entry per row", column.len()));
        }
        let inside = -ENTRY_MAX..=ENTRY_MAX;
        if let Some(bad) = column.iter().find(|x| !inside.contains(*x)) {
            return Err(Invalid::new("columns", "numbers from -1e100 to 1e100", bad));
        }
    }
    Ok(())
}

impl Groups {
    /// Groups of checked rows.
    pub(super) fn of_rows(columns: &[&[f64]], labels: &[bool]) -> Self {
        // Adding 0 turns -0 into 0: they are alike.
        let compare = |a: &usize, b: &usize| {
            let entries = columns
                .iter()
                .map(|column| (column[*a] + 0.0).total_cmp(&(column[*b] + 0.0)));
            entries
                .into_iter()
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        };
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_unstable_by(compare);
        let (mut first, mut trials, mut successes) = (Vec::new(), Vec::new(), Vec::new());
        for alike in order.chunk_by(|a, b| compare(a, b).is_eq()) {
            first.push(alike[0]);
            trials.push(alike.len() as f64);
            successes.push(alike.iter().filter(|row| labels[**row]).count() as f64);
        }
        let columns: Vec<Vec<f64>> = columns
            .iter()
            .map(|column| first.iter().map(|row| column[*row]).collect())
            .collect();
        Self::new(&columns, trials, successes, Vec::new())
    }

    /// Groups as they are, in an order that depends on nothing but the data.
    pub(crate) fn new(
        columns: &[Vec<f64>],
        trials: Vec<f64>,
        successes: Vec<f64>,
        offset: Vec<f64>,
    ) -> Self {
        let mut standardised: Vec<Standardised> = columns
            .iter()
            .map(|column| standardise(column, &trials))
            .collect();
        let varying: Vec<usize> = (0..columns.len())
            .filter(|j| standardised[*j].deviation > 0.0)
            .collect();
        let value = |j: usize, row: usize| {
            let Standardised {
                mean, deviation, ..
            } = standardised[j];
            (columns[j][row] - mean) / deviation
        };
        let size = varying.len();
        let mut gram = vec![0.0; size * size];
        for (row, rows) in trials.iter().enumerate() {
            for (a, j) in varying.iter().enumerate() {
                let weighted = rows * value(*j, row);
                for (b, k) in varying.iter().enumerate().take(a + 1) {
                    gram[a * size + b] += weighted * value(*k, row);
                }
            }
        }
        let independent = Cholesky::independent(&gram, size, UNEXPLAINED_MIN);
        let kept: Vec<usize> = varying
            .iter()
            .zip(&independent)
            .filter_map(|(j, kept)| kept.then_some(*j))
            .collect();
        let entries = (0..trials.len())
            .flat_map(|row| kept.iter().map(move |j| (row, *j)))
            .map(|(row, j)| value(j, row))
            .collect();
        for (place, j) in kept.iter().enumerate() {
            standardised[*j].place = Some(place);
        }
        Self {
            columns: standardised,
            width: kept.len(),
            entries,
            trials,
            successes,
            offset,
        }
    }
}

/// Mean and standard deviation over the rows; deviation 0 for a column that is constant but for rounding.
fn standardise(column: &[f64], trials: &[f64]) -> Standardised {
    let n = sum(trials.iter().copied());
    // Squares of the entries themselves might underflow.
    let largest = column.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let weighted = || column.iter().map(|x| x / unit).zip(trials);
    let mean = sum(weighted().map(|(x, t)| t * x)) / n;
    let variance = sum(weighted().map(|(x, t)| t * (x - mean).powi(2))) / n;
    let deviation = variance.sqrt();
    let noise = 1e-14 * mean.abs();
    Standardised {
        mean: mean * unit,
        deviation: if deviation > noise {
            deviation * unit
        } else {
            0.0
        },
        place: None,
    }
}
