//! Scores with their labels, checked and sorted: what every measure of this folder starts from.
//!
//! Rows with one score form one run, which is what makes the measures independent of row order.

use crate::invalid::Invalid;

/// Rows beyond this are refused, so that sums of squared ranks are exact in 128 bits.
const ROWS_MAX: usize = 1 << 31;

/// Scores and labels of a set of rows, in any order. Built once, then given to the measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    runs: Vec<Run>,
    positives: u64,
    negatives: u64,
}

/// All rows of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    pub(super) score: f64,
    pub(super) positives: u64,
    pub(super) negatives: u64,
}

impl Run {
    pub(super) fn n(&self) -> u64 {
        self.positives + self.negatives
    }
}

impl Scored {
    /// Sorts the rows, in O(n log n). [`Invalid`] when the lengths differ, a score is not finite, or there are
    /// more than 2³¹ rows. No rows are a valid set.
    pub fn new(scores: &[f64], labels: &[bool]) -> Result<Self, Invalid> {
        check_rows("scores", scores, labels)?;
        let mut rows: Vec<(f64, bool)> = scores
            .iter()
            .zip(labels)
            // Adding 0 turns -0 into 0: they are one score.
            .map(|(score, label)| (score + 0.0, *label))
            .collect();
        rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut runs: Vec<Run> = Vec::new();
        for (score, label) in rows {
            let (positives, negatives) = (u64::from(label), u64::from(!label));
            match runs.last_mut() {
                Some(run) if run.score == score => {
                    run.positives += positives;
                    run.negatives += negatives;
                }
                _ => runs.push(Run {
                    score,
                    positives,
                    negatives,
                }),
            }
        }
        let positives = labels.iter().filter(|label| **label).count() as u64;
        Ok(Self {
            runs,
            positives,
            negatives: labels.len() as u64 - positives,
        })
    }

    /// Rows.
    pub fn n(&self) -> u64 {
        self.positives + self.negatives
    }

    /// Rows labelled true.
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// Rows labelled false.
    pub fn negatives(&self) -> u64 {
        self.negatives
    }

    /// The runs, by ascending score.
    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The runs, where every score is a probability; [`Invalid`] otherwise.
    pub(super) fn probabilities(&self) -> Result<&[Run], Invalid> {
        let ends = [self.runs.first(), self.runs.last()];
        match ends
            .into_iter()
            .flatten()
            .find(|run| !(0.0..=1.0).contains(&run.score))
        {
            Some(run) => Err(Invalid::new(
                "scores",
                "probabilities from 0 to 1",
                run.score,
            )),
            None => Ok(&self.runs),
        }
    }
}

/// What is asked of every pair of columns: one label per score, finite scores, not too many.
pub(super) fn check_rows(
    name: &'static str,
    scores: &[f64],
    labels: &[bool],
) -> Result<(), Invalid> {
    if scores.len() != labels.len() {
        return Err(Invalid::new(name, "one entry per label", scores.len()));
    }
    if scores.len() > ROWS_MAX {
        return Err(Invalid::new(name, "at most 2^31 entries", scores.len()));
    }
    match scores.iter().find(|score| !score.is_finite()) {
        Some(bad) => Err(Invalid::new(name, "finite numbers", bad)),
        None => Ok(()),
    }
}
