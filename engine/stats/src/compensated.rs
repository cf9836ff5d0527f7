//! Sums that keep the digits a plain loop loses.
//!
//! The result still depends on the order of the terms in its last bit; callers sort first.

/// A running compensated sum (Neumaier 1974).
#[derive(Clone, Copy, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, term: f64) {
        let next = self.total + term;
        self.lost += if self.total.abs() >= term.abs() {
            (self.total - next) + term
        } else {
            (term - next) + self.total
        };
        self.total = next;
    }

    pub(crate) fn value(self) -> f64 {
        self.total + self.lost
    }
}

/// The sum of terms in the order they come.
pub(crate) fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let mut running = Sum::default();
    terms.for_each(|term| running.add(term));
    running.value()
}

/// The sum of terms in any order, the same to the last bit whatever that order was.
pub(crate) fn sum_unordered(terms: impl IntoIterator<Item = f64>) -> f64 {
    let mut terms: Vec<f64> = terms.into_iter().collect();
    terms.sort_unstable_by(f64::total_cmp);
    sum(terms.into_iter())
}

/// Σw - Σw²/Σw of weights w > 0, the denominator of a variance by moments (DerSimonian & Laird 1986).
///
/// As 2Σ_{i<j} wᵢwⱼ / Σw, in which nothing cancels when one weight exceeds all others together.
pub(crate) fn moment_weight(mut weights: Vec<f64>) -> f64 {
    weights.sort_by(f64::total_cmp);
    let (mut so_far, mut pairs) = (0.0, 0.0);
    for weight in weights {
        pairs += weight * so_far;
        so_far += weight;
    }
    2.0 * (pairs / so_far)
}
