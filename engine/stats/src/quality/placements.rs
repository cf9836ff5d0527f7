//! Placements: how many rows of the other class a row beats, which is what the variance of an area is made of.
//!
//! Twice a placement is a whole number, so sums of them and of their squares are exact and in no need of an order.

use super::scored::Scored;

/// Twice the placements (negatives below a positive, positives above a negative, equals ½), summed by class.
#[derive(Default)]
pub(super) struct Placements {
    of_positives: Moments,
    of_negatives: Moments,
}

impl Placements {
    pub(super) fn of(scored: &Scored) -> Self {
        let mut all = Self::default();
        let (mut negatives_below, mut positives_above) = (0, scored.positives());
        for run in scored.runs() {
            positives_above -= run.positives;
            let below = i128::from(2 * negatives_below + run.negatives);
            let above = i128::from(2 * positives_above + run.positives);
            all.add(below, run.positives, true);
            all.add(above, run.negatives, false);
            negatives_below += run.negatives;
        }
        all
    }

    pub(super) fn add(&mut self, doubled: i128, times: u64, label: bool) {
        if label {
            self.of_positives.add(doubled, times);
        } else {
            self.of_negatives.add(doubled, times);
        }
    }

    /// DeLong's variance of the area; `None` with fewer than two rows of a class.
    pub(super) fn variance(&self, positives: u64, negatives: u64) -> Option<f64> {
        let (p, n) = (positives as f64, negatives as f64);
        let of_positives = self.of_positives.variance()? / (4.0 * n * n) / p;
        let of_negatives = self.of_negatives.variance()? / (4.0 * p * p) / n;
        Some(of_positives + of_negatives)
    }
}

/// Exact sums of whole numbers up to 2³² in size, of up to 2³¹ of them: the largest product stays below 2¹²⁷.
#[derive(Default)]
struct Moments {
    n: i128,
    sum: i128,
    squares: i128,
}

impl Moments {
    fn add(&mut self, value: i128, times: u64) {
        let times = i128::from(times);
        self.n += times;
        self.sum += times * value;
        self.squares += times * value * value;
    }

    /// Sample variance.
    fn variance(&self) -> Option<f64> {
        if self.n < 2 {
            return None;
        }
        let spread = self.n * self.squares - self.sum * self.sum;
        Some(spread as f64 / (self.n * (self.n - 1)) as f64)
    }
}
