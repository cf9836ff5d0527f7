//! Concentration: how unequally a total is spread over its parts.
//!
//! Parts are sorted and scaled by the largest before anything is summed, so a result depends neither on
//! row order nor on the currency. Negative parts (returns) have no share and are refused; net them first.
//! `None` means there is no total to share: no parts, or all of them 0.

use crate::compensated::sum;
use crate::invalid::Invalid;

/// Gini coefficient, 0 (all equal) to 1 - 1/n (one part has everything).
///
/// G = 2Σ i·x₍ᵢ₎ / (nΣx) - (n+1)/n with x ascending (Gini 1912; Damgaard & Weiner 2000, Ecology 81:1139),
/// computed as Σ_{i <= n/2} (n+1-2i)(x₍ₙ₊₁₋ᵢ₎ - x₍ᵢ₎) / (nΣx), whose terms are all positive. One part: 0.
pub fn gini(x: &[f64]) -> Result<Option<f64>, Invalid> {
    Ok(Parts::new(x)?.map(|parts| parts.gini()))
}

/// Gini coefficient times n/(n-1), which is unbiased for a sample and reaches 1 (Deltas 2003, Rev Econ
/// Stat 85:226). One part: `None`.
pub fn gini_unbiased(x: &[f64]) -> Result<Option<f64>, Invalid> {
    Ok(Parts::new(x)?
        .filter(|parts| parts.len() > 1.0)
        .map(|parts| {
            let n = parts.len();
            (parts.gini() * n / (n - 1.0)).min(1.0)
        }))
}

/// Herfindahl-Hirschman index 10⁴ Σs², in points as the US DOJ/FTC Merger Guidelines (2023, 2.1) print it;
/// s is the share x/Σx. 10⁴/n (all equal) to 10⁴ (one part has everything).
pub fn hhi(x: &[f64]) -> Result<Option<f64>, Invalid> {
    Ok(Parts::new(x)?.map(|parts| 1e4 * parts.sum_of_squares()))
}

/// Share of the total held by the largest `frac` of the parts, 0 < frac <= 1.
///
/// 1 - L(1-frac) on the Lorenz curve L (Lorenz 1905), which is straight between parts: with 7 parts, the top
/// 20 % is the largest part and 0.4 of the second. `frac` = 1/n is the largest part's share.
pub fn top_share(x: &[f64], frac: f64) -> Result<Option<f64>, Invalid> {
    if !(frac > 0.0 && frac <= 1.0) {
        return Err(Invalid::new("frac", "a number above 0 and at most 1", frac));
    }
    Ok(Parts::new(x)?.map(|parts| parts.top_share(frac)))
}

/// Effective number of parts 1/Σs²: how many equal parts would be as concentrated (Laakso & Taagepera 1979,
/// Comp Pol Stud 12:3; Hill 1973, order 2).
pub fn effective_n(x: &[f64]) -> Result<Option<f64>, Invalid> {
    Ok(Parts::new(x)?.map(|parts| 1.0 / parts.sum_of_squares()))
}

/// Parts of a positive total: ascending, scaled so that the largest is 1.
struct Parts {
    ascending: Vec<f64>,
    total: f64,
}

impl Parts {
    /// `None` if there is no total to share.
    fn new(x: &[f64]) -> Result<Option<Self>, Invalid> {
        if let Some(bad) = x.iter().find(|part| !(part.is_finite() && **part >= 0.0)) {
            return Err(Invalid::new("x", "finite parts of at least 0", bad));
        }
        let largest = x.iter().copied().fold(0.0, f64::max);
        if largest == 0.0 {
            return Ok(None);
        }
        let mut ascending: Vec<f64> = x.iter().map(|part| part / largest).collect();
        ascending.sort_by(f64::total_cmp);
        let total = sum(ascending.iter().copied());
        Ok(Some(Self { ascending, total }))
    }

    fn len(&self) -> f64 {
        self.ascending.len() as f64
    }

    fn gini(&self) -> f64 {
        let n = self.ascending.len();
        let pairs = self
            .ascending
            .iter()
            .zip(self.ascending.iter().rev())
            .take(n / 2);
        let spread = pairs
            .enumerate()
            .map(|(i, (small, large))| (n - 1 - 2 * i) as f64 * (large - small));
        sum(spread) / (self.len() * self.total)
    }

