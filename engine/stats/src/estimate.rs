//! What every estimate returns: a value, its interval, and a status that says how to read them.

use std::fmt;

/// A value with an interval. `lo` and `hi` are present only when `value` is, and `lo <= hi`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate itself.
    pub value: Option<f64>,
    /// Trials or observations behind the value.
    pub n: u64,
    /// Lower end of the interval.
    pub lo: Option<f64>,
    /// Upper end of the interval.
    pub hi: Option<f64>,
    /// How to read it.
    pub status: Status,
}

impl Estimate {
    /// Nothing was observed, so nothing is claimed: the value is absent, never 0.
    pub(crate) const NO_DATA: Self = Self {
        value: None,
        n: 0,
        lo: None,
        hi: None,
        status: Status::NoData,
    };
}

/// How to read an estimate. The names are part of the SQL surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Read it as it is.
    Ok,
    /// No trials.
    NoData,
    /// The base of a ratio is 0.
    ZeroBase,
    /// The period is not over.
    Partial,
    /// The cohort is younger than the window it is measured over.
    Immature,
    /// Fewer observations than asked for; the value is kept.
    SmallN,
    /// The label exists only for the cases that were selected.
    VerificationBias,
    /// The data cannot answer the question, however much of it there is.
    Infeasible,
    /// An iteration reached its bound before its answer.
    NotConverged,
}

impl Status {
    /// The status as SQL spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoData => "no_data",
            Self::ZeroBase => "zero_base",
            Self::Partial => "partial",
            Self::Immature => "immature",
            Self::SmallN => "small_n",
            Self::VerificationBias => "verification_bias",
            Self::Infeasible => "infeasible",
            Self::NotConverged => "not_converged",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
