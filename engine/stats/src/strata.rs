//! Two groups compared stratum by stratum: does the difference survive when like is set against like?
//!
//! A stratum is a 2x2 table. Nothing here depends on the order of the strata, and a stratum in which one group
//! is missing, or nothing varies, says nothing.

use crate::compensated::sum_unordered;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::{chi2_sf, two_sided_z};

/// One stratum: successes and failures of the first and of the second group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stratum {
    /// Successes of the first group.
    pub success1: u64,
    /// Failures of the first group.
    pub failure1: u64,
    /// Successes of the second group.
    pub success2: u64,
    /// Failures of the second group.
    pub failure2: u64,
}

/// The odds ratio of two groups, over strata.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MantelHaenszel {
    /// Odds ratio of the pooled table. `None` when a product of its corners is 0 below the line.
    pub or_crude: Option<f64>,
    /// Mantel-Haenszel odds ratio Σ(ad/N) / Σ(bc/N). `None` when the denominator is 0.
    pub or_adj: Option<f64>,
    /// Lower end of its interval. `None` when numerator or denominator is 0.
    pub lo: Option<f64>,
    /// Upper end of its interval. `None` when numerator or denominator is 0.
    pub hi: Option<f64>,
    /// Cochran-Mantel-Haenszel χ² without continuity correction. `None` when no stratum can vary.
    pub chi2: Option<f64>,
    /// Its p value, one degree of freedom.
    pub p: Option<f64>,
    /// The same with continuity correction, R's default.
    pub chi2_corrected: Option<f64>,
    /// Its p value.
    pub p_corrected: Option<f64>,
    /// Whether crude and adjusted ratio lie on different sides of 1. `None` when one of them is `None`.
    pub simpson: Option<bool>,
    /// Cases in all strata.
    pub n: u64,
    /// `ok`, `no_data`, `zero_base` when the denominator is 0, or `infeasible` when no stratum has both groups
    /// and both outcomes.
    pub status: Status,
}

/// Mantel-Haenszel odds ratio and Cochran-Mantel-Haenszel test. R `mantelhaen.test(correct = FALSE | TRUE)`.
///
/// Mantel & Haenszel (1959). Interval: exp(ln OR ± z√V) with V of Robins, Breslow & Greenland (1986) Biometrics
/// 42:311, eq. 1: ΣPR/2(ΣR)² + Σ(PS+QR)/2ΣRΣS + ΣQS/2(ΣS)², R = ad/N, S = bc/N, P = (a+d)/N, Q = (b+c)/N.
/// χ² = (|Σa - ΣE| - c)² / ΣV with V the hypergeometric variance; c is ½, or 0 if the difference is less. A
/// stratum of fewer than two cases is left out, where R stops. [`Invalid`] when `conf` is not strictly between
/// 0 and 1.
pub fn mh_or(strata: &[Stratum], conf: f64) -> Result<MantelHaenszel, Invalid> {
    let z = two_sided_z(conf)?;
    let tables: Vec<[f64; 4]> = strata.iter().map(cells).collect();
    let total: u128 = strata.iter().map(cases).sum();
    let n = u64::try_from(total).unwrap_or(u64::MAX);
    let sum =
        |term: fn(&[f64; 4]) -> f64| sum_unordered(tables.iter().map(term).filter(|t| !t.is_nan()));
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| sum_unordered(tables.iter().map(|table| table[i])));
    let or_crude = quotient(a * d, b * c);
    let (r, s) = (sum(concordant), sum(discordant));
    let or_adj = quotient(r, s);
    let variance = sum(|t| agreeing(t) * concordant(t)) / (2.0 * r * r)
        + sum(|t| agreeing(t) * discordant(t) + (1.0 - agreeing(t)) * concordant(t))
            / (2.0 * r * s)
        + sum(|t| (1.0 - agreeing(t)) * discordant(t)) / (2.0 * s * s);
    let limits = or_adj
        .map(|ratio| (ratio, (z * variance.sqrt()).exp()))
        .filter(|(ratio, factor)| *ratio > 0.0 && (ratio * factor).is_finite());
    let (excess, spread) = (sum(excess), sum(hypergeometric_variance));
    let chi2 = quotient(excess * excess, spread);
    let correction = if excess.abs() >= 0.5 { 0.5 } else { 0.0 };
    let chi2_corrected = quotient((excess.abs() - correction).powi(2), spread);
    Ok(MantelHaenszel {
        or_crude,
        or_adj,
        lo: limits.map(|(ratio, factor)| ratio / factor),
        hi: limits.map(|(ratio, factor)| ratio * factor),
        chi2,
        p: chi2.map(|x| chi2_sf(x, 1.0)).transpose()?,
        chi2_corrected,
        p_corrected: chi2_corrected.map(|x| chi2_sf(x, 1.0)).transpose()?,
        simpson: or_crude
            .zip(or_adj)
            .map(|(crude, adjusted)| (crude - 1.0) * (adjusted - 1.0) < 0.0),
        n,
        status: match or_adj {
            _ if n == 0 => Status::NoData,
            Some(_) => Status::Ok,
            None if r > 0.0 => Status::ZeroBase,
            None => Status::Infeasible,
        },
    })
}

