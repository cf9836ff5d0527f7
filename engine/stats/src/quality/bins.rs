//! Cutting sorted scores into bins.
//!
//! A bin is open below and closed above, the lowest one closed on both sides. Rows of one score share a bin.

use std::str::FromStr;

use super::scored::Run;
use crate::invalid::Invalid;

/// Bins beyond this are refused: no picture and no test needs them.
const BINS_MAX: usize = 10_000;

/// Where the edges of the bins lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binning {
    /// Equal parts of [0, 1], as Guo et al. (2017) ICML and scikit-learn's `calibration_curve`. The default.
    EqualWidth,
    /// Quantiles of the scores, by linear interpolation (R's type 7, numpy's default), as R's
    /// `cut(p, unique(quantile(p, …)), include.lowest = TRUE)` and scikit-learn's `strategy = "quantile"`. Equal
    /// edges leave fewer bins.
    Quantile,
    /// As many rows in each, up to one, the lower bins first: SQL's `ntile`, numpy's `array_split` of the sorted rows.
    /// Rows of one score go to the bin of the lowest of them.
    Ntile,
}

impl FromStr for Binning {
    type Err = Invalid;

    /// The binning by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "equal_width" => Ok(Self::EqualWidth),
            "quantile" => Ok(Self::Quantile),
            "ntile" => Ok(Self::Ntile),
            _ => Err(Invalid::new(
                "binning",
                "equal_width, quantile or ntile",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// One bin that has rows.
pub(super) struct Bin<'a> {
    /// Counted from 0 over all bins, empty ones included.
    pub(super) index: usize,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) runs: &'a [Run],
}

impl Bin<'_> {
    pub(super) fn positives(&self) -> u64 {
        self.runs.iter().map(|run| run.positives).sum()
    }

    pub(super) fn n(&self) -> u64 {
        self.runs.iter().map(Run::n).sum()
    }

    /// Sum of the scores of its rows.
    pub(super) fn score_sum(&self) -> f64 {
        crate::compensated::sum(self.runs.iter().map(|run| run.score * run.n() as f64))
    }
}

pub(super) fn check_bins(bins: usize) -> Result<(), Invalid> {
    if !(1..=BINS_MAX).contains(&bins) {
        return Err(Invalid::new("bins", "a number from 1 to 10000", bins));
    }
    Ok(())
}

/// The bins that have rows, ascending. `bins` is already checked, and the runs of equal width are probabilities.
pub(super) fn cut(runs: &[Run], bins: usize, binning: Binning) -> Vec<Bin<'_>> {
    match binning {
        Binning::EqualWidth => {
            let edges: Vec<f64> = (0..=bins).map(|i| i as f64 / bins as f64).collect();
            cut_at(runs, &edges)
        }
        Binning::Quantile => cut_at(runs, &quantiles(runs, bins)),
        Binning::Ntile => cut_by_rank(runs, bins as u64),
    }
}

/// Bins of equal numbers of rows, as far as the runs allow.
fn cut_by_rank(runs: &[Run], bins: u64) -> Vec<Bin<'_>> {
    let n: u64 = runs.iter().map(Run::n).sum();
    let (size, longer) = (n / bins, n % bins);
    let bin_of = |rank: u64| {
        let in_longer = longer * (size + 1);
        if rank < in_longer {
            rank / (size + 1)
        } else {
            longer + (rank - in_longer) / size
        }
    };
    let mut found: Vec<Bin<'_>> = Vec::new();
    let (mut from, mut rank) = (0, 0);
    while let Some(first) = runs.get(from) {
        let bin = bin_of(rank);
        let mut to = from;
        while to < runs.len() && bin_of(rank) == bin {
            rank += runs[to].n();
            to += 1;
        }
        found.push(Bin {
            index: bin as usize,
            from: first.score,
            to: runs[to - 1].score,
            runs: &runs[from..to],
        });
        from = to;
    }
    found
}

/// The scores at i/`bins` of the rows for i = 0, 1, …, `bins`; empty without rows.
pub(super) fn quantiles(runs: &[Run], bins: usize) -> Vec<f64> {
    let n: u64 = runs.iter().map(Run::n).sum();
    let mut edges = Vec::with_capacity(bins + 1);
    let mut cursor = Cursor {
        runs,
        run: 0,
        before: 0,
    };
    for i in 0..=bins as u128 {
        if n == 0 {
            break;
        }
        let scaled = u128::from(n - 1) * i;
        let (rank, rest) = (scaled / bins as u128, scaled % bins as u128);
        let low = cursor.score_of_rank(rank as u64);
        let next = Cursor { ..cursor }.score_of_rank((rank as u64 + 1).min(n - 1));
        let part = rest as f64 / bins as f64;
        // Weighted, not low + part·(next - low): the difference may overflow.
        let edge = if part == 0.0 || low == next {
            low
        } else {
            low * (1.0 - part) + next * part
        };
        edges.push(edge);
    }
    edges
}

/// Walks up the sorted rows.
struct Cursor<'a> {
    runs: &'a [Run],
    run: usize,
    before: u64,
}

impl Cursor<'_> {
    /// The score of the row with this rank, which must not fall from call to call.
    fn score_of_rank(&mut self, rank: u64) -> f64 {
        while self.run + 1 < self.runs.len() && self.before + self.runs[self.run].n() <= rank {
            self.before += self.runs[self.run].n();
            self.run += 1;
        }
        self.runs[self.run].score
    }
}

/// The runs between neighbouring edges. What lies outside the edges joins the outer bins.
pub(super) fn cut_at<'a>(runs: &'a [Run], edges: &[f64]) -> Vec<Bin<'a>> {
    let mut bins = Vec::new();
    let mut rest = runs;
    let last = edges.len().saturating_sub(2);
    for (index, pair) in edges.windows(2).enumerate() {
        let split = if index == last {
            rest.len()
        } else {
            rest.partition_point(|run| run.score <= pair[1])
        };
        let (inside, above) = rest.split_at(split);
        if !inside.is_empty() {
            bins.push(Bin {
                index,
                from: pair[0],
                to: pair[1],
                runs: inside,
            });
        }
        rest = above;
    }
    bins
}
