//! The scales on which units are about normal around the target, and the way back.

use std::f64::consts::FRAC_PI_2;

use super::{Kind, Method};

/// A scale with its target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    kind: Kind,
    /// Whether counts are moved by Anscombe's fractions.
    anscombe: bool,
    logarithmic: bool,
    target: f64,
    /// The target on the scale.
    centre: f64,
}

impl Scale {
    pub(super) fn of(kind: Kind, method: Method, target: f64) -> Self {
        let logarithmic = kind == Kind::Ratio || method == Method::Shmi;
        let centre = match kind {
            Kind::Rate => target.sqrt().min(1.0).asin(),
            // O/E is scored against the events expected at the target.
            Kind::Oe => f64::from(!logarithmic),
            Kind::Ratio => target.ln(),
        };
        Self {
            kind,
            anscombe: matches!(method, Method::Anscombe | Method::BetaBinomial),
            logarithmic,
            target,
            centre,
        }
    }

    /// A unit's distance from the target in standard errors, and the standard error.
    pub(super) fn score(&self, num: f64, den: f64) -> (f64, f64) {
        match self.kind {
            Kind::Rate => {
                let (hits, trials, effective) = if self.anscombe {
                    (num + 0.375, den + 0.75, den + 0.5)
                } else {
                    (num, den, den)
                };
                let s = 0.5 / effective.sqrt();
                (
                    ((hits / trials).sqrt().min(1.0).asin() - self.centre) / s,
                    s,
                )
            }
            Kind::Oe => self.score_expected(num, den * self.target),
            Kind::Ratio => {
                let (above, below) = (num + 0.5, den + 0.5);
                let s = (num / (above * above) + den / (below * below)).sqrt();
                (((above / below).ln() - self.centre) / s, s)
            }
        }
    }

    fn score_expected(&self, observed: f64, expected: f64) -> (f64, f64) {
        if self.logarithmic {
            let s = expected.sqrt().recip();
            let counted = if observed == 0.0 { 0.5 } else { observed };
            return ((counted / expected).ln() / s, s);
        }
        let s = 0.5 / expected.sqrt();
        let root = if self.anscombe {
            (observed + 0.375).sqrt() - (expected + 0.125).sqrt()
        } else {
            observed.sqrt() - expected.sqrt()
        };
        (2.0 * root, s)
    }

    /// The standard error that limits are drawn with, if it is not the unit's own.
    pub(super) fn limit_error(&self, den: f64) -> Option<f64> {
        (self.kind == Kind::Ratio && !self.anscombe).then(|| 0.5 / den.sqrt())
    }

    /// The ratio at `shift` from the target on the scale, for a unit of this denominator.
    pub(super) fn limit(&self, shift: f64, den: f64) -> f64 {
        let at = self.centre + shift;
        match self.kind {
            Kind::Rate if self.anscombe => {
                // Where (y+3/8)/(n+3/4) has this angle.
                let share = at.clamp(0.0, FRAC_PI_2).sin().powi(2);
                ((share * (den + 0.75) - 0.375) / den).clamp(0.0, 1.0)
            }
            Kind::Rate => at.clamp(0.0, FRAC_PI_2).sin().powi(2),
            _ if self.logarithmic => finite(if self.kind == Kind::Oe {
                self.target * at.exp()
            } else {
                at.exp()
            }),
            _ if self.anscombe => {
                let expected = den * self.target;
                let root = (shift + (1.0 + 0.125 / expected).sqrt()).max(0.0);
                (self.target * (root * root - 0.375 / expected)).max(0.0)
            }
            // Left on the scale of roots, as FunnelPlotR has it.
            _ => (self.target * at).max(0.0),
        }
    }

    /// The ratio whose place on the scale is `shift` from the target, or `None` if there is none.
    pub(super) fn inverse(&self, shift: f64) -> Option<f64> {
        let at = self.centre + shift;
        if self.logarithmic {
            let ratio = if self.kind == Kind::Oe {
                self.target * at.exp()
            } else {
                at.exp()
            };
            return Some(ratio);
        }
        (at >= 0.0).then(|| match self.kind {
            Kind::Rate => at.min(FRAC_PI_2).sin().powi(2),
            _ => self.target * at * at,
        })
    }
}

fn finite(x: f64) -> f64 {
    x.min(f64::MAX)
}
