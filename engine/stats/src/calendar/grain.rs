//! How long a period is.

use std::fmt;
use std::str::FromStr;

use crate::invalid::Invalid;

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grain {
    /// One day.
    Day,
    /// Monday to Sunday, ISO 8601.
    Week,
    /// A calendar month.
    Month,
    /// Three months from January, April, July or October.
    Quarter,
    /// Six months from January or July.
    Half,
    /// A calendar year.
    Year,
    /// Three months, the first one starting with the fiscal year.
    FiscalQuarter,
    /// Twelve months from the first day of the fiscal year's first month.
    FiscalYear,
}

impl Grain {
    /// Every grain, the shortest first.
    pub const ALL: [Self; 8] = [
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Half,
        Self::Year,
        Self::FiscalQuarter,
        Self::FiscalYear,
    ];

    /// The grain as SQL spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Half => "half",
            Self::Year => "year",
            Self::FiscalQuarter => "fiscal_quarter",
            Self::FiscalYear => "fiscal_year",
        }
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Grain {
    type Err = Invalid;

    /// The grain by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|grain| grain.as_str() == name);
        found.ok_or_else(|| {
            Invalid::new(
                "grain",
                "day, week, month, quarter, half, year, fiscal_quarter or fiscal_year",
                format_args!("\"{name}\""),
            )
        })
    }
}
