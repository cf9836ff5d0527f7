//! Kappa for labels with more than two values, where some disagreements are worse than others.

use std::str::FromStr;

use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::two_sided_z;

/// How bad it is that two labels are i and j.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weights {
    /// As bad as any other disagreement: Cohen's (1960) kappa.
    Unweighted,
    /// |i-j|.
    Linear,
    /// (i-j)²: kappa is then an intraclass correlation (Fleiss & Cohen 1973).
    Quadratic,
}

impl Weights {
    fn between(self, i: usize, j: usize) -> f64 {
        let apart = i.abs_diff(j) as f64;
        match self {
            Self::Unweighted => apart.min(1.0),
            Self::Linear => apart,
            Self::Quadratic => apart * apart,
        }
    }
}

impl FromStr for Weights {
    type Err = Invalid;

    /// The weights by their SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "unweighted" => Ok(Self::Unweighted),
            "linear" => Ok(Self::Linear),
            "quadratic" => Ok(Self::Quadratic),
            _ => Err(Invalid::new(
                "weights",
                "unweighted, linear or quadratic",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// Weighted kappa with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedKappa {
    /// 1 - Σvp/Σv·(expected p). `None` when the margins leave no disagreement to expect.
    pub kappa: Option<f64>,
    /// Large-sample variance.
    pub var_kappa: Option<f64>,
    /// Lower end of the normal interval, at least -1.
    pub lo: Option<f64>,
    /// Upper end of the normal interval, at most 1.
    pub hi: Option<f64>,
    /// Cases in the table.
    pub n: f64,
    /// `ok`, `no_data`, or `infeasible` when kappa does not exist.
    pub status: Status,
}

/// Weighted kappa of a square table of cases: row i is the first label, column j the second.
///
/// See [`kappa_with`]. R `psych::cohen.kappa` (quadratic), `vcd::Kappa`, `irr::kappa2`.
pub fn kappa_weighted(
    table: &[Vec<f64>],
    weights: Weights,
    conf: f64,
) -> Result<WeightedKappa, Invalid> {
    let size = table.len();
    let disagreement: Vec<Vec<f64>> = (0..size)
        .map(|i| (0..size).map(|j| weights.between(i, j)).collect())
        .collect();
    kappa_with(table, &disagreement, conf)
}

/// Weighted kappa for any disagreement weights v >= 0, 0 on the diagonal.
///
/// κ = 1 - Σ v p_ij / Σ v p_i. p_.j (Cohen 1968 Psych Bull 70:213, eq. 5). Variance: Fleiss, Cohen & Everitt
/// (1969), eq. 8, with the agreement weights w = 1 - v/max v. The table may hold fractions of cases.
/// [`Invalid`] unless both are square, of one size, finite and not negative.
pub fn kappa_with(
    table: &[Vec<f64>],
    disagreement: &[Vec<f64>],
    conf: f64,
) -> Result<WeightedKappa, Invalid> {
    let z = two_sided_z(conf)?;
    check_square("table", table, table.len())?;
    check_square("disagreement", disagreement, table.len())?;
    if let Some(i) = (0..table.len()).find(|&i| disagreement[i][i] != 0.0) {
        let got = disagreement[i][i];
        return Err(Invalid::new("disagreement", "zeros on the diagonal", got));
    }
    let n: f64 = table.iter().flatten().sum();
    let absent = WeightedKappa {
        kappa: None,
        var_kappa: None,
        lo: None,
        hi: None,
        n,
        status: Status::NoData,
    };
    if n == 0.0 {
        return Ok(absent);
    }
    let shares = Shares::new(table, n);
    let expected = shares.expected(disagreement);
    if expected <= 0.0 {
        return Ok(WeightedKappa {
            status: Status::Infeasible,
            ..absent
        });
    }
    let kappa = 1.0 - shares.observed(disagreement) / expected;
    let var_kappa = shares.variance(disagreement, kappa) / n;
    let half = z * var_kappa.sqrt();
    Ok(WeightedKappa {
        kappa: Some(kappa),
        var_kappa: Some(var_kappa),
        lo: Some((kappa - half).max(-1.0)),
        hi: Some((kappa + half).min(1.0)),
        n,
        status: Status::Ok,
    })
}

/// The table as shares of all cases, with its margins.
struct Shares {
    cells: Vec<Vec<f64>>,
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Shares {
    fn new(table: &[Vec<f64>], n: f64) -> Self {
        let cells: Vec<Vec<f64>> = table
            .iter()
            .map(|row| row.iter().map(|cell| cell / n).collect())
            .collect();
        let rows = cells.iter().map(|row| row.iter().sum()).collect();
        let columns = (0..cells.len())
            .map(|j| cells.iter().map(|row| row[j]).sum())
            .collect();
        Self {
            cells,
            rows,
            columns,
        }
    }

    fn each_cell(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        self.cells
            .iter()
            .enumerate()
            .flat_map(|(i, row)| row.iter().enumerate().map(move |(j, share)| (i, j, *share)))
    }

    fn observed(&self, v: &[Vec<f64>]) -> f64 {
        self.each_cell().map(|(i, j, share)| v[i][j] * share).sum()
    }

    fn expected(&self, v: &[Vec<f64>]) -> f64 {
        self.each_cell()
            .map(|(i, j, _)| v[i][j] * self.rows[i] * self.columns[j])
            .sum()
    }

    /// n times the variance, for some expected disagreement.
    fn variance(&self, v: &[Vec<f64>], kappa: f64) -> f64 {
        let worst = v.iter().flatten().copied().fold(0.0, f64::max);
        let agreement = |i: usize, j: usize| 1.0 - v[i][j] / worst;
        let size = self.cells.len();
        // The agreement to be expected with a row, and with a column.
        let of_row: Vec<f64> = (0..size)
            .map(|i| (0..size).map(|j| self.columns[j] * agreement(i, j)).sum())
            .collect();
        let of_column: Vec<f64> = (0..size)
            .map(|j| (0..size).map(|i| self.rows[i] * agreement(i, j)).sum())
            .collect();
        let off = self.expected(v) / worst;
        let centre = kappa - (1.0 - off) * (1.0 - kappa);
        let second_moment: f64 = self
            .each_cell()
            .map(|(i, j, share)| {
                let weight = agreement(i, j) - (of_row[i] + of_column[j]) * (1.0 - kappa);
                share * weight * weight
            })
            .sum();
        (second_moment - centre * centre).max(0.0) / (off * off)
    }
}

fn check_square(name: &'static str, matrix: &[Vec<f64>], size: usize) -> Result<(), Invalid> {
    if matrix.len() != size || matrix.iter().any(|row| row.len() != size) {
        return Err(Invalid::new(
            name,
            "a square of one size",
            format_args!("{} rows", matrix.len()),
        ));
    }
    let bad = matrix
        .iter()
        .flatten()
        .find(|cell| !(**cell >= 0.0 && **cell <= 1e15));
    match bad {
        Some(bad) => Err(Invalid::new(name, "numbers from 0 to 1e15", bad)),
        None => Ok(()),
    }
}
