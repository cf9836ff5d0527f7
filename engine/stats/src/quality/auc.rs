//! Area under the ROC curve, and its interval.
//!
//! The area is a sum of whole numbers, added exactly. A score that ranks the wrong way round has an area below ½: nothing here turns it around, as R's pROC
//! does unless `direction = "<"` is given.

use std::str::FromStr;

use super::placements::Placements;
use super::scored::Scored;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::two_sided_z;

/// The area under the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auc {
    /// P(score of a positive > score of a negative) + ½ P(equal). `None` without a pair to compare.
    pub value: Option<f64>,
    /// Rows labelled true.
    pub positives: u64,
    /// Rows labelled false.
    pub negatives: u64,
    /// `no_data`: no positives, or no negatives.
    pub status: Status,
}

/// The area with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucInterval {
    /// As in [`Auc`].
    pub value: Option<f64>,
    /// DeLong's standard error; `None` with fewer than two positives or negatives.
    pub se: Option<f64>,
    /// Lower end; present exactly when `se` is.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
    /// Rows labelled true.
    pub positives: u64,
    /// Rows labelled false.
    pub negatives: u64,
    /// `no_data`: no positives, or no negatives. `small_n`: only one of either, or the score separates the classes
    /// completely, where the variance is estimated as 0 and the interval has no width.
    pub status: Status,
}

/// How to draw the interval around an area A with standard error s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AucMethod {
    /// A ± zs, cut to \[0, 1\]; R's `pROC::ci.auc(method = "delong")`. The default.
    DeLong,
    /// logit A ± zs/(A(1-A)), transformed back: Pepe (2003), "The Statistical Evaluation of Medical Tests",
    /// p. 107. Never leaves (0, 1). As `delong` where A is 0 or 1.
    Logit,
}

impl FromStr for AucMethod {
    type Err = Invalid;

    /// The method by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "delong" => Ok(Self::DeLong),
            "logit" => Ok(Self::Logit),
            _ => Err(Invalid::new(
                "method",
                "delong or logit",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The area under the ROC curve: the Mann-Whitney statistic over its number of pairs, equal scores counting ½
/// (Bamber 1975, J Math Psychol 12:387; scikit-learn's `roc_auc_score`).
pub fn auc(scored: &Scored) -> Auc {
    let (positives, negatives) = (scored.positives(), scored.negatives());
    let value = area(scored);
    let status = value.map_or(Status::NoData, |_| Status::Ok);
    Auc {
        value,
        positives,
        negatives,
        status,
    }
}

/// The area with DeLong's interval at confidence `conf`.
///
/// With V₁₀ᵢ = (negatives below positive i + ½ equal)/N and V₀₁ⱼ = (positives above negative j + ½ equal)/P:
/// s² = var(V₁₀)/P + var(V₀₁)/N with sample variances. DeLong, DeLong & Clarke-Pearson (1988) Biometrics 44:837,
/// in O(n log n) as Sun & Xu (2014) IEEE Signal Proc Lett 21:1389. [`Invalid`] when `conf` is not
/// strictly between 0 and 1.
pub fn auc_ci(scored: &Scored, conf: f64, method: AucMethod) -> Result<AucInterval, Invalid> {
    let z = two_sided_z(conf)?;
    let plain = auc(scored);
    let mut interval = AucInterval {
        value: plain.value,
        se: None,
        lo: None,
        hi: None,
        positives: plain.positives,
        negatives: plain.negatives,
        status: plain.status,
    };
    let Some(value) = plain.value else {
        return Ok(interval);
    };
    let placements = Placements::of(scored);
    interval.status = Status::SmallN;
    if let Some(variance) = placements.variance(plain.positives, plain.negatives) {
        let se = variance.sqrt();
        let (lo, hi) = match method {
            AucMethod::Logit if value > 0.0 && value < 1.0 => logit_interval(value, z * se),
            _ => ((value - z * se).max(0.0), (value + z * se).min(1.0)),
        };
        (interval.se, interval.lo, interval.hi) = (Some(se), Some(lo), Some(hi));
        if se > 0.0 {
            interval.status = Status::Ok;
        }
    }
    Ok(interval)
}

fn area(scored: &Scored) -> Option<f64> {
    let (positives, negatives) = (scored.positives(), scored.negatives());
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut below, mut won) = (0_u64, 0_i128);
    for run in scored.runs() {
        won += i128::from(run.positives) * i128::from(2 * below + run.negatives);
        below += run.negatives;
    }
    Some(won as f64 / (2.0 * positives as f64 * negatives as f64))
}

fn logit_interval(value: f64, half: f64) -> (f64, f64) {
    let centre = (value / (1.0 - value)).ln();
    let reach = half / (value * (1.0 - value));
    let back = |x: f64| 1.0 / (1.0 + (-x).exp());
    (
        back(centre - reach).min(value),
        back(centre + reach).max(value),
    )
}
