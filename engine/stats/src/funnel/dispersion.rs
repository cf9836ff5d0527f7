//! How much units differ beyond chance.

use crate::compensated::{moment_weight, sum, sum_unordered};
use crate::invalid::Invalid;
use crate::special::norm_quantile;

/// What becomes of the most extreme z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outliers {
    /// This share of them at each end is cut to the quantile there (winsorised).
    Cut(f64),
    /// The same, and φ is divided by its expectation under a normal distribution.
    CutConsistently(f64),
    /// This share of them at each end is left out, by the ranks of FunnelPlotR's truncation.
    LeftOut(f64),
}

/// The spread between units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dispersion {
    /// Mean of z², outliers treated. `None` without units.
    pub(super) phi: Option<f64>,
    /// The variance between units that explains it.
    pub(super) tau2: f64,
    /// Units that took part.
    pub(super) used: u64,
}

impl Dispersion {
    /// From the z and s of each unit.
    pub(super) fn of(scored: &[(f64, f64)], outliers: Outliers) -> Result<Self, Invalid> {
        let (z2, weights, factor) = match outliers {
            Outliers::LeftOut(trim) => {
                let kept = central(scored, trim);
                let z2: Vec<f64> = kept.iter().map(|(z, _)| z * z).collect();
                let weights: Vec<f64> = kept.iter().map(|(_, s)| 1.0 / (s * s)).collect();
                (z2, weights, 1.0)
            }
            Outliers::Cut(trim) => (cut(scored, trim), weights(scored), 1.0),
            Outliers::CutConsistently(trim) => (
                cut(scored, trim),
                weights(scored),
                cut_normal_variance(trim)?,
            ),
        };
        let used = z2.len();
        if used == 0 {
            return Ok(Self {
                phi: None,
                tau2: 0.0,
                used: 0,
            });
        }
        let count = used as f64;
        let phi = sum_unordered(z2) / count / factor;
        let excess = (count * phi - (count - 1.0)).max(0.0);
        let tau2 = excess / moment_weight(weights);
        Ok(Self {
            phi: Some(phi),
            tau2: if used > 1 && tau2.is_finite() {
                tau2
            } else {
                0.0
            },
            used: used as u64,
        })
    }
}

fn weights(scored: &[(f64, f64)]) -> Vec<f64> {
    scored.iter().map(|(_, s)| 1.0 / (s * s)).collect()
}

/// z², with z cut at its `trim` and 1-`trim` quantiles.
fn cut(scored: &[(f64, f64)], trim: f64) -> Vec<f64> {
    let mut ascending: Vec<f64> = scored.iter().map(|(z, _)| *z).collect();
    ascending.sort_by(f64::total_cmp);
    let (Some(lo), Some(hi)) = (quantile(&ascending, trim), quantile(&ascending, 1.0 - trim))
    else {
        return Vec::new();
    };
    ascending
        .into_iter()
        .map(|z| z.clamp(lo.min(hi), hi.max(lo)).powi(2))
        .collect()
}

/// Quantile of type 7, R's default (Hyndman & Fan 1996).
fn quantile(ascending: &[f64], p: f64) -> Option<f64> {
    let place = p * (ascending.len().checked_sub(1)?) as f64;
    let below = *ascending.get(place.floor() as usize)?;
    let above = *ascending.get(place.ceil() as usize)?;
    Some(below + place.fract() * (above - below))
}

/// E\[clip(Z, ±q)²\] with q = Φ⁻¹(1-trim): 1 - 2·trim - 2qφ(q) + 2·trim·q².
fn cut_normal_variance(trim: f64) -> Result<f64, Invalid> {
    if trim <= 0.0 {
        return Ok(1.0);
    }
    let q = norm_quantile(trim)?;
    let density = (-0.5 * q * q).exp() / std::f64::consts::TAU.sqrt();
    let terms = [
        1.0,
        -2.0 * trim,
        -2.0 * q.abs() * density,
        2.0 * trim * q * q,
    ];
    // Near ½ only Φ⁻¹² is left of it.
    Ok(sum(terms.into_iter()).max(1e-12))
}

/// The units whose ⌊rank · (1/trim) / (K+1)⌋ is neither the first nor the last of 0 … 1/trim - 1; ties share a rank.
fn central(scored: &[(f64, f64)], trim: f64) -> Vec<(f64, f64)> {
    if trim <= 0.0 {
        return scored.to_vec();
    }
    let groups = 1.0 / trim;
    let mut ascending = scored.to_vec();
    ascending.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)));
    let count = ascending.len() as f64;
    let mut before = 0.0;
    let mut kept = Vec::new();
    for ties in ascending.chunk_by(|x, y| x.0 == y.0) {
        let size = ties.len() as f64;
        let rank = before + 0.5 * (size + 1.0);
        let group = (rank * groups / (count + 1.0)).floor();
        if group > 0.0 && group < groups - 1.0 {
            kept.extend_from_slice(ties);
        }
        before += size;
    }
    kept
}
