//! One unit against the target of its funnel.

use super::dispersion::{Dispersion, Outliers};
use super::law::{self, Law};
use super::scale::Scale;
use super::{Kind, Limits, Method, Options, Standing, Unit, Z};
use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::power::{critical, reached, smallest_change};
use crate::special::norm_cdf;

/// All that units are set against.
pub(super) struct Plot {
    /// The kind's target on the natural scale.
    target: f64,
    kind: Kind,
    scale: Scale,
    /// Between units, on `scale`.
    tau2: f64,
    /// What is reported, and for `BetaBinomial` the spread of the rates themselves.
    pub(super) spread: Dispersion,
    /// Whether units follow a distribution of their own rather than the normal one.
    by_law: bool,
    z_alpha: f64,
    z_power: f64,
}

impl Plot {
    pub(super) fn new(
        rows: &[(f64, f64)],
        target: f64,
        options: &Options,
    ) -> Result<Self, Invalid> {
        let scale = Scale::of(options.kind, options.method, target);
        let outliers = match options.method {
            Method::Shmi => Outliers::LeftOut(options.trim),
            _ => Outliers::Cut(options.trim),
        };
        let scored = rows.iter().map(|(num, den)| scale.score(*num, *den));
        let on_scale = Dispersion::of(&scored.collect::<Vec<_>>(), outliers)?;
        let by_law = options.method == Method::BetaBinomial;
        let spread = if by_law {
            let natural = rows
                .iter()
                .filter_map(|(num, den)| natural_score(options.kind, *num, *den, target));
            Dispersion::of(
                &natural.collect::<Vec<_>>(),
                Outliers::CutConsistently(options.trim),
            )?
        } else {
            on_scale
        };
        Ok(Self {
            target,
            kind: options.kind,
            scale,
            tau2: on_scale.tau2,
            spread,
            by_law,
            z_alpha: critical(options.alpha)?,
            z_power: reached(options.power, options.alpha)?,
        })
    }

    pub(super) fn unit(&self, num: f64, den: f64) -> Result<Unit, Invalid> {
        let (z, s) = self.scale.score(num, den);
        let z_od = z * s / (s * s + self.tau2).sqrt();
        let chance = self.unadjusted(den, s);
        let (p_low, limits) = if self.by_law {
            let law = Law::of(self.kind, self.target, den, self.spread.tau2);
            let (p_low, quantiles) = law.tails(num);
            let limits = quantiles.map(|q| Limits {
                lo95: q[0] / den,
                hi95: q[1] / den,
                lo998: q[2] / den,
                hi998: q[3] / den,
            });
            (p_low, limits)
        } else {
            (
                Some(norm_cdf(z_od)?),
                Some(self.on_scale(den, s, self.tau2)),
            )
        };
        Ok(Unit {
            ratio: Some(num / den),
            z: Some(z),
            z_od: Some(z_od),
            p_low,
            q_low: None,
            limits,
            unadjusted: chance,
            mde: self.mde(den, s),
            standing: Standing::CannotTell,
            status: Status::Ok,
        })
    }

    fn unadjusted(&self, den: f64, s: f64) -> Option<Limits> {
        match self.kind {
            Kind::Oe => law::poisson_limits(self.target * den, den),
            Kind::Rate if self.by_law => {
                let (_, quantiles) = Law::of(self.kind, self.target, den, 0.0).tails(0.0);
                quantiles.map(|q| Limits {
                    lo95: q[0] / den,
                    hi95: q[1] / den,
                    lo998: q[2] / den,
                    hi998: q[3] / den,
                })
            }
            Kind::Rate | Kind::Ratio => Some(self.on_scale(den, s, 0.0)),
        }
    }

    fn on_scale(&self, den: f64, s: f64, tau2: f64) -> Limits {
        let s = self.scale.limit_error(den).unwrap_or(s);
        let reach = (s * s + tau2).sqrt();
        Limits::of(|i, side| self.scale.limit(side * Z[i] * reach, den))
    }

    /// The smallest drop that would be detected.
    fn mde(&self, den: f64, s: f64) -> Option<f64> {
        let (z_alpha, z_power) = (self.z_alpha, self.z_power);
        if self.by_law {
            let deviation = |at: f64| {
                natural_variance(self.kind, at, den, self.target, self.spread.tau2).sqrt()
            };
            return smallest_change(self.target, |drop| {
                drop - z_alpha * deviation(self.target) - z_power * deviation(self.target - drop)
            });
        }
        let reach = (s * s + self.tau2).sqrt();
        self.scale
            .inverse(-(z_alpha + z_power) * reach)
            .map(|reached| self.target - reached)
    }
}

/// z and s of a unit on the natural scale; `None` when the target leaves nothing to chance.
fn natural_score(kind: Kind, num: f64, den: f64, target: f64) -> Option<(f64, f64)> {
    let s = natural_variance(kind, target, den, target, 0.0).sqrt();
    (s > 0.0).then(|| ((num / den - target) / s, s))
}

/// Variance of a ratio whose expectation is `at`, when the spread τ² is that of units at `target`.
fn natural_variance(kind: Kind, at: f64, den: f64, target: f64, tau2: f64) -> f64 {
    match kind {
        Kind::Rate => {
            let chance = (at * (1.0 - at)).max(0.0);
            let rho = law::correlation(target, tau2);
            chance * (1.0 + (den - 1.0).max(0.0) * rho) / den
        }
        // A spread in proportion to the rate.
        Kind::Oe | Kind::Ratio => (at / den + tau2 * (at / target).powi(2)).max(0.0),
    }
}