    fn sum_of_squares(&self) -> f64 {
        sum(self
            .ascending
            .iter()
            .map(|part| (part / self.total).powi(2)))
    }

    fn top_share(&self, frac: f64) -> f64 {
        let count = frac * self.len();
        let whole = (count as usize).min(self.ascending.len());
        let mut descending = self.ascending.iter().rev().copied();
        let held = sum(descending.by_ref().take(whole));
        let partial = descending
            .next()
            .map_or(0.0, |next| (count - whole as f64) * next);
        ((held + partial) / self.total).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revenue() -> Vec<f64> {
        (1..=101_u32)
            .map(|i| f64::from(i * i % 37) * 1.1 + 0.3)
            .collect()
    }

    fn all(x: &[f64]) -> [f64; 5] {
        [
            gini(x),
            gini_unbiased(x),
            hhi(x),
            top_share(x, 0.2),
            effective_n(x),
        ]
        .map(|r| r.unwrap().unwrap())
    }

    #[test]
    fn row_order_does_not_matter() {
        let x = revenue();
        for step in [2, 3, 50, 100] {
            // 101 is prime, so every step visits every row once.
            let shuffled: Vec<f64> = (0..x.len()).map(|i| x[i * step % x.len()]).collect();
            assert_eq!(all(&x), all(&shuffled));
        }
    }

    #[test]
    fn currency_does_not_matter() {
        let x = revenue();
        for rate in [1e-300, 0.92, 1e300] {
            let other: Vec<f64> = x.iter().map(|part| part * rate).collect();
            for (a, b) in all(&x).into_iter().zip(all(&other)) {
                assert!((a / b - 1.0).abs() < 1e-13, "{a} {b}");
            }
        }
    }

    #[test]
    fn equal_parts_are_not_concentrated() {
        assert_eq!(gini(&[0.1; 7]).unwrap(), Some(0.0));
        assert!((effective_n(&[0.1; 7]).unwrap().unwrap() - 7.0).abs() < 1e-14);
        assert!((top_share(&[3.0; 7], 0.2).unwrap().unwrap() - 0.2).abs() < 1e-15);
    }

    #[test]
    fn one_holder_is_fully_concentrated() {
        let x = [0.0, 0.0, 0.0, 9.0];
        assert_eq!(gini(&x).unwrap(), Some(0.75));
        assert_eq!(gini_unbiased(&x).unwrap(), Some(1.0));
        assert_eq!(hhi(&x).unwrap(), Some(1e4));
        assert_eq!(top_share(&x, 0.25).unwrap(), Some(1.0));
    }

    #[test]
    fn top_share_grows_with_frac_to_one() {
        let x = revenue();
        let mut last = 0.0;
        for percent in 1..=100 {
            let share = top_share(&x, f64::from(percent) / 100.0).unwrap().unwrap();
            assert!(share >= last && share <= 1.0);
            last = share;
        }
        assert_eq!(last, 1.0);
    }

    #[test]
    fn nothing_to_share_is_none() {
        for x in [&[][..], &[0.0], &[0.0, -0.0]] {
            assert_eq!(gini(x).unwrap(), None);
            assert_eq!(hhi(x).unwrap(), None);
            assert_eq!(effective_n(x).unwrap(), None);
            assert_eq!(top_share(x, 0.5).unwrap(), None);
        }
    }

    #[test]
    fn nonsense_is_invalid() {
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(gini(&[5.0, bad]).unwrap_err().argument, "x");
        }
        for frac in [0.0, 1.1, -0.1, f64::NAN] {
            assert_eq!(top_share(&[1.0], frac).unwrap_err().argument, "frac");
        }
    }

    #[test]
    fn huge_parts_stay_finite() {
        assert_eq!(hhi(&[f64::MAX, f64::MAX]).unwrap(), Some(5000.0));
        assert_eq!(gini(&[f64::MAX, f64::MIN_POSITIVE]).unwrap(), Some(0.5));
    }
}
