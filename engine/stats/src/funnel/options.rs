//! What is asked of a funnel, and what it refuses.

use std::str::FromStr;

use crate::invalid::Invalid;

/// Counts above this are not whole numbers in f64.
const COUNT_MAX: f64 = 1e15;

/// What numerator and denominator are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Successes of trials. The target is Σ successes / Σ trials. FunnelPlotR's "PR".
    Rate,
    /// Observed over expected events. The target is 1. FunnelPlotR's "SR".
    Oe,
    /// A ratio of two counts. The target is Σ numerators / Σ denominators. FunnelPlotR's "RC".
    Ratio,
}

impl FromStr for Kind {
    type Err = Invalid;

    /// The kind by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "rate" => Ok(Self::Rate),
            "oe" => Ok(Self::Oe),
            "ratio" => Ok(Self::Ratio),
            _ => Err(Invalid::new(
                "kind",
                "rate, oe or ratio",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// How to set a unit against the target. Y is the unit on the scale of the method, s its standard error there.
///
/// All but `Shmi` replace the lowest and highest tenth of z = (Y-T)/s by the 10 % and 90 % quantiles (type 7) before
/// φ = Σz²/K and τ² = max(0, (Kφ-(K-1)) / (Σw - Σw²/Σw)), w = 1/s² (Spiegelhalter et al. 2012 JRSS A 175:1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// The tail P(Y <= y) of the beta-binomial distribution around the target with variance τ² between units, and
    /// its quantiles as limits. z on the natural scale, (p-T)/√(T(1-T)/n), and φ divided by what the cut tails take
    /// from it under a normal distribution (0.6787). `z` and `z_od` are those of `Anscombe`. Kind `oe`: the
    /// gamma-Poisson distribution. The default.
    BetaBinomial,
    /// Rates: Y = asin √((y+3/8)/(n+3/4)), s = 1/(2√(n+½)) (Anscombe 1948 Biometrika 35:246). O/E: Y = √((O+3/8)/E)
    /// less what it exceeds √1 by at the target, s = 1/(2√E). Ratios: as `Cqc`, with limits at the unit's own s.
    Anscombe,
    /// FunnelPlotR's transformations. Rates: Y = asin √p, s = 1/(2√n). O/E: Y = √(O/E), s = 1/(2√E), with limits
    /// 1 ± z√(s²+τ²) left on that scale. Ratios: Y = ln((a+½)/(b+½)), s = √(a/(a+½)² + b/(b+½)²), with limits at
    /// s = 1/(2√b). For comparison with published charts: it flags too many small units at the low end.
    Cqc,
    /// Kind `oe` alone: Y = ln(O/E), s = 1/√E; the outer tenths of z are left out rather than cut. Nothing observed
    /// counts as half an event; expected events are not rounded to two decimals first, as FunnelPlotR does.
    Shmi,
}

impl Method {
    /// The default of a kind.
    pub fn default_for(kind: Kind) -> Self {
        match kind {
            Kind::Rate | Kind::Oe => Self::BetaBinomial,
            Kind::Ratio => Self::Anscombe,
        }
    }
}

impl FromStr for Method {
    type Err = Invalid;

    /// The method by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "betabinomial" => Ok(Self::BetaBinomial),
            "anscombe" => Ok(Self::Anscombe),
            "cqc" => Ok(Self::Cqc),
            "shmi" => Ok(Self::Shmi),
            _ => Err(Invalid::new(
                "method",
                "betabinomial, anscombe, cqc or shmi",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// What is asked of a funnel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// What numerator and denominator are.
    pub kind: Kind,
    /// How to set a unit against the target.
    pub method: Method,
    /// The target, if it is not the one of the kind.
    pub target: Option<f64>,
    /// Share of the units at each end whose z does not count in full; 0.1. From 0 to below ½.
    pub trim: f64,
    /// The false discovery rate at which a unit is `below`; 0.1.
    pub q_max: f64,
    /// The drop, as a share of the target, that has to be detectable before a unit is called `in_line`; 0.25.
    pub materiality: f64,
    /// The power at which a drop is detectable; 0.8.
    pub power: f64,
    /// The level of the two-sided test that detects it; 0.05.
    pub alpha: f64,
}

impl Options {
    /// The defaults of a kind.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            method: Method::default_for(kind),
            target: None,
            trim: 0.1,
            q_max: 0.1,
            materiality: 0.25,
            power: 0.8,
            alpha: 0.05,
        }
    }
}

/// Refuses data and options out of range.
pub(super) fn check(num: &[f64], den: &[f64], options: &Options) -> Result<(), Invalid> {
    if num.len() != den.len() {
        return Err(Invalid::new("den", "as many entries as num", den.len()));
    }
    for (name, values) in [("num", num), ("den", den)] {
        if let Some(bad) = values.iter().find(|v| !(0.0..=COUNT_MAX).contains(*v)) {
            return Err(Invalid::new(name, "numbers from 0 to 1e15", bad));
        }
    }
    if let Some(bad) = den.iter().find(|v| **v > 0.0 && **v < 1e-12) {
        return Err(Invalid::new("den", "0 or numbers of at least 1e-12", bad));
    }
    let whole = |v: &&f64| v.fract() == 0.0;
    let must_be_whole = options.method == Method::BetaBinomial;
    if let Some(bad) = num.iter().find(|v| must_be_whole && !whole(v)) {
        return Err(Invalid::new("num", "whole numbers for betabinomial", bad));
    }
    if options.kind == Kind::Rate {
        if let Some((bad, _)) = num.iter().zip(den).find(|(num, den)| num > den) {
            return Err(Invalid::new("num", "at most den", bad));
        }
        if let Some(bad) = den.iter().find(|v| must_be_whole && !whole(v)) {
            return Err(Invalid::new("den", "whole numbers for betabinomial", bad));
        }
    }
    check_options(options)
}

fn check_options(options: &Options) -> Result<(), Invalid> {
    let suits = match options.method {
        Method::BetaBinomial => options.kind != Kind::Ratio,
        Method::Shmi => options.kind == Kind::Oe,
        Method::Anscombe | Method::Cqc => true,
    };
    if !suits {
        return Err(Invalid::new(
            "method",
            "kind rate or oe for betabinomial and oe for shmi",
            format_args!("{:?} for {:?}", options.method, options.kind),
        ));
    }
    if !(0.0..0.5).contains(&options.trim) {
        return Err(Invalid::new(
            "trim",
            "a number from 0 to below 0.5",
            options.trim,
        ));
    }
    for (name, value) in [
        ("q_max", options.q_max),
        ("materiality", options.materiality),
    ] {
        if !(0.0..=1.0).contains(&value) {
            return Err(Invalid::new(name, "a number from 0 to 1", value));
        }
    }
    let most = if options.kind == Kind::Rate { 1.0 } else { 1e9 };
    match options.target {
        Some(target) if !(1e-9..=most).contains(&target) => Err(Invalid::new(
            "target",
            "a number from 1e-9 to 1 (a rate) or 1e9",
            target,
        )),
        _ => Ok(()),
    }
}
