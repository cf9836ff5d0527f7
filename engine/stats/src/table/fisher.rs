//! Fisher's exact test of independence.

use crate::special::ln_beta_density_kernel;

/// Tables are equally probable when they differ by less than this, as in R's `fisher.test`.
const RELATIVE_SLACK: f64 = 1e-7;
/// The sums take a few standard deviations of terms: some millions at this total.
const TOTAL_MAX: u64 = 1_000_000_000_000;

/// Two-sided p value of independence in the table (a, b; c, d) with its margins given.
///
/// The sum of the hypergeometric probabilities of all tables at most as probable as this one (Fisher 1935;
/// Freeman & Halton 1951), R `fisher.test`, scipy `fisher_exact`. `None` for an empty table or more than 1e12
/// cases; 1 where the margins leave one table only.
pub fn fisher_p(a: u64, b: u64, c: u64, d: u64) -> Option<f64> {
    let total = a.checked_add(b)?.checked_add(c)?.checked_add(d)?;
    if total == 0 || total > TOTAL_MAX {
        return None;
    }
    let margins = Margins {
        first: a + b,
        second: c + d,
        drawn: a + c,
    };
    let (least, most) = margins.support();
    if least == most {
        return Some(1.0);
    }
    let bound = margins.ln_probability(a) + RELATIVE_SLACK;
    let mode = margins.mode().clamp(least, most);
    if margins.ln_probability(mode) <= bound {
        return Some(1.0);
    }
    let left = last_rare(least, mode, |k| margins.ln_probability(k) <= bound);
    let right = last_rare(0, most - mode, |k| {
        margins.ln_probability(most - k) <= bound
    });
    let left = left.map_or(0.0, |k| margins.tail_down(k, least));
    let right = right.map_or(0.0, |k| margins.tail_up(most - k, most));
    Some((left + right).min(1.0))
}

/// The last k from `from` on that is still rare, when all up to some k are and `end` is not.
fn last_rare(from: u64, end: u64, rare: impl Fn(u64) -> bool) -> Option<u64> {
    if !rare(from) {
        return None;
    }
    let (mut inside, mut outside) = (from, end);
    while outside - inside > 1 {
        let middle = inside + (outside - inside) / 2;
        if rare(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    Some(inside)
}

/// Cases of each row, and of the first column.
struct Margins {
    first: u64,
    second: u64,
    drawn: u64,
}

impl Margins {
    fn support(&self) -> (u64, u64) {
        (
            self.drawn.saturating_sub(self.second),
            self.drawn.min(self.first),
        )
    }

    fn mode(&self) -> u64 {
        let (first, drawn) = (u128::from(self.first) + 1, u128::from(self.drawn) + 1);
        (first * drawn / (u128::from(self.first) + u128::from(self.second) + 2)) as u64
    }

    /// Loader (2000): a product of binomial probabilities at the rate of the column, over a third.
    fn ln_probability(&self, k: u64) -> f64 {
        let total = (self.first + self.second) as f64;
        let (drawn, left) = (
            self.drawn as f64,
            (self.first + self.second - self.drawn) as f64,
        );
        let (p, q) = (drawn / total, left / total);
        let rest = self.drawn - k;
        ln_beta_density_kernel(k as f64, (self.first - k) as f64, p, q)
            + ln_beta_density_kernel(rest as f64, (self.second - rest) as f64, p, q)
            - ln_beta_density_kernel(drawn, left, p, q)
    }

    /// P(k+1) / P(k).
    fn ratio(&self, k: u64) -> f64 {
        let up = (self.first - k) as f64 * (self.drawn - k) as f64;
        up / ((k + 1) as f64 * (self.second + k + 1 - self.drawn) as f64)
    }

    /// P(least) + … + P(k), from the largest term down.
    fn tail_down(&self, k: u64, least: u64) -> f64 {
        let (mut term, mut sum, mut k) = (1.0, 1.0, k);
        let scale = self.ln_probability(k).exp();
        while k > least && term > f64::EPSILON * 1e-3 * sum {
            k -= 1;
            term /= self.ratio(k);
            sum += term;
        }
        scale * sum
    }

    /// P(k) + … + P(most), from the largest term up.
    fn tail_up(&self, k: u64, most: u64) -> f64 {
        let (mut term, mut sum, mut k) = (1.0, 1.0, k);
        let scale = self.ln_probability(k).exp();
        while k < most && term > f64::EPSILON * 1e-3 * sum {
            term *= self.ratio(k);
            k += 1;
            sum += term;
        }
        scale * sum
    }
}