/// Why two groups' rates differ: because of their rates within strata, or of the strata they have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixRate {
    /// First group's rate minus the second's, the sum of the two effects.
    pub diff: Option<f64>,
    /// Σ ½(w₁+w₂)(p₁-p₂): what different rates within the strata make of it.
    pub rate_effect: Option<f64>,
    /// Σ ½(p₁+p₂)(w₁-w₂): what different shares of the strata make of it.
    pub mix_effect: Option<f64>,
    /// Cases of both groups.
    pub n: u64,
    /// `ok`, or `no_data` when one group is empty.
    pub status: Status,
}

/// Kitagawa's decomposition of the difference of two rates (Kitagawa 1955 JASA 50:1168).
///
/// wᵢ is a stratum's share of group i, pᵢ its rate there. Where one group has no cases its rate is taken to be the
/// other's, so that the stratum counts as mix alone and the effects still sum to the difference.
pub fn mix_rate(strata: &[Stratum]) -> MixRate {
    let total: u128 = strata.iter().map(cases).sum();
    let tables: Vec<[f64; 4]> = strata.iter().map(cells).collect();
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| sum_unordered(tables.iter().map(|table| table[i])));
    let (n1, n2) = (a + b, c + d);
    let known = n1 > 0.0 && n2 > 0.0;
    let effects = tables.iter().filter_map(|[a, b, c, d]| {
        let (m1, m2) = (a + b, c + d);
        let p1 = quotient(*a, m1).or(quotient(*c, m2))?;
        let p2 = quotient(*c, m2).unwrap_or(p1);
        let (w1, w2) = (m1 / n1, m2 / n2);
        Some((0.5 * (w1 + w2) * (p1 - p2), 0.5 * (p1 + p2) * (w1 - w2)))
    });
    let (rates, mixes): (Vec<f64>, Vec<f64>) = effects.unzip();
    let rate_effect = known.then(|| sum_unordered(rates));
    let mix_effect = known.then(|| sum_unordered(mixes));
    MixRate {
        diff: known.then(|| a / n1 - c / n2),
        rate_effect,
        mix_effect,
        n: u64::try_from(total).unwrap_or(u64::MAX),
        status: if known { Status::Ok } else { Status::NoData },
    }
}

fn cells(stratum: &Stratum) -> [f64; 4] {
    [
        stratum.success1 as f64,
        stratum.failure1 as f64,
        stratum.success2 as f64,
        stratum.failure2 as f64,
    ]
}

fn cases(stratum: &Stratum) -> u128 {
    [
        stratum.success1,
        stratum.failure1,
        stratum.success2,
        stratum.failure2,
    ]
    .map(u128::from)
    .iter()
    .sum()
}

fn quotient(over: f64, under: f64) -> Option<f64> {
    (under > 0.0)
        .then(|| over / under)
        .filter(|q| q.is_finite())
}

// Each of these is NaN for an empty stratum, which is then left out.

/// R = ad/N.
fn concordant([a, b, c, d]: &[f64; 4]) -> f64 {
    a * d / (a + b + c + d)
}

/// S = bc/N.
fn discordant([a, b, c, d]: &[f64; 4]) -> f64 {
    b * c / (a + b + c + d)
}

/// P = (a+d)/N.
fn agreeing([a, b, c, d]: &[f64; 4]) -> f64 {
    (a + d) / (a + b + c + d)
}

/// a less its expectation given the margins, (ad-bc)/N.
fn excess(table: &[f64; 4]) -> f64 {
    concordant(table) - discordant(table)
}

/// The variance of a given the margins, which is NaN for a stratum of one case.
fn hypergeometric_variance([a, b, c, d]: &[f64; 4]) -> f64 {
    let n = a + b + c + d;
    (a + b) / n * ((c + d) / n) * (a + c) * (b + d) / (n - 1.0)
}
