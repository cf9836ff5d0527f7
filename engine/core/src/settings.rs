//! What a manufacturer sets for itself: how its year runs.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::fault::{Error, Fault, Result};
use crate::limits;

/// The settings of one manufacturer. What is not said is as it is by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The month that the fiscal year begins with, 1 to 12. `fiscal_quarter` and `fiscal_year` count from it; a fiscal year
    /// has the number of the calendar year in which it ends.
    pub fiscal_start_month: u8,
    /// Days on which nobody works, whatever the day of the week: `business_minutes` counts none of theirs.
    pub holidays: Vec<NaiveDate>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fiscal_start_month: 1,
            holidays: Vec::new(),
        }
    }
}

impl Settings {
    /// The same with its holidays in order and each once, if it makes sense.
    pub(crate) fn checked(mut self) -> Result<Self> {
        if !(1..=12).contains(&self.fiscal_start_month) {
            return Err(Error::new(
                Fault::Invalid,
                format!(
                    "\"fiscal_start_month\" needs a month from 1 to 12, got {}",
                    self.fiscal_start_month
                ),
            ));
        }
        if self.holidays.len() > limits::HOLIDAYS {
            return Err(Error::limit(
                "holidays",
                limits::HOLIDAYS,
                self.holidays.len(),
            ));
        }
        self.holidays.sort_unstable();
        self.holidays.dedup();
        Ok(self)
    }
}
