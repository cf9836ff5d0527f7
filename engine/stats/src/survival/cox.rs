//! Proportional hazards: by what factor does a covariate speed the event up?
//!
//! For a few covariates that do not change over time; no strata, no weights.

mod likelihood;

use std::str::FromStr;

use super::timeline::{check_lengths, checked_duration};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::{chi2_sf, norm_cdf, two_sided_z};
use likelihood::{Data, Fitted};

/// Most covariates of one model.
pub const COVARIATES_MAX: usize = 16;
/// Beyond this its square is no longer finite.
const COVARIATE_MAX: f64 = 1e100;

/// How several events at one duration count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ties {
    /// Efron (1977) JASA 72:557: the risk set shrinks by the average of the tied. R's default.
    #[default]
    Efron,
    /// Breslow (1974) Biometrics 30:89: all tied face the whole risk set.
    Breslow,
}

impl FromStr for Ties {
    type Err = Invalid;

    /// The method by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "efron" => Ok(Self::Efron),
            "breslow" => Ok(Self::Breslow),
            _ => Err(Invalid::new(
                "ties",
                "efron or breslow",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// A fitted model. Everything but the counts is absent unless `status` is `ok`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cox {
    /// One per covariate, in the order given; empty unless `status` is `ok`.
    pub terms: Vec<Term>,
    /// Log partial likelihood with all coefficients 0.
    pub loglik_null: Option<f64>,
    /// Log partial likelihood at the fit.
    pub loglik: Option<f64>,
    /// Likelihood-ratio χ², one degree of freedom per covariate.
    pub lr_chi2: Option<f64>,
    /// Its P value.
    pub lr_p: Option<f64>,
    /// Score χ²; with one 0/1 covariate and no ties the log-rank statistic.
    pub score_chi2: Option<f64>,
    /// Its P value.
    pub score_p: Option<f64>,
    /// Durations.
    pub n: u64,
    /// Events.
    pub n_event: u64,
    /// Negative durations, left out.
    pub excluded: u64,
    /// `no_data` without durations; `infeasible` without events or when the covariates do not vary on their own
    /// in the risk sets; `not_converged` when a coefficient grows without end.
    pub status: Status,
}

/// The effect of one covariate, the others held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Change of the log hazard per unit of the covariate.
    pub coef: f64,
    /// Its standard error.
    pub se: f64,
    /// Hazard ratio e^coef; `None` if not a finite number.
    pub hr: Option<f64>,
    /// Lower limit of `hr`, e^(coef - z se).
    pub lo: Option<f64>,
    /// Upper limit of `hr`.
    pub hi: Option<f64>,
    /// coef / se.
    pub z: f64,
    /// Two-sided P value of `z`.
    pub p: f64,
}

/// Fits log hazard = log baseline + Σ βⱼ xⱼ by Newton steps on the partial likelihood (Cox 1975, Biometrika
/// 62:269), one column of `covariates` per βⱼ. The numbers of R's `coxph`.
///
/// [`Invalid`] when lengths differ, a number is not finite (or beyond 1e100), or there are no covariates or more
/// than [`COVARIATES_MAX`].
pub fn cox(
    durations: &[f64],
    events: &[bool],
    covariates: &[&[f64]],
    ties: Ties,
    conf: f64,
) -> Result<Cox, Invalid> {
    let z = two_sided_z(conf)?;
    let subjects = subjects(durations, events, covariates)?;
    let excluded = (durations.len() - subjects.len()) as u64;
    let n = subjects.len() as u64;
    let n_event = subjects.iter().filter(|s| s.event).count() as u64;
    let fitted = if n == 0 {
        Err(Status::NoData)
    } else if n_event == 0 {
        Err(Status::Infeasible)
    } else {
        Data::new(subjects, covariates.len(), ties).fit()
    };
    Ok(report(fitted, z, n, n_event, excluded))
}

/// One row, its covariates as given.
#[derive(Clone)]
struct Subject {
    t: f64,
    event: bool,
    x: Vec<f64>,
}

fn subjects(
    durations: &[f64],
    events: &[bool],
    covariates: &[&[f64]],
) -> Result<Vec<Subject>, Invalid> {
    check_lengths("events", events.len(), durations.len())?;
    if !(1..=COVARIATES_MAX).contains(&covariates.len()) {
        return Err(Invalid::new(
            "covariates",
            "between 1 and 16 columns",
            covariates.len(),
        ));
    }
    for column in covariates {
        check_lengths("covariates", column.len(), durations.len())?;
        if let Some(bad) = column
            .iter()
            .find(|x| x.is_nan() || x.abs() > COVARIATE_MAX)
        {
            return Err(Invalid::new(
                "covariates",
                "finite numbers up to 1e100",
                bad,
            ));
        }
    }
    let mut subjects = Vec::with_capacity(durations.len());
    for (row, (duration, event)) in durations.iter().zip(events).enumerate() {
        if let Some(t) = checked_duration(*duration)? {
            let event = *event;
            let x = covariates.iter().map(|column| column[row] + 0.0).collect();
            subjects.push(Subject { t, event, x });
        }
    }
    Ok(subjects)
}

fn report(fitted: Result<Fitted, Status>, z: f64, n: u64, n_event: u64, excluded: u64) -> Cox {
    let status = fitted.as_ref().err().copied().unwrap_or(Status::Ok);
    let fitted = fitted.ok();
    let lr_chi2 = fitted
        .as_ref()
        .map(|f| 2.0 * (f.loglik - f.loglik_null).max(0.0));
    let score_chi2 = fitted.as_ref().map(|f| f.score_chi2);
    let terms: Vec<Term> = fitted
        .iter()
        .flat_map(|f| f.coefs.iter().zip(&f.ses))
        .map(|(coef, se)| term(*coef, *se, z))
        .collect();
    let p_of = |chi2: Option<f64>| chi2.and_then(|chi2| chi2_sf(chi2, terms.len() as f64).ok());
    Cox {
        loglik_null: fitted.as_ref().map(|f| f.loglik_null),
        loglik: fitted.as_ref().map(|f| f.loglik),
        lr_p: p_of(lr_chi2),
        lr_chi2,
        score_p: p_of(score_chi2),
        score_chi2,
        terms,
        n,
        n_event,
        excluded,
        status,
    }
}

fn term(coef: f64, se: f64, z: f64) -> Term {
    let ratio = |log: f64| Some(log.exp()).filter(|ratio| ratio.is_finite());
    let statistic = coef / se;
    Term {
        coef,
        se,
        hr: ratio(coef),
        lo: ratio(coef - z * se),
        hi: ratio(coef + z * se),
        z: statistic,
        p: 2.0 * norm_cdf(-statistic.abs()).unwrap_or(0.0),
    }
}
