//! Confidence limits for a probability estimated over time, as R's `survfit` draws them.

use std::str::FromStr;

use crate::invalid::Invalid;

/// On which scale the limits are symmetric. p is the probability, s its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Limits {
    /// exp(ln p ± z s/p), at most 1: R's `conf.type = "log"`, its default. None at p = 0.
    #[default]
    Log,
    /// p^exp(± z s/(p ln p)), always inside \[0, 1\]: R's `"log-log"` (Kalbfleisch & Prentice 1980, 1.14).
    /// None at 0 and 1.
    LogLog,
    /// p ± z s cut to \[0, 1\]: R's `"plain"`.
    Plain,
}

impl FromStr for Limits {
    type Err = Invalid;

    /// The scale by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "log" => Ok(Self::Log),
            "log_log" => Ok(Self::LogLog),
            "plain" => Ok(Self::Plain),
            _ => Err(Invalid::new(
                "limits",
                "log, log_log or plain",
                format_args!("\"{name}\""),
            )),
        }
    }
}

impl Limits {
    /// Limits of a probability p whose standard error is `relative_se` times p.
    pub(crate) fn around(self, p: f64, relative_se: f64, z: f64) -> Option<(f64, f64)> {
        let reach = z * relative_se;
        let (lo, hi) = match self {
            Self::Log if p == 0.0 => return None,
            Self::Log => (p * (-reach).exp(), p * reach.exp()),
            Self::LogLog if p == 0.0 || p >= 1.0 => return None,
            Self::LogLog => {
                // ln p < 0, so the larger power is the lower limit.
                let power = (reach / p.ln()).exp();
                (p.powf(1.0 / power), p.powf(power))
            }
            Self::Plain => (p - reach * p, p + reach * p),
        };
        Some((lo.clamp(0.0, p.min(1.0)), hi.clamp(p.min(1.0), 1.0)))
    }
}
