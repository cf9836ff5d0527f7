//! Two-by-two tables: agreement of two labels, and exact independence.
//!
//! The agreement is between what qualified a lead (selected or not) and what came of it (confirmed or not). It
//! can't be known where only selected leads were ever looked at; that is `verification_bias`, not a small kappa.

mod fisher;
mod weighted;

pub use fisher::fisher_p;
pub use weighted::{WeightedKappa, Weights, kappa_weighted, kappa_with};

use crate::count::binomial_p;
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::{chi2_sf, two_sided_z};

/// How two labels agree over the same cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Cases in the table.
    pub n: u64,
    /// Share of cases on which both agree, (tp+tn)/n.
    pub po: Option<f64>,
    /// Agreement to be expected from the margins alone.
    pub pe: Option<f64>,
    /// Cohen's kappa (po-pe)/(1-pe). `None` when pe is 1, all cases being in one corner.
    pub kappa: Option<f64>,
    /// Lower end of kappa's normal interval, at least -1.
    pub lo: Option<f64>,
    /// Upper end of kappa's normal interval, at most 1.
    pub hi: Option<f64>,
    /// Large-sample variance of kappa.
    pub var_kappa: Option<f64>,
    /// Prevalence-adjusted bias-adjusted kappa, 2po-1.
    pub pabak: Option<f64>,
    /// Gwet's AC1, (po-e)/(1-e) with e = 2π(1-π), π the mean share of positives.
    pub ac1: Option<f64>,
    /// Agreement on positives 2tp/(2tp+fp+fn). `None` when neither label is ever positive.
    pub p_pos: Option<f64>,
    /// Agreement on negatives 2tn/(2tn+fp+fn). `None` when neither label is ever negative.
    pub p_neg: Option<f64>,
    /// (fp-fn)/n: how much more often the first label is positive.
    pub bias_index: Option<f64>,
    /// (tp-tn)/n.
    pub prevalence_index: Option<f64>,
    /// McNemar's (fp-fn)²/(fp+fn), without continuity correction. `None` when no case is discordant.
    pub mcnemar: Option<f64>,
    /// Its p value, from χ² with one degree of freedom. R `mcnemar.test(correct = FALSE)`.
    pub mcnemar_p: Option<f64>,
    /// The exact p value of fp among fp+fn at ½.
    pub mcnemar_p_exact: Option<f64>,
    /// `ok`, `no_data`, `verification_bias` (see [`kappa`]) or `infeasible` when only kappa is `None`.
    pub status: Status,
}

/// Agreement of two yes/no labels: first yes and second yes (tp), yes and no (fp), no and yes (fn), no and no.
///
/// Kappa: Cohen (1960); its variance: Fleiss, Cohen & Everitt (1969) Psych Bull 72:323, eq. 13, as in R
/// `psych::cohen.kappa`, whose interval is not cut to \[-1, 1\]. PABAK and the indices: Byrt, Bishop & Carlin
/// (1993). AC1: Gwet (2008). p_pos, p_neg: Cicchetti & Feinstein (1990). McNemar (1947).
///
/// Without any case the first label said no to (fn = tn = 0), all is `None` and `verification_bias`: these are
/// leads that were looked at because they were selected, and tell nothing about the others. [`Invalid`] when
/// `conf` is not strictly between 0 and 1.
pub fn kappa(tp: u64, fp: u64, fn_: u64, tn: u64, conf: f64) -> Result<Agreement, Invalid> {
    let z = two_sided_z(conf)?;
    let [a, b, c, d] = [tp, fp, fn_, tn].map(|count| count as f64);
    let n = a + b + c + d;
    let absent = absent(tp.saturating_add(fp).saturating_add(fn_).saturating_add(tn));
    if absent.n == 0 {
        return Ok(absent);
    }
    if fn_ == 0 && tn == 0 {
        return Ok(Agreement {
            status: Status::VerificationBias,
            ..absent
        });
    }
    let po = (a + d) / n;
    let (yes1, yes2) = ((a + b) / n, (a + c) / n);
    let (no1, no2) = ((c + d) / n, (b + d) / n);
    let pe = yes1 * yes2 + no1 * no2;
    let pi = 0.5 * (yes1 + yes2);
    let by_chance = 2.0 * pi * (1.0 - pi);
    let margins = Margins {
        first: [yes1, no1],
        second: [yes2, no2],
    };
    let kappa = margins.kappa([b / n, c / n]);
    let var_kappa = kappa.map(|k| margins.variance([a / n, b / n, c / n, d / n], k) / n);
    let half = var_kappa.map(|v| z * v.sqrt());
    let discordant = b + c;
    let mcnemar = share((b - c).powi(2), discordant);
    Ok(Agreement {
        po: Some(po),
        pe: Some(pe),
        kappa,
        lo: kappa.zip(half).map(|(k, half)| (k - half).max(-1.0)),
        hi: kappa.zip(half).map(|(k, half)| (k + half).min(1.0)),
        var_kappa,
        pabak: Some(2.0 * po - 1.0),
        ac1: Some((po - by_chance) / (1.0 - by_chance)),
        p_pos: share(2.0 * a, 2.0 * a + discordant),
        p_neg: share(2.0 * d, 2.0 * d + discordant),
        bias_index: Some((b - c) / n),
        prevalence_index: Some((a - d) / n),
        mcnemar,
        mcnemar_p: mcnemar.map(|x| chi2_sf(x, 1.0)).transpose()?,
        mcnemar_p_exact: mcnemar.and_then(|_| binomial_p(fp, fn_, 0.5, 0.5)),
        status: if kappa.is_some() {
            Status::Ok
        } else {
            Status::Infeasible
        },
        ..absent
    })
}

/// Shares of yes and of no by each label.
struct Margins {
    first: [f64; 2],
    second: [f64; 2],
}

impl Margins {
    /// 1-pe, formed without cancellation.
    fn expected_disagreement(&self) -> f64 {
        self.first[0] * self.second[1] + self.first[1] * self.second[0]
    }

    fn kappa(&self, disagreements: [f64; 2]) -> Option<f64> {
        let expected = self.expected_disagreement();
        (expected > 0.0).then(|| 1.0 - (disagreements[0] + disagreements[1]) / expected)
    }

    /// n times the variance of kappa for these cells.
    fn variance(&self, [a, b, c, d]: [f64; 4], kappa: f64) -> f64 {
        let ([yes1, no1], [yes2, no2]) = (self.first, self.second);
        let rest = 1.0 - kappa;
        let agree =
            a * (1.0 - (yes1 + yes2) * rest).powi(2) + d * (1.0 - (no1 + no2) * rest).powi(2);
        let differ = b * (yes2 + no1).powi(2) + c * (no2 + yes1).powi(2);
        let off = self.expected_disagreement();
        let centre = kappa - (1.0 - off) * rest;
        let spread = agree + rest * rest * differ - centre * centre;
        spread.max(0.0) / (off * off)
    }
}

fn absent(n: u64) -> Agreement {
    Agreement {
        n,
        po: None,
        pe: None,
        kappa: None,
        lo: None,
        hi: None,
        var_kappa: None,
        pabak: None,
        ac1: None,
        p_pos: None,
        p_neg: None,
        bias_index: None,
        prevalence_index: None,
        mcnemar: None,
        mcnemar_p: None,
        mcnemar_p_exact: None,
        status: Status::NoData,
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
