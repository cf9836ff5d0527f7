//! P values of many tests at once.

use std::str::FromStr;

use crate::invalid::Invalid;

/// How to adjust m p values p₍₁₎ <= … <= p₍ₘ₎. Every result is at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// q₍ᵢ₎ = min_{j>=i} m p₍ⱼ₎/j, the false discovery rate among those at or below. Benjamini & Hochberg
    /// (1995) JRSS B 57:289. The default.
    Bh,
    /// BH times Σ_{k<=m} 1/k, for tests of any dependence. Benjamini & Yekutieli (2001) Ann Stat 29:1165.
    By,
    /// max_{j<=i} (m-j+1) p₍ⱼ₎. Holm (1979) Scand J Stat 6:65.
    Holm,
    /// min_{j>=i} (m-j+1) p₍ⱼ₎. Hochberg (1988) Biometrika 75:800.
    Hochberg,
    /// m p.
    Bonferroni,
    /// p itself.
    None,
}

impl FromStr for Method {
    type Err = Invalid;

    /// The method by its SQL name, or by R's.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "bh" | "BH" | "fdr" => Ok(Self::Bh),
            "by" | "BY" => Ok(Self::By),
            "holm" => Ok(Self::Holm),
            "hochberg" => Ok(Self::Hochberg),
            "bonferroni" => Ok(Self::Bonferroni),
            "none" => Ok(Self::None),
            _ => Err(Invalid::new(
                "method",
                "bh, by, holm, hochberg, bonferroni or none",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The adjusted p values, each in the place of its own. R `p.adjust`.
///
/// A test that did not happen is `None`, stays so, and does not count towards m. [`Invalid`] when a p value is
/// not in \[0, 1\].
pub fn p_adjust(p: &[Option<f64>], method: Method) -> Result<Vec<Option<f64>>, Invalid> {
    if let Some(bad) = p.iter().flatten().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(Invalid::new("p", "numbers from 0 to 1", bad));
    }
    let mut ascending: Vec<(f64, usize)> = p
        .iter()
        .enumerate()
        .filter_map(|(place, p)| p.map(|p| (p, place)))
        .collect();
    ascending.sort_by(|x, y| x.0.total_cmp(&y.0));
    let m = ascending.len();
    let rank = |i: usize| (i + 1) as f64;
    let left = |i: usize| (m - i) as f64;
    let mut adjusted: Vec<f64> = match method {
        Method::Bh => scaled(&ascending, |i| m as f64 / rank(i)),
        Method::By => {
            let harmonic: f64 = (1..=m).rev().map(|k| 1.0 / k as f64).sum();
            scaled(&ascending, |i| harmonic * (m as f64 / rank(i)))
        }
        Method::Holm | Method::Hochberg => scaled(&ascending, left),
        Method::Bonferroni => scaled(&ascending, |_| m as f64),
        Method::None => scaled(&ascending, |_| 1.0),
    };
    match method {
        Method::Bh | Method::By | Method::Hochberg => running(adjusted.iter_mut().rev(), f64::min),
        Method::Holm => running(adjusted.iter_mut(), f64::max),
        Method::Bonferroni | Method::None => {}
    }
    let mut result = vec![None; p.len()];
    for ((_, place), adjusted) in ascending.into_iter().zip(adjusted) {
        result[place] = Some(adjusted);
    }
    Ok(result)
}

fn scaled(ascending: &[(f64, usize)], factor: impl Fn(usize) -> f64) -> Vec<f64> {
    ascending
        .iter()
        .enumerate()
        .map(|(i, (p, _))| (factor(i) * p).min(1.0))
        .collect()
}

/// Replaces each value by the least, or the greatest, of all up to it.
fn running<'a>(values: impl Iterator<Item = &'a mut f64>, pick: fn(f64, f64) -> f64) {
    let mut so_far: Option<f64> = None;
    for value in values {
        let picked = so_far.map_or(*value, |so_far| pick(so_far, *value));
        so_far = Some(picked);
        *value = picked;
    }
}
